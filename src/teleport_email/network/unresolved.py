"""A name that DNS does not have, in words, wherever a name is dialled. Pure."""

from __future__ import annotations

import re
import socket

# Reserved for examples (RFC 2606 section 3): our own files and pages have them.
_EXAMPLE = re.compile(r"(?:^|\.)example(?:\.(?:com|net|org))?\.?$", re.IGNORECASE)


def unresolved(host: str, where: str, error: socket.gaierror) -> str:
    """Why ``host`` has no address, and what to do. ``where``: what names it (``teleport.addr``)."""
    said = error.strerror or str(error)
    if _EXAMPLE.search(host):
        return f"the name {host} is not known: it is an example's, put yours into {where} ({said})"
    if (
        error.errno == socket.EAI_AGAIN
    ):  # no answer for now, rather than the answer that there is no such name
        return f"the name {host} cannot be resolved: DNS gives no answer just now; {where} names it ({said})"
    return f"the name {host} is not known: check {where} and DNS ({said})"
