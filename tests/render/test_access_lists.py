"""The reminder to an owner of Access Lists: what it says, what stays for filters and threads, and that nothing that
users wrote breaks or forges it. (How it looks: golden files in test_render; the first screen of a phone has tests of
its own.)
"""

from __future__ import annotations

import email
import email.policy
import json
import re
from datetime import UTC, datetime, timedelta
from email.header import decode_header, make_header
from pathlib import Path
from typing import Any
from urllib.parse import unquote, urlsplit

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace
from render.pages import Page, preheader, visible_text

from teleport_email.config.settings import DeliverySettings
from teleport_email.core.audits import WINDOW, Audit
from teleport_email.core.model import ClusterInfo, Content, Mail
from teleport_email.mail.message import build
from teleport_email.render import Renderer, audit_data, samples
from teleport_email.render.templating import builtin_sources

GERMAN = Path(__file__).parents[2] / "examples" / "templates-de"
DELIVERY = DeliverySettings(sender="teleport@example.com", timezone="Europe/Berlin")
RENDERER = Renderer(DELIVERY)
GERMAN_RENDERER = Renderer(replace(DELIVERY, templates=GERMAN))
BOTH = pytest.mark.parametrize("renderer", [RENDERER, GERMAN_RENDERER], ids=["en", "de"])
HOSTILE = [
    entry["text"]
    for entry in json.loads((Path(__file__).parents[1] / "data" / "hostile_texts.json").read_text("utf-8"))
]
ONE = samples.OPERATORS
NOWHERE = replace(samples.CLUSTER, proxy_public_addr="")
STABLE = ("Cluster: ", "Access Lists: ", "Access List: ", "Name: ", "Due: ", "Role(s): ", "Link: ")


def remind(
    *audits: Audit,
    cluster: ClusterInfo = samples.CLUSTER,
    now: datetime = samples.NOW,
    renderer: Renderer = RENDERER,
) -> Content:
    return renderer.remind(audits, cluster, now=now, boundary="boundary")


def fields(text: str) -> dict[str, list[str]]:
    """The lines for filters, by their label."""
    found: dict[str, list[str]] = {}
    for line in text.splitlines():
        for label in STABLE:
            if line.startswith(label.strip()):
                found.setdefault(label.strip(": "), []).append(line.removeprefix(label.strip()).strip())
    return found


def wire(content: Content) -> bytes:
    return build(Mail("bob@example.com", "id@example.com", "root@example.com", content))


def many(count: int, **more: Any) -> list[Audit]:
    return [
        replace(
            ONE,
            **{"list_name": f"list-{n}", "title": f"List {n}", "due": ONE.due + timedelta(hours=n), **more},
        )
        for n in range(count)
    ]


# What it says -----------------------------------------------------------------------------------------


def test_one_list_is_told_with_all_that_is_known() -> None:
    content = remind(ONE)
    assert content.text.startswith("A review of an Access List that you own is due:\n")
    assert fields(content.text) == {
        "Cluster": ["demo.example.com"],
        "Access List": ["Database operators"],
        "Name": [ONE.list_name],
        "Due": ["2026-03-11 13:00 UTC+01:00 (in 9 days)"],
        "Role(s)": ["db-admin,db-reader"],
        "Link": [f"https://teleport.example.com/web/accesslists/{ONE.list_name}#review"],
    }
    assert "\nMembers: 12 users, 2 lists\n" in content.text
    assert "\nDescription: Who may change the databases of orders and billing.\n  | Ask Carol" in content.text
    page = Page(content.html)
    assert page.links == fields(content.text)["Link"]
    seen = " ".join(visible_text(content.html).split())
    assert (
        "The members of Database operators are to be reviewed by 2026-03-11 13:00 UTC+01:00 (in 9 days)."
        in seen
    )
    for part in (
        "12 users, 2 lists",
        "db-admin, db-reader",
        "Ask Carol before",
        "Review the list",
        ONE.list_name,
    ):
        assert part in seen


def test_several_are_told_by_date_each_with_its_link_and_the_page_of_all() -> None:
    late, today, soon = (replace(ONE, list_name=n, title=n.upper(), due=ONE.due - timedelta(days=d))
                         for n, d in (("late", 12), ("today", 9), ("soon", 2)))  # fmt: skip
    content = remind(soon, late, today)
    found = fields(content.text)
    assert found["Access List"] == ["LATE", "TODAY", "SOON"]
    assert [due.partition("(")[2] for due in found["Due"]] == ["3 days overdue)", "today)", "in 7 days)"]
    page = "https://teleport.example.com/web/accesslists"
    assert found["Link"] == [page, *(f"{page}/{name}#review" for name in ("late", "today", "soon"))]
    assert found["Access Lists"] == ["3"]
    assert content.text.startswith("Reviews of 3 Access Lists that you own are due, 1 of them overdue:\n")
    html = Page(content.html)
    assert html.links == [*found["Link"][1:], page]
    assert html.tags.count("h1") == 1
    assert html.tags.count("h2") == 3
    texts = [text.strip() for text, _, _ in html.texts]
    assert [text for text in texts if text.startswith("Review ")] == [
        f"Review {t}" for t in ("LATE", "TODAY", "SOON")
    ]


def test_the_same_date_is_ordered_by_title() -> None:
    lists = [
        replace(ONE, list_name=str(n), title=title) for n, title in enumerate(("beta", "Alpha", "", "gamma"))
    ]
    assert fields(remind(*lists).text)["Access List"] == ["2", "Alpha", "beta", "gamma"]


@given(st.permutations(many(4)))
def test_the_order_in_which_they_come_changes_nothing(audits: list[Audit]) -> None:
    assert remind(*audits) == remind(*many(4))


@pytest.mark.parametrize(
    ("hours", "said", "state"),
    [
        (24 * 14, "in 14 days", "DUE"),
        (24, "in 1 day", "DUE"),
        (15, "in 1 day", "DUE"),  # 01:30 of the next day in Berlin
        (13, "today", "DUE"),
        (-1, "today", "DUE"),  # its hour has gone by, its day has not
        (-11, "1 day overdue", "OVERDUE"),
        (-24 * 40, "40 days overdue", "OVERDUE"),
    ],
)
def test_days_are_counted_by_the_calendar_of_the_configured_zone(hours: int, said: str, state: str) -> None:
    content = remind(replace(ONE, due=samples.NOW + timedelta(hours=hours)))
    assert fields(content.text)["Due"][0].endswith(f" ({said})")
    assert dict(content.headers)["X-Teleport-State"] == state
    word = "Overdue" if state == "OVERDUE" else "Due"
    assert next(text.strip("\xa0⏳⚠️ ") for text, _, _ in Page(content.html).texts) == word


@pytest.mark.parametrize(
    ("users", "lists", "said"),
    [
        (12, 2, "12 users, 2 lists"),
        (1, 0, "1 user"),
        (0, 1, "1 list"),
        (None, 3, "3 lists"),
        (5, None, "5 users"),
        (0, 0, "none"),
        (0, None, "none"),
        (None, 0, None),
        (None, None, None),
    ],
)
def test_members_are_told_where_they_are_known(
    users: int | None, lists: int | None, said: str | None
) -> None:
    audit = replace(ONE, members=users, member_lists=lists)
    for audits in ((audit,), (audit, replace(ONE, list_name="other", members=None, member_lists=None))):
        content = remind(*audits)
        assert re.findall(r"^Members: (.*)$", content.text, re.MULTILINE) == ([said] if said else [])
        assert ("Members" in visible_text(content.html)) is (said is not None)


def test_what_is_not_known_is_not_told() -> None:
    content = remind(Audit("web-deploy", ONE.due, ONE.opens))
    assert fields(content.text)["Access List"] == fields(content.text)["Name"] == ["web-deploy"]
    assert fields(content.text).keys() == {"Cluster", "Access List", "Name", "Due", "Link"}
    for part in (content.text, content.html):
        assert "None" not in part
        assert "Description" not in part
        assert "Grants" not in part


def test_at_most_25_are_told_and_the_others_counted() -> None:
    content = remind(*many(30))
    assert len(fields(content.text)["Name"]) == 25 == Page(content.html).tags.count("h2")
    assert fields(content.text)["Access Lists"] == ["30"]
    for part in (content.text, visible_text(content.html)):
        assert "and 5 more lists, on the page of all Access Lists" in part
    assert "more list" not in remind(*many(25)).text


def test_what_is_long_is_cut_and_a_mail_of_long_lists_tells_fewer() -> None:
    long = replace(ONE, description="x" * 5000)
    assert 1400 < remind(long).text.count("x") < 1600
    assert 130 < remind(long, replace(ONE, list_name="other")).text.count("x") < 200
    assert "[…]" in remind(long).text
    assert "[…]" in visible_text(remind(long).html)
    wide = many(30, title="漢" * 200, description="漢" * 5000, roles=("漢" * 100,) * 200)
    shown = len(fields(remind(*wide).text)["Name"])
    assert 5 < shown < 25
    assert f"and {30 - shown} more lists" in remind(*wide).text


def test_a_description_of_many_lines_leaves_room_for_the_next_list() -> None:
    lines = replace(ONE, description="\n".join(f"line {n}" for n in range(30)))
    assert "  | line 19 […]" in remind(lines).text
    text = remind(lines, replace(ONE, list_name="other", description="")).text
    assert "  | line 3 […]" in text
    assert "line 4" not in text


@pytest.mark.parametrize("proxy", ["", "evil.example/x?", "a b", "user@evil.example"])
@BOTH
def test_without_a_proxy_it_says_where_to_look(proxy: str, renderer: Renderer) -> None:
    for audits in ((ONE,), many(3), many(40)):
        content = remind(
            *audits, cluster=replace(samples.CLUSTER, proxy_public_addr=proxy), renderer=renderer
        )
        assert "Link" not in fields(content.text)
        assert "://" not in content.text
        assert not Page(content.html).links
        words = "open Access Lists" if renderer is RENDERER else "unter „Access Lists“"
        assert words in content.text
        assert words in visible_text(content.html)
        assert "page of all" not in content.text


def test_times_are_in_the_configured_zone_and_the_last_ones_of_the_calendar_break_nothing() -> None:
    kolkata = Renderer(replace(DELIVERY, timezone="Asia/Kolkata"))
    assert fields(remind(ONE, renderer=kolkata).text)["Due"] == ["2026-03-11 17:30 UTC+05:30 (in 9 days)"]
    for at in (datetime.min, datetime.max):
        audit = replace(ONE, due=at.replace(tzinfo=UTC))
        for zone in ("Europe/Berlin", "America/New_York"):
            assert remind(audit, renderer=Renderer(replace(DELIVERY, timezone=zone))).text


def test_the_preheader_tells_which_and_until_when() -> None:
    assert preheader(remind(ONE).html) == "Database operators · due by 2026-03-11 13:00 UTC+01:00"
    over = replace(ONE, due=ONE.due - timedelta(days=30), title="<b>Old</b> &amp;")
    told = preheader(remind(ONE, over).html)
    assert told == "&lt;b&gt;Old&lt;/b&gt; &amp;amp; and 1 more · overdue since 2026-02-09 13:00 UTC+01:00"


def test_without_an_audit_there_is_no_reminder() -> None:
    with pytest.raises(ValueError, match="empty"):
        remind()


@BOTH
def test_text_and_html_tell_the_same(renderer: Renderer) -> None:
    for sample in samples.reminders():
        content = renderer.remind(sample.audits, sample.cluster, now=sample.now, boundary="b")
        seen = " ".join(visible_text(content.html).split())
        for label, line in re.findall(
            r"^(?!Link|Access Lists|Name|Role)([A-Z][\w ]+): (\S.*)$", content.text, re.MULTILINE
        ):
            assert line in seen, (sample.name, label)
        for link in fields(content.text).get("Link", []):
            assert link in Page(content.html).links


# What stays -------------------------------------------------------------------------------------------


@pytest.mark.parametrize("form", ["standard", "descriptive"])
@BOTH
def test_the_subject_hangs_on_the_cluster_and_the_earliest_date_alone(form: str, renderer: Renderer) -> None:
    one = Renderer(replace(renderer._delivery, subject=form))  # type: ignore[arg-type]
    found = {
        remind(*audits, now=samples.NOW + timedelta(days=days), renderer=one).subject
        for audits in ((ONE,), (ONE, *many(4)), (replace(ONE, list_name="x", title="Other", due=ONE.due + timedelta(hours=11)),))
        for days in (0, 9, 20)
    }  # fmt: skip
    assert found == {"demo.example.com Access List Reviews due 2026-03-11"}


def test_the_subjects_day_is_that_of_utc() -> None:
    late = replace(ONE, due=datetime(2026, 3, 11, 23, 30, tzinfo=UTC))
    content = remind(late)
    assert content.subject.endswith(" 2026-03-11")
    assert fields(content.text)["Due"] == ["2026-03-12 00:30 UTC+01:00 (in 10 days)"]
    assert dict(content.headers)["X-Teleport-Due"] == "2026-03-11"


@BOTH
def test_headers_and_lines_for_filters_are_the_same_in_every_language(renderer: Renderer) -> None:
    content = remind(replace(ONE, due=ONE.due - timedelta(days=12)), *many(2), renderer=renderer)
    assert content.headers == (
        ("List-Id", "<access-list-reviews.demo.example.com>"),
        ("X-Teleport-Cluster", "demo.example.com"),
        ("X-Teleport-Kind", "access_list_review"),
        ("X-Teleport-State", "OVERDUE"),
        ("X-Teleport-Due", "2026-02-27"),
        ("X-Teleport-Access-Lists", f"{ONE.list_name},list-0,list-1"),
        ("Importance", "High"),
    )
    found = fields(content.text)
    assert {label: len(lines) for label, lines in found.items()} == {
        **dict.fromkeys(("Cluster", "Access Lists"), 1),
        **dict.fromkeys(("Access List", "Name", "Due", "Role(s)"), 3),
        "Link": 4,
    }
    assert all(re.match(r"\d{4}-\d\d-\d\d \d\d:\d\d UTC(\+01:00)? \(", due) for due in found["Due"])
    assert "Importance" not in dict(remind(ONE, renderer=renderer).headers)


def test_names_of_many_lists_are_cut_and_say_so() -> None:
    told = dict(remind(*many(100)).headers)["X-Teleport-Access-Lists"]
    *whole, last = re.split(", ?", told)
    assert whole == [f"list-{n}" for n in range(len(whole))]
    assert len(whole) > 25
    assert last == "..."


def told_names(*names: str) -> list[str]:
    """The header of the lists as a mail program shows it, taken apart, with its last item as it came."""
    raw = wire(remind(*(replace(ONE, list_name=name) for name in names)))
    found = email.message_from_bytes(raw, policy=email.policy.compat32)["X-Teleport-Access-Lists"]
    assert max(map(len, raw.partition(b"\r\n\r\n")[0].split(b"\r\n"))) <= 78
    return re.split(", ?", str(make_header(decode_header(re.sub(r"\r?\n", "", found)))))


@pytest.mark.parametrize(
    "name",
    [
        "oncall,dba",
        "on call",
        "oncall\u200b",
        "öncall",
        "当番",
        "oncall%2Cdba",
        "=?utf-8?q?oncall?=",
        "%recipient%",
        "on\r\nX: y",
        "o" * 130,
        f"{ONE.list_name} ",
        "%20unsubscribe_url%",
    ],
)
def test_no_list_passes_for_another_one_in_a_filter(name: str) -> None:
    (told,) = told_names(name)
    assert unquote(told) == name
    assert re.fullmatch(r"[!-~]+", told)
    assert "?" not in told
    assert re.fullmatch(r"([^%]|%[0-9A-F]{2})+", told), "nothing in it is a variable of Mailgun"


@pytest.mark.parametrize("length", range(40, 260, 7))
def test_the_names_of_lists_are_told_whole_or_said_to_be_left_out(length: int) -> None:
    names = sorted("o" * (length - place) + str(place) for place in range(12))
    *whole, last = told_names(*names)
    assert whole == names[: len(whole)]
    assert last == "..."


def test_a_mail_of_the_settings_with_whole_seconds() -> None:
    renderer = Renderer(replace(DELIVERY, reply_to="help@example.com"))
    content = remind(ONE, now=samples.NOW.replace(microsecond=999_999), renderer=renderer)
    assert content == replace(remind(ONE), reply_to="help@example.com")
    assert (content.sender, content.date, content.plain_subject) == ("teleport@example.com", samples.NOW, "")


def test_on_the_wire_it_answers_nobody_and_is_in_its_thread() -> None:
    mail = email.message_from_bytes(wire(remind(*many(3))), policy=email.policy.default)
    assert mail["Auto-Submitted"] == "auto-generated"
    assert mail["References"] == mail["In-Reply-To"] == "<root@example.com>"
    text, html = mail.iter_parts()
    assert text.get_content().replace("\r\n", "\n") == remind(*many(3)).text  # type: ignore[attr-defined]
    assert html.get_content().replace("\r\n", "\n") == remind(*many(3)).html  # type: ignore[attr-defined]


# Links ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("name", "segment"),
    [
        ("6a5e8e7c-0c3f", "6a5e8e7c-0c3f"),
        ("db admins", "db%20admins"),
        ("https://evil.example/login", "https%3A%2F%2Fevil.example%2Flogin"),
        ("//evil.example", "%2F%2Fevil.example"),
        ("a/../../x", "a%2F..%2F..%2Fx"),
        ("a?b=c#d", "a%3Fb%3Dc%23d"),
        ("a%2f..", "a%252f.."),
        ('"><script>', "%22%3E%3Cscript%3E"),
        ("x\r\nBcc: eve", "x%0D%0ABcc%3A%20eve"),
        ("prüfer", "pr%C3%BCfer"),
    ],
)
def test_a_name_is_one_part_of_the_path_whatever_it_is(name: str, segment: str) -> None:
    content = remind(replace(ONE, list_name=name))
    expected = f"https://teleport.example.com/web/accesslists/{segment}#review"
    assert fields(content.text)["Link"] == Page(content.html).links == [expected]


@pytest.mark.parametrize("name", ["", ".", "..", "x" * 121])
def test_a_name_that_can_be_no_part_of_a_path_leads_to_the_page_of_all(name: str) -> None:
    content = remind(replace(ONE, list_name=name))
    assert (
        fields(content.text)["Link"]
        == Page(content.html).links
        == ["https://teleport.example.com/web/accesslists"]
    )


@pytest.mark.parametrize("proxy", ["teleport.example.com:3080", "[2001:db8::1]:443"])
def test_the_port_stays_where_it_is_no_default(proxy: str) -> None:
    content = remind(ONE, cluster=replace(samples.COMMUNITY, proxy_public_addr=proxy))
    assert fields(content.text)["Link"][0].startswith(
        f"https://{proxy.removesuffix(':443')}/web/accesslists/"
    )


# Whatever comes in ------------------------------------------------------------------------------------

TEXT = st.one_of(st.text(max_size=200), st.sampled_from(HOSTILE))
COUNT = st.none() | st.integers(0, 2**32 - 1)
TIMES = st.datetimes(timezones=st.just(UTC)) | st.just(samples.NOW)
AUDITS = st.builds(
    Audit, list_name=TEXT, due=TIMES, opens=st.just(samples.NOW - WINDOW), title=TEXT, description=TEXT,
    members=COUNT, member_lists=COUNT, roles=st.lists(TEXT, max_size=30).map(tuple),
)  # fmt: skip
CLUSTERS = st.builds(ClusterInfo, name=TEXT, proxy_public_addr=TEXT | st.just("teleport.example.com:443"))


@given(audits=st.lists(AUDITS, min_size=1, max_size=30), cluster=CLUSTERS, german=st.booleans())
def test_no_list_breaks_or_forges_a_reminder(audits: list[Audit], cluster: ClusterInfo, german: bool) -> None:
    content = remind(*audits, cluster=cluster, renderer=GERMAN_RENDERER if german else RENDERER)
    assert len(content.subject.splitlines()) == 1
    assert all(re.fullmatch(r"[!-~][ -~]{0,420}", value) for _, value in content.headers)
    found = fields(content.text)
    shown = len(found["Name"])
    assert len(found["Cluster"]) == 1
    assert len(found.get("Access Lists", [])) == (len(audits) > 1)
    assert len(found["Access List"]) == len(found["Due"]) == shown <= 25
    assert len(found.get("Role(s)", [])) <= shown
    assert all(re.match(r"\d{4}-\d\d-\d\d \d\d:\d\d UTC\S* \(", due) for due in found["Due"])
    page = Page(content.html)
    assert not page.unclosed
    assert page.tags.count("h2") == (shown if len(audits) > 1 else 0)
    links = found.get("Link", [])
    assert sorted(page.links) == sorted(links)
    assert len(links) in {0, shown + (len(audits) > 1)}
    for link in links:
        parts = urlsplit(link)
        assert parts.scheme == "https"
        assert f"{parts.netloc}:443".startswith(cluster.proxy_public_addr.removesuffix(":443"))
        assert re.fullmatch(r"/web/accesslists(/[^/]+)?", parts.path)
        assert unquote(parts.path).encode() is not None
    assert len(content.html.encode()) < 60_000
    assert len(content.text.encode()) < 60_000
    assert page.attributes <= {
        *("lang", "dir", "charset", "name", "content", "style", "class", "role", "width", "cellpadding"),
        *("cellspacing", "border", "bgcolor", "align", "valign", "scope", "href"),
    }
    bytes_ = wire(content)
    assert bytes_.isascii()
    assert max(map(len, bytes_.split(b"\r\n"))) <= 998
    for line in bytes_.partition(b"\r\n\r\n")[0].split(b"\r\n"):
        assert len(line) <= 78 or line.startswith((b"List-Id:", b"References:"))


@pytest.mark.parametrize("hostile", HOSTILE)
@pytest.mark.parametrize("others", [0, 2])
def test_a_hostile_text_adds_no_tag_and_no_header(hostile: str, others: int) -> None:
    plain = replace(ONE, list_name="x", title="x", description="x", roles=("x",))
    evil = replace(plain, list_name=hostile, title=hostile, description=hostile, roles=(hostile,))
    pages = [Page(remind(audit, *many(others)).html) for audit in (plain, evil)]
    tags, evil_tags = ([tag for tag in page.tags if tag not in {"br", "span"}] for page in pages)
    assert tags == evil_tags
    heads = [wire(remind(audit, *many(others))).partition(b"\r\n\r\n")[0] for audit in (plain, evil)]
    named = [re.findall(rb"^([A-Za-z-]+):", head, re.MULTILINE) for head in heads]
    assert named[0] == named[1]


@pytest.mark.parametrize("char", ["&", "<", "x", "漢", "😀", "a.", "a\n"])
@pytest.mark.parametrize("count", [1, 30])
@pytest.mark.parametrize("length", [60, 5000])
def test_the_largest_stays_small(char: str, count: int, length: int) -> None:
    long = char * length
    audits = [
        replace(
            ONE,
            list_name=f"{n}{long}",
            title=long,
            description=long * 3,
            roles=(long,) * 50,
            members=2**32 - 1,
            member_lists=2**32 - 1,
            due=samples.NOW - timedelta(days=400),
        )
        for n in range(count)
    ]
    cluster = ClusterInfo(char * 200, proxy_public_addr=f"{'a.' * 100}example.com:3080")
    for renderer in (RENDERER, GERMAN_RENDERER):
        content = remind(*audits, cluster=cluster, renderer=renderer)
        assert len(content.html.encode()) < 60_000  # Gmail clips at 102 KB
        assert len(content.text.encode()) < 60_000


def test_25_lists_with_long_names_of_a_sane_length_are_all_told() -> None:
    audits = many(25, title="Administrators of the databases in eu-central-1 (orders and billing)")
    roles = tuple(f"database-administrator-of-eu-central-{n}" for n in range(9))
    told = [
        replace(a, list_name=f"{ONE.list_name[:-2]}{n:02}", roles=roles, description="word " * 99)
        for n, a in enumerate(audits)
    ]
    assert len(fields(remind(*told).text)["Name"]) == 25


def test_template_expressions_of_users_are_text() -> None:
    content = remind(replace(ONE, title="{{ 7 * 7 }}", description="{% raw %}{{ 7 * 7 }}"))
    assert fields(content.text)["Access List"] == ["{{ 7 * 7 }}"]
    assert "49" not in content.text


# Own templates ----------------------------------------------------------------------------------------


def own(directory: Path, faults: list[Any] | None = None) -> Renderer:
    on_fault = None if faults is None else faults.append
    return Renderer(replace(DELIVERY, templates=directory), on_fault=on_fault)


def test_own_templates_and_blocks_are_used(tmp_path: Path) -> None:
    (tmp_path / "access_list_review.txt").write_text("{{ first.title }}: {{ total }}, {{ overdue }}")
    (tmp_path / "frame.html").write_text("<p>{% block title %}{% endblock %}</p>")
    renderer = own(tmp_path)
    assert renderer.check() == []
    content = remind(ONE, renderer=renderer)
    assert content.text == "Database operators: 1, 0\n"
    assert content.html == "<p>Access List review due</p>\n"


@pytest.mark.parametrize("suffix", [".txt", ".html"])
def test_a_fault_is_found_with_file_and_line_and_no_reminder_is_lost(tmp_path: Path, suffix: str) -> None:
    file = tmp_path / f"access_list_review{suffix}"
    file.write_text(
        "one\n{% for each in lists %}{% if each.days < 0 %}{{ each.nothing }}{% endif %}{% endfor %}"
    )
    (fault,) = own(tmp_path).check()
    assert fault.path == f"{file}:2"
    assert "has no attribute 'nothing'" in fault.what
    met: list[Any] = []
    over = replace(ONE, due=ONE.due - timedelta(days=30))
    assert remind(over, renderer=own(tmp_path, met)) == remind(over)
    assert met == [fault]


def test_sets_from_before_there_were_reminders_have_no_fault(tmp_path: Path) -> None:
    """Words without those of lists: the built-in ones. A whole layout of one's own: requests have it, lists do not."""
    words = (GERMAN / "words.jinja").read_text("utf-8")
    (tmp_path / "words.jinja").write_text(words[: words.index("{% set list_labels")], "utf-8")
    (tmp_path / "layout.html").write_text(
        '{% import "words.jinja" as w with context %}<h1>{{ w.title() }}</h1>'
    )
    (tmp_path / "layout.txt").write_text("{{ request.id }}")
    renderer = own(tmp_path)
    assert renderer.check() == []
    assert remind(ONE, renderer=renderer) == remind(ONE)


def test_german_has_a_word_for_every_english_one() -> None:
    macros, german = (
        set(re.findall(r"{% (?:macro|set) (list_\w+)", source))
        for source in (builtin_sources()["words.jinja"], (GERMAN / "words.jinja").read_text("utf-8"))
    )
    assert macros == german
    assert len(macros) > 10
    for sample in samples.reminders():
        content = GERMAN_RENDERER.remind(sample.audits, sample.cluster, now=sample.now, boundary="b")
        seen = visible_text(content.html) + re.sub("Access List|#review", "", content.text)
        assert not re.search(
            r"\b(days?|overdue|review(?:ed)?|Members|Grants|lists|Description|today)\b", seen
        )
        assert '<html lang="de"' in content.html


def test_the_constants_that_the_page_tells() -> None:
    page = (Path(__file__).parents[2] / "docs" / "messages.md").read_text("utf-8")
    assert f"{audit_data.MOST_LISTS} are told in full" in page


@BOTH
@pytest.mark.parametrize("others", [(), (samples.OPERATORS,)], ids=["one", "several"])
def test_who_stands_in_for_owners_is_not_told_that_the_list_is_theirs(
    renderer: Renderer, others: tuple[Audit, ...]
) -> None:
    foreign = replace(ONE, list_name="foreign", title="Foreign", ownerless=True)
    also = tuple(replace(one, list_name="foreign-too", ownerless=True) for one in others)
    own = {RENDERER: "you own", GERMAN_RENDERER: "Ihnen Zugriffslisten"}[renderer]
    alone = {RENDERER: "None of its owners", GERMAN_RENDERER: "Keinem ihrer Eigentümer"}[renderer]
    theirs = remind(foreign, *also, renderer=renderer)
    for text in (theirs.text, visible_text(theirs.html)):
        assert own not in text
        assert text.count(alone) == 1 + len(others)
    mixed = remind(foreign, ONE, renderer=renderer)
    for text in (mixed.text, visible_text(mixed.html)):
        assert own in text
        assert text.count(alone) == 1
