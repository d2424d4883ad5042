"""Characters that show as nothing or move other text: which go, and which of them a language needs. Pure.

In: text as it came. Out: the same with every character that nobody would see gone. What is read is then what
stands there; only where a joiner decides how letters look (or makes one emoji of several) it stays.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Iterable, Iterator

_ACCENTS = 4  # marks on one letter: more than any living language needs
# Letters and symbols that show as nothing: Hangul fillers and the empty Braille cell.
_LOOKS_BLANK = frozenset("\u115f\u1160\u3164\uffa0\u2800")
# Ignored by every display though not of category Cf (Default_Ignorable_Code_Point of the Unicode database).
_IGNORABLE = (
    (0x034F, 0x034F),
    (0x17B4, 0x17B5),
    (0x180B, 0x180F),
    (0x2065, 0x2065),
    (0xFE00, 0xFE0F),
    (0xFFF0, 0xFFF8),
    (0xE0000, 0xE0FFF),
)
_ZWNJ, _ZWJ = "\u200c", "\u200d"
_EMOJI_STYLE = "\ufe0f"  # variation selector 16: the coloured form, which most joined emoji have in them
_DEPENDENT = frozenset((_ZWNJ, _ZWJ, _EMOJI_STYLE))
# Scripts whose letters join: Arabic to N'Ko and Mandaic, India's to Sinhala's, Myanmar's, Khmer, Mongolian,
# and Arabic's further blocks. Elsewhere a joiner shows as nothing (UAX 31, section 2.3; RFC 5892, app. A).
_JOINING = (
    (0x0600, 0x08FF),
    (0x0900, 0x0DFF),
    (0x1000, 0x109F),
    (0x1780, 0x18AF),
    (0x1B00, 0x1BFF),
    (0xA840, 0xA8FF),
    (0xFB50, 0xFDFF),
    (0xFE70, 0xFEFE),
)
_VIRAMA = 9  # canonical combining class of the signs that join two consonants


def visible(text: str) -> str:
    """``text`` without what nobody sees; every blank is a plain space, what is no character is U+FFFD."""
    kept = "".join(_visible(text))
    return "".join(_in_place(kept)) if not _DEPENDENT.isdisjoint(kept) else kept


def _visible(text: str) -> Iterator[str]:
    accents = 0
    for char in text:
        category = unicodedata.category(char)
        code = ord(char)
        if char in _DEPENDENT:
            yield char  # looked at again once what stands beside it is known; accents go on piling up
            continue
        if category[0] == "M":
            accents += 1
            if accents > _ACCENTS or _within(code, _IGNORABLE):
                continue
            yield char
            continue
        if char == "\n":
            shown = char
        elif category == "Zs" or char == "\t" or char in _LOOKS_BLANK:
            shown = " "
        elif category in {"Cs", "Co"} or (category == "Cn" and code & 0xFFFE == 0xFFFE):
            shown = "\ufffd"
        elif category in {"Cc", "Cf"} or _within(code, _IGNORABLE):
            continue  # accents go on piling up, as they will once it is gone
        else:
            shown = char
        accents = 0
        yield shown


def _in_place(text: str) -> Iterator[str]:
    """``text`` with joiners and selectors only where they do something."""
    before = base = ""
    for place, char in enumerate(text):
        if char in _DEPENDENT:
            after = text[place + 1 : place + 2]
            if char == _EMOJI_STYLE:
                keep = before == base and _is_emoji(base)
            elif _is_emoji(base):
                keep = char == _ZWJ and before != _ZWJ and _is_emoji(after)
            else:
                keep = before == base and _joins(before, after, char)
            if not keep:
                continue
        else:
            base = char
        before = char
        yield char


def _joins(before: str, after: str, joiner: str) -> bool:
    if not before or not _within(ord(before), _JOINING):
        return False
    if unicodedata.combining(before) == _VIRAMA:
        return True
    return bool(after) and _is_letter(before) and _is_letter(after) and joiner in (_ZWNJ, _ZWJ)


def _is_letter(char: str) -> bool:
    return unicodedata.category(char)[0] in "LM" and _within(ord(char), _JOINING)


def _is_emoji(char: str) -> bool:
    """A symbol, a skin tone, or the arrow of a shaken head: what emoji are put together from."""
    return bool(char) and (
        unicodedata.category(char) == "So" or "\U0001f3fb" <= char <= "\U0001f3ff" or char == "\u2194"
    )


def _within(code: int, ranges: Iterable[tuple[int, int]]) -> bool:
    return any(first <= code <= last for first, last in ranges)
