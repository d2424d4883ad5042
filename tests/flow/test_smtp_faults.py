"""Every fault of a mail server, on the whole way from the stream to the mailbox: nothing lost, nothing twice."""

from __future__ import annotations

from typing import Any

import pytest

from teleport_email.core.ledger import Mark
from teleport_email.core.model import Kind, RequestState, Topic
from teleport_email.mail import pause
from teleport_email.sandbox.mail.inbox import Inbox
from teleport_email.sandbox.mail.script import Cut, Silence
from teleport_email.sandbox.mail.smtp_faults import Reply

pytestmark = pytest.mark.usefixtures("hasty")

FIVE = tuple(f"r{number}@example.com" for number in range(5))


async def test_refused_connections_delay_everything_and_lose_nothing(world: Any) -> None:
    running = await world.start()
    await world.inbox.stop_listening()
    requests = [await world.cluster.create(reason=f"number {number}") for number in range(5)]
    await running.until(lambda: running.daemon.mailer.paused)
    assert "refused the connection" in running.daemon.mailer.paused
    await world.inbox.listen_again()
    await world.told(*(request.id for request in requests), mails=5)
    world.assert_once()


async def test_421_in_place_of_a_greeting(world: Any) -> None:
    world.inbox.faults.on("CONNECT", Reply(421, "4.3.2 not now"), times=5)
    await world.start()
    request = await world.cluster.create(roles=["dba"])
    await world.told(request.id, mails=2)
    world.assert_once()


async def test_after_an_outage_everybody_waits_for_the_probe_and_nobody_longer(world: Any) -> None:
    """A request's own backoff would have grown to minutes, though the server has been back for long."""
    running = await world.start()
    refusals = world.inbox.faults.on("CONNECT", Reply(421, "4.3.2 not now"))
    requests = [await world.cluster.create() for _ in range(10)]
    await world.inbox.until(lambda _: refusals.used >= 6, timeout=60)
    refusals.remove()
    # Probes come within a minute of each other; here that is shorter, too.
    within = pause.LONGEST["passing"] + 2.0
    await world.told(*(request.id for request in requests), mails=10, timeout=within)
    assert not running.daemon.mailer.paused
    world.assert_once()


@pytest.mark.parametrize("fault", ["away", "454", "no STARTTLS", "535"])
async def test_an_outage_is_two_lines_of_the_log(world: Any, fault: str) -> None:
    """One where it begins, one where it ends; however often it is tried meanwhile, for however many."""
    async with Inbox(tls="starttls", passwords={"me": "n0t-a-w0rd"}) as inbox:
        match fault:
            case "away":
                inbox.faults.on("CONNECT", Cut())
            case "454":
                inbox.faults.on("STARTTLS", Reply(454, "4.7.0 TLS not available due to temporary reason"))
            case "no STARTTLS":
                inbox.faults.hide_starttls = True
            case "535":
                inbox.faults.refuse_login = True
        running = await world.start(mailer=inbox.settings(), role_to_recipients={"*": FIVE})
        requests = [await world.cluster.create() for _ in range(3)]
        await inbox.until(lambda box: box.connections.total >= 6, timeout=60)
        inbox.faults.clear()
        await world.cluster.wait_for(lambda: all(world.is_told(one.id) for one in requests), 60)
        await running.stop()
        assert len(inbox.messages) == 15
    ours = [line for line in world.said("") if "logger=mail.log" not in line]  # that is the server's
    said = [line.split(maxsplit=2)[1:] for line in ours if " DEBUG " not in line]
    paused = [(level, words) for level, words in said if words.startswith("sending ")]
    assert [(level, words.partition("  ")[0][:14]) for level, words in paused] == [
        ("WARNING" if fault in {"away", "454"} else "ERROR", "sending paused"),
        ("INFO", "sending again "),
    ]
    assert [words for level, words in said if level in {"WARNING", "ERROR"}] == [paused[0][1]]


async def test_greylisting(world: Any) -> None:
    world.inbox.faults.greylist = 0.3
    await world.start(role_to_recipients={"*": FIVE})
    request = await world.cluster.create()
    await world.told(request.id, mails=5)
    world.assert_once()
    assert len(world.said("message deferred")) >= 5


@pytest.mark.parametrize("verb", ["MAIL", "RCPT", "DATA", "DOT"])
@pytest.mark.parametrize("code", [450, 451, 452])
async def test_a_temporary_refusal_at_any_step(world: Any, verb: Any, code: int) -> None:
    world.inbox.faults.on(verb, Reply(code, "4.0.0 later"), times=3)
    await world.start()
    request = await world.cluster.create(roles=["dba"])
    await world.told(request.id, mails=2)
    await world.cluster.approve(request.id)
    await world.told(request.id, mails=4)
    world.assert_once()
    assert world.kinds("dba@example.com") == ["a", "A"]


async def test_a_password_that_is_repaired_later(world: Any) -> None:
    async with Inbox(passwords={"me": "secret"}) as inbox:
        inbox.faults.refuse_login = True
        running = await world.start(mailer=inbox.settings())
        requests = [await world.cluster.create() for _ in range(10)]
        await running.until(lambda: running.daemon.mailer.paused)
        assert "535" in running.daemon.mailer.paused
        assert inbox.commands["AUTH"] <= 2, "many tries would lock the account"
        inbox.faults.refuse_login = False
        await inbox.wait_for(10)
        await world.told(*(request.id for request in requests))
        world.assert_once(inbox.messages)
        await running.until(lambda: not running.daemon.mailer.paused)


async def test_one_recipient_refused_for_good_is_given_up_alone(world: Any) -> None:
    rule = world.inbox.faults.on("RCPT", Reply(550, "5.1.1 no such user"), recipient="r2@example.com")
    await world.start(role_to_recipients={"*": FIVE})
    request = await world.cluster.create()
    await world.told(request.id, mails=4)
    party = world.ledger(request.id).party("r2@example.com")
    assert party is not None
    entry = party.entries[Kind(Topic.ANNOUNCEMENT)]
    assert entry.mark is Mark.GIVEN_UP
    assert "5.1.1 no such user" in entry.note
    assert rule.used <= 2, "asked again on a fresh connection at most"
    await world.cluster.review(request.id, "bob@example.com", RequestState.DENIED, "no")
    await world.told(request.id, mails=4 * 3)
    world.assert_once()
    refused = len(world.said("message refused"))
    assert refused <= 3, "once with each message of the others"
    assert refused <= rule.used <= 2 * refused, "each asked again on a fresh connection at most"


async def test_three_connections_and_twenty_messages_each_are_enough(world: Any) -> None:
    world.inbox.faults.connection_limit = 3
    world.inbox.faults.messages_per_connection = 20
    settings = world.inbox.settings(max_connections=10, messages_per_connection=100)
    await world.start(mailer=settings, role_to_recipients={"*": FIVE})
    requests = [await world.cluster.create() for _ in range(20)]
    await world.told(*(request.id for request in requests), mails=100)
    world.assert_once()
    assert world.inbox.connections.highest <= 3
    assert max(world.inbox.connections.messages.values()) <= 20


@pytest.mark.parametrize("keep", [True, False], ids=["kept", "not kept"])
async def test_a_cut_after_the_dot(world: Any, keep: bool) -> None:
    world.inbox.faults.on("DOT", Cut(keep=keep), times=2)
    await world.start()
    request = await world.cluster.create(roles=["dba"])
    await world.told(request.id)
    await world.cluster.approve(request.id)
    await world.told(request.id, mails=4 + 2 * keep)
    assert len(world.inbox.messages) == 4 + 2 * keep
    world.assert_twins()
    assert list(dict.fromkeys(world.kinds("ops@example.com"))) == ["a", "A"]


async def test_a_421_after_the_dot_may_hide_an_acceptance(world: Any) -> None:
    world.inbox.faults.on("DOT", Reply(421, "4.3.2 going down", keep=True), times=1)
    await world.start()
    request = await world.cluster.create()
    await world.told(request.id, mails=2)
    world.assert_twins()


@pytest.mark.parametrize("keep", [True, False], ids=["kept", "not kept"])
async def test_a_dot_without_an_answer_holds_up_nobody_else(world: Any, keep: bool) -> None:
    world.inbox.faults.on("DOT", Silence(keep=keep), times=1)
    await world.start()
    stuck = await world.cluster.create(reason="stuck")
    await world.inbox.until(lambda box: box.commands["DOT"] == 1)
    others = [await world.cluster.create() for _ in range(5)]
    await world.told(*(request.id for request in others), mails=5 + keep)
    assert not world.is_told(stuck.id), "after its dot the answer is waited for"
    await world.inbox.drop_connections()
    await world.told(stuck.id, mails=6 + keep)
    world.assert_twins()


async def test_a_server_slower_than_the_lease_is_long(world: Any) -> None:
    """Each answer takes a sixth of the lease, so that one message takes a whole one: 5 s of 30."""
    world.inbox.faults.delay = 0.2
    await world.start()
    await world.start()  # would take the claim over, were it not renewed
    request = await world.cluster.create(roles=["dba"])
    await world.told(request.id, mails=2)
    await world.cluster.approve(request.id)
    await world.told(request.id, mails=4)
    world.assert_once()
    assert world.said("claim taken over") == []


async def test_a_starttls_that_vanishes_stops_all_mail(world: Any) -> None:
    async with Inbox(tls="starttls") as inbox:
        running = await world.start(mailer=inbox.settings())
        first = await world.cluster.create()
        await inbox.wait_for(1)
        await world.told(first.id)
        inbox.faults.hide_starttls = True
        await inbox.drop_connections()
        second = await world.cluster.create()
        await running.until(lambda: running.daemon.mailer.paused)
        assert "does not offer STARTTLS" in running.daemon.mailer.paused
        assert inbox.commands["MAIL"] == 1
        inbox.faults.hide_starttls = False
        await inbox.wait_for(2)
        await world.told(second.id)
        world.assert_once(inbox.messages)
        assert all(mail.tls for mail in inbox.messages)


async def test_what_became_pointless_before_its_first_try_is_not_sent(world: Any) -> None:
    """The mailer pauses, so nothing is attempted; the request is approved meanwhile: one message tells all."""
    running = await world.start()
    await world.inbox.stop_listening()
    first = await world.cluster.create()
    await running.until(lambda: running.daemon.mailer.paused)
    second = await world.cluster.create(reason="approved before anybody could be told")
    await world.cluster.review(second.id, "bob@example.com", RequestState.APPROVED)
    third = await world.cluster.create(reason="removed before anybody could be told")
    await running.until(lambda: running.daemon.store.version(third.id))
    await world.cluster.delete(third.id)
    await running.until(lambda: running.daemon.store.version(third.id) != 1)  # gone, or forgotten by now
    await world.inbox.listen_again()
    await world.told(first.id, second.id, mails=2)
    await running.settled()
    assert sorted(world.kinds("all@example.com")) in (["a", "aA1"], ["aA1", "a"])
    assert not any(third.id in mail.subject for mail in world.inbox.messages)
