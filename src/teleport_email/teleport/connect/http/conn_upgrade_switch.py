"""``TELEPORT_TLS_ROUTING_CONN_UPGRADE``: whether the user has decided about the WebSocket upgrade. Pure.

Conditions separated by ``,`` or ``;``: ``host:port=yes`` for one address, ``yes`` for all others. Where it is
set, an address that it does not cover is dialled without the upgrade, as Teleport's clients do.
"""

from __future__ import annotations

import re
from collections.abc import Mapping

from teleport_email.teleport.connect.address import Address

VARIABLE = "TELEPORT_TLS_ROUTING_CONN_UPGRADE"

_YES = frozenset({"yes", "yeah", "y", "true", "1", "on"})
_NO = frozenset({"no", "nope", "n", "false", "0", "off"})


def decided(address: Address, environ: Mapping[str, str]) -> bool | None:
    """True: upgrade, False: do not, None: the user left it to us. What cannot be read counts for nothing."""
    value = environ.get(VARIABLE, "").strip()
    if not value:
        return None
    everywhere = False
    for condition in re.split("[,;]", value):
        place, equals, word = condition.rpartition("=")
        answer = _boolean(word)
        if answer is None:
            continue
        if not equals:
            everywhere = answer
        elif place.strip().lower() == str(address).lower():
            return answer
    return everywhere


def _boolean(word: str) -> bool | None:
    lowered = word.strip().lower()
    return True if lowered in _YES else False if lowered in _NO else None
