"""What users wrote, made harmless: one function per place that it goes to. All pure.

People decide about access by what these mails say, and the text in them comes from the very people who
ask. So nothing that a user wrote may look like ours: not a header, not a line of the body, not a link,
not a state. Four rules do that, and they hold in text and HTML alike:

* *Clean*: control characters, bidi overrides, zero-width and other invisible characters go (but what a
  language or an emoji needs: :mod:`invisible`); every kind of blank is a plain space, every kind of line
  break a line feed; accents do not pile up.
* *One line* where one line is meant (names, roles, ids).
* *Fenced* where lines are kept (reasons): each line after the first begins with ``| ``, so none of them
  begins like a field of ours. A line that could look like one where a window breaks it is wrapped by us.
* *Defanged*: mail programs turn bare ``example.com`` into a link by themselves, also in HTML. Invisible
  characters do not stop that for certain (link finders take them for letters, browsers drop them: UTS 46)
  and spoil what people copy. So it is done visibly, in the form that security people use:
  ``https[:]//evil[.]example``, ``eve[@]evil[.]example``. A name that is one plain address stays as it is:
  mail filters look for it, and at worst it becomes a link to that very address. So does the name of a file,
  if its ending is no top-level domain: ``deploy.yaml``. (What the cluster has confirmed: :mod:`names`.)
  The same brackets break what Mailgun would replace, ``[%]unsubscribe_url%``, and the signs of a state by
  which people filter: ``[✅] APPROVED``.

HTML escaping is the templates' part (autoescape); nothing here returns markup.
"""

from __future__ import annotations

import re
import unicodedata
from bisect import bisect_right
from collections.abc import Callable, Iterable
from itertools import accumulate
from urllib.parse import quote

from msgspec import Struct

from teleport_email.core.model import replace
from teleport_email.render.file_endings import FILE_ENDINGS
from teleport_email.render.invisible import visible

NAME_LIMIT = 120
"""Characters of a name, a role or an id; Teleport's own are far shorter."""
REASON_LIMIT = 4096
"""Cost (see :func:`_cut`) of a reason. Teleport takes 4096 characters at most: plain ones are shown whole."""
LINES_LIMIT = 40
"""Lines of a reason: more would push ours out of sight."""
WIDTH = 74
"""Columns at which kept lines are wrapped: together with the fence they fit a terminal of 80."""
FENCE = "  | "
MARK = "[…]"
"""Stands where something was cut."""

_RAW_LIMIT = 20_000  # characters looked at: bounds the work, whatever comes in
_LINE_BREAKS = re.compile("\r\n|[\r\n\v\f\x1c-\x1e\x85\u2028\u2029]")
_PLAIN = re.compile(r"[ -~\n]*")
_BLANKS = re.compile(" {2,}")
_BLANK_LINES = re.compile(" *\n *")
# What link finders take for a dot: browsers map all of these to one (UTS 46), some through NFKC.
_DOTS = ".\u3002\uff0e\uff61\u2024\ufe52"
_SCHEME = re.compile(r":(?<=\S:)(?=[/\\]{2})")
_UNC = re.compile(r"\\\\(?=[^\s\]])")
_AT = re.compile(r"[@\uff20\ufe6b](?<=\S.)(?=[^\s\]])")
# Behind a dot, the end of a file's name, perhaps with more such ends: `.tar.gz`, `.log.1`. Nothing follows
# that could make a domain of it.
_ENDING = "|".join(sorted(FILE_ENDINGS))
_FILE_END = rf"(?:{_ENDING})(?:\.(?:{_ENDING}|\d+)){{0,3}}(?![\w@-]|[{_DOTS}]\w)"
# A dot between two labels of which the second could be a top-level domain: a letter and one more character.
_DOT = re.compile(
    rf"[{_DOTS}](?<=[^\s{_DOTS}].)(?!(?<=\.){_FILE_END})(?=[^\W\d_][^\s{_DOTS}!-,/:-@\[-`{{-~])",
    re.IGNORECASE,
)
_NUMERIC_HOST = re.compile(rf"(?<!\d)\d+(?:[{_DOTS}]\d+){{3,}}")
_WWW = re.compile(rf"(?i)((?:www|ftp)\d*)[{_DOTS}](?=\S)")
# A state as our own lines tell it; people filter by it.
_STATE = re.compile(r"(?i)[⏳✅❌📋⌛]\ufe0f?(?= *(?:PENDING|APPROVED|DENIED|PROMOTED|EXPIRED|ENDED))")
# Each of the patterns of :func:`defang` has one of these in it, with no blank behind it but for a state.
# They begin with it where they can, and look back from there: to look back at every character takes several
# times as long.
_SUSPECT = re.compile(rf"[%\uff05\ufe6a⏳✅❌📋⌛\\:@\uff20\ufe6b{_DOTS}](?:(?=\S)|(?<=[⏳✅❌📋⌛]))")
# What closes a parenthesis, or looks so.
_OPENS = "(\uff08\ufe59\u207d\u208d\u2768\u276a\u2985\uff5f"
_CLOSES = ")\uff09\ufe5a\u207e\u208e\u2769\u276b\u2986\uff60"
_TOKEN = re.compile(r"[%\uff05\ufe6a](?=[^\W\d]|\w[\w.-]*%)")
_ADDRESS = re.compile(
    r"(?!(?:www|ftp)\d*\.)[A-Za-z0-9](?:[A-Za-z0-9+_-]|\.(?=[A-Za-z0-9])){0,63}"
    r"@[A-Za-z0-9](?:[A-Za-z0-9-]{0,62})(?:\.[A-Za-z0-9](?:[A-Za-z0-9-]{0,62}))+",
    re.IGNORECASE,
)
# A word with a colon behind it, further on in a line: where a window breaks the line it may pass for a field.
_FIELD = re.compile("(?<=[^ ]) +[^ ]*[:\uff1a\ufe55\ua789\u2236\u02d0](?: |$)")
_COSTLY = re.compile("[&<>\"']")
_RTL = frozenset({"R", "AL", "AN"})


class Quote(Struct, frozen=True):
    """Text of several lines that a user wrote, ready for use in a mail.

    ``lines`` is for HTML (one item per line, as written); ``str()`` and ``fenced`` are for text.
    """

    lines: tuple[str, ...] = ()
    left_out: int = 0
    """Characters that are not in ``lines``."""
    whole: tuple[str, ...] = ()
    """All of it, for text behind a label: filters and scripts read it there."""
    head: tuple[str, ...] = ()
    """Of ``lines``, the beginning: what stands above the button."""
    rest: tuple[str, ...] = ()
    """What follows ``head``; nothing where that is all."""

    def __bool__(self) -> bool:
        return bool(self.lines)

    def __str__(self) -> str:
        """For text, behind a label: whole, the first line as it is, every further one fenced."""
        return _behind_label(self.whole)

    @property
    def enclosed(self) -> str:
        """The same for text in parentheses: none of its own closes them before its end."""
        return _behind_label(_enclosed("\n".join(self.whole)).split("\n"))

    @property
    def more(self) -> int:
        """How many characters ``rest`` has."""
        return sum(map(len, self.rest))

    def shortened(self, rows: int, width: int, measure: Callable[[str], int]) -> Quote:
        """The same with no more in ``head`` than fits so many rows."""
        starts = [
            (n, start) for n, line in enumerate(self.lines) for start in row_starts(line, width, measure)
        ]
        if len(starts) <= rows:
            return replace(self, head=self.lines, rest=())
        number, start = starts[rows]
        line = self.lines[number]
        begun = (line[:start].rstrip(),) if start else ()
        return replace(
            self, head=(*self.lines[:number], *begun), rest=(line[start:], *self.lines[number + 1 :])
        )

    @property
    def fenced(self) -> str:
        """For text, on lines of its own: every line fenced."""
        return "".join(f"{FENCE}{line}\n" for line in _wrapped(self.lines)).rstrip("\n")


def clean(text: str) -> str:
    """``text`` without what is invisible or moves other text; breaks are ``\\n``, blanks single spaces."""
    text = text[:_RAW_LIMIT]
    if not (text.isascii() and text.isprintable()):  # no breaks, and nothing that nobody sees
        text = _LINE_BREAKS.sub("\n", text)
        if not _PLAIN.fullmatch(text):
            text = visible(text)
        text = _BLANK_LINES.sub("\n", text)
    return (_BLANKS.sub(" ", text) if "  " in text else text).strip()


def defang(text: str) -> str:
    """``text`` so that no mail program makes a link of any part of it, and Mailgun no token."""
    if not _SUSPECT.search(text):
        return text
    text = _TOKEN.sub("[%]", text)
    text = _STATE.sub(r"[\g<0>]", text)
    text = _UNC.sub(r"[\\\\]", text)
    text = _SCHEME.sub("[:]", text)
    text = _WWW.sub(r"\1[.]", text)
    text = _NUMERIC_HOST.sub(lambda found: re.sub(f"[{_DOTS}]", "[.]", found.group()), text)
    text = _DOT.sub("[.]", text)
    return _AT.sub("[@]", text)


def one_line(text: str, limit: int = NAME_LIMIT) -> str:
    """``text`` as a single harmless line of at most about ``limit`` characters."""
    line = defang(clean(text).replace("\n", " "))
    return _isolated(_shortened(line, limit))


def shorter(line: str, limit: int) -> str:
    """A line that is harmless already, cut to about ``limit`` columns."""
    line = line.strip("\u2068\u2069")
    starts = row_starts(line, limit)
    cut = line if len(starts) == 1 else line[: starts[1]].rstrip() + MARK
    return _isolated(cut + "\u2069" * (cut.count("\u2068") - cut.count("\u2069")))


def name(text: str, limit: int = NAME_LIMIT) -> str:
    """A user's name as a single line. One plain address stays as it is (see the module's text)."""
    if len(text) <= limit and _ADDRESS.fullmatch(text):
        return text
    return one_line(text, limit)


def cluster_name(text: str) -> str:
    """The cluster's own name as a single line. The operator chose it: a plain one stays as it is."""
    return text if re.fullmatch(r"[A-Za-z0-9._-]{1,120}", text) else one_line(text)


def item(text: str, limit: int = NAME_LIMIT) -> str:
    """A name that stands in a list with commas (a role): it cannot pass for two."""
    return one_line(text.replace(",", "[,]"), limit)


def block(text: str, limit: int = REASON_LIMIT) -> Quote:
    """``text`` with its line breaks kept, cut to ``limit`` (cost) and :data:`LINES_LIMIT` lines."""
    whole = defang(re.sub(r"\n{3,}", "\n\n", clean(text)))
    kept = _cut(whole, limit)
    lines = kept.split("\n")[:LINES_LIMIT]
    shown = "\n".join(lines)
    # Counted in characters of the harmless form: near enough for "... and 3000 more".
    left_out = len(whole) - len(shown) + max(0, len(text) - _RAW_LIMIT)
    if not shown:
        return Quote()
    if left_out:
        lines[-1] = f"{lines[-1].rstrip()} {MARK}".lstrip()
    every_line = whole.split("\n")
    if len(text) > _RAW_LIMIT:
        every_line[-1] = f"{every_line[-1].rstrip()} {MARK}".lstrip()
    return Quote(tuple(lines), left_out, tuple(every_line), tuple(lines))


def header(text: str, limit: int = 200) -> str:
    """``text`` as the value of a header: printable ASCII, no line break, at most ``limit`` characters.

    What is not ASCII becomes ``?``; ``=?`` cannot begin an encoded word (RFC 2047).
    """
    line = clean(text).replace("\n", " ")[: 2 * limit]
    if not line.isascii():
        line = "".join([char if char.isascii() else "?" for char in line])
    return _TOKEN.sub("[%]", line.replace("=?", "=_"))[:limit].strip()


def header_text(text: str, limit: int = 200) -> str:
    """The same with what is not ASCII kept, for encoded words."""
    line = " ".join(clean(text).split())[: 2 * limit].replace("=?", "=_")
    return _TOKEN.sub("[%]", line.encode("utf-8", "replace").decode())[:limit].strip()


def header_list(texts: Iterable[str], limit: int = 400) -> str:
    """Values joined by commas for a header; those that no longer fit are left out, with ``...`` for them."""
    kept: list[str] = []
    length = 0
    for text in texts:
        value = header(text, NAME_LIMIT).replace(",", "_")
        length += len(value) + 1
        if length > limit:
            return ",".join([*kept, "..."])
        kept.append(value)
    return ",".join(kept)


def domain(text: str, limit: int = 120) -> str:
    """``text`` as dot-atom (RFC 5322) for use in an identifier such as ``List-Id``; never empty."""
    labels = re.sub(r"[^A-Za-z0-9.-]+", "-", text)[:limit].split(".")
    return ".".join(label.strip("-") for label in labels if label.strip("-")).lower() or "cluster"


def path_segment(text: str) -> str:
    """``text`` as one segment of a URL's path; empty when it cannot be one."""
    if text in {"", ".", ".."} or len(text) > NAME_LIMIT:
        return ""
    return quote(text.encode("utf-8", "replace"), safe="")


def shell_word(text: str) -> str:
    """``text`` as one word of a command line that people copy; empty when it cannot be one safely."""
    return text if re.fullmatch(r"[A-Za-z0-9][A-Za-z0-9._-]{0,99}", text) else ""


def _isolated(line: str) -> str:
    """A line with right-to-left writing in an isolate (UAX 9), so that it does not reorder ours."""
    if line.isascii() or not any(unicodedata.bidirectional(char) in _RTL for char in line):
        return line
    return f"\u2068{line}\u2069"


def _shortened(line: str, limit: int) -> str:
    kept = _cut(line[:limit], 2 * limit)
    return line if len(kept) == len(line) else f"{kept.rstrip()}{MARK}"


def _cut(text: str, limit: int) -> str:
    """The longest beginning whose cost is at most ``limit``: a character costs its bytes as escaped HTML."""
    if len(text) * 5 <= limit:
        return text
    if text.isascii() and not _COSTLY.search(text):
        return text[:limit]
    cost = 0
    for position, char in enumerate(text):
        cost += 5 if char in "&<>\"'" else len(char.encode())
        if cost > limit:
            return text[:position]
    return text


def _behind_label(lines: Iterable[str]) -> str:
    return f"\n{FENCE}".join(
        part for line in lines for part in (_wrapped((line,)) if _FIELD.search(line) else [_isolated(line)])
    )


def _enclosed(text: str) -> str:
    """``text`` with brackets around what closes a parenthesis that it has not opened, but for its end."""
    end = len(text.rstrip(f"{_CLOSES} \n"))
    depth = 0
    kept: list[str] = []
    for place, char in enumerate(text):
        depth += char in _OPENS
        if char in _CLOSES:
            if depth == 0 and place < end:
                kept.append(f"[{char}]")
                continue
            depth = max(0, depth - 1)
        kept.append(char)
    return "".join(kept)


def _wrapped(lines: Iterable[str]) -> list[str]:
    return [_isolated(part) for line in lines for part in _wrap(line)]


def _wrap(line: str) -> list[str]:
    """``line`` in parts of at most :data:`WIDTH` columns, broken at spaces where there are any."""
    starts = row_starts(line, WIDTH)
    parts = [line[start:end].rstrip() for start, end in zip(starts, [*starts[1:], len(line)], strict=True)]
    return [part for part in parts if part] or [""]


def row_starts(line: str, width: int, measure: Callable[[str], int] | None = None) -> list[int]:
    """Where the rows begin into which ``line`` breaks in a window of ``width``: columns, or as measured."""
    if measure is None:
        if line.isascii() and len(line) <= width:
            return [0]
        measure = column_width
    ends = [0, *accumulate(map(measure, line))]
    starts = [0]
    start, position = 0, -1
    while (position := max(position + 1, bisect_right(ends, width + ends[start]) - 1)) < len(line):
        space = line.rfind(" ", start + 1, position + 1)
        end = position if space < 0 else space
        start = end + 1 if line[end] == " " else end
        starts.append(start)
    return starts


def columns(text: str) -> int:
    """Columns that ``text`` takes where every letter is as wide as every other."""
    return len(text) if text.isascii() else sum(map(column_width, text))


def column_width(char: str) -> int:
    """0 for what stands above or within another character, 2 for wide ones, else 1."""
    if char < "\u0300":
        return 1
    if unicodedata.combining(char) or unicodedata.category(char) in {"Mn", "Me", "Cf"}:
        return 0
    return 2 if unicodedata.east_asian_width(char) in "WF" else 1
