"""The headers of a message beside those of every mail: for filters that can read them. Pure.

In: a kind, a request or names of Access Lists. Out: names with values of printable ASCII, which
``mail.message`` folds. What is not ASCII stands in encoded words (RFC 2047): decoded, it is what the cluster
told. Users may have chosen these names, so they are cleaned, short, and begin nothing of their own.
"""

from __future__ import annotations

from collections.abc import Iterable

from teleport_email.core.model import AccessRequest, ClusterInfo, Kind, Topic
from teleport_email.mail.encoded_words import LINE_LENGTH, encoded_words
from teleport_email.render import quoting

_MOST_BYTES = 240
"""Of a value before it is encoded: with that it stays below 420 characters."""


def headers(
    kind: Kind, request: AccessRequest, cluster: ClusterInfo, state: str
) -> tuple[tuple[str, str], ...]:
    """All of them, in order; what would be empty is left out."""
    found = [
        ("List-Id", f"<access-requests.{quoting.domain(cluster.name)}>"),  # RFC 2919: a dot-atom
        ("X-Teleport-Cluster", value(cluster.name, "X-Teleport-Cluster")),
        ("X-Teleport-Request-Id", value(request.id, "X-Teleport-Request-Id")),
        ("X-Teleport-Kind", kind.topic.name.lower()),
        ("X-Teleport-State", state),
        ("X-Teleport-User", value(request.user, "X-Teleport-User")),
        ("X-Teleport-Roles", values(request.roles, "X-Teleport-Roles")),
    ]
    if request.long_term:
        found.append(("X-Teleport-Request-Kind", "LONG_TERM"))
    if kind.topic in (Topic.REMINDER, Topic.ESCALATION):
        found.append(("Importance", "High"))
    return tuple((name, text) for name, text in found if text)


def of_lists(
    kind: str, lists: Iterable[str], day: str, cluster: ClusterInfo, state: str
) -> tuple[tuple[str, str], ...]:
    """Those of a reminder of Access Lists. ``lists``: their names in order; ``day``: of the first, in UTC."""
    found = [
        ("List-Id", f"<access-list-reviews.{quoting.domain(cluster.name)}>"),
        ("X-Teleport-Cluster", value(cluster.name, "X-Teleport-Cluster")),
        ("X-Teleport-Kind", kind),
        ("X-Teleport-State", state),
        ("X-Teleport-Due", day),
        ("X-Teleport-Access-Lists", values(lists, "X-Teleport-Access-Lists")),
    ]
    if state == "OVERDUE":
        found.append(("Importance", "High"))
    return tuple((name, text) for name, text in found if text)


def value(text: str, name: str) -> str:
    """``text`` as the value of the header ``name``."""
    line = quoting.header_text(text)
    if line.isascii():
        plain = quoting.header(line)
        if len(plain) <= LINE_LENGTH - len(name) - 2:
            return plain
    return _encoded(line, name)


def values(texts: Iterable[str], name: str) -> str:
    """``texts`` joined by commas as the value of the header ``name``; ``...`` at its end: some are left out.

    Where a line of 76 characters ends, a space stands behind a comma, so that it can be folded there.
    """
    cleaned = [quoting.header_text(text, quoting.NAME_LIMIT).replace(",", "_") for text in texts]
    first_room = LINE_LENGTH - len(name) - 2
    if not all(map(str.isascii, cleaned)) or any(len(text) >= first_room for text in cleaned):
        return _encoded(_joined(cleaned, _MOST_BYTES), name)
    lines, room = [""], first_room
    for text in quoting.header_list(cleaned).split(","):
        if lines[-1] and len(lines[-1]) + len(text) + 1 > room:
            lines.append("")
            room = LINE_LENGTH - 1
        lines[-1] += f"{text},"
    return " ".join(lines).removesuffix(",")


def _joined(texts: Iterable[str], limit: int) -> str:
    kept: list[str] = []
    for text in texts:
        limit -= len(text.encode()) + 1
        if limit < 0:
            return ",".join([*kept, "..."])
        kept.append(text)
    return ",".join(kept)


def _encoded(text: str, name: str) -> str:
    kept = text.encode()[:_MOST_BYTES].decode(errors="ignore")
    return " ".join(encoded_words(kept, len(name) + 2)) if kept else ""
