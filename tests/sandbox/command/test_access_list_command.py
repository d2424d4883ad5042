"""`teleport-email sandbox access-list ...` against a running sandbox, as typed."""

from __future__ import annotations

import asyncio
import json
import re
import shlex
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from teleport_email import cli
from teleport_email.sandbox.cluster.cluster import SandboxCluster
from teleport_email.sandbox.command.access_list_command import table
from teleport_email.sandbox.command.control import ControlServer
from teleport_email.teleport.calls.access_lists import owned_list_from_proto

SANDBOX_PAGE = Path(__file__).parents[3] / "docs/sandbox.md"
NOW = datetime(2026, 11, 27, 12, tzinfo=UTC)


@pytest.fixture
async def cluster(tmp_path):
    async with SandboxCluster(now=lambda: NOW) as cluster, ControlServer(cluster, tmp_path):
        yield cluster


@pytest.fixture
def run(tmp_path, cluster):
    async def run(*arguments: str) -> int:
        return await asyncio.to_thread(
            cli.main, ["sandbox", "--dir", str(tmp_path), "access-list", *arguments]
        )

    return run


def due(cluster, name):
    owned = owned_list_from_proto(cluster.access_lists.get(name))
    return owned.audit.due


async def test_a_lists_life(run, cluster, capsys):
    code = await run(
        "create",
        "oncall",
        "--title=On call",
        "--description=Who is woken up",
        "--owners=alice@example.com, bob",
        "--owner-lists=leads",
        "--due=2026-12-01",
        "--notify-before=1w12h",
        "--members=12",
        "--member-lists=night",
        "--roles=prod,db",
        "--recurrence=3",
        "--day-of-month=31",
        "--format=json",
    )
    shown = json.loads(capsys.readouterr().out)
    assert code == 0
    assert shown == {
        "name": "oncall",
        "title": "On call",
        "description": "Who is woken up",
        "owners": ["alice@example.com", "bob"],
        "owner_lists": ["leads"],
        "due": "2026-12-01T00:00:00+00:00",
        "notify_before": 7.5 * 86400,
        "members": 12,
        "member_lists": 1,
        "roles": ["prod", "db"],
        "months": 3,
        "day_of_month": 31,
    }
    owned = owned_list_from_proto(cluster.access_lists.get("oncall"))
    assert owned.audit.due - owned.audit.opens == timedelta(days=7.5)

    assert await run("ls", "--format=json") == 0
    assert json.loads(capsys.readouterr().out) == [shown]
    assert await run("ls") == 0
    heading, line = capsys.readouterr().out.splitlines()
    assert heading.split() == ["NAME", "TITLE", "OWNERS", "MEMBERS", "DUE"]
    assert line.startswith("oncall  On call  alice@example.com, bob, list leads  12, 1 list  2026-12-01  ")

    assert await run("review", "oncall") == 0
    assert capsys.readouterr().out == "oncall reviewed, the next one is due 2027-03-31\n"
    assert due(cluster, "oncall") == datetime(2027, 3, 31, tzinfo=UTC)
    assert await run("review", "oncall", "--format=json") == 0
    assert json.loads(capsys.readouterr().out)["due"] == "2027-06-30T00:00:00+00:00"
    assert await run("delete", "oncall") == 0
    assert capsys.readouterr().out == "oncall deleted\n"
    assert await run("ls") == 0
    assert capsys.readouterr().out == "no Access Lists\n"


@pytest.mark.parametrize(
    ("arguments", "when"),
    [
        ([], NOW + timedelta(days=3)),
        (["--due", "3d"], NOW + timedelta(days=3)),
        (["--due=-2d"], NOW - timedelta(days=2)),
        (["--due=-1w1h"], NOW - timedelta(days=7, hours=1)),
        (["--due=2026-12-01T10:00:00+01:00"], datetime(2026, 12, 1, 9, tzinfo=UTC)),
    ],
)
async def test_when_it_is_due(run, cluster, arguments, when):
    """Counted by the sandbox's clock."""
    assert await run("create", "oncall", *arguments) == 0
    assert due(cluster, "oncall") == when


@pytest.mark.parametrize(
    ("left", "words"),
    [
        (timedelta(days=3) - timedelta(seconds=1), "in 3d"),
        (timedelta(days=2, hours=1), "in 2d"),
        (timedelta(hours=-50), "2d over"),
        (timedelta(minutes=-2), "2m over"),
        (timedelta(), "now"),
    ],
)
def test_how_long_that_is(left, words):
    listed = {"name": "oncall", "title": "", "owners": [], "members": 1, "member_lists": 0, "due": NOW + left}
    text = table([listed | {"due": listed["due"].isoformat(), "owner_lists": []}], NOW)
    assert text.splitlines()[1].endswith(words)


async def test_what_is_not_said(run, cluster, capsys):
    assert await run("create", "oncall") == 0
    assert capsys.readouterr().out == "oncall is due 2026-11-30\n  owners: alice@example.com\n"
    owned = owned_list_from_proto(cluster.access_lists.get("oncall"))
    assert (owned.audit.title, owned.audit.members) == ("oncall", 3)
    assert owned.audit.due - owned.audit.opens == timedelta(weeks=2)
    assert await run("create", "oncall", "--owner-lists=leads", "--members=a,b") == 0
    [shown] = cluster.access_lists.list()
    assert ([owner.name for owner in shown.spec.owners], shown.status.member_count) == (["leads"], 2)


async def test_the_pages_commands_work(run, cluster):
    lines = re.findall(
        r"^    teleport-email sandbox access-list ([^#\n]+)", SANDBOX_PAGE.read_text(), re.MULTILINE
    )
    assert len(lines) >= 5
    for line in lines:
        assert await run(*shlex.split(line)) == 0, line
    assert [each.header.metadata.name for each in cluster.access_lists.list()] == ["oncall"]
    [oncall] = cluster.access_lists.list()
    assert [owner.name for owner in oncall.spec.owners] == ["alice@example.com", "bob@example.com"]
    assert due(cluster, "oncall") == datetime(2027, 5, 1, tzinfo=UTC)


async def test_refusals_are_told(run, capsys, tmp_path):
    assert await run("review", "nope") == 1
    assert 'access_list "nope" doesn\'t exist' in capsys.readouterr().err
    assert await run("create", "oncall", "--due=9999-12-31") == 0  # and no cluster counts it as a date
    assert await run("review", "oncall") == 1
    assert "bad or missing argument" in capsys.readouterr().err
    assert await run("create", "oncall", "--due=999999w") == 1
    assert "bad or missing argument" in capsys.readouterr().err


@pytest.mark.parametrize("options", [{"advanced_workflows": False}, {"version": "12.4.35"}])
async def test_a_cluster_that_has_none(options, tmp_path, capsys):
    async with SandboxCluster(**options) as cluster, ControlServer(cluster, tmp_path):
        arguments = ["sandbox", "access-list", "create", "oncall", "--dir", str(tmp_path)]
        assert await asyncio.to_thread(cli.main, arguments) == 1
    assert "this cluster has no Access Lists: it is a community or an old one" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("create",), "NAME"),
        (("create", "oncall", "--due=soon"), "'soon' is no time"),
        (("create", "oncall", "--due=-2"), "'2' is no time"),
        (("create", "oncall", "--due=-"), "'' is no time"),
        (("create", "oncall", "--due="), "'' is no time"),
        (("create", "oncall", "--notify-before=2"), "'2' is no time"),
        (("create", "oncall", "--notify-before=2w "), "'2w ' is no time"),
        (("create", "oncall", "--members=10001"), "at most 10000"),
        (("create", "oncall", f"--members={'9' * 5000}"), "at most 10000"),
        (("create", "oncall", "--recurrence=2"), "invalid choice: 2"),
        (("create", "oncall", "--day-of-month=2"), "invalid choice: 2"),
        (("review",), "NAME"),
        (("dance",), "invalid choice"),
    ],
)
async def test_wrong_usage(run, arguments, words, capsys):
    with pytest.raises(SystemExit) as ended:
        await run(*arguments)
    assert ended.value.code == 2
    assert words in capsys.readouterr().err


def test_the_table_says_how_long_there_is():
    base = {"title": "t\x1b[2J", "owners": ["a"], "owner_lists": [], "members": 1, "member_lists": 2}
    dues = [
        (timedelta(days=3, hours=5), "in 3d"),
        (timedelta(hours=2), "in 2h"),
        (timedelta(minutes=-5), "5m over"),
        (timedelta(days=-2), "2d over"),
        (timedelta(0), "now"),
    ]
    rows = [{**base, "name": f"n{n}", "due": (NOW + left).isoformat()} for n, (left, _) in enumerate(dues)]
    lines = table([*rows, {**base, "name": "n", "due": None}], NOW).splitlines()
    assert [line.partition("2026-11-")[2].partition("  ")[2] for line in lines[1:-1]] == [
        words for _, words in dues
    ]
    assert lines[-1].endswith("1, 2 lists  never")
    assert "\x1b" not in "".join(lines)
