"""Text in a header as encoded words (RFC 2047). Pure.

In: any text. Out: words of printable ASCII, each short enough for its line. By hand, since the standard
library splits differently from version to version, and a retry must be equal to the byte.
"""

from __future__ import annotations

from base64 import b64encode

LINE_LENGTH = 76
"""Characters in a line where we have the choice (RFC 2045 section 6.7; RFC 2047 section 2)."""


def encoded_words(text: str, used: int) -> list[str]:
    """UTF-8 in base64, one word a line; no character is cut in two (section 5).

    ``used``: characters of the first line that its name and colon take.
    """
    chunks: list[bytes] = [b""]
    for character in text:
        encoded = character.encode("utf-8", "replace")
        # What base64 fits between "=?utf-8?b?" and "?=", after the header's name or the folding space.
        room = (LINE_LENGTH - (used if len(chunks) == 1 else 1) - 12) // 4 * 3
        if len(chunks[-1]) + len(encoded) > room:
            chunks.append(b"")
        chunks[-1] += encoded
    return [f"=?utf-8?b?{b64encode(chunk).decode('ascii')}?=" for chunk in chunks]
