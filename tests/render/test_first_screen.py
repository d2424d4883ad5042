"""The button stands on the first screen of a phone, whatever comes in; nothing is told twice, and what is cut says so.

Heights are computed from the structure of the HTML: the widths of Arial's letters, and what the styles say. Where
there is a Chromium, it measures the same pages.
"""

from __future__ import annotations

import html
import json
import re
import shutil
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import timedelta
from html.parser import HTMLParser
from pathlib import Path

import pytest
from msgspec.structs import replace

from teleport_email.config.settings import DeliverySettings
from teleport_email.core.model import (
    OF_REQUESTS,
    AccessRequest,
    Content,
    Kind,
    RequestState,
    ResourceID,
    Review,
    Topic,
)
from teleport_email.render import Facts, Renderer, quoting, samples

GERMAN = Path(__file__).parents[2] / "examples" / "templates-de"
RENDERERS = {
    "en": Renderer(DeliverySettings(sender="teleport@example.com")),
    "de": Renderer(DeliverySettings(sender="teleport@example.com", templates=GERMAN)),
}
SENTENCE = (
    "The orders service in eu-central-1 fails since 09:12 UTC, since its pool of connections is exhausted; "
)
LONG = (SENTENCE * 60)[:4000]
SIXTY = tuple(f"prod-database-admin-{number}" for number in range(60))
CLUSTERS = tuple(ResourceID("leaf.example.com", "kube_cluster", f"orders-{number}") for number in range(60))
PLAIN = replace(samples.REQUEST, resources=())
REQUESTS = {
    "usual": samples.REQUEST,
    "crowded": replace(PLAIN, roles=SIXTY, request_reason=LONG),
    "with resources": replace(PLAIN, roles=SIXTY, resources=CLUSTERS, request_reason=LONG),
    "hosts": replace(
        samples.REQUEST,
        resources=tuple(
            ResourceID("demo.example.com", "node", f"ip-10-0-0-{n}-eu-central-1-compute-internal")
            for n in (12, 13)
        ),
        request_reason=LONG,
    ),
    "long names": replace(
        PLAIN,
        user="a-very-long-user-name.of-somebody-important@subdomain.example.com",
        roles=tuple(f"admin-of-the-databases-in-eu-central-1-{number}" for number in range(60)),
        resources=tuple(
            replace(each, name=f"{each.name}-in-eu-central-1-of-team-orders") for each in CLUSTERS
        ),
        request_reason=LONG,
    ),
    "three of each": replace(
        PLAIN,
        user="a-very-long-user-name.of-somebody-important@subdomain.example.com",
        roles=tuple(f"administrators-of-the-databases-of-team-orders-in-eu-central-{n}" for n in range(3)),
        resources=tuple(
            ResourceID(f"leaf-{n}-of-the-region-eu-central.example.com", "kube_cluster", "orders-" * 8)
            for n in range(3)
        ),
        request_reason=LONG,
    ),
    "capitals": replace(
        PLAIN,
        user="WWWW@EXAMPLE.COM",
        roles=("WWWMMMWWWMMM",) * 60,
        request_reason="WE NEED MM WW NOW " * 220,
    ),
    "wide": replace(PLAIN, roles=("漢字漢字",) * 60, request_reason="漢字漢字漢字漢字。" * 400),
    "lines": replace(PLAIN, request_reason="line\n" * 300),
    "one word": replace(PLAIN, request_reason="x" * 4000),
}
REVIEWS = (Review("bob@example.com", RequestState.APPROVED, LONG, samples.NOW, threshold_indexes=(0,)),)
PENDING = [Topic.ANNOUNCEMENT, Topic.REVIEW, Topic.REMINDER, Topic.ESCALATION]
OTHERS = [Topic.APPROVED, Topic.DENIED, Topic.ANNOUNCED_DENIED, Topic.RECEIVED, Topic.REQUESTER_DENIED]


def mail(name: str, topic: Topic = Topic.ANNOUNCEMENT, language: str = "en") -> Content:
    request: AccessRequest = REQUESTS[name]
    state = samples.request_for(Kind(topic)).state
    if topic is not Topic.ANNOUNCEMENT:
        request = replace(request, state=state, reviews=REVIEWS)
    if state is not RequestState.PENDING:
        request = replace(request, resolve_reason=LONG, reviews=(replace(REVIEWS[0], proposed_state=state),))
    kind = Kind(topic, 1 if topic is Topic.REVIEW else 0)
    silent = tuple(f"somebody.with.a.long.name.{number}@example.com" for number in range(60))
    facts = Facts(samples.CLUSTER, samples.RECIPIENTS, requester_name="Alice Martin", silent=silent)
    return RENDERERS[language].render(kind, request, facts, now=samples.NOW, boundary="b")


CASES = [
    *((name, Topic.ANNOUNCEMENT, language) for name in REQUESTS for language in RENDERERS),
    *(("hosts", topic, language) for topic in PENDING[1:] for language in RENDERERS),
    *(("three of each", topic, language) for topic in PENDING[1:] for language in RENDERERS),
    *(("with resources", topic, language) for topic in (*PENDING[1:], *OTHERS) for language in RENDERERS),
    *((name, Topic.REQUESTER_APPROVED, language) for name in REQUESTS for language in RENDERERS),
]

# A layout of its own -----------------------------------------------------------------------------------

# Of ' ' to '~' in thousandths of the font's size: Arial's and Helvetica's metrics.
_WIDTHS = """
278 278 355 556 556 889 667 191 333 333 389 584 278 333 278 278 556 556 556 556 556 556 556 556 556 556 278 278
584 584 584 556 1015 667 667 722 722 667 611 778 722 278 500 667 556 833 722 778 667 778 722 667 611 722 667 944
667 667 611 278 278 278 469 556 333 556 556 500 556 556 278 556 556 222 222 500 222 833 556 556 556 556 333 500
278 556 500 722 500 500 500 334 260 334 584
"""
WIDTHS = dict(zip(map(chr, range(32, 127)), map(int, _WIDTHS.split()), strict=True))
OTHER_FONTS = 1.06  # Segoe UI, Roboto and bold letters are a little wider


@dataclass
class Block:
    """A paragraph above the button."""

    style: dict[str, str]
    inset: float
    """Pixels that its own and its box's padding and border take of the width."""
    text: str = ""


class Above(HTMLParser):
    """The paragraphs above the button, and the margins and paddings around them, on a screen of 320 pixels."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.blocks: list[Block] = []
        self.around = 0.0
        self._inset = 0.0
        self._done = False
        self._hidden = 0
        above = page[page.index("<body") : page.index('class="button"')]
        self.feed(above[: above.rindex("<table")])

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = dict(attrs)
        style = dict(part.split(":", 1) for part in (given.get("style") or "").split(";") if ":" in part)
        if style.get("display") == "none":
            self._hidden = 1
        if tag == "br":
            self.blocks[-1].text += "\n"
        if tag in ("td", "div", "p", "h1", "h2", "table") and not self._hidden:
            top, _, bottom, _ = sides(style.get("padding", "0"))
            self.around += top + bottom * ("box" in (given.get("class") or ""))
            self.around += sides(style.get("margin", "0"))[2] + pixels(style.get("border-top", "0"))
            if "box" in (given.get("class") or ""):
                self._inset = 4 + 2 * sides(style["padding"])[1]
            if (tag != "table" and "font-size" in style) or tag == "div":
                inherited = self.blocks[-1].style if self._inset and self.blocks and tag == "div" else {}
                base = {"font-size": "15px", "line-height": "21px"} if self._inset else {}
                self.blocks.append(Block({**inherited, **base, **style}, self._inset))
        if tag == "span" and style.get("display") == "inline-block":
            self.blocks[-1].style |= {"font-size": "14px", "line-height": "26px"}  # its padding counts

    def handle_endtag(self, tag: str) -> None:
        if tag == "div" and self._hidden:
            self._hidden = 0
        if tag == "table":
            self._inset = 0.0

    def handle_data(self, data: str) -> None:
        if self.blocks and not self._hidden:
            self.blocks[-1].text += re.sub(r"\s+", " ", data)

    @property
    def height(self) -> float:
        """Pixels from the top of the screen to the top of the button."""
        return self.around + sum(
            rows(block.text, 270 - block.inset, pixels(block.style.get("font-size", "16px")))
            * pixels(block.style.get("line-height", "23px"))
            for block in self.blocks
            if block.text.strip()
        )


def pixels(text: str) -> float:
    found = re.match(r"[\d.]+", text.strip())
    return float(found[0]) if found else 0.0


def sides(text: str) -> tuple[float, float, float, float]:
    found = [pixels(part) for part in text.replace("!important", "").split()]
    top = found[0]
    right = found[1] if len(found) > 1 else top
    return top, right, found[2] if len(found) > 2 else top, found[3] if len(found) > 3 else right


def width(text: str, size: float) -> float:
    return (
        sum(WIDTHS.get(char, 1000 if quoting.columns(char) > 1 else 600) for char in text)
        * size
        * OTHER_FONTS
        / 1000
    )


def rows(text: str, room: float, size: float) -> int:
    """How many rows a text takes; it breaks at spaces, behind hyphens, and where a piece is longer than a row."""
    count = 0
    for line in text.strip().split("\n"):
        count += 1
        used = 0.0
        for word in line.split():
            for piece in re.findall(r"[^-]+-*|-+", word):
                wide = width(piece, size)
                if used and used + wide > room:
                    count, used = count + 1, 0.0
                used += wide
                if used > room:
                    count += int(used // room)
                    used %= room
            used += width(" ", size)
    return count


BUTTON = 44  # its height

TITLES = {
    "usual": samples.OPERATORS.title,
    "none": "",
    "long": "Administrators of the databases of orders and billing in eu-central-1 " * 3,
    "capitals": "WWWMMMWWWMMM " * 20,
    "one word": "W" * 400,
    "wide": "漢字" * 200,
}
REMINDERS = [
    *((name, "", language) for name in TITLES for language in RENDERERS),
    *(
        ("usual", sample, language)
        for sample in ("access-list-review-several", "access-list-review-overdue-several")
        for language in RENDERERS
    ),
]


def reminder(name: str, sample: str, language: str) -> str:
    """The HTML of a sample, else of a list with such a title, overdue for years, in a zone with a long offset."""
    zone = "America/Argentina/Buenos_Aires"
    renderer = Renderer(replace(RENDERERS[language]._delivery, timezone=zone))
    due = samples.NOW - timedelta(days=1000)
    alone = replace(samples.OPERATORS, title=TITLES[name], due=due, description=LONG, roles=SIXTY)
    audits = {each.name: each.audits for each in samples.reminders()}.get(sample, (alone,))
    return renderer.remind(audits, samples.CLUSTER, now=samples.NOW, boundary="b").html


@pytest.mark.parametrize(("name", "topic", "language"), CASES)
def test_the_button_is_within_500_pixels(name: str, topic: Topic, language: str) -> None:
    page = mail(name, topic, language).html
    above = Above(page).height
    assert above > 150, "the layout that is computed here is not the mail's"
    # Where nothing is to be decided any more, its beginning has to do.
    assert above + BUTTON * (topic in PENDING) < 500


@pytest.mark.parametrize(("name", "sample", "language"), REMINDERS)
def test_the_first_list_can_be_reviewed_within_500_pixels(name: str, sample: str, language: str) -> None:
    above = Above(reminder(name, sample, language)).height
    assert above > 150
    assert above + BUTTON < 500


def test_reasons_of_an_approval_stand_whole_below_the_requesters_button() -> None:
    above, below = (seen(part) for part in pieces(mail("crowded", Topic.REQUESTER_APPROVED).html))
    assert SENTENCE[:40] not in above
    assert below.count("Reason for the decision (") == below.count("Reason for the request (") == 1
    assert "continued" not in below


@pytest.mark.skipif(not shutil.which("chromium"), reason="needs a Chromium")
def test_a_browser_finds_it_there_too(tmp_path: Path) -> None:
    cases = [*CASES, *REMINDERS]
    pages = [*(mail(*case).html for case in CASES), *(reminder(*case) for case in REMINDERS)]
    frames = "".join(
        f'<iframe width="320" height="800" style="border:0" srcdoc="{html.escape(page)}"></iframe>'
        for page in pages
    )
    script = """<script>addEventListener("load", () => {
        const found = [...document.querySelectorAll("iframe")].map(frame => {
            const page = frame.contentDocument, button = page.querySelector("a.button").getBoundingClientRect();
            return [button.top, button.bottom, page.documentElement.scrollWidth];
        });
        document.body.setAttribute("data-found", JSON.stringify(found));
    })</script>"""
    (tmp_path / "page.html").write_text(f"<!doctype html><meta charset=utf-8><body>{frames}{script}", "utf-8")
    options = ("--headless", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage", "--hide-scrollbars")
    dumped = subprocess.run(
        ["chromium", *options, f"--user-data-dir={tmp_path}/profile", "--dump-dom", f"file://{tmp_path}/page.html"],
        capture_output=True, text=True, timeout=300, check=False,
    ).stdout  # fmt: skip
    marked = re.search(r'data-found="([^"]*)"', dumped)
    if marked is None:
        pytest.skip("this Chromium does not run here")
    for case, page, (top, bottom, wide) in zip(
        cases, pages, json.loads(html.unescape(marked[1])), strict=True
    ):
        assert (bottom if case[1] in PENDING or case in REMINDERS else top) < 500, case
        assert wide == 320, case
        assert top <= Above(page).height + 45, case  # what is computed is near it, or above


# What stands where ------------------------------------------------------------------------------------


def seen(page: str) -> str:
    text = re.sub(r"<(?:br|div|p|td|tr|th|table)\b[^>]*>", " ", page[page.find('role="main"') + 12 :])
    return re.sub(r"\s+", " ", html.unescape(re.sub(r"<[^>]*>", "", text)))


def pieces(page: str) -> Iterator[str]:
    yield from page.split(' class="button" style=', 1)


def test_the_reason_stands_there_once_its_beginning_above_the_button() -> None:
    above, below = (seen(part) for part in pieces(mail("crowded").html))
    words = " ".join(LONG.split())
    head, _, _ = above[above.index(SENTENCE[:40]) :].partition(" <")
    head = head.strip()
    assert 150 < len(head) < 700
    assert words.startswith(head)
    rest = words.removeprefix(head).strip()
    assert f"Reason, continued {rest} " in below
    assert f"Reason ({len(rest)} more characters below)" in above


@pytest.mark.parametrize("language", RENDERERS)
@pytest.mark.parametrize("topic", [*PENDING, Topic.DENIED, Topic.REQUESTER_APPROVED])
def test_the_usual_is_told_whole(topic: Topic, language: str) -> None:
    kind = Kind(topic, 1 if topic is Topic.REVIEW else 0)
    names = {
        each: f"ip-10-0-0-{n}.eu-central-1.compute.internal"
        for n, each in enumerate(samples.REQUEST.resources)
    }
    content = RENDERERS[language].render(
        kind,
        samples.request_for(kind),
        Facts(samples.CLUSTER, resource_names=names),
        now=samples.NOW,
        boundary="b",
    )
    above, _ = pieces(content.html)
    assert quoting.MARK not in above
    assert "continued" not in content.html
    assert "Fortsetzung" not in content.html
    assert all(name in seen(above) for name in names.values())


def test_three_names_are_told_first_and_all_of_them_below() -> None:
    above, below = pieces(mail("crowded").html)
    assert f"asks for 60 roles: {', '.join(SIXTY[:3])} and 57 more." in seen(above)
    assert SIXTY[3] not in above
    shown = html.unescape(re.sub(r"<[^>]*>", "", below))
    told = [role for role in SIXTY if re.search(rf"\b{role}\b", shown)]
    left = len(SIXTY) - len(told)
    assert len(told) > 50
    assert not left or f"and {left} more, in the text form of this mail" in shown
    assert f"\nRole(s): {','.join(SIXTY)}\n" in mail("crowded").text


@pytest.mark.parametrize("topic", [Topic.REVIEW, Topic.REMINDER, Topic.APPROVED, Topic.EXPIRED])
def test_later_mails_have_the_beginning_of_the_reason_and_say_where_it_is(topic: Topic) -> None:
    request = replace(PLAIN, request_reason=LONG, reviews=samples.APPROVED.reviews[:1])
    kind = Kind(topic, 1 if topic is Topic.REVIEW else 0)
    content = RENDERERS["en"].render(kind, request, Facts(samples.CLUSTER), now=samples.NOW, boundary="b")
    shown = seen(content.html)
    head = next(LONG[:length] for length in range(300, 0, -1) if LONG[:length].strip() in shown)
    assert 80 < len(head) <= 210
    assert re.search(r"\(\d+ more characters: in the first mail of this conversation\)", shown)
    assert f"{LONG.strip()}\n" in content.text


def test_resources_are_named_in_the_first_sentence() -> None:
    shown = seen(mail("usual").html)
    assert (
        "asks for Server 2e1f6a0c-97f5-4d5e-9d0a-5b6f6a3b1c11, Database orders-primary (Cluster leaf[.]example[.]com) "
        "with the roles db-admin, web-deploy." in shown
    )
    many = seen(mail("with resources").html)
    assert re.search(
        r"asks for 60 resources: Kubernetes cluster orders-0.* and \d+ more, with 60 roles: prod-", many
    )


def test_the_requesters_command_is_at_the_top() -> None:
    content = RENDERERS["en"].render(
        Kind(Topic.REQUESTER_APPROVED),
        samples.APPROVED,
        Facts(samples.CLUSTER),
        now=samples.NOW,
        boundary="b",
    )
    command = f"tsh login --request-id={samples.REQUEST.id}"
    assert content.text.splitlines()[2] == f"Use it: {command}"
    assert content.text.count(command) == content.html.count(command) == 1
    assert content.html.index(command) < content.html.index("INC-4711")
    assert content.html.index(command) < content.html.index('class="button"')


@pytest.mark.parametrize(("many", "listed"), [(4, False), (5, True), (60, True)])
def test_from_five_roles_on_the_text_has_a_list(many: int, listed: bool) -> None:
    roles = SIXTY[:many]
    request = replace(samples.REQUEST, roles=roles)
    content = RENDERERS["en"].render(
        Kind(Topic.ANNOUNCEMENT), request, Facts(samples.CLUSTER), now=samples.NOW, boundary="b"
    )
    before, _, after = content.text.partition("\nStatus: ")
    assert f"\nRole(s): {','.join(roles)}\n" in before
    lines = "".join(f"  - {role}\n" for role in roles)
    assert (f"\nRoles:\n{lines}" in after) is listed


def test_the_card_is_the_pages_main_part() -> None:
    for topic in OF_REQUESTS:
        content = RENDERERS["en"].render(
            Kind(topic, 1 if topic is Topic.REVIEW else 0), samples.request_for(Kind(topic)),
            Facts(samples.CLUSTER), now=samples.NOW, boundary="b",
        )  # fmt: skip
        assert content.html.count('role="main"') == 1
        assert content.html.index('role="main"') < content.html.index("<h1")
