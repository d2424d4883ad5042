"""The headers of a message beside those of every mail: for filters that can read them. Pure.

In: a kind, a request or names of Access Lists. Out: names with values of printable ASCII, which
``mail.message`` folds. What is not ASCII stands in encoded words (RFC 2047): decoded, it is what the cluster
told. Users may have chosen these names, so they are cleaned, short, and begin nothing of their own; names of
Access Lists are percent-encoded in place of that.
"""

from __future__ import annotations

from collections.abc import Iterable
from urllib.parse import quote

from teleport_email.core.model import AccessRequest, ClusterInfo, Kind, Topic
from teleport_email.mail.encoded_words import LINE_LENGTH, encoded_words
from teleport_email.render import quoting

_MOST_BYTES = 240
"""Of a value before it is encoded: with that it stays below 420 characters."""
_MOST_PLAIN = 400
"""Of a value that is not encoded."""
_MORE = "..."
_AS_THEY_ARE = "!\"#$&'()*+/:;<=>@[\\]^`{|}"
"""What stands as it is in the name of a list besides letters, digits and ``_.-~``: printable ASCII, but no
blank, no comma, which separates names, no ``%``, and no ``?``: without it nothing begins an encoded word."""


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
        ("X-Teleport-Access-Lists", list_names(lists, "X-Teleport-Access-Lists")),
    ]
    if state == "OVERDUE":
        found.append(("Importance", "High"))
    return tuple((name, text) for name, text in found if text)


def value(text: str, name: str) -> str:
    """``text`` as the value of the header ``name``."""
    line = quoting.header_text(text)
    if line.isascii():
        plain = quoting.header(line)
        if len(plain) <= _first_room(name):
            return plain
    return _encoded(line, name)


def values(texts: Iterable[str], name: str) -> str:
    """``texts`` joined by commas as the value of the header ``name``; ``...`` at its end: some are left out.

    Where a line of 76 characters ends, a space stands behind a comma, so that it can be folded there.
    """
    cleaned = [quoting.header_text(text, quoting.NAME_LIMIT).replace(",", "_") for text in texts]
    if all(map(str.isascii, cleaned)) and _can_be_folded(cleaned, name):
        return _folded(quoting.header_list(cleaned), name)
    return _encoded(_joined(cleaned, _MOST_BYTES - len(_MORE)), name)


def list_names(names: Iterable[str], name: str) -> str:
    """The names of Access Lists in the same way, each percent-encoded (RFC 3986) and whole or left out:
    whoever makes a list chooses its name, and a filter must not take it for another one.
    """
    coded = [quote(each.encode("utf-8", "replace"), safe=_AS_THEY_ARE) for each in names]
    if _can_be_folded(coded, name):
        return _folded(_joined(coded, _MOST_PLAIN), name)
    return _encoded(_joined(coded, _MOST_BYTES - len(_MORE)), name)


def _first_room(name: str) -> int:
    return LINE_LENGTH - len(name) - 2


def _can_be_folded(texts: Iterable[str], name: str) -> bool:
    """Whether each has room in a line."""
    return all(len(text) < _first_room(name) for text in texts)


def _folded(joined: str, name: str) -> str:
    lines, room = [""], _first_room(name)
    for text in joined.split(","):
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
            return ",".join([*kept, _MORE])
        kept.append(text)
    return ",".join(kept)


def _encoded(text: str, name: str) -> str:
    kept = text.encode()[:_MOST_BYTES].decode(errors="ignore")
    return " ".join(encoded_words(kept, len(name) + 2)) if kept else ""
