"""Plugin data that is foreign, broken, newer than this program, or very large."""

from __future__ import annotations

import json
from typing import Any

import pytest

from teleport_email.core.ledger import LEDGER_KEY
from teleport_email.core.ledger_json import VERSION
from teleport_email.core.model import RequestState, Threshold
from teleport_email.sandbox.mail.smtp_faults import Reply

hasty = pytest.mark.usefixtures("hasty")


def spoilt(data: dict[str, str], **changes: Any) -> dict[str, str]:
    return data | {LEDGER_KEY: json.dumps(json.loads(data[LEDGER_KEY]) | changes)}


@hasty
async def test_foreign_keys_and_other_plugins_data_are_kept(world: Any) -> None:
    request = await world.cluster.create()
    world.cluster.put_plugin_data(request.id, {"ticket": "OPS-7", "user ": "x"})
    world.cluster.put_plugin_data(request.id, {"user": "slack's"}, plugin="slack")
    await world.start()
    await world.told(request.id, mails=1)
    await world.cluster.approve(request.id)
    await world.told(request.id, mails=2)
    data = world.cluster.plugin_data(request.id)
    assert (data["ticket"], data["user "]) == ("OPS-7", "x")
    assert world.cluster.plugin_data(request.id, "slack") == {"user": "slack's"}


@hasty
@pytest.mark.parametrize(
    "text",
    ["", "{", "null", "[1]", '{"v": 1}', '{"v": "one"}', "ÿ" * 100, '{"v":1,"n":"zz","d":"x","w":"","s":"","k":[],"p":[],"g":{}}'],
    ids=["empty", "cut off", "null", "list", "incomplete", "wrong version", "noise", "nonsense"],
)  # fmt: skip
async def test_a_broken_ledger_is_one_fault_for_that_request_alone(world: Any, text: str) -> None:
    broken = await world.cluster.create(reason="broken")
    world.cluster.put_plugin_data(broken.id, {"user": "alice@example.com", LEDGER_KEY: text} if text else {})
    before = world.cluster.plugin_data(broken.id)
    running = await world.start()
    good = await world.cluster.create(reason="good")
    await world.told(good.id)
    await world.cluster.approve(broken.id)
    await world.cluster.approve(good.id)
    await world.told(good.id)
    await running.settled()
    if not text:  # an empty value is no value: nobody has written yet
        assert world.is_told(broken.id)
        return
    assert not [mail for mail in world.inbox.messages if broken.id in mail.subject]
    assert world.cluster.plugin_data(broken.id) == before
    assert len(world.said("ledger unreadable")) == 1
    assert "left as it is" in world.said("ledger unreadable")[0]


@hasty
async def test_a_broken_content_in_a_ledger_is_a_fault_for_that_request_alone(world: Any) -> None:
    """A mark says attempted, and the frozen message cannot be unpacked: nobody can send the same again."""
    running = await world.start()
    world.inbox.faults.on("RCPT", Reply(451, "4.0.0 later"), times=1)
    broken = await world.cluster.create(reason="broken")
    await world.inbox.until(lambda box: box.commands["RCPT"] == 1)
    await running.kill()
    data = world.cluster.plugin_data(broken.id)
    ledger = json.loads(data[LEDGER_KEY])
    ledger["k"] = [["a", "bm90IGNvbXByZXNzZWQ="]]
    ledger["p"][0]["m"] = {"a": [1, 0]}
    ledger.pop("o", None)
    world.cluster.put_plugin_data(broken.id, data | {LEDGER_KEY: json.dumps(ledger)})
    second = await world.start()
    good = await world.cluster.create(reason="good")
    await world.told(good.id, mails=1)
    await second.until(lambda: world.said("ledger unreadable"))
    assert [broken.id in mail.subject for mail in world.inbox.messages] == [False]
    assert len(world.said("ledger unreadable")) == 1
    assert not world.said("Traceback")


@hasty
async def test_a_ledger_of_a_newer_version_is_left_untouched_and_said_once(world: Any) -> None:
    first = await world.start()
    request = await world.cluster.create()
    await world.told(request.id, mails=1)
    await first.stop()
    newer = spoilt(world.cluster.plugin_data(request.id), v=VERSION + 1, z="what we do not know")
    world.cluster.put_plugin_data(request.id, newer)
    second = await world.start()
    await world.cluster.review(request.id, "bob@example.com", RequestState.APPROVED)
    await second.until(lambda: world.said("ledger of a newer version"))
    other = await world.cluster.create()
    await world.told(other.id, mails=2)
    await world.cluster.delete(request.id)
    await second.settled()
    assert world.cluster.plugin_data(request.id) == newer
    assert len(world.said("ledger of a newer version")) == 1
    assert world.kinds("all@example.com") == ["a", "a"]


async def test_a_hundred_recipients_and_twenty_reviews(world: Any) -> None:
    recipients = tuple(f"a.rather.long.name.{number:03}@department.example.com" for number in range(100))
    mailer = world.inbox.settings(max_connections=10, messages_per_connection=1000)
    await world.start(role_to_recipients={"*": recipients}, mailer=mailer)
    many = (Threshold(name="many", approve=21, deny=99),)
    request = await world.cluster.create(reason="r" * 2000, thresholds=many)
    await world.told(request.id, mails=100, timeout=60)
    for number in range(20):
        await world.cluster.review(request.id, f"r{number}@example.com", RequestState.APPROVED, "fine " * 50)
    await world.cluster.approve(request.id)
    await world.told(request.id, mails=100 * 22, timeout=500)
    world.assert_once()
    for recipient in recipients:
        assert world.kinds(recipient) == ["a", *(f"r{number}" for number in range(1, 21)), "A"]
    size = max(sum(map(len, write.set.values())) for write in world.cluster.writes)
    assert size < 500_000, "half of what the cluster takes for one request"
