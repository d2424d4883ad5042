"""Every kind of message: its lines, its form, its golden file; and nothing can break or forge it."""

import difflib
import json
import os
import re
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace
from render.pages import Page, contrast, preheader, visible_text

from teleport_email.config.settings import DeliverySettings
from teleport_email.core.ledger import ANNOUNCEMENTS
from teleport_email.core.model import (
    OF_REQUESTS,
    AccessList,
    AccessRequest,
    ClusterInfo,
    Content,
    Kind,
    RequestState,
    ResourceID,
    Review,
    Threshold,
    Topic,
)
from teleport_email.render import Facts, Renderer, samples

GOLDEN = Path(__file__).parents[1] / "golden"
GERMAN = Path(__file__).parents[2] / "examples" / "templates-de"
HOSTILE = [
    entry["text"]
    for entry in json.loads((Path(__file__).parents[1] / "data" / "hostile_texts.json").read_text("utf-8"))
]
DELIVERY = DeliverySettings(sender="teleport@example.com", timezone="Europe/Berlin")
RENDERER = Renderer(DELIVERY)
GERMAN_RENDERER = Renderer(replace(DELIVERY, templates=GERMAN))
SAMPLES = {sample.name: sample for sample in samples.all_kinds()}
REMINDERS = {sample.name: sample for sample in samples.reminders()}
LINES = ("ID: ", "Cluster: ", "User: ", "Role(s): ", "Reason: ", "Link: ", "Status: ", "Resolution: ")


def show(sample: samples.Sample | samples.Reminder, renderer: Renderer = RENDERER) -> Content:
    if isinstance(sample, samples.Reminder):
        return renderer.remind(sample.audits, sample.cluster, now=sample.now, boundary="boundary")
    facts = Facts(
        sample.cluster, sample.recipients, sample.resource_names, sample.requester_name, sample.silent
    )
    return renderer.render(sample.kind, sample.request, facts, now=sample.now, boundary="boundary")


def render(
    topic: Topic, request: AccessRequest, cluster: ClusterInfo = samples.CLUSTER, *, number: int = 0, **facts
) -> Content:
    return RENDERER.render(
        Kind(topic, number), request, Facts(cluster, **facts), now=samples.NOW, boundary="boundary"
    )


def fields(text: str) -> dict[str, list[str]]:
    """The lines that begin like one of the Go plugin's, by their label."""
    found: dict[str, list[str]] = {}
    for line in text.splitlines():
        for label in LINES:
            if line.startswith(label.strip()):
                found.setdefault(label, []).append(line.removeprefix(label.strip()).strip())
    return found


# Golden files: `make golden` accepts what changed ---------------------------------------------------

GOLDEN_SAMPLES = {
    **{sample.name: (sample, DELIVERY) for sample in samples.reminders()},
    **{
        name: (sample, DELIVERY)
        for name, sample in SAMPLES.items()
        if not name.endswith(("-bare", "-crowded"))
    },
    "expired-bare": (SAMPLES["expired-bare"], DELIVERY),
    "announcement-crowded": (SAMPLES["announcement-crowded"], DELIVERY),
    "announcement-community": (replace(SAMPLES["announcement"], cluster=samples.COMMUNITY), DELIVERY),
    "access-list-review-de": (REMINDERS["access-list-review"], replace(DELIVERY, templates=GERMAN)),
    "access-list-review-overdue-several-de": (
        REMINDERS["access-list-review-overdue-several"],
        replace(DELIVERY, templates=GERMAN),
    ),
    "announcement-de": (SAMPLES["announcement"], replace(DELIVERY, templates=GERMAN)),
    "review-de": (SAMPLES["review"], replace(DELIVERY, templates=GERMAN)),
    "escalation-de": (SAMPLES["escalation"], replace(DELIVERY, templates=GERMAN)),
    "requester-approved-de": (SAMPLES["requester-approved"], replace(DELIVERY, templates=GERMAN)),
}


@pytest.mark.parametrize("name", GOLDEN_SAMPLES)
def test_it_looks_as_accepted(name):
    sample, delivery = GOLDEN_SAMPLES[name]
    content = show(sample, Renderer(delivery))
    headers = [
        ("Subject", content.subject),
        ("Date", content.date.isoformat()),
        ("From", content.sender),
        *content.headers,
    ]
    text = "".join(f"{key}: {value}\n" for key, value in headers) + "\n" + content.text
    for suffix, shown in ((".txt", text), (".html", content.html)):
        path = GOLDEN / (name + suffix)
        if os.environ.get("ACCEPT_GOLDEN"):
            path.write_text(shown, "utf-8")
        accepted = path.read_text("utf-8") if path.exists() else ""
        change = difflib.unified_diff(
            accepted.splitlines(), shown.splitlines(), "accepted", "now", lineterm=""
        )
        assert shown == accepted, "`make golden` accepts this change:\n" + "\n".join(change)


def test_no_golden_file_is_left_over():
    expected = {name + suffix for name in GOLDEN_SAMPLES for suffix in (".txt", ".html")}
    assert {path.name for path in GOLDEN.iterdir()} == expected


# The Go plugin's lines, which people filter on ------------------------------------------------------


def test_the_announcement_has_the_go_plugins_lines():
    content = render(Topic.ANNOUNCEMENT, samples.REQUEST)
    assert content.subject == f"demo.example.com Role Request {samples.REQUEST.id}"
    assert fields(content.text) == {
        "ID: ": [samples.REQUEST.id],
        "Cluster: ": ["demo.example.com"],
        "User: ": ["alice@example.com"],
        "Role(s): ": ["db-admin,web-deploy"],
        "Reason: ": ["INC-4711: orders are stuck since the deployment."],
        "Link: ": [f"https://teleport.example.com/web/requests/{samples.REQUEST.id}"],
        "Status: ": ["⏳ PENDING"],
    }


@pytest.mark.parametrize(
    ("topic", "status"),
    [
        (Topic.APPROVED, "✅ APPROVED (Go ahead, I am on the incident call too.)"),
        (Topic.DENIED, "❌ DENIED (Not during the freeze."),
        (Topic.EXPIRED, "⌛ EXPIRED"),
        (Topic.PROMOTED, "📋 PROMOTED"),
        (Topic.ANNOUNCED_APPROVED, "✅ APPROVED (Go ahead, I am on the incident call too.)"),
        (Topic.REQUESTER_DENIED, "❌ DENIED (Not during the freeze."),
    ],
)
def test_a_resolution_has_its_status_and_the_reason_behind_it(topic, status):
    assert fields(render(topic, samples.request_for(Kind(topic))).text)["Status: "] == [status]


def test_a_resolution_says_its_own_state_whatever_the_request_is_by_now():
    gone = replace(samples.APPROVED, state=RequestState.GONE)
    content = render(Topic.APPROVED, gone)
    assert fields(content.text)["Status: "][0].startswith("✅ APPROVED")
    assert dict(content.headers)["X-Teleport-State"] == "APPROVED"


@pytest.mark.parametrize(
    ("review", "resolution"),
    [(samples.APPROVED.reviews[0], "✅ APPROVED."), (samples.DENIED.reviews[1], "❌ DENIED.")],
)
def test_a_review_has_the_go_plugins_lines(review, resolution):
    text = render(Topic.REVIEW, replace(samples.REQUEST, reviews=(review,)), number=1).text
    assert text.startswith(f"{review.author} reviewed the request at 02 Mar 26 10:")
    assert text.splitlines()[0].endswith(" CET.")
    assert fields(text)["Resolution: "] == [resolution]
    [first, *others] = f"{review.reason}.".split("\n")
    assert fields(text)["Reason: "] == [first]
    assert all(f"\n  | {line}\n" in text for line in others)


def test_each_review_message_tells_its_own_review():
    request = replace(samples.APPROVED, state=RequestState.PENDING)
    assert render(Topic.REVIEW, request, number=1).text.startswith("bob@example.com reviewed")
    assert "1 more approval is needed." in render(Topic.REVIEW, request, number=1).text
    assert render(Topic.REVIEW, request, number=2).text.startswith("carol@example.com reviewed")


@pytest.mark.parametrize("proxy", ["teleport.example.com:443", "teleport.example.com"])
def test_the_link_has_no_default_port(proxy):
    cluster = replace(samples.CLUSTER, proxy_public_addr=proxy)
    assert fields(render(Topic.ANNOUNCEMENT, samples.BARE, cluster).text)["Link: "] == [
        f"https://teleport.example.com/web/requests/{samples.BARE.id}"
    ]


def test_another_port_stays_in_the_link():
    cluster = replace(samples.CLUSTER, proxy_public_addr="teleport.example.com:3080")
    assert "https://teleport.example.com:3080/web/" in render(Topic.ANNOUNCEMENT, samples.BARE, cluster).text


@pytest.mark.parametrize(
    "cluster",
    [
        samples.COMMUNITY,
        replace(samples.CLUSTER, proxy_public_addr=""),
        replace(samples.CLUSTER, proxy_public_addr="evil.example/x?"),
    ],
)
def test_where_there_is_no_page_to_review_there_are_tsh_commands(cluster):
    content = render(Topic.ANNOUNCEMENT, samples.REQUEST, cluster)
    for command in ("--approve", "--deny"):
        assert f": tsh request review {command} {samples.REQUEST.id}\n" in content.text
        assert f">tsh request review {command} {samples.REQUEST.id}<" in content.html
    assert "Link: " not in content.text
    assert "href" not in content.html


def test_what_is_gone_has_no_link_since_its_page_is_gone_too():
    gone = replace(samples.APPROVED, state=RequestState.GONE)
    for topic in (Topic.EXPIRED, Topic.REQUESTER_EXPIRED, Topic.ENDED, Topic.REVIEW):
        content = render(topic, gone, number=topic is Topic.REVIEW)
        assert ("https://" in content.text) is (topic is Topic.EXPIRED)  # one of the Go plugin's lines
        assert "href" not in content.html


# What it tells beyond -------------------------------------------------------------------------------


@pytest.mark.parametrize("sample", samples.all_kinds(), ids=lambda sample: sample.name)
def test_who_was_told_is_told_where_a_thread_begins(sample):
    news = sample.kind.topic in {*ANNOUNCEMENTS, Topic.RECEIVED} and bool(sample.recipients)
    content = show(sample)
    assert ("\nTold: " in content.text) is news
    assert (">Told<" in content.html) is news


def test_an_escalation_says_how_long_nobody_decided_and_who_is_silent():
    text = show(SAMPLES["escalation"]).text
    assert text.startswith("Nobody has decided this Role Request, so you are asked as well:\n")
    since = "It has waited since 2026-03-02 10:00 UTC+01:00."
    assert f"\n{since}\n" in text
    assert "\nNo review yet: carol@example.com, security@example.com\n" in text
    assert "bob@example.com approved" in text
    all_have = render(Topic.ESCALATION, SAMPLES["escalation"].request).text
    assert since in all_have
    assert "No review yet" not in all_have


def test_times_are_in_the_configured_zone():
    text = show(SAMPLES["announcement"]).text
    assert "Asked: 2026-03-02 10:28 UTC+01:00\n" in text
    assert "Decide by: 2026-03-02 13:30 UTC+01:00\n" in text
    assert "Access: from approval until 2026-03-02 18:30 UTC+01:00 (at most 8 h 2 min)\n" in text


@pytest.mark.parametrize("templates", [None, GERMAN], ids=["en", "de"])
@pytest.mark.parametrize("name", SAMPLES)
def test_nothing_in_a_mail_is_wrong_when_it_is_read_later(name, templates):
    """The same request told half an hour later differs by the mail's own date at most."""
    sample, renderer = SAMPLES[name], GERMAN_RENDERER if templates else RENDERER
    now, later = (show(replace(sample, now=sample.now + timedelta(minutes=m)), renderer) for m in (0, 30))
    assert (now.text, now.html) == (later.text, later.html)


def test_an_unknown_zone_is_utc():
    renderer = Renderer(replace(DELIVERY, timezone="Nowhere/Land"))
    assert "Asked: 2026-03-02 09:28 UTC\n" in show(SAMPLES["announcement"], renderer).text


def test_the_date_has_whole_seconds_so_that_a_retry_has_the_same_bytes():
    facts = Facts(samples.CLUSTER)
    now = samples.NOW.replace(microsecond=999_999)
    one = RENDERER.render(Kind(Topic.ANNOUNCEMENT), samples.REQUEST, facts, now=now, boundary="b")
    two = RENDERER.render(Kind(Topic.ANNOUNCEMENT), samples.REQUEST, facts, now=samples.NOW, boundary="b")
    assert one == two
    assert one.date == samples.NOW


def test_resources_have_names_where_known_and_their_cluster_where_it_is_another():
    text = show(SAMPLES["announcement"]).text
    assert "  - Server web-01\n" in text
    assert "  - Database orders-primary (Cluster leaf[.]example[.]com)\n" in text
    assert "2e1f6a0c" not in text


def test_a_resource_without_a_name_shows_its_id():
    text = render(Topic.ANNOUNCEMENT, samples.REQUEST).text
    assert "  - Server 2e1f6a0c-97f5-4d5e-9d0a-5b6f6a3b1c11\n" in text


def test_access_that_begins_later_says_from_when():
    request = replace(samples.REQUEST, assume_start=samples.NOW + timedelta(hours=2))
    assert (
        "Access: from 2026-03-02 12:30 UTC+01:00 until 2026-03-02 18:30 UTC+01:00 (6 h)"
        in render(Topic.ANNOUNCEMENT, request).text
    )
    approved = replace(samples.APPROVED, assume_start=samples.NOW + timedelta(hours=2))
    text = render(Topic.REQUESTER_APPROVED, approved).text
    assert "Access begins at 2026-03-02 12:30 UTC+01:00." in text


@pytest.mark.parametrize(
    ("thresholds", "reviews", "said"),
    [
        ((Threshold(),), 0, "1 needed, none given"),
        ((Threshold(approve=3),), 1, "3 needed, 1 given, 2 missing"),
        ((Threshold(approve=3, deny=2),), 0, "3 needed, none given; 2 denials refuse it"),
        (
            (Threshold("a", approve=2), Threshold("b", approve=1)),
            1,
            "2 needed (a), 1 given, 1 missing; or 1 needed (b), none given",
        ),
    ],
)
def test_it_says_how_many_approvals_are_needed(thresholds, reviews, said):
    request = replace(samples.REQUEST, thresholds=thresholds, reviews=samples.APPROVED.reviews[:reviews])
    assert f"Approvals: {said}\n" in render(Topic.ANNOUNCEMENT, request).text


def test_reviews_so_far_are_listed_with_their_words_fenced():
    text = render(Topic.DENIED, samples.DENIED).text
    assert "Decided by: carol@example.com\n" in text
    assert (
        "  - carol@example.com denied at 2026-03-02 10:30 UTC+01:00\n"
        "  | Not during the freeze.\n  | Please ask again on Monday.\n" in text
    )


def test_a_promotion_names_the_access_list():
    for topic in (Topic.PROMOTED, Topic.REQUESTER_PROMOTED, Topic.ANNOUNCED_PROMOTED):
        content = render(topic, samples.PROMOTED)
        assert "Access list: Database operators\n" in content.text
        assert "Database operators" in content.html


def test_the_requester_hears_who_was_asked_and_is_spoken_to():
    sample = SAMPLES["received"]
    text = show(sample).text
    assert "Told: bob@example.com, carol@example.com, security@example.com\n" in text
    assert "3 people have been asked to review it." in text
    for topic in OF_REQUESTS:
        content = show(SAMPLES[samples.file_name(Kind(topic))])
        assert ("because you asked" in content.text) is topic.for_requester
        assert ("because you asked" in content.html) is topic.for_requester


def test_text_and_html_tell_the_same_facts():
    for sample in SAMPLES.values():
        content = show(sample)
        seen = " ".join(visible_text(content.html).split())
        for label, line in re.findall(r"^([A-Z][A-Za-z() ]+): (\S.*)$", content.text, flags=re.MULTILINE):
            if label in {"Link", "Status", "Resolution", "Role(s)", "Name"}:
                continue
            shown = line[:74] if "Reason" in label and "crowded" in sample.name else line  # whole in the text
            said = " ".join(shown.split()).removesuffix("." * (sample.kind.topic is Topic.REVIEW))
            assert said in seen, (sample.name, label)


def test_a_request_known_by_its_ledger_alone_reads_well():
    content = show(SAMPLES["expired-bare"])
    for part in (content.text, content.html):
        assert "None" not in part
        assert "unknown" not in part.lower()


# Headers --------------------------------------------------------------------------------------------


def test_headers_for_filters():
    assert dict(render(Topic.ANNOUNCEMENT, samples.REQUEST).headers) == {
        "List-Id": "<access-requests.demo.example.com>",
        "X-Teleport-Cluster": "demo.example.com",
        "X-Teleport-Request-Id": samples.REQUEST.id,
        "X-Teleport-Kind": "announcement",
        "X-Teleport-State": "PENDING",
        "X-Teleport-User": "alice@example.com",
        "X-Teleport-Roles": "db-admin,web-deploy",
    }


def test_all_messages_of_a_request_have_the_same_subject_and_list():
    contents = [show(sample) for name, sample in SAMPLES.items() if not name.endswith(("-bare", "-crowded"))]
    assert len({content.subject for content in contents}) == 1
    assert len({dict(content.headers)["List-Id"] for content in contents}) == 1


def test_sender_and_reply_to_come_from_the_configuration():
    content = show(SAMPLES["announcement"], Renderer(replace(DELIVERY, reply_to="help@example.com")))
    assert (content.sender, content.reply_to) == ("teleport@example.com", "help@example.com")


# Form -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("dark", [False, True], ids=["light", "dark"])
@pytest.mark.parametrize("name", SAMPLES | REMINDERS)
def test_contrast_is_enough_for_everybody(name, dark):
    page = Page(show((SAMPLES | REMINDERS)[name]).html, dark=dark)
    assert page.texts
    for text, colour, background in page.texts:
        assert contrast(colour, background) >= 4.5, (text, colour, background)  # WCAG 2.2, 1.4.3


def test_contrast_is_computed_right():
    assert contrast("#ffffff", "#000000") == pytest.approx(21)
    assert contrast("#777777", "#ffffff") == pytest.approx(4.48, abs=0.01)


@pytest.mark.parametrize("name", SAMPLES | REMINDERS)
def test_the_html_is_small_well_formed_and_needs_nothing_from_outside(name):
    html = show((SAMPLES | REMINDERS)[name]).html
    page = Page(html)
    assert not page.unclosed
    assert len(html.encode()) < (60_000 if name in REMINDERS else 30_000)
    assert '<html lang="en" dir="ltr">' in html
    assert "max-width:600px" in html
    assert set(page.tags) <= {
        *("html", "head", "meta", "title", "style", "body", "div", "p", "h1", "h2", "span", "a", "br"),
        *("table", "tr", "td", "th"),
    }
    assert not page.attributes & {"src", "background", "onclick", "srcset"}
    assert "url(" not in html
    assert "@import" not in html


def test_the_state_is_told_in_words_not_by_colour_alone():
    words = {
        "APPROVED": "Approved",
        "DENIED": "Denied",
        "PROMOTED": "Promoted",
        "EXPIRED": "Expired",
        "ENDED": "Ended",
    }
    for sample in SAMPLES.values():
        content = show(sample)
        pending = "Pending" if sample.kind.topic is Topic.ANNOUNCEMENT else "Not decided yet"
        word = words.get(dict(content.headers)["X-Teleport-State"], pending)
        assert word in visible_text(content.html)


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("announcement", "alice@example.com asks for db-admin and 1 more · decide by 13:30 UTC+01:00"),
        (
            "review",
            "bob@example.com approved, 1 more needed · alice@example.com asks for db-admin and 1 more",
        ),
        ("reminder", "Still waiting: alice@example.com asks for db-admin and 1 more · decide by 12:30"),
        ("approved", "Approved: alice@example.com asked for db-admin and 1 more · access until 18:30"),
        ("denied", "Denied: alice@example.com asked for db-admin and 1 more"),
        ("received", "Received from alice@example.com: db-admin and 1 more · decide by 13:30"),
        ("requester-approved", "Approved for alice@example.com: db-admin and 1 more · access until 18:30"),
        ("ended", "Ended for alice@example.com: db-admin and 1 more"),
    ],
)
def test_the_preheader_tells_who_asks_for_what_until_when(name, said):
    assert preheader(show(SAMPLES[name]).html).startswith(said)


@pytest.mark.parametrize("name", SAMPLES)
def test_the_preheaders_first_40_characters_hold_a_users_name(name):
    sample = SAMPLES[name]
    review = sample.kind.topic is Topic.REVIEW and sample.request.reviews
    user = sample.request.reviews[0].author if review else sample.request.user
    assert user in preheader(show(sample).html)[:40]


def test_a_deadline_on_another_day_has_its_date_in_the_preheader():
    request = replace(samples.REQUEST, expires=samples.NOW + timedelta(days=3))
    assert preheader(render(Topic.ANNOUNCEMENT, request).html).endswith(
        "decide by 2026-03-05 10:30 UTC+01:00"
    )


def test_the_preheader_has_no_free_text_and_no_markup_in_it():
    request = replace(
        samples.REQUEST,
        roles=("prod-db.readonly", "<b>&amp;"),
        request_reason="evilreason",
        reviews=(replace(samples.APPROVED.reviews[0], reason="evilreason"),),
        resolve_reason="evilreason",
        resources=(ResourceID("evil", "evil", "evil"),),
    )
    for topic in OF_REQUESTS:
        found = preheader(render(topic, request, number=topic is Topic.REVIEW, requester_name="evil").html)
        assert "evil" not in found
        assert "prod-db.readonly and 1 more" in found


# Whatever comes in ----------------------------------------------------------------------------------

TEXT = st.one_of(st.text(max_size=200), st.sampled_from(HOSTILE))
TIME = st.none() | st.datetimes(timezones=st.just(UTC)) | st.just(samples.NOW)
LISTS = st.none() | st.builds(AccessList, name=TEXT, title=TEXT)
STATES = st.sampled_from(RequestState)
REVIEWS = st.builds(
    Review, author=TEXT, proposed_state=STATES, reason=TEXT, created=TIME,
    threshold_indexes=st.lists(st.integers(0, 5), max_size=2).map(tuple), assume_start=TIME, access_list=LISTS,
)  # fmt: skip
NUMBERS = st.integers(0, 2**32 - 1)
REQUESTS = st.builds(
    AccessRequest, id=TEXT, user=TEXT, roles=st.lists(TEXT, max_size=30).map(tuple), state=STATES,
    created=TIME, expires=TIME, access_expires=TIME, max_duration=TIME, session_ttl=TIME, assume_start=TIME,
    request_reason=TEXT, resolve_reason=TEXT, reviews=st.lists(REVIEWS, max_size=8).map(tuple),
    thresholds=st.lists(st.builds(Threshold, name=TEXT, approve=NUMBERS, deny=NUMBERS), max_size=6).map(tuple),
    resources=st.lists(st.builds(ResourceID, TEXT, TEXT, TEXT, TEXT), max_size=8).map(tuple), access_list=LISTS,
)  # fmt: skip
CLUSTERS = st.builds(
    ClusterInfo, name=TEXT, proxy_public_addr=TEXT | st.just("teleport.example.com:443"),
    advanced_access_workflows=st.booleans(),
)  # fmt: skip
KINDS = st.builds(Kind, st.sampled_from(OF_REQUESTS), st.integers(0, 3))


@given(kind=KINDS, request=REQUESTS, cluster=CLUSTERS, name=TEXT, recipients=st.lists(TEXT, max_size=40))
def test_no_request_breaks_or_forges_a_message(kind, request, cluster, name, recipients):
    told = tuple(recipients)
    facts = Facts(cluster, told, dict.fromkeys(request.resources[:2], name), name, told)
    content = RENDERER.render(kind, request, facts, now=samples.NOW, boundary="boundary")
    assert len(content.subject.splitlines()) == 1
    assert all(re.fullmatch(r"[!-~][ -~]{0,420}", value) for _, value in content.headers)
    found = fields(content.text)
    for label in ("ID: ", "Cluster: ", "User: ", "Role(s): "):
        assert len(found[label]) == 1
    without = kind.topic in (Topic.REVIEW, Topic.REMINDER, Topic.ESCALATION, Topic.RECEIVED, Topic.ENDED)
    assert len(found.get("Status: ", [])) == (0 if without else 1)
    for label in ("Link: ", "Resolution: ", "Reason: "):
        assert len(found.get(label, [])) <= 1
    assert without or re.match(r"[⏳✅❌📋⌛] [A-Z]+( \(|$)", found["Status: "][0])
    page = Page(content.html)
    assert not page.unclosed
    assert len(content.html.encode()) < 30_000
    assert page.links == (found.get("Link: ", []) if kind.topic is not Topic.EXPIRED else [])
    assert all(link.startswith("https://") for link in page.links)
    assert page.attributes <= {
        *(
            "lang",
            "dir",
            "charset",
            "name",
            "content",
            "style",
            "class",
            "role",
            "width",
            "cellpadding",
            "cellspacing",
        ),
        *("border", "bgcolor", "align", "valign", "scope", "href"),
    }
    content.text.encode()
    content.html.encode()


@pytest.mark.parametrize("hostile", HOSTILE)
def test_a_hostile_text_adds_no_tag_to_the_html(hostile):
    harmless = replace(samples.REQUEST, request_reason="x", user="x")
    tags = Page(render(Topic.ANNOUNCEMENT, harmless, requester_name="x").html).tags
    evil = replace(samples.REQUEST, request_reason=hostile, user=hostile)
    evil_tags = Page(render(Topic.ANNOUNCEMENT, evil, requester_name=hostile).html).tags
    breaks = [tag for tag in evil_tags if tag != "br"]
    assert breaks == [tag for tag in tags if tag != "br"] or not evil.user.strip()


def test_template_expressions_of_users_are_text():
    request = replace(samples.REQUEST, request_reason="{{ 7 * 7 }} {% raw %}", user="{{ 7 * 7 }}")
    content = render(Topic.ANNOUNCEMENT, request)
    assert "User: {{ 7 * 7 }}" in content.text
    assert "49" not in content.text


def test_the_largest_request_stays_small():
    big = AccessRequest(
        id="&" * 500,
        user="<" * 5000,
        roles=("&" * 500,) * 500,
        request_reason="'" * 5000,
        resolve_reason='"' * 5000,
        reviews=(Review("&" * 500, RequestState.APPROVED, "&" * 5000, samples.NOW),) * 100,
        thresholds=(Threshold("&" * 500, "", 2, 2),) * 50,
        resources=(ResourceID("&" * 500, "&" * 500, "&" * 500, "&" * 500),) * 500,
        created=samples.NOW,
        expires=samples.NOW,
        access_expires=samples.NOW,
        access_list=AccessList("&" * 500, "&" * 500),
    )
    for topic in OF_REQUESTS:
        content = render(
            topic, big, number=topic is Topic.REVIEW, recipients=("&" * 500,) * 500, requester_name="&" * 500
        )
        assert len(content.html.encode()) < 30_000, topic


def test_a_time_at_the_end_of_the_calendar():
    request = replace(
        samples.REQUEST, created=datetime.min.replace(tzinfo=UTC), expires=datetime.max.replace(tzinfo=UTC)
    )
    text = render(Topic.ANNOUNCEMENT, request).text
    assert "Asked: 0001-01-01" in text
    assert "Decide by: 9999-12-31" in text
