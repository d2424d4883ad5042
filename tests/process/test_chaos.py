"""The chaos harness, as ``make chaos`` runs it: half a minute of everything at once, with a shorter lease."""

from __future__ import annotations

import asyncio
import signal
import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parents[2] / "bench"))

from chaos_book import MOODY, Arrival, Book, Life
from chaos_daemons import Slot
from previous import FIRST, unpack

from teleport_email.core.ledger import LEDGER_KEY, Entry, Ledger, Mark, Party
from teleport_email.core.ledger_json import dumps
from teleport_email.core.model import Kind
from teleport_email.sandbox.cluster.cluster import SandboxCluster
from teleport_email.sandbox.mail.inbox import Inbox

CHAOS = Path(__file__).parents[2] / "bench" / "chaos.py"


async def test_nothing_is_lost_and_nothing_comes_twice(tmp_path: Path) -> None:
    await chaos("--seed", "11", "--minutes", "0.5", "--keep", str(tmp_path))


async def test_a_replica_of_the_first_version_beside_two_of_this(tmp_path: Path) -> None:
    if unpack(FIRST, tmp_path / "there") is None:
        pytest.skip("no git history here that has the earlier revision")
    await chaos("--seed", "12", "--minutes", "0.4", "--previous", FIRST, "--keep", str(tmp_path / "kept"))


CHOICES = ("--choices", "merge,own,quiet,reminders,escalation")


@pytest.mark.timeout(240)
async def test_with_fewer_messages_and_escalations(tmp_path: Path) -> None:
    await chaos("--seed", "13", "--minutes", "0.25", *CHOICES, "--keep", str(tmp_path))


@pytest.mark.timeout(240)
async def test_a_replica_of_the_first_version_leaves_alone_what_the_options_have_written(
    tmp_path: Path,
) -> None:
    """Without faults: what that version does of its own when it is refused is not in question here."""
    if unpack(FIRST, tmp_path / "there") is None:
        pytest.skip("no git history here that has the earlier revision")
    options = ("--seed", "16", "--minutes", "0.25", "--rate", "4", "--calm", "--previous", FIRST)
    await chaos(*options, *CHOICES, "--keep", str(tmp_path / "kept"))
    assert b"ledger of a newer version" in (tmp_path / "kept" / "d0" / "log").read_bytes()


async def test_whom_the_harness_has_killed_itself_is_not_blamed_for_it(tmp_path: Path) -> None:
    """Its storm may end between a SIGKILL and the end of the process."""
    async with SandboxCluster() as cluster, Inbox() as inbox:
        slot = Slot("d0", tmp_path / "d0", (inbox,), cluster, {"*": ["all@example.com"]}, 1.0, Book())
        slot.process = await asyncio.create_subprocess_exec("sleep", "600")
        killing = asyncio.create_task(slot.kill())
        await asyncio.sleep(0)
        killing.cancel()
        await asyncio.gather(killing, return_exceptions=True)
        await slot.stop()
    assert slot.faults == []


async def test_whoever_is_too_young_for_a_reload_is_spared_it(tmp_path: Path) -> None:
    """As Python is before it has come to our code: SIGHUP would end it."""
    async with SandboxCluster() as cluster, Inbox() as inbox:
        slot = Slot("d0", tmp_path / "d0", (inbox,), cluster, {"*": ["all@example.com"]}, 1.0, Book())
        for handling, reloads in (("SIG_DFL", 0), ("SIG_IGN", 1)):
            script = f"import signal; signal.signal(signal.SIGHUP, signal.{handling}); print(flush=True)"
            slot.process = await asyncio.create_subprocess_exec(
                sys.executable, "-c", f"{script}; signal.pause()", stdout=asyncio.subprocess.PIPE
            )
            assert slot.process.stdout is not None
            await slot.process.stdout.readline()
            slot.reload()
            slot.killed = False
            await slot.kill()
            assert slot.process.returncode == -signal.SIGKILL
            assert slot.book.counts["SIGHUP"] == reloads


@pytest.mark.parametrize(
    ("marks", "gone", "lost"),
    [
        # It came, nobody heard of it, and the next try was refused: then its place is taken by a later one.
        ({"a": Mark.GIVEN_UP, "a2": Mark.GIVEN_UP}, False, []),
        ({"a": Mark.GIVEN_UP, "a1": Mark.GIVEN_UP}, False, ["r2"]),
        ({"a": Mark.DELIVERED}, False, ["r1", "r2"]),
        ({"a": Mark.DELIVERED, "r1": Mark.GIVEN_UP}, False, ["r2"]),
        # Nobody can act on what is gone: no announcement takes the place of the refused one, and none ends.
        ({"a": Mark.GIVEN_UP, "a2": Mark.GIVEN_UP}, True, []),
        ({"a": Mark.DELIVERED, "r1": Mark.DELIVERED, "r2": Mark.GIVEN_UP}, True, ["r1", "X"]),
    ],
)
def test_what_is_given_up_is_not_lost_and_all_else_is(
    marks: dict[str, Mark], gone: bool, lost: list[str]
) -> None:
    book = Book()
    book.lives["id"] = Life("id", (MOODY,), made=0.0, reviews=2, gone=gone, busy=False)
    book.arrivals["id", MOODY].append(Arrival(0.0, MOODY, "a", "a.1@example.com", b"", False, "d0"))
    party = Party(MOODY, entries={Kind.parse(code): Entry(mark) for code, mark in marks.items()})
    book.written("id", "d0", {LEDGER_KEY: dumps(Ledger(nonce="00" * 16, write_id="w", parties=(party,)))})
    told = " ".join(f"{code}:{mark.name.lower()}" for code, mark in marks.items())
    assert book.verdict().lost == [f"id {MOODY}: {code}; its ledger says {told}" for code in lost]


async def chaos(*options: str) -> None:
    process = await asyncio.create_subprocess_exec(
        sys.executable, str(CHAOS), "--scale", "0.2", *options,
        stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.STDOUT,
    )  # fmt: skip
    try:
        said, _ = await process.communicate()
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()
    assert process.returncode == 0, said.decode()
    assert b"kept: " in said
