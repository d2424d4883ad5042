"""Which pending requests nobody was told of yet: what a first start will announce.

In: the requests and all plugin data, at one moment. Out: some of these requests. Never: I/O, a decision.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import datetime

from teleport_email.config.settings import DeliverySettings
from teleport_email.core import go_plugin
from teleport_email.core.decide import Policy, View, is_ours_to_tell
from teleport_email.core.errors import LedgerUnreadable
from teleport_email.core.ledger import LEDGER_KEY
from teleport_email.core.model import AccessRequest, RequestState
from teleport_email.routing.recipients import is_excluded


def unannounced(
    requests: Iterable[AccessRequest],
    data: Mapping[str, Mapping[str, str]],
    delivery: DeliverySettings,
    policy: Policy,
    now: datetime,
) -> list[AccessRequest]:
    """Pending requests without a ledger, ours or the Go plugin's, that are ours to tell. ``now``: UTC."""
    return [
        request
        for request in requests
        if request.state is RequestState.PENDING
        and not is_excluded(request, delivery)
        and not _has_ledger(data.get(request.id, {}))
        and is_ours_to_tell(View(request, seen_pending=True), policy, now)
    ]


def _has_ledger(data: Mapping[str, str]) -> bool:
    if data.get(LEDGER_KEY):
        return True  # ours, whatever it says: at a start there may be a hundred thousand of them
    try:
        ledger = go_plugin.read(data, reviews=0)
    except LedgerUnreadable:
        return True  # left alone
    return ledger.exists or bool(ledger.parties)
