"""The numbers, defaults, lists and links in the pages are those of the code.

A promise about behaviour has its test where that is tested; here is what a page repeats from the code, so that
neither changes alone.
"""

from __future__ import annotations

import ast
import asyncio
import functools
import re
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from teleport_email.config import parse
from teleport_email.config.keys import KEYS
from teleport_email.config.settings import TeleportSettings
from teleport_email.core import claim
from teleport_email.daemon import clocks, service
from teleport_email.mail import http, outage, pause
from teleport_email.mail.smtp import dialogue
from teleport_email.network import connect
from teleport_email.render import quoting, template_data
from teleport_email.routing import directory
from teleport_email.routing.rules import grammar, tree
from teleport_email.telemetry import diagnostics
from teleport_email.teleport.connect import dialer
from teleport_email.teleport.connect.http import http_exchange
from teleport_email.watching import resync, watch

ROOT = Path(__file__).parents[2]
PAGES = [ROOT / name for name in ("README.md", "SECURITY.md", "CONTRIBUTING.md")] + sorted(
    (ROOT / "docs").glob("*.md")
)
MINIMAL = """
[teleport]
identity = "/i"
[smtp]
host = "mail.example.com"
[delivery]
sender = "teleport@example.com"
[role_to_recipients]
"*" = "admin@example.com"
"""


def text_of(page: str) -> str:
    """A page on one line, so that a sentence may break anywhere."""
    return " ".join((ROOT / page).read_text("utf-8").split())


def _kb(size: int) -> str:
    return f"{size / 1024:.0f} KB"


def promises() -> Iterator[tuple[str, str]]:
    """Page, and the words that it must have."""
    security, operations, architecture = "SECURITY.md", "docs/operations.md", "docs/architecture.md"
    yield security, f"{_kb(dialogue.LONGEST_GROUP)} a group of replies"
    yield security, f"{(http.LARGEST_BODY + http.LARGEST_REST) // 10_000 * 10} KB an HTTP answer"
    yield security, f"{_kb(http_exchange.MAX_BODY + http_exchange.MAX_HEAD)} an answer, eight interim ones"
    yield security, "a line of log a minute by faults of pages"
    default = parse(MINIMAL, environ={}).delivery
    yield security, f"`max_suggested_reviewers` ({default.max_suggested_reviewers}) addresses a request"

    yield operations, "at most 20 seconds, mostly well under one"
    yield operations, "every 5 minutes while requests cannot be watched"
    yield operations, "Again every quarter of an hour"
    yield (
        operations,
        f"at most {pause.LONGEST['account']:.0f} s later ({pause.LONGEST['login'] / 60:.0f} minutes",
    )
    yield operations, "7 days, 1 day and 1 hour before the certificate's end"
    yield operations, "when five sixths of its life are over"
    yield operations, "by themselves within the hour"
    yield operations, f"the machine booted less than {clocks.SET_WITHIN / 60:.0f} minutes ago"
    unit = (ROOT / "packaging/systemd/teleport-email.service").read_text()
    [seconds] = re.findall(r"^RestartSec=(\d+)$", unit, flags=re.MULTILINE)
    yield operations, f"restarts it after {seconds} s"
    [seconds] = re.findall(r"^WatchdogSec=(\d+)$", unit, flags=re.MULTILINE)
    yield operations, f"has been dead for {seconds} s"

    lease = f"A lease of {claim.LEASE:.0f} s, renewed every {claim.RENEW_AFTER:.0f} s"
    yield architecture, lease
    yield (
        architecture,
        f"no message is begun after {claim.BEGIN_UNTIL:.0f} s, no final dot sent after {claim.FINISH_UNTIL:.0f} s",
    )
    first, second = resync.FOLLOW_UPS
    yield architecture, f"again after {first:.0f} s and {second:.0f} s"
    yield architecture, f"At most one such list per {resync.LIST_SPACING:.0f} s"
    interval = TeleportSettings().resync_interval
    yield architecture, f"then every {interval / 60:.0f} minutes, jittered"

    yield "docs/connecting.md", "each gets a second before the next is tried beside it"
    yield "docs/connecting.md", "a quarter of a second apart"
    yield "docs/connecting.md", "The reason is in the log, within 15 seconds"
    yield "docs/routing.md", f"At most `delivery.max_recipients` ({default.max_recipients}) are told"
    yield (
        "docs/routing.md",
        f"Conditions are bounded: {grammar.MAX_LENGTH:,} characters, {tree.MAX_DEPTH} levels of nesting",
    )
    yield "docs/routing.md", "kept for five minutes"
    yield "docs/kubernetes.md", "looked at every minute"
    yield "docs/kubernetes.md", "another takes over within a minute"
    messages = "docs/messages.md"
    yield messages, f"wrapped by us at {quoting.WIDTH} columns"
    yield messages, f"whole up to the {quoting.REASON_LIMIT} characters that Teleport takes"
    limits = template_data._RESOURCES_LIMIT, template_data._ROLES_LIMIT
    yield messages, f"Lists have up to {limits[0]} items, roles up to {limits[1]}"
    yield messages, f"Later mails have its first {template_data._LATER_REASON_BUDGET} characters or so"
    yield messages, "the last five, each with `number`"


def test_what_the_pages_say_in_words_is_what_the_code_has() -> None:
    assert http_exchange.MAX_INTERIM == 8
    assert diagnostics.SILENCE == 60.0
    assert service.DRAIN + service.LAST_CALL + 3 * service.GIVE_UP < 20
    assert watch.SAY_AGAIN == 300
    assert outage.SAID_AGAIN_AFTER == 900
    assert [limit.total_seconds() / 3600 for limit in watch.WARN_BEFORE_END] == [168, 24, 1]
    assert watch.OVERDUE == 1 / 6
    assert resync.LOOK_AGAIN <= 3600
    assert (dialer.STAGGER, connect.HAPPY_EYEBALLS) == (1.0, 0.25)
    assert dialer.LIMIT < 15
    assert directory.LIFETIME == 300
    assert TeleportSettings().refresh_identity_interval == 60
    assert 2 * claim.LEASE <= 60
    assert template_data._REVIEWS_SHOWN == 5


@pytest.mark.parametrize(("page", "words"), list(promises()))
def test_a_page_has_the_number_of_the_code(page: str, words: str) -> None:
    assert words in text_of(page)


def documented_defaults() -> Iterator[tuple[str, str, str]]:
    """Section, key, default, where the table of docs/configuration.md has it as TOML."""
    section = ""
    for line in (ROOT / "docs/configuration.md").read_text().splitlines():
        if line.startswith("#"):
            named = re.search(r"`\[([\w.]+)\]`", line)
            section = named[1] if named else ""
        elif row := re.match(r"\| `(\w+)` \| `([^`]+)` \|", line):
            yield section, row[1], row[2]


def test_a_documented_default_changes_nothing_where_it_is_written_out() -> None:
    found = list(documented_defaults())
    assert len(found) > 25
    bare = parse(MINIMAL, environ={})
    for section, key, value in found:
        assert key in KEYS[section], (section, key)
        if section in ("mailgun", "smtp.oauth2"):
            continue
        head = f"[{section}]\n"
        line = f"{key} = {value}\n"
        if head in MINIMAL:
            text = MINIMAL.replace(head, head + line)
        else:
            text = f"{MINIMAL}\n{head}{line}" if section else line + MINIMAL
        assert parse(text, environ={}) == bare, (section, key, value)


def test_the_samples_of_the_readme_are_whole_but_for_their_files() -> None:
    smtp, mailgun = re.findall(r"```toml\n(.*?)```", (ROOT / "README.md").read_text(), re.DOTALL)
    found = parse(smtp, environ={}, read_secrets=False)
    assert found.warnings == ()
    without = re.sub(r"\[smtp\]\n(?:[^\[]*\n)?(?=\[)", mailgun, smtp)
    assert "[smtp]" not in without
    assert parse(without, environ={}, read_secrets=False).warnings == ()


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_a_link_leads_somewhere(page: Path) -> None:
    for target, anchor in re.findall(r"\]\((?!https?:)([\w./-]*)#?([\w-]*)\)", page.read_text("utf-8")):
        path = page.parent / target if target else page
        assert path.exists(), target
        if anchor:
            lines = re.findall(r"^#+ (.*)$", path.read_text("utf-8"), flags=re.MULTILINE)
            headings = {re.sub(r"[^\w -]", "", line).strip().lower().replace(" ", "-") for line in lines}
            assert anchor in headings, (target, anchor)


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_a_file_that_a_page_names_is_there(page: Path) -> None:
    text = page.read_text("utf-8")
    for name in re.findall(
        r"(?<![\w./-])((?:examples|packaging|tests|bench|proto|requirements)/[\w./-]*\w)", text
    ):
        if "$" not in name:
            assert (ROOT / name).exists() or list(ROOT.glob(f"{name}*")), name


def said_in(path: Path) -> Iterator[str]:
    """The texts of a module, without its docstrings and comments; ``…`` stands for what is filled in."""
    tree = ast.parse(path.read_text("utf-8"))
    docstrings = {id(node.value) for node in ast.walk(tree) if isinstance(node, ast.Expr)}
    for node in ast.walk(tree):
        if isinstance(node, ast.JoinedStr):
            yield "".join(str(part.value) if isinstance(part, ast.Constant) else "…" for part in node.values)
        elif isinstance(node, ast.Constant) and isinstance(node.value, str) and id(node) not in docstrings:
            yield node.value


@functools.cache
def source() -> str:
    """All that the program can say."""
    generated = {"_proto", "_compiled"}
    modules = [p for p in (ROOT / "src/teleport_email").rglob("*.py") if not generated & set(p.parts)]
    return "\n".join(text for path in modules for text in said_in(path))


def symptoms() -> Iterator[tuple[str, str]]:
    """Page, and a text that it says one will read. ``...`` stands for what is different each time."""
    readyz = (ROOT / "docs/monitoring.md").read_text("utf-8").partition("localhost:9090/readyz\n")[2]
    for line in readyz.partition("\n\n")[0].splitlines():
        yield "docs/monitoring.md", re.sub(r"\S+:443|535 [\d.]+", "...", line)
    for page, heading in (
        ("docs/operations.md", "## Troubleshooting"),
        ("docs/connecting.md", "### If it does not"),
    ):
        section = (ROOT / page).read_text("utf-8").partition(heading)[2].partition("\n## ")[0]
        for cell in re.findall(r"^\| ([^|]*) \|", section, flags=re.MULTILINE):
            for said in re.findall(r"`([^`]+)`", cell):
                yield page, said


@pytest.mark.parametrize(("page", "said"), list(symptoms()))
def test_what_a_page_says_one_will_read_is_what_the_program_says(page: str, said: str) -> None:
    text = source()
    for part in re.split(r"[:;] | to AUTH|\.\.\.|'[ab]'|\d{3,}|\bteleport-email$|reload", said):
        words = part.strip(" ,;:")
        assert words in text, f"{page}: {said}"


def test_the_sample_for_tests_of_one_s_own_works() -> None:
    [sample] = re.findall(r"```python\n(.*?)```", (ROOT / "docs/sandbox.md").read_text(), re.DOTALL)
    lines = [line for line in sample.splitlines() if "wait_for" not in line]  # no daemon runs here
    body = "\n".join(f"    {line}" for line in lines)
    scope: dict[str, Any] = {}
    with tempfile.TemporaryDirectory() as directory:
        exec(f"async def sample(directory):\n{body}\n    return settings, request, identity", scope)
        settings, request, identity = asyncio.run(scope["sample"](Path(directory)))
        assert (settings.username, request.user) == ("me", "alice@example.com")
        assert identity.is_file()
