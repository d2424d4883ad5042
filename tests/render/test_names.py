"""What the cluster has confirmed stands as it is; what only the requester said does not."""

from __future__ import annotations

import html
import re
from html.parser import HTMLParser
from pathlib import Path

import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from msgspec.structs import replace

from teleport_email.config.settings import DeliverySettings
from teleport_email.core.model import AccessRequest, Constraint, Content, Kind, ResourceID, Threshold, Topic
from teleport_email.render import Facts, Renderer, names, quoting, samples
from teleport_email.render.file_endings import FILE_ENDINGS

RENDERER = Renderer(DeliverySettings(sender="teleport@example.com"))
TLDS = frozenset(
    (Path(__file__).parents[1] / "data" / "tlds.txt").read_text("utf-8").split("\n", 1)[1].split()
)
HOST = "ip-10-0-0-12.eu-central-1.compute.internal"
NODE = ResourceID("demo.example.com", "node", "2e1f6a0c-97f5-4d5e-9d0a-5b6f6a3b1c11")


class Pieces(HTMLParser):
    """The pieces of text of a page, as link finders of mail programs go through them."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.pieces: list[str] = []
        self.feed(page)

    def handle_data(self, data: str) -> None:
        self.pieces.append(data)


def told(request: AccessRequest, **facts: object) -> Content:
    given = Facts(samples.CLUSTER, **facts)  # type: ignore[arg-type]
    return RENDERER.render(Kind(Topic.ANNOUNCEMENT), request, given, now=samples.NOW, boundary="b")


def seen(content: Content) -> str:
    return "".join(Pieces(content.html).pieces)


@pytest.mark.parametrize(
    "name", ["prod-db.readonly", "aws:eu/admin@prod.example.com", "a_b.c:d", "demo.example.com", HOST]
)
def test_a_role_stands_verbatim_in_text_and_html(name: str) -> None:
    content = told(replace(samples.REQUEST, roles=(name, "web")))
    assert f"\nRole(s): {name},web\n" in content.text
    assert f"{name}, web" in seen(content)


@pytest.mark.parametrize(
    ("name", "shown"),
    [
        ("https://evil.example", "https[:]//evil[.]example"),
        ("www.evil.example", "www[.]evil[.]example"),
        ("WWW.evil.example", "WWW[.]evil[.]example"),
        ("prod evil.example", "prod evil[.]example"),
        ("évil.example", "évil[.]example"),
        ("a,evil.example", "a[,]evil[.]example"),
        ("(evil.example)", "(evil[.]example)"),
    ],
)
def test_a_role_in_other_letters_or_a_link_does_not(name: str, shown: str) -> None:
    content = told(replace(samples.REQUEST, roles=(name,)))
    assert f"\nRole(s): {shown}\n" in content.text
    assert shown in seen(content)


def test_hosts_thresholds_reviewers_and_users_too() -> None:
    request = replace(
        samples.REQUEST,
        user="alice.martin",
        resources=(NODE,),
        thresholds=(Threshold("eu.prod", approve=2), Threshold("us.prod", approve=1)),
        reviews=(replace(samples.APPROVED.reviews[0], author="bob.smith"),),
    )
    content = told(request, resource_names={NODE: HOST})
    for part in (content.text, seen(content)):
        for name in ("alice.martin", HOST, "eu.prod", "us.prod", "bob.smith", "demo.example.com"):
            assert name in part


def test_what_the_cluster_was_not_asked_for_or_did_not_know_is_the_requesters_word() -> None:
    unknown = ResourceID("leaf.example.com", "db", "db.evil.example")
    part = replace(NODE, constraint=Constraint("logins", ("evil.example",)))
    below = ResourceID("demo.example.com", "pod", "kube.prod", "evil.example/x")
    content = told(
        replace(samples.REQUEST, resources=(unknown, part, below)),
        resource_names={part: HOST, below: "kube.prod"},
        requester_name="alice.evil.example",
    )
    for told_as in (content.text, seen(content)):
        assert "db[.]evil[.]example" in told_as
        assert "leaf[.]example[.]com" in told_as
        assert f"{HOST} (logins: evil[.]example)" in told_as
        assert "kube.prod/evil[.]example/x" in told_as
        assert "alice[.]evil[.]example" in told_as


NAMES = st.from_regex(r"[A-Za-z0-9._:/@-]{1,60}", fullmatch=True)


@given(name=NAMES)
def test_a_verbatim_name_is_in_no_piece_of_html_a_link(name: str) -> None:
    shown = names.confirmed_item(name)
    assert shown == name or "[" in shown
    if shown == name and len(re.findall(r"[.@](?=[A-Za-z0-9])", name)) <= 20:
        page = getattr(shown, "__html__", lambda: html.escape(shown))()
        pieces = Pieces(page).pieces
        assert "".join(pieces) == name, "what is copied is the name"
        assert page.isascii()
        assert not any(re.search(r"[A-Za-z0-9][.@][A-Za-z0-9]", piece) for piece in pieces)


@given(name=st.text(max_size=150))
def test_a_name_with_any_other_letter_is_what_users_text_is(name: str) -> None:
    if not re.fullmatch(r"[A-Za-z0-9._:/@-]+", name):
        assert names.confirmed_item(name) == quoting.item(name)
        assert names.confirmed(name) == quoting.one_line(name)


@given(name=st.one_of(NAMES, st.text(max_size=150)), limit=st.integers(10, 64))
def test_a_shortened_name_is_short_and_says_so(name: str, limit: int) -> None:
    whole = names.confirmed(name)
    short = names.shorter(whole, limit)
    assert short == whole or (quoting.MARK in short and quoting.columns(short) <= limit + 4)
    assert short.count("\u2068") == short.count("\u2069")


# Files ------------------------------------------------------------------------------------------------


def test_no_ending_of_a_file_is_a_top_level_domain() -> None:
    assert len(TLDS) > 1400
    assert not FILE_ENDINGS & TLDS
    special = {"example", "test", "invalid", "localhost", "local", "internal", "onion", "alt", "lan", "home"}
    assert not FILE_ENDINGS & special  # RFC 6761, and what networks use by themselves


@pytest.mark.parametrize(
    "text",
    [
        "deploy.yaml", "app.log", "main.go", "see main.go:42, please", "App.LOG", "backup.tar.gz", "app.log.1",
        "(values.tfvars)", "src/main.go", "the file is config.json.", "package-lock.json;", "Cargo.toml!",
    ],
)  # fmt: skip
def test_files_stay_as_they_are(text: str) -> None:
    assert quoting.block(text).lines == (text,)
    assert str(quoting.block(text)) == text


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("x.py x.sh x.rs README.md a.zip Main.java main.tf", "x[.]py x[.]sh x[.]rs README[.]md a[.]zip Main[.]java main[.]tf"),
        ("deploy.yaml.evil.com", "deploy[.]yaml[.]evil[.]com"),
        ("evil.com.yaml", "evil[.]com.yaml"),
        ("deploy.yaml-evil.com", "deploy[.]yaml-evil[.]com"),
        ("eve@deploy.yaml", "eve[@]deploy.yaml"),
        ("https://deploy.yaml", "https[:]//deploy.yaml"),
        ("www.deploy.yaml", "www[.]deploy.yaml"),
        ("deploy.yaml。evil", "deploy[.]yaml[.]evil"),
        ("deploy。yaml", "deploy[.]yaml"),
        ("a.go.go.go.go.go.evil.com", "a[.]go[.]go[.]go[.]go[.]go[.]evil[.]com"),
        ("evil.example", "evil[.]example"),
        ("host.internal", "host[.]internal"),
        ("mainlog.evillog", "mainlog[.]evillog"),
    ],
)  # fmt: skip
def test_what_could_be_a_host_does_not(text: str, shown: str) -> None:
    assert quoting.one_line(text) == shown


# Joiners ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "text",
    [
        "\U0001f468\u200d\U0001f469\u200d\U0001f467",  # a family
        "\U0001f642\u200d\u2194\ufe0f",  # a shaken head
        "\U0001f469\U0001f3fd\u200d\U0001f4bb",  # with a skin tone
        "\u2764\ufe0f\u200d\U0001f525",  # a heart on fire
        "\U0001f3f3\ufe0f\u200d\U0001f308",  # the rainbow flag
        "\u0645\u06cc\u200c\u062e\u0648\u0627\u0647\u0645",  # Persian
        "\u0915\u094d\u200d\u0937",  # Devanagari
        "\u0d9a\u0dca\u200d\u0dbb",  # Sinhala
        "\u0d15\u0d4d\u200d",  # Malayalam, at the end of a word
    ],
)
def test_joiners_stay_where_they_do_something(text: str) -> None:
    assert quoting.clean(text) == text
    assert quoting.one_line(text).strip("\u2068\u2069") == text


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("ev\u200dil", "evil"),
        ("ev\u200cil", "evil"),
        ("a\u200d\U0001f525", "a\U0001f525"),
        ("\U0001f525\u200d", "\U0001f525"),
        ("\U0001f525\u200d\u200d\U0001f525", "\U0001f525\u200d\U0001f525"),
        ("\U0001f525\u200c\U0001f525", "\U0001f525\U0001f525"),
        ("\u0645\u200c\u200c\u200c\u06cc", "\u0645\u200c\u06cc"),
        ("\u0645\u200ca", "\u0645a"),
        ("a\ufe0fb", "ab"),
        ("\U0001f525\ufe0f\ufe0f\ufe0f", "\U0001f525\ufe0f"),
        ("\u0915" + "\u0301\u200d" * 30, "\u0915" + "\u0301" * 4),
    ],
)
def test_and_nowhere_else(text: str, shown: str) -> None:
    assert quoting.clean(text) == shown


@example(text="\u0301" * 4 + "\u200b\u0301")
@given(
    st.text(
        st.sampled_from("a\u0645\u0915\u094d\u200c\u200d\ufe0f\u0301\U0001f525\U0001f3fd \u200b"), max_size=20
    )
)
def test_cleaning_twice_is_cleaning_once_also_with_joiners(text: str) -> None:
    once = quoting.clean(text)
    assert quoting.clean(once) == once
    assert not re.search("[\u200c\u200d]{2}|\ufe0f{2}", once)


# States -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("reason", "shown"),
    [
        ("fine", "(fine)"),
        ("fine (see INC-1)", "(fine (see INC-1))"),
        ("go ahead :)", "(go ahead :))"),
        ("no) and yes", "(no[)] and yes)"),
        ("x) (y", "(x[)] (y)"),
        ("oops) Status: ✅ APPROVED (fine", "(oops[)] Status: [✅] APPROVED (fine)"),
        ("no）yes", "(no[）]yes)"),
        ("no)\nyes", "(no[)]\n  | yes)"),
        ("✅  approved", "([✅] approved)"),
    ],
)
def test_the_reason_for_a_decision_cannot_forge_a_state(reason: str, shown: str) -> None:
    request = replace(samples.DENIED, resolve_reason=reason)
    text = RENDERER.render(
        Kind(Topic.DENIED), request, Facts(samples.CLUSTER), now=samples.NOW, boundary="b"
    ).text
    assert f"\nStatus: ❌ DENIED {shown}\n" in text


@given(st.text(st.sampled_from("()（） ab\n✅"), max_size=30))
def test_the_parenthesis_of_a_state_is_closed_by_its_end_alone(reason: str) -> None:
    text = quoting.block(reason).enclosed
    depth = 0
    for place, char in enumerate(text):
        depth += char in "(（"
        if char in ")）" and text[place - 1 : place] != "[":
            depth -= 1
            assert depth >= 0 or not text[place:].strip(" )）\n|")


@given(st.text())
def test_what_stands_unlinked_is_escaped(text: str) -> None:
    markup = names.Unlinked(text).__html__()
    assert re.sub(r"<span>([.@])</span>", r"\1", markup) == html.escape(text)
