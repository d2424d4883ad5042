"""From the Go plugin to us on a running system, beside each other for a moment, and back again."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest

from teleport_email.core import go_plugin
from teleport_email.core.go_plugin import GO_KEYS
from teleport_email.core.model import RequestState, Threshold

pytestmark = pytest.mark.usefixtures("hasty")

RECORDED = {
    entry["state"]: entry["data"]
    for entry in json.loads(
        (Path(__file__).parents[1] / "data" / "vectors" / "go-plugin-data.json").read_text()
    )["entries"]
}
GO_IDS = {
    "all@example.com": "DN1VG4EDABQX.2SVTNO04NTQFM@vm",
    "alice@example.com": "DN1VG4EI28ZP.10WM7BNMNBV6G@vm",
}


async def announced_by_go(world: Any, state: str, reviews: int = 0) -> str:
    request = await world.cluster.create(user="myuser@example.com", roles=["editor"], reason="Fix it")
    world.cluster.put_plugin_data(request.id, RECORDED[state])
    if reviews:
        await world.cluster.review(request.id, "bob@example.com", RequestState.APPROVED, "ok")
    return str(request.id)


async def test_what_the_go_plugin_announced_goes_on_in_its_threads(world: Any) -> None:
    request_id = await announced_by_go(world, "A announced to two recipients")
    running = await world.start()
    await running.settled()
    assert world.inbox.messages == [], "its announcement counts"
    await world.cluster.review(request_id, "bob@example.com", RequestState.DENIED, "no")
    await world.told(request_id, mails=4)
    for address, root in GO_IDS.items():
        assert world.kinds(address) == ["r1", "D"]
        assert {mail.references for mail in world.inbox.to(address)} == {(root,)}


async def test_what_the_go_plugin_missed_is_made_up_for(world: Any) -> None:
    """Reviewed and approved while neither ran: it had told one review of two."""
    request_id = await announced_by_go(world, "A: one review sent")
    await world.cluster.review(request_id, "bob@example.com", RequestState.APPROVED, "ok")
    await world.start()
    await world.told(request_id, mails=2)
    assert [world.kinds(address) for address in GO_IDS] == [["A"], ["A"]]


@pytest.mark.parametrize(
    "state",
    ["A: approved, resolution sent", "D: approved without reviews", "B: created and denied at once"],
)
async def test_what_the_go_plugin_finished_is_not_told_again(world: Any, state: str) -> None:
    many = (Threshold(name="many", approve=9, deny=9),)
    request = await world.cluster.create(user="myuser@example.com", roles=["editor"], thresholds=many)
    for number in range(int(RECORDED[state].get("reviews_count", "0"))):
        await world.cluster.review(request.id, f"r{number}@example.com", RequestState.APPROVED)
    world.cluster.put_plugin_data(request.id, RECORDED[state])
    if RECORDED[state]["resolution"] == "DENIED":
        await world.cluster.deny(request.id)
    else:
        await world.cluster.approve(request.id)
    running = await world.start()
    await running.settled()
    await world.cluster.delete(request.id)
    await running.settled()
    assert world.inbox.messages == []


async def test_a_request_that_expired_between_the_two_ends_its_threads(world: Any) -> None:
    request_id = await announced_by_go(world, "C announced")
    await world.cluster.expire(request_id)
    await world.start()
    await world.told(request_id, mails=1)
    assert world.kinds("all@example.com") == ["X"]


async def test_a_claim_of_the_go_plugin_in_progress_is_waited_for_and_then_made_good(world: Any) -> None:
    """It claims before it sends, and a crash in between is never made up for by itself."""
    request = await world.cluster.create(user="alice@example.com", reason="r")
    world.cluster.put_plugin_data(
        request.id, {"user": "alice@example.com", "roles": "dev", "request_reason": "r"}
    )
    await world.start()
    await world.told(request.id, mails=1)
    assert world.kinds("all@example.com") == ["a"]


async def test_the_go_plugin_at_work_beside_us_is_noticed(world: Any) -> None:
    """It tells a review and the approval in the thread that we began; we tell neither again."""
    running = await world.start()
    request = await world.cluster.create()
    await world.told(request.id, mails=1)
    await world.inbox.stop_listening()  # so that we do not come first
    data = world.cluster.plugin_data(request.id)
    world.cluster.put_plugin_data(
        request.id, data | {"reviews_count": "1", "resolution": "APPROVED", "resolve_reason": "ok"}
    )
    await world.cluster.review(request.id, "bob@example.com", RequestState.APPROVED, "ok")
    await world.inbox.listen_again()
    await running.until(lambda: running.daemon.store.version(request.id) > 1)
    await running.settled()
    assert world.kinds("all@example.com") == ["a"]


SPELLINGS = {
    "Boss@Example.ORG": "Boss@example.org",
    "boss@bücher.example": "boss@xn--bcher-kva.example",
    '"boss"@example.org': "boss@example.org",
    "a/b@Example.com": "a/b@example.com",
}


@pytest.mark.parametrize("written", SPELLINGS)
async def test_a_reader_whose_address_is_written_otherwise_gets_each_message_once(
    world: Any, written: str
) -> None:
    """From configuration and suggestion alike: no second announcement, no second thread."""
    form = SPELLINGS[written]
    request = await world.cluster.create(user="myuser@example.com", suggested_reviewers=[written])
    go = RECORDED["C announced"]
    world.cluster.put_plugin_data(
        request.id, go | {"email_threads": go["email_threads"].replace("all@example.com", written, 1)}
    )
    running = await world.start(role_to_recipients={"*": (form,)}, spelled={form: written})
    await running.settled()
    assert world.inbox.messages == []
    await world.cluster.review(request.id, "bob@example.com", RequestState.DENIED, "no")
    await world.told(request.id, mails=2)
    mails = world.inbox.messages
    to = written if written.isascii() else form
    assert all(f"\r\nTo: {to}\r\n".encode() in mail.raw for mail in mails)
    assert {mail.references for mail in mails} == {("DN1VG9WR6R58.2PDNFMTF184EF@vm",)}
    assert len(go_plugin.threads_of(world.cluster.plugin_data(request.id))) == 1


async def test_the_go_plugin_finds_the_spelling_that_it_would_write_itself(world: Any) -> None:
    await world.start(
        role_to_recipients={"*": ("boss@example.org",)}, spelled={"boss@example.org": "boss@Example.ORG"}
    )
    request = await world.cluster.create(suggested_reviewers=["CTO@Example.org", "boss@EXAMPLE.org"])
    await world.told(request.id, mails=2)
    threads = as_go_reads(world.cluster.plugin_data(request.id)["email_threads"])
    assert sorted(address for address, _, _ in threads) == ["CTO@Example.org", "boss@Example.ORG"]
    assert sorted(mail.header("To") for mail in world.inbox.messages) == [
        "CTO@Example.org",
        "boss@Example.ORG",
    ]


# Back to the Go plugin -----------------------------------------------------------------------------------


def as_go_reads(text: str) -> list[tuple[str, str, str]]:
    """The Go plugin's reading of ``email_threads``: entries without exactly three parts are dropped."""
    parts = [entry.split("/") for entry in text.split(",")]
    return [(one[0], one[1], one[2]) for one in parts if len(one) == 3]


async def test_the_go_plugin_can_carry_on_where_we_stop(world: Any) -> None:
    running = await world.start()
    request = await world.cluster.create(
        user="alice@example.com",
        roles=["dba", "dev"],
        reason="line 1\nline 2",
        suggested_reviewers=["bob@example.com"],
    )
    await world.told(request.id, mails=4)
    first = world.cluster.plugin_data(request.id)
    assert {key: first.get(key, "") for key in GO_KEYS if key != "email_threads"} == {
        "user": "alice@example.com",
        "roles": "dba,dev",
        "request_reason": "line 1\nline 2",
        "reviews_count": "",  # as it writes 0
        "resolution": "",
        "resolve_reason": "",
    }
    assert first.keys() - set(GO_KEYS) == {"ledger"}
    threads = as_go_reads(first["email_threads"])
    assert sorted(address for address, _, _ in threads) == [
        "all@example.com", "bob@example.com", "dba@example.com", "ops@example.com",
    ]  # fmt: skip
    for address, timestamp, message_id in threads:
        assert re.fullmatch(r"\d{4}-\d\d-\d\d \d\d:\d\d:\d\d \+0000 UTC", timestamp)
        assert {(message_id,)} == {mail.references for mail in world.inbox.to(address)}
    await world.cluster.review(request.id, "bob@example.com", RequestState.DENIED, "not today")
    await world.told(request.id, mails=12)
    data = world.cluster.plugin_data(request.id)
    assert (data["reviews_count"], data["resolution"], data["resolve_reason"]) == ("1", "DENIED", "not today")
    assert data["email_threads"] == first["email_threads"]
    await running.stop()


async def test_addresses_with_separators_do_not_corrupt_the_threads(world: Any) -> None:
    """The Go plugin cannot read such an entry back: it is left out, and the others are good."""
    await world.start(role_to_recipients={"*": ("all@example.com", "dev/ops@example.com")})
    request = await world.cluster.create(suggested_reviewers=["a,b@example.com", "bob@example.com"])
    await world.told(request.id, mails=3)
    threads = as_go_reads(world.cluster.plugin_data(request.id)["email_threads"])
    assert sorted(address for address, _, _ in threads) == ["all@example.com", "bob@example.com"]
    assert "a,b@example.com" in world.said("not told")[0], "no address at all, and said so"
    await world.cluster.approve(request.id)
    await world.told(request.id, mails=6)
    assert world.kinds("dev/ops@example.com") == ["a", "A"], "our own ledger knows them all the same"


async def test_a_descriptive_subject_is_constant_and_what_go_began_keeps_its_own(world: Any) -> None:
    by_go = await announced_by_go(world, "A announced to two recipients")
    running = await world.start(delivery={"subject": "descriptive"})
    await running.settled()
    ours = await world.cluster.create(user="alice@example.com", roles=["editor"], reason="Fix it")
    await world.told(ours.id)
    for request_id in (by_go, ours.id):
        await world.cluster.review(request_id, "bob@example.com", RequestState.DENIED, "no")
        await world.told(request_id)
    subjects: dict[str, set[str]] = {}
    for mail in world.inbox.messages:
        subjects.setdefault(mail.header("X-Teleport-Request-Id"), set()).add(mail.subject)
    assert subjects == {
        by_go: {f"demo.example.com Role Request {by_go}"},
        ours.id: {f"alice@example.com asks for editor (demo.example.com, ...{ours.id[-8:]})"},
    }
