"""``explain --access-list``: a list of the cluster, who is reminded of it, what they were told and what is next."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from teleport_email.cli import main
from teleport_email.core import ledger_json
from teleport_email.core.audits import Audit, owner_id
from teleport_email.core.ledger import LEDGER_KEY, Entry, Ledger, Mark, Party, Round
from teleport_email.core.model import User
from teleport_email.sandbox.cluster.cluster import SandboxCluster
from teleport_email.sandbox.cluster.faults import fail
from teleport_email.sandbox.cluster.permissions import MINIMAL

DAY = timedelta(days=1)
NOW = datetime.now(UTC).replace(microsecond=0)
CONFIGURATION = """
[teleport]
addr = "{addr}"
identity = "{identity}"
[smtp]
host = "mail.example.com"
[delivery]
sender = "teleport@example.com"
{delivery}
[role_to_recipients]
"*" = "all@example.com"
[access_lists]
{lists}
"""


@pytest.fixture
async def cluster() -> AsyncIterator[SandboxCluster]:
    async with SandboxCluster(seed=3) as made:
        yield made


class Command:
    def __init__(self, cluster: SandboxCluster, directory: Path, capsys: pytest.CaptureFixture[str]) -> None:
        self.cluster, self.directory, self.capsys = cluster, directory, capsys

    async def __call__(
        self, *arguments: str, lists: str = "enabled = true", delivery: str = "", **identity: Any
    ) -> tuple[int, str, str]:
        """Exit code, what was printed, and to stderr."""
        file = self.directory / "teleport-email.toml"
        path = self.cluster.write_identity(self.directory, self.cluster.identity(**identity))
        values = {"addr": self.cluster.addr, "identity": path, "lists": lists, "delivery": delivery}
        file.write_text(CONFIGURATION.format(**values))
        self.capsys.readouterr()
        code = await asyncio.to_thread(main, ["explain", "-c", str(file), *arguments])
        printed = self.capsys.readouterr()
        return code, printed.out, printed.err

    async def json(self, name: str, **more: Any) -> dict[str, Any]:
        code, out, _ = await self("--json", "--access-list", name, **more)
        return {"code": code, **json.loads(out)}


@pytest.fixture
def command(cluster: SandboxCluster, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> Command:
    return Command(cluster, tmp_path, capsys)


def make(cluster: SandboxCluster, *owners: str, due: datetime = NOW + 10 * DAY, **more: Any) -> str:
    values: dict[str, Any] = {"title": "Production", "members": ("carol",), "roles": ("prod",)} | more
    return cluster.access_lists.create(owners=owners, due=due, **values)


def now(answer: dict[str, Any]) -> dict[str, str]:
    return {each["address"]: each["now"] for each in answer["recipients"]}


async def test_who_is_reminded_and_why_not(cluster: SandboxCluster, command: Command) -> None:
    cluster.put_user(User("bob", traits={"email": ("bob@example.com",)}))
    name = make(cluster, "ann@example.com", "bob", "nobody-knows")
    code, out, _ = await command("--access-list", name)
    assert code == 0
    lines = out.splitlines()
    assert lines[0] == f"Access List {name} (Production)"
    due, opens = NOW + 10 * DAY, NOW - 4 * DAY
    assert f"Review due:    {due:%Y-%m-%d %H:%M:%S} UTC" in lines
    assert f"Window opens:  {opens:%Y-%m-%d %H:%M:%S} UTC" in lines
    assert f"Next step:     {opens + 7 * DAY:%Y-%m-%d %H:%M:%S} UTC" in lines
    assert "Members:       1" in lines
    assert "Grants:        prod" in lines
    began = f"{opens:%Y-%m-%d %H:%M:%S} UTC"
    assert f"Now: owners are reminded once a week until the date; this time since {began}" in lines
    at = lines.index("Reminded (2):")
    assert [line.split() for line in lines[at + 1 : at + 5]] == [
        ["ann@example.com", "owner"],
        ["due", "now"],
        ["bob@example.com", "owner,", "user", "bob"],
        ["due", "now"],
    ]
    assert lines[at + 5] == "Not reminded (1):"
    assert "nobody-knows" in lines[at + 6]


async def test_a_title_will_do_where_only_one_list_has_it(cluster: SandboxCluster, command: Command) -> None:
    name = make(cluster, "ann@example.com")
    assert (await command.json("Production"))["access_list"] == name
    other = make(cluster, "ann@example.com")
    code, _, err = await command("--access-list", "Production")
    assert code == 1
    assert "2 Access Lists are called Production" in err
    assert name in err
    assert other in err


async def test_a_list_that_is_not_there_or_not_reviewed(cluster: SandboxCluster, command: Command) -> None:
    static = make(cluster, "ann@example.com", type="static", title="Static")
    for name in ("no such", static, "Static"):
        code, _, err = await command("--access-list", name)
        assert code == 1
        assert f"no Access List {name} that is reviewed" in err


async def test_what_comes_of_it_at_the_moment(cluster: SandboxCluster, command: Command) -> None:
    name = make(cluster, "ann@example.com")
    off = await command.json(name, lists="enabled = false")
    assert off["outcome"] == "nobody is reminded: access_lists.enabled is off"
    assert (off["code"], off["enabled"], now(off)) == (0, False, {"ann@example.com": ""})
    empty = make(cluster, "ann@example.com", members=())
    assert "it has no members" in (await command.json(empty))["outcome"]
    kept = await command.json(empty, lists="enabled = true\nskip_without_members = false")
    assert now(kept) == {"ann@example.com": "due now"}
    early = make(cluster, "ann@example.com", due=NOW + 100 * DAY)
    answer = await command.json(early)
    assert answer["outcome"] == f"reminding begins {NOW + 86 * DAY:%Y-%m-%d %H:%M:%S} UTC"
    assert (answer["step_began"], now(answer)) == (None, {"ann@example.com": ""})
    late = make(cluster, "ann@example.com", due=NOW - 3 * DAY)
    assert "once a day until it is reviewed" in (await command.json(late))["outcome"]
    assert " (overdue)" in (await command("--access-list", late))[1]


async def test_owners_that_are_lists(cluster: SandboxCluster, command: Command) -> None:
    team = make(cluster, "root@example.com", title="Team", members=("ann@example.com",), due=NOW + 300 * DAY)
    name = make(cluster, "bob@example.com", owner_lists=(team,), member_lists=(team,))
    assert "Members:       1, and 1 list\n" in (await command("--access-list", name))[1]
    assert set(now(await command.json(name))) == {"ann@example.com", "bob@example.com"}
    cluster.faults.unimplemented.add("GetAccessListOwners")
    answer = await command.json(name)
    assert set(now(answer)) == {"bob@example.com"}
    assert "does not say who owns the lists" in answer["notes"][0]


async def test_nobody_to_remind_is_exit_code_1(cluster: SandboxCluster, command: Command) -> None:
    name = make(cluster, "nobody-knows")
    answer = await command.json(name)
    assert (answer["code"], answer["recipients"]) == (1, [])
    assert "no delivery.fallback_recipient is set" in answer["problem"]
    answer = await command.json(name, delivery='fallback_recipient = "sec@example.com"')
    assert (answer["code"], answer["fallback"], list(now(answer))) == (1, True, ["sec@example.com"])


async def test_a_ledger_that_cannot_be_read(cluster: SandboxCluster, command: Command) -> None:
    name = make(cluster, "ann@example.com")
    cluster.put_plugin_data(owner_id("ann@example.com"), {"ledger": "{"}, kind="access_list")
    assert now(await command.json(name))["ann@example.com"].startswith("left alone: ")
    cluster.faults.on("GetPluginData", fail(), times=None)
    answer = await command.json(name)
    assert now(answer)["ann@example.com"].startswith("what was told cannot be read: ")
    assert answer["code"] == 0


async def test_what_two_ledgers_told_stands_in_its_order(cluster: SandboxCluster, command: Command) -> None:
    name = make(cluster, "ann@example.com")
    audit = Audit(name, NOW + 10 * DAY, NOW)
    hours = {owner_id("ann@example.com"): (9, 1), name: (5, 3)}
    for resource, ago in hours.items():
        rounds = tuple(
            Round(number, int((NOW - timedelta(hours=hour)).timestamp()), 20_000, frozenset({audit.mark}))
            for number, hour in enumerate(ago, 1)
        )
        ann = Party("ann@example.com", entries={one.kind: Entry(Mark.DELIVERED, one.at) for one in rounds})
        ledger = Ledger(nonce="0" * 32, domain="example.com", parties=(ann,), rounds=rounds)
        cluster.put_plugin_data(resource, {LEDGER_KEY: ledger_json.dumps(ledger)}, kind="access_list")
    [told] = [each["told"] for each in (await command.json(name))["recipients"]]
    assert [one["at"] for one in told] == [(NOW - timedelta(hours=hour)).isoformat() for hour in (9, 5, 3, 1)]


async def test_users_who_may_not_be_looked_up(cluster: SandboxCluster, command: Command) -> None:
    name = make(cluster, "bob")
    cluster.faults.denied |= {"user", "user_login_state"}
    answer = await command.json(name)
    assert "users cannot be looked up" in answer["notes"][0]
    assert "Note: users cannot be looked up" in (await command("--access-list", name))[1]


async def test_clusters_that_do_not_tell(cluster: SandboxCluster, command: Command) -> None:
    name = make(cluster, "bob")
    code, _, err = await command("--access-list", name, permissions=MINIMAL)
    assert code == 1
    assert "access_list" in err
    cluster.faults.unimplemented |= {"ListAccessLists", "GetAccessList"}
    code, _, err = await command("--access-list", name)
    assert (code, "this cluster has no Access Lists" in err) == (1, True)


@pytest.mark.parametrize(
    "arguments", [("ID",), ("--roles", "dev"), ("--rules", "x"), ("--at", "2026-01-01"), ("--trait", "a=b")]
)
async def test_it_goes_by_itself(
    cluster: SandboxCluster, command: Command, arguments: tuple[str, ...]
) -> None:
    with pytest.raises(SystemExit) as ended:
        await command("--access-list", "x", *arguments)
    assert ended.value.code == 2


@pytest.mark.parametrize("name", ["", "  "])
async def test_no_name_is_a_slip_and_not_a_list_that_is_missing(
    command: Command, name: str, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit) as ended:
        await command("--access-list", name)
    assert ended.value.code == 2
    assert "--access-list wants the name of a list" in capsys.readouterr().err
