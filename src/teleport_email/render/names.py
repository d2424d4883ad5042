"""Names: what the cluster has confirmed stands as it is, and becomes no link where we can help it. Pure.

People copy a role's or a host's name, search for it, and filter by it. Its letters are few, so that it can
hold neither blanks nor brackets nor anything that moves text; and it names what is there in the cluster. In
text it stands verbatim. In HTML each of the signs by which mail programs find links stands in an element of
its own (``prod<span>.</span>example``): link finders look at one piece of text at a time, and nothing
invisible is in what people copy. At worst a name becomes a link to that very name.
"""

from __future__ import annotations

import re

from teleport_email.render import quoting

# `://` or `www.` at its beginning: those are links, whatever follows.
_PLAIN = re.compile(r"(?!www\.)(?!.*://)[A-Za-z0-9._:/@-]+", re.IGNORECASE)
_SIGNS = re.compile(r"[.@](?=[A-Za-z0-9])")
_ESCAPES = str.maketrans({"&": "&amp;", "<": "&lt;", ">": "&gt;", '"': "&quot;", "'": "&#x27;"})
"""``html.escape`` does as much, and brings the names of all 2,231 entities along."""
_MOST_SIGNS = 20
"""In a name of any host; each costs bytes of the HTML, which stays below 30 KB."""


class Unlinked(str):
    """A line that stands as it is in text, and as HTML is not to be found by those who look for links."""

    __slots__ = ()

    def __html__(self) -> str:
        """Markup of it, escaped: what autoescaping takes in its place."""
        return _SIGNS.sub(r"<span>\g<0></span>", self.translate(_ESCAPES))


def confirmed(text: str, limit: int = quoting.NAME_LIMIT) -> str:
    """A name that the cluster knows (a resource, a list, itself), on a single line.

    As it is where it is plain and at most ``limit`` characters, else harmless as what users write.
    """
    return _plain(text, limit) or quoting.one_line(text, limit)


def confirmed_item(text: str, limit: int = quoting.NAME_LIMIT) -> str:
    """The same in a list with commas (a role): it cannot pass for two."""
    return _plain(text, limit) or quoting.item(text, limit)


def confirmed_user(text: str, limit: int = quoting.NAME_LIMIT) -> str:
    """The same for a user: one address stays one (with a ``+`` in it, too)."""
    return _plain(text, limit) or _unlinked(quoting.name(text, limit))


def shorter(name: str, limit: int) -> str:
    """A harmless name cut to about ``limit`` columns, with a mark where it was longer."""
    if quoting.columns(name) <= limit:
        return name
    cut = quoting.shorter(name, limit)
    return Unlinked(cut) if isinstance(name, Unlinked) else cut


def _plain(text: str, limit: int) -> str:
    return _unlinked(text) if len(text) <= limit and _PLAIN.fullmatch(text) and _is_short(text) else ""


def _unlinked(text: str) -> str:
    return Unlinked(text) if _SIGNS.search(text) and _is_short(text) else text


def _is_short(text: str) -> bool:
    return len(_SIGNS.findall(text)) <= _MOST_SIGNS
