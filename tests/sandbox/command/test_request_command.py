"""`teleport-email sandbox request ...` against a running sandbox, as typed."""

from __future__ import annotations

import asyncio
import json
from datetime import UTC, datetime, timedelta

import pytest

from teleport_email import cli
from teleport_email.core.model import ResourceID
from teleport_email.sandbox.cluster.cluster import SandboxCluster
from teleport_email.sandbox.command.control import ControlServer
from teleport_email.sandbox.command.request_command import table


@pytest.fixture
async def cluster(tmp_path):
    async with SandboxCluster() as cluster, ControlServer(cluster, tmp_path):
        yield cluster


@pytest.fixture
def run(tmp_path, cluster):
    async def run(*arguments: str) -> int:
        action, *rest = arguments
        return await asyncio.to_thread(
            cli.main, ["sandbox", "--dir", str(tmp_path), "request", action, *rest]
        )

    return run


async def test_a_requests_life(run, cluster, capsys):
    code = await run(
        "create",
        "--roles=db-admin,web",
        "--resource=node/web-01",
        "--resource=/leaf.example.com/db/orders/public",
        "--reason=INC-4711",
        "--reviewers=bob@example.com, carol@example.com",
        "--request-ttl=90m",
        "--max-duration=4h",
        "--approvals=2",
        "--format=json",
        "alice@example.com",
    )
    shown = json.loads(capsys.readouterr().out)
    assert code == 0
    [request] = cluster.list()
    assert shown["id"] == request.id
    assert request.user == "alice@example.com"
    assert request.roles == ("db-admin", "web")
    assert request.resources == (
        ResourceID("demo.example.com", "node", "web-01"),
        ResourceID("leaf.example.com", "db", "orders", "public"),
    )
    assert request.suggested_reviewers == ("bob@example.com", "carol@example.com")
    assert (request.request_reason, request.thresholds[0].approve) == ("INC-4711", 2)
    assert request.expires - request.created == timedelta(minutes=90)
    assert request.access_expires - request.created == timedelta(hours=4)

    assert await run("review", "--author=bob@example.com", "--approve", "--reason=fine", request.id) == 0
    assert "bob@example.com APPROVED: fine" in capsys.readouterr().out
    assert cluster.get(request.id).state == "PENDING"
    assert await run("approve", request.id) == 0
    assert cluster.get(request.id).state == "APPROVED"
    assert await run("deny", "--reason=no more", request.id) == 0
    assert cluster.get(request.id).resolve_reason == "no more"
    assert await run("ls") == 0
    assert "DENIED" in capsys.readouterr().out
    assert await run("delete", request.id) == 0
    capsys.readouterr()
    assert await run("ls") == 0
    assert capsys.readouterr().out == "no requests\n"


async def test_promotion_and_a_review_that_denies(run, cluster):
    one = await cluster.create()
    other = await cluster.create()
    assert await run("promote", "--access-list=ops", one.id) == 0
    assert cluster.get(one.id).state == "PROMOTED"
    assert await run("review", "--author=bob@example.com", "--deny", other.id) == 0
    assert cluster.get(other.id).state == "DENIED"


async def test_refusals_and_no_sandbox_are_told(run, capsys, tmp_path):
    assert await run("approve", "nope") == 1
    assert "nope" in capsys.readouterr().err
    assert await asyncio.to_thread(cli.main, ["sandbox", "request", "ls", "--dir", str(tmp_path / "no")]) == 1
    assert "no sandbox is running" in capsys.readouterr().err


@pytest.mark.parametrize(
    "arguments",
    [
        ("create", "--resource=web-01", "alice"),
        ("create", "--request-ttl=soon", "alice"),
        ("review", "--author=bob", "id"),
        ("review", "--approve", "id"),
        ("promote", "id"),
        ("dance",),
    ],
)
async def test_wrong_usage(run, arguments, capsys):
    with pytest.raises(SystemExit) as ended:
        await run(*arguments)
    assert ended.value.code == 2


def test_the_table_lines_up_and_is_harmless():
    now = datetime(2026, 3, 2, 9, 30, tzinfo=UTC)
    base = {"resources": [], "state": "PENDING", "reviews": []}
    ages = [timedelta(seconds=5), timedelta(minutes=3), timedelta(hours=2), timedelta(days=3)]
    rows = [
        {
            **base,
            "id": f"id-{n}",
            "user": "a" * n,
            "roles": ["dev\x1b[2J"],
            "created": (now - age).isoformat(),
        }
        for n, age in enumerate(ages)
    ]
    lines = table([*rows, {**rows[0], "created": None}], now).splitlines()
    assert [line.split()[-1] for line in lines] == ["AGE", "5s", "3m", "2h", "3d", "?"]
    assert len({line.index("PENDING") for line in lines[1:]}) == 1
    assert "\x1b" not in "".join(lines)
