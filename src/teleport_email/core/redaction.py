"""Secrets in foreign words: one place that takes them out of every text of a server or a library.

A mail server that echoes what it was sent, a library that quotes a URL: what they say is shown to people and
kept in logs. Every :class:`~teleport_email.config.settings.Secret` that was ever made is known here by its
value (:func:`know`), and :func:`hide` takes it out, in whatever form it comes: plain, percent- or
form-encoded, escaped, in base64 by itself or among other bytes (``AUTH PLAIN`` with and without identity,
XOAUTH2, Basic), broken into lines, or cut off.
"""

from __future__ import annotations

import base64
import re
from collections import OrderedDict
from collections.abc import Iterable, Iterator, Sequence

from msgspec import Struct

MARK = "***"
"""What stands in a secret's place."""

WINDOW = 8
"""So many characters of a secret in a row are taken for it: less of it is found by chance in honest words."""

SHORTEST = 4
"""What is shorter is found only as a word by itself, or in base64 of everything that it was sent in."""

KEPT = 20
"""Passing secrets that are remembered, besides those of the configuration: tokens, answers to challenges."""

_STRIDE = WINDOW - 3  # every window of eight holds four characters that begin at a multiple of five
_ANCHOR = 4
# What tears a text apart: blanks, and a reply's code at the beginning of its next line. Each begins with one
# set of characters, which is sought five times as fast as a choice of two.
_TORN = re.compile(r"[\\\s](?:(?<=\s)|[rnt])(?:\\[rnt]|\s)*(?:[2-5]\d\d[- ])?")
_ESCAPE = re.compile(
    r"(?:%[0-9A-Fa-f]{2})+|\\x[0-9A-Fa-f]{2}|\\u[0-9A-Fa-f]{4}|\\[\\\"'/]|&#(?:x[0-9A-Fa-f]{1,6}|\d{1,7});"
    r"|&(?:amp|lt|gt|quot|apos);"
)
_ESCAPES = frozenset("%\\&+")
_NAMED = {"&amp;": "&", "&lt;": "<", "&gt;": ">", "&quot;": '"', "&apos;": "'"}
_BASE64 = re.compile(r"[A-Za-z0-9+/=_-]")
_ENDS = re.compile(r"…|\.\.\.|$")


class _Form(Struct, frozen=True):
    """One way in which a secret is written. ``encoded``: base64, whose neighbours belong to it."""

    text: str
    encoded: bool = False


def forms(secret: str) -> Iterator[_Form]:
    """What to look for, blanks left out. Pure."""
    plain = "".join(secret.split())
    if plain:
        yield _Form(plain)
    raw = secret.encode("utf-8", "surrogatepass")
    for altered in (base64.b64encode, base64.urlsafe_b64encode):
        for offset in range(3):
            # As it stands in base64 of other bytes around it: without the digits that others share.
            first = -(-offset * 8 // 6)
            last = (offset + len(raw)) * 8 // 6
            inner = altered(bytes(offset) + raw).decode("ascii")[first:last]
            if len(inner) >= SHORTEST + 1:
                yield _Form(inner, encoded=True)


class Redactor:
    """Takes given secrets out of texts. Pure but for what it was told."""

    def __init__(self, secrets: Iterable[str] = (), *, shortest: int = 1) -> None:
        """``shortest``: characters of those secrets that are looked for as they are."""
        self._shortest = shortest
        self._secrets: dict[str, None] = {}
        self._passing: OrderedDict[str, None] = OrderedDict()
        self._anchors: re.Pattern[str] | None = None
        self._windows: dict[int, dict[str, bool]] = {}
        """By their size: what is looked for, and whether it is base64. One way for all forms of all secrets:
        a server decides how much of them it repeats, and how often."""
        self._heads: frozenset[str] = frozenset()
        self._tails: frozenset[str] = frozenset()
        for secret in secrets:
            self.know(secret)

    def know(self, secret: str, *, passing: bool = False) -> None:
        """Look for this one from now on; a ``passing`` one until :data:`KEPT` others came."""
        if not secret.strip() or secret in self._secrets or secret in self._passing:
            return
        (self._passing if passing else self._secrets)[secret] = None
        while len(self._passing) > KEPT:
            self._passing.popitem(last=False)
        self._anchors = None

    def hide(self, text: str) -> str:
        """``text`` with :data:`MARK` in the place of every secret in it."""
        if not self.may_be_in(text):
            return text  # the common case
        anchors = self._anchors or self._prepared()
        spans: list[tuple[int, int]] = []
        for letters, places in _views(text):
            if anchors.search(letters):
                spans += self._found(text, letters, places)
        return _without(text, spans)

    def may_be_in(self, text: str) -> bool:
        """False where ``text`` has nothing to hide; nearly all that is true has, and it costs far less."""
        if not text or not (self._secrets or self._passing):
            return False
        anchors = self._anchors or self._prepared()
        return bool(anchors.search(_TORN.sub("", text))) or not _ESCAPES.isdisjoint(text)

    def _prepared(self) -> re.Pattern[str]:
        """A pattern that is in every text that has anything to hide: some four characters of each form."""
        every = {form for known in (*self._secrets, *self._passing) for form in forms(known)}
        sought = [form for form in every if form.encoded or len(form.text) >= self._shortest]
        self._windows = {}
        for form in sought:
            size = min(WINDOW, len(form.text))
            windows = self._windows.setdefault(size, {})
            for at in range(len(form.text) - size + 1):
                window = form.text[at : at + size]
                windows[window] = windows.get(window, False) or form.encoded
        cuts = [
            (form.text, size) for form in sought for size in range(SHORTEST, min(len(form.text), WINDOW) + 1)
        ]
        self._heads = frozenset(text[:size] for text, size in cuts)
        self._tails = frozenset(text[-size:] for text, size in cuts)
        pieces = {form.text[-_ANCHOR:] for form in sought}
        for form in sought:
            pieces.update(form.text[at : at + _ANCHOR] for at in range(0, len(form.text), _STRIDE))
        whole = {piece for piece in pieces if len(piece) == _ANCHOR}
        whole.update(form.text for form in sought if len(form.text) < _ANCHOR)
        self._anchors = re.compile("|".join(map(re.escape, sorted(whole))) or r"(?!)")
        return self._anchors

    def _found(self, text: str, letters: str, places: Sequence[tuple[int, int]]) -> Iterator[tuple[int, int]]:
        """Where eight or more of a form's characters stand in a row (all of a shorter one)."""
        for size, windows in self._windows.items():
            widest = (0, 0)
            for at in range(len(letters) - size + 1):
                encoded = windows.get(letters[at : at + size])
                if encoded is None:
                    continue
                first, last = places[at][0], places[at + size - 1][1]
                if widest[0] <= first and last <= widest[1]:
                    continue  # its neighbours are in there already: looking again would cost their square
                if size < SHORTEST and not _is_word(text, first, last):
                    continue
                if encoded:
                    first, last = widest = _widened(text, first, last)
                yield first, last
        yield from self._cut(text, letters, places)

    def _cut(self, text: str, letters: str, places: Sequence[tuple[int, int]]) -> Iterator[tuple[int, int]]:
        """Beginnings of secrets where the text was cut off, and ends of them where it begins."""
        ends = [
            at for at, (first, _) in enumerate(places) if text[first] in "…." and _ENDS.match(text, first)
        ]
        sizes = range(WINDOW, SHORTEST - 1, -1)
        for end in {*ends, len(letters)}:
            size = next(
                (size for size in sizes if size <= end and letters[end - size : end] in self._heads), 0
            )
            if size:
                yield places[end - size][0], places[end - 1][1]
        for size in sizes:
            if letters[:size] in self._tails:
                yield places[0][0], places[len(letters[:size]) - 1][1]
                return


def _views(text: str) -> Iterator[tuple[str, list[tuple[int, int]]]]:
    """The text as it may have been meant: letters, and for each where it stands. Blanks are left out."""
    plain: list[str] = []
    at: list[tuple[int, int]] = []
    end = 0
    for torn in _TORN.finditer(text):
        at += [(place, place + 1) for place in range(end, torn.start())]
        plain.append(text[end : torn.start()])
        end = torn.end()
    at += [(place, place + 1) for place in range(end, len(text))]
    squeezed = "".join([*plain, text[end:]])
    yield squeezed, at
    for plus in (False, True):
        if not _ESCAPE.search(squeezed) and not (plus and "+" in squeezed):
            continue
        letters: list[str] = []
        places: list[tuple[int, int]] = []
        end = 0
        for found in _ESCAPE.finditer(squeezed):
            _take(squeezed, at, range(end, found.start()), plus=plus, letters=letters, places=places)
            meant = "".join(_unescaped(found.group()).split())
            letters.append(meant)
            places += [(at[found.start()][0], at[found.end() - 1][1])] * len(meant)
            end = found.end()
        _take(squeezed, at, range(end, len(squeezed)), plus=plus, letters=letters, places=places)
        yield "".join(letters), places


def _take(
    squeezed: str,
    at: Sequence[tuple[int, int]],
    which: range,
    *,
    plus: bool,
    letters: list[str],
    places: list[tuple[int, int]],
) -> None:
    """Letters as they are; a plus may stand for a blank, which is left out."""
    kept = [place for place in which if not (plus and squeezed[place] == "+")]
    letters.append("".join(squeezed[place] for place in kept))
    places += [at[place] for place in kept]


def _unescaped(text: str) -> str:
    if text.startswith("%"):
        return bytes.fromhex(text.replace("%", "")).decode("utf-8", "replace")
    if text.startswith(("\\x", "\\u")):
        return chr(int(f"0{text[1:]}" if text[1] == "x" else f"0x{text[2:]}", 0))
    if text.startswith("&#"):
        number = int(text[3:-1], 16) if text[2] == "x" else int(text[2:-1])
        return chr(number) if number < 0x110000 else ""
    return _NAMED.get(text, text[1:])


def _is_word(text: str, first: int, last: int) -> bool:
    return not (text[first - 1 : first].isalnum() or text[last : last + 1].isalnum())


def _widened(text: str, first: int, last: int) -> tuple[int, int]:
    while first > 0 and _BASE64.match(text, first - 1):
        first -= 1
    while last < len(text) and _BASE64.match(text, last):
        last += 1
    return first, last


def _without(text: str, spans: Iterable[tuple[int, int]]) -> str:
    parts: list[str] = []
    at = 0
    end = -1
    for first, last in sorted(spans):
        if first > end:
            parts += [text[at:first] if end < 0 else text[end:first], MARK]
            end = last
        else:
            end = max(end, last)
        at = end
    return text if end < 0 else "".join([*parts, text[end:]])


LONGEST = 4000
"""Characters of a foreign text that are looked at: no quote shows more, and each costs time."""

_KNOWN = Redactor()
_IN_OURS = Redactor(shortest=WINDOW)


def know(secret: str, *, passing: bool = False) -> None:
    """Have this process never show it again. ``passing``: a token or an answer, of which there are many."""
    for redactor in (_KNOWN, _IN_OURS):
        redactor.know(secret, passing=passing)


def hide(text: str) -> str:
    """The first :data:`LONGEST` characters of a foreign text, without any secret of this process."""
    return _KNOWN.hide(text if len(text) <= LONGEST else f"{text[:LONGEST]} ...")


def may_be_in_ours(text: str) -> bool:
    """False where :func:`hide_in_ours` has nothing to hide in this text."""
    return _IN_OURS.may_be_in(text)


def hide_in_ours(text: str) -> str:
    """The same for texts that have words of ours, as a last guard: a password such as ``mail`` would make
    holes in every sentence, so short ones are not looked for."""
    return _IN_OURS.hide(text)
