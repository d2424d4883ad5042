"""What users wrote cannot pass for anything of ours, whatever it is."""

import html
import json
import re
import unicodedata
from pathlib import Path
from unittest.mock import patch

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from teleport_email.render import quoting
from teleport_email.render.file_endings import FILE_ENDINGS

CORPUS = json.loads((Path(__file__).parents[1] / "data" / "hostile_texts.json").read_text("utf-8"))
TEXTS = [entry["text"] for entry in CORPUS]

# Harder than arbitrary text: pieces of which attacks are made.
WORDS = r". 。 ． :// \\ @ % www. http evil com co 10 a é भा [ ] < & א {{ - _ / : Status: Link:"
PIECES = st.sampled_from([*WORDS.split(), *" \n\r\u200b\u202e\u2028"])
TEXT = st.one_of(st.text(), st.lists(PIECES, max_size=40).map("".join), st.sampled_from(TEXTS))

# A link finder greedier than any mail program's.
LABEL = r"[^\W_]"
LINK = re.compile(
    rf"(?i)\w[\w+.-]*:[/\\]{{2}}|\\\\\w|(?:www|ftp)\d*[.。．｡․﹒]\S|[^\s@]@[^\s@\]]"
    rf"|{LABEL}[.。．｡․﹒][^\W\d_][^\W_]|(?<!\d)\d+\.\d+\.\d+\.\d+"
)
TOKEN = re.compile(r"%\w*[^\W\d]\w*(?:\.\w+)*%")


# Ends of files' names, in any case, where nothing follows that could make a domain of them; that none of them is
# a top-level domain, another test shows.
ENDING = "|".join(FILE_ENDINGS)
FILE = re.compile(rf"(?i)\.(?:{ENDING})(?:\.(?:{ENDING}|\d+)){{0,3}}(?![\w@-]|[.。．｡․﹒]\w)")


def links(text: str) -> bool:
    return LINK.search(FILE.sub(" ", re.sub("[\u2068\u2069]", " ", text))) is not None


@pytest.mark.parametrize(
    "text", ["a.evil", "deploy.yaml.evil", "deploy.yaml@evil", "x.conf-a.com", "conf.com"]
)
def test_what_follows_the_name_of_a_file_is_a_link(text):
    assert links(text)


@given(TEXT)
def test_what_takes_a_short_way_needs_no_longer_one(text):
    broken = quoting._LINE_BREAKS.sub("\n", text)
    shown = quoting._BLANKS.sub(" ", quoting.visible(broken))
    clean = quoting._BLANK_LINES.sub("\n", shown).strip()
    assert quoting.clean(text) == clean
    for each in (text, clean):
        with patch.object(quoting, "_SUSPECT", re.compile("")):
            looked_at = quoting.defang(each)
        assert quoting.defang(each) == looked_at


SINGLE = [quoting.one_line, quoting.name, quoting.item, quoting.cluster_name]


def invisible(text: str) -> list[str]:
    isolates = "\u2068\u2069"  # put in by us, around right-to-left writing
    return [
        c
        for c in text
        if unicodedata.category(c) in {"Cc", "Cf", "Cs", "Co", "Zl", "Zp"} and c not in isolates
    ]


def plain_address(text: str) -> bool:
    return re.fullmatch(r"[A-Za-z0-9][A-Za-z0-9.+_-]*@[A-Za-z0-9.-]+", text) is not None


@pytest.mark.parametrize("entry", CORPUS, ids=lambda entry: entry["what"])
def test_the_corpus_is_harmless_in_every_context(entry):
    text = entry["text"]
    quote = quoting.block(text)
    for shown in (*quote.lines, str(quote), quote.fenced, quoting.one_line(text), quoting.item(text)):
        assert not links(shown)
        assert not TOKEN.search(shown)
        assert not invisible(shown.replace("\n", ""))
    for line in str(quote).split("\n")[1:] + quote.fenced.split("\n") * bool(quote):
        assert line.startswith("  | ")
    assert "\n" not in quoting.one_line(text)
    assert re.fullmatch(r"[ -~]*", quoting.header(text))


@pytest.mark.parametrize("shown", SINGLE)
@given(text=TEXT)
def test_a_single_line_stays_one_and_links_to_nothing(shown, text):
    line = shown(text)
    assert len(line.splitlines()) <= 1
    assert not invisible(line)
    assert len(line) <= quoting.NAME_LIMIT + 10
    if not (shown is quoting.name and plain_address(line)) and shown is not quoting.cluster_name:
        assert not links(line)
        assert not TOKEN.search(line)


@given(text=TEXT)
@example("0.CONF")
@example("a" * 100_000)
@example("א" * 5_000)
@example("漢字" * 5_000)
@example("&" * 5_000)
@example("\n".join("x" * 10 for _ in range(500)))
def test_kept_lines_are_fenced_bounded_and_link_to_nothing(text):
    quote = quoting.block(text)
    assert not links("\n".join(quote.lines))
    assert not TOKEN.search("\n".join(quote.lines))
    assert not invisible("".join(quote.lines))
    assert len(quote.lines) <= quoting.LINES_LIMIT
    assert all(len(line.splitlines()) <= 1 for line in quote.lines)
    assert len(html.escape("\n".join(quote.lines)).encode()) <= quoting.REASON_LIMIT * 1.3 + 200
    first, *rest = str(quote).split("\n")
    assert all(line.startswith("  | ") for line in rest)
    assert not links(str(quote))
    for line in (first, *rest, *quote.fenced.split("\n")):
        # Where a narrow window breaks a line that is long, nothing behind the break looks like a field.
        assert columns(line) <= 80 or not re.search(r"\S +\S*:( |$)", line.removeprefix("  | "))
    assert len(str(quote)) <= 21_000 * 7
    assert bool(quote) == bool(quoting.clean(text))


def columns(line: str) -> int:
    return sum(
        0 if unicodedata.combining(c) or unicodedata.category(c) in {"Mn", "Me", "Cf"} else
        2 if unicodedata.east_asian_width(c) in "WF" else 1
        for c in line
    )  # fmt: skip


@given(text=TEXT)
def test_headers_are_short_printable_ascii(text):
    value = quoting.header(text)
    assert re.fullmatch(r"(?:[!-~](?:[ -~]{0,198}[!-~])?)?", value)
    assert "=?" not in value
    assert not TOKEN.search(value)


@given(texts=st.lists(TEXT, max_size=80))
def test_lists_in_headers_are_bounded_and_tell_when_cut(texts):
    value = quoting.header_list(texts)
    assert re.fullmatch(r"[ -~]*", value)
    assert len(value) <= 410
    if value.endswith("..."):
        assert len(texts) > value.count(",")


@given(text=TEXT)
def test_identifiers_paths_and_words(text):
    assert re.fullmatch(r"[a-z0-9-]+(\.[a-z0-9-]+)*", quoting.domain(text))
    assert re.fullmatch(r"[A-Za-z0-9._~%-]*", quoting.path_segment(text))
    assert quoting.path_segment(text) not in {".", ".."}
    assert re.fullmatch(r"([A-Za-z0-9][A-Za-z0-9._-]*)?", quoting.shell_word(text))


@given(text=TEXT)
def test_cleaning_and_defanging_twice_is_the_same_as_once(text):
    once = quoting.defang(quoting.clean(text))
    assert quoting.clean(once) == once
    assert quoting.defang(once) == once


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("https://jira.example.com/OPS-1", "https[:]//jira[.]example[.]com/OPS-1"),
        ("ask eve@evil.example", "ask eve[@]evil[.]example"),
        ("v1.2.3, 3.50 EUR, e.g. this. And that", "v1.2.3, 3.50 EUR, e.g. this. And that"),
        ("10.0.0.1", "10[.]0[.]0[.]1"),
        ("100% of 50%", "100% of 50%"),
        ("%unsubscribe_url%", "[%]unsubscribe_url%"),
        (r"\\evil\share", r"[\\]evil\share"),
        ("at 12:30, db:5432, @team", "at 12:30, db:5432, @team"),
        ("a\u202eb\u200bc", "abc"),
        ("two\nlines", "two lines"),
        ("אבג", "\u2068אבג\u2069"),
    ],
)
def test_how_single_lines_look(text, shown):
    assert quoting.one_line(text) == shown


@pytest.mark.parametrize("address", ["alice@example.com", "a.b+c_d@mail-1.example.co.uk"])
def test_a_name_that_is_one_plain_address_stays_as_it_is(address):
    assert quoting.name(address) == address


@pytest.mark.parametrize(
    "text",
    [
        "www.evil.com@example.com",
        "alice@example.com https://evil.example",
        "a@b.example/x",
        "evil.example",
        "a@b.c\n",
    ],
)
def test_a_name_that_is_more_than_an_address_is_defanged(text):
    assert not links(quoting.name(text))


def test_a_long_text_is_cut_with_a_mark_and_the_number_of_what_is_missing():
    quote = quoting.block("word " * 2000)
    assert quote.lines[-1].endswith(quoting.MARK)
    assert len(quote.lines[0]) + quote.left_out == pytest.approx(10_000, abs=10)


@pytest.mark.parametrize("text", ["word " * 1000, "漢字" * 800, "\n".join(f"line {n}" for n in range(500))])
def test_text_behind_a_label_is_whole(text):
    assert str(quoting.block(text)).replace("\n  | ", "\n") == text.strip()


def test_a_long_line_that_could_pass_for_a_field_is_wrapped():
    filler = "x" * 60
    for field in ("Status: ok", "Link\uff1a x", "Decided by: bob", "Role(s): a"):
        shown = str(quoting.block(f"{filler} {field} {filler}"))
        assert max(map(len, shown.split("\n"))) <= 80
        assert shown.replace("\n  | ", " ") == f"{filler} {field} {filler}"


def test_a_plain_reason_of_the_longest_that_teleport_takes_is_shown_whole():
    quote = quoting.block("word " * 819)
    assert not quote.left_out


def test_accents_do_not_pile_up():
    assert quoting.clean("Z" + "\u0301" * 50) == "Z" + "\u0301" * 4


def test_a_role_with_a_comma_does_not_pass_for_two():
    assert "," not in quoting.item("dev,admin").replace("[,]", "")
