"""Sending by SMTP to a real server: every outcome, every fault, before and after the dot."""

from __future__ import annotations

import asyncio

import pytest
import structlog

from teleport_email.core.model import AccountFault, Declined, Delivered, Refused, Temporary, Withdrawn
from teleport_email.mail.mailer import OpenGate
from teleport_email.mail.message import build
from teleport_email.mail.smtp import connection as smtp_connection
from teleport_email.mail.smtp.dialogue import Timeouts
from teleport_email.mail.smtp.explain import is_loopback, own_name
from teleport_email.sandbox.mail.inbox import Inbox
from teleport_email.sandbox.mail.mail_certificates import LOOPBACK_NAMES
from teleport_email.sandbox.mail.smtp_faults import Cut, Reply, Silence, Wait

pytestmark = pytest.mark.usefixtures("pipelining")


async def test_a_message_arrives_byte_for_byte(connect, new_mail) -> None:
    async with Inbox() as inbox:
        mailer = connect(inbox)
        mail = new_mail()
        outcome = await mailer.send(mail, OpenGate())
        assert isinstance(outcome, Delivered)
        assert "queued as 1" in outcome.answer
        [received] = inbox.messages
        assert received.raw == build(mail)
        assert received.envelope_from == "teleport@example.com"
        assert received.envelope_to == ("bob@example.com",)


async def test_one_transaction_per_message_on_one_connection(connect, new_mail) -> None:
    async with Inbox() as inbox:
        mailer = connect(inbox, max_connections=1)
        for number in range(3):
            assert isinstance(await mailer.send(new_mail(f"r{number}@example.com"), OpenGate()), Delivered)
        assert [mail.to for mail in inbox.messages] == ["r0@example.com", "r1@example.com", "r2@example.com"]
        assert inbox.connections.total == 1
        assert inbox.commands["EHLO"] == 1
        assert inbox.commands["RSET"] == 0


async def test_a_message_that_cannot_be_written_is_refused_without_a_connection(connect, new_mail) -> None:
    async with Inbox() as inbox:
        outcome = await connect(inbox).send(new_mail("bob@example.com\r\nDATA"), OpenGate())
        assert isinstance(outcome, Refused)
        assert inbox.connections.total == 0


@pytest.mark.parametrize(
    ("verb", "reply", "expected"),
    [
        ("MAIL", Reply(450, "4.3.2 busy"), Temporary),
        ("MAIL", Reply(452, "4.3.1 disk full"), Temporary),
        ("MAIL", Reply(530, "5.7.0 authentication required"), AccountFault),
        ("MAIL", Reply(550, "5.7.1 sender not allowed"), AccountFault),
        ("MAIL", Reply(553, "5.1.8 sender's domain does not exist"), AccountFault),
        ("MAIL", Reply(552, "5.3.4 message too big"), Declined),
        ("RCPT", Reply(450, "4.2.0 mailbox busy"), Temporary),
        ("RCPT", Reply(451, "4.7.1 greylisted"), Temporary),
        ("RCPT", Reply(452, "4.5.3 too many recipients"), Temporary),
        ("RCPT", Reply(550, "5.1.1 no such user"), Refused),
        ("RCPT", Reply(550, "no such user"), Declined),
        ("RCPT", Reply(551, "user not local"), Declined),
        ("RCPT", Reply(553, "5.1.3 bad address"), Refused),
        ("RCPT", Reply(552, "too many recipients"), Temporary),
        ("RCPT", Reply(552, "5.2.2 mailbox full"), Declined),
        ("RCPT", Reply(530, "5.7.0 authentication required"), Declined),
        ("DATA", Reply(451, "4.3.0 local error"), Temporary),
        ("DATA", Reply(554, "5.5.1 no valid recipients"), Declined),
        ("DOT", Reply(451, "4.3.0 local error"), Temporary),
        ("DOT", Reply(452, "4.3.1 disk full"), Temporary),
        ("DOT", Reply(552, "5.3.4 too big"), Declined),
        ("DOT", Reply(554, "5.6.0 content rejected"), Declined),
    ],
)
async def test_replies(connect, new_mail, verb, reply, expected) -> None:
    """Each refusal gets its class, is definite, and leaves a connection that serves the next message."""
    async with Inbox() as inbox:
        mailer = connect(inbox)
        inbox.faults.on(verb, reply, times=1)
        outcome = await mailer.send(new_mail(), OpenGate())
        assert type(outcome) is expected
        assert reply.text in outcome.reason
        assert not getattr(outcome, "maybe_accepted", False)
        assert bool(mailer.paused) == (expected in (AccountFault, Declined)), "the only one to try"
        assert inbox.messages == []
        if expected is not AccountFault:
            assert isinstance(await mailer.send(new_mail("next@example.com"), OpenGate()), Delivered)
            assert [mail.to for mail in inbox.messages] == ["next@example.com"]
            assert inbox.connections.total == 1


async def test_a_server_that_wants_a_message_for_nobody_gets_none(connect, new_mail, pipelining) -> None:
    async with Inbox() as inbox:
        # Such a server answers DATA without looking at what became of RCPT (RFC 2920 section 3.1).
        inbox.faults.on("RCPT", Reply(550, "5.1.1 no such user"), times=1)
        inbox.faults.on("DATA", Reply(354, "go on"), times=1)
        mailer = connect(inbox, max_connections=1)
        assert isinstance(await mailer.send(new_mail(), OpenGate()), Refused)
        assert inbox.commands["DATA"] == (1 if pipelining else 0)
        inbox.faults.clear()
        assert isinstance(await mailer.send(new_mail(), OpenGate()), Delivered)
        assert inbox.received == 1
        assert inbox.connections.total == (2 if pipelining else 1)


async def test_one_refused_recipient_among_many(connect, new_mail) -> None:
    async with Inbox() as inbox:
        inbox.faults.on("RCPT", Reply(550, "5.1.1 no such user"), recipient="r3@example.com")
        mailer = connect(inbox)
        outcomes = await asyncio.gather(
            *(mailer.send(new_mail(f"r{number}@example.com"), OpenGate()) for number in range(6))
        )
        assert [type(outcome) for outcome in outcomes] == [Delivered] * 3 + [Refused] + [Delivered] * 2
        assert not mailer.paused


async def test_whoever_was_not_refused_is_tried_at_once_while_the_others_wait(
    connect, new_mail, clock
) -> None:
    async with Inbox() as inbox:
        mailer = connect(inbox)
        refusal = inbox.faults.on("RCPT", Reply(550, "5.7.1 relaying denied"), recipient="a@example.com")
        with structlog.testing.capture_logs() as lines:
            assert isinstance(await mailer.send(new_mail("a@example.com"), OpenGate()), Declined)
            assert "relaying denied" in mailer.paused, "nobody gets through, as far as is known"
            untried = await mailer.send(new_mail("a@example.com"), OpenGate())
            assert isinstance(untried, Declined)
            assert not untried.tried
            assert refusal.used == 1
            assert isinstance(await mailer.send(new_mail("b@example.com"), OpenGate()), Delivered)
        assert not mailer.paused
        said = [line for line in lines if line["event"] in ("sending paused", "sending again")]
        assert [(line["event"], line["log_level"]) for line in said] == [
            ("sending paused", "error"),
            ("sending again", "info"),
        ]
        # Others got through meanwhile, so to refuse this one again says nothing of the account.
        clock.now += 60
        assert isinstance(await mailer.send(new_mail("a@example.com"), OpenGate()), Declined)
        assert refusal.used == 2
        assert not mailer.paused


async def test_an_account_that_is_refused_at_all_is_tried_by_probes_alone(connect, new_mail, clock) -> None:
    async with Inbox() as inbox:
        mailer = connect(inbox)
        refusal = inbox.faults.on("DOT", Reply(554, "5.2.252 SendAsDenied"))
        everybody = [f"r{number}@example.com" for number in range(20)]

        async def send_all() -> set[type]:
            sends = (mailer.send(new_mail(address), OpenGate()) for address in everybody)
            return {type(outcome) for outcome in await asyncio.gather(*sends)}

        assert await send_all() == {Declined}
        assert "right to send as" in mailer.paused
        tried = refusal.used
        assert len(everybody) <= tried <= len(everybody) + 3, "each once; one asked again at a time"
        for _ in range(5):
            assert await send_all() == {Declined}
        assert refusal.used == tried, "nobody is tried again before a probe is due"
        clock.now += 45
        assert await send_all() == {Declined}
        assert refusal.used == tried + 1
        refusal.remove()
        clock.now += 45
        assert await send_all() == {Delivered}, "the probe lets the others go"
        assert not mailer.paused
        assert await send_all() == {Delivered}


@pytest.mark.parametrize(
    ("verb", "reply", "outcome"),
    [
        ("MAIL", Reply(550, "5.7.1 too many messages on this connection"), AccountFault),
        ("RCPT", Reply(503, "5.5.1 need MAIL command"), Declined),
        ("RCPT", Reply(550, "5.1.1 no such user"), Refused),
        ("DOT", Reply(554, "5.7.0 no more"), Declined),
    ],
)
async def test_a_refusal_on_a_connection_that_has_served_is_asked_again_on_a_fresh_one(
    connect, new_mail, verb, reply, outcome
) -> None:
    async with Inbox() as inbox:
        mailer = connect(inbox, max_connections=1)
        assert isinstance(await mailer.send(new_mail("a@example.com"), OpenGate()), Delivered)
        inbox.faults.on(verb, reply, times=1)
        assert isinstance(await mailer.send(new_mail("b@example.com"), OpenGate()), Delivered)
        assert inbox.connections.total == 2
        rule = inbox.faults.on(verb, reply)
        assert type(await mailer.send(new_mail("c@example.com"), OpenGate())) is outcome
        assert rule.used == 2
        assert inbox.connections.total == 3
        assert inbox.connections.highest == 1
        assert inbox.received == 2


async def test_one_asks_again_at_a_time_and_nobody_while_paused(connect, new_mail) -> None:
    async with Inbox() as inbox:
        mailer = connect(inbox, max_connections=3)
        ready = [new_mail(f"r{number}@example.com") for number in range(3)]
        inbox.faults.delay = 0.02
        while inbox.connections.total < 3:  # the pool grows with what is accepted
            await asyncio.gather(*(mailer.send(mail, OpenGate()) for mail in ready * 4))
        inbox.faults.on("RCPT", Reply(550, "5.1.1 no such user"))
        outcomes = await asyncio.gather(*(mailer.send(mail, OpenGate()) for mail in ready))
        assert inbox.connections.total == 4
        # Those that could not ask again do not believe what they heard.
        assert sorted(type(outcome).__name__ for outcome in outcomes) == ["Declined", "Declined", "Refused"]


BEFORE_THE_DOT = ["CONNECT", "EHLO", "MAIL", "RCPT", "DATA"]


@pytest.mark.parametrize("verb", BEFORE_THE_DOT)
@pytest.mark.parametrize("fault", [Cut(), Silence(), Reply(421, "4.3.2 shutting down")])
@pytest.mark.usefixtures("silence_passes")
async def test_a_connection_lost_before_the_dot_is_definite(connect, new_mail, verb, fault) -> None:
    async with Inbox() as inbox:
        mailer = connect(inbox)
        inbox.faults.on(verb, fault, times=1)
        outcome = await mailer.send(new_mail(), OpenGate())
        assert isinstance(outcome, Temporary)
        assert not outcome.maybe_accepted
        assert inbox.messages == []
        assert bool(mailer.paused) == (verb in {"CONNECT", "EHLO"})
        if not mailer.paused:
            assert isinstance(await mailer.send(new_mail(), OpenGate()), Delivered)
            assert inbox.connections.total == 2


@pytest.mark.parametrize(
    ("verb", "fault", "hint"),
    [
        ("EHLO", Reply(421, "4.7.0 try again later"), "set smtp.helo_hostname to this host's full name"),
        ("CONNECT", Silence(), 'perhaps this port wants TLS from the start: smtp.tls = "implicit"'),
        ("CONNECT", Reply(421, "4.3.2 not now"), ""),
        ("EHLO", Silence(), ""),
        ("CONNECT", Cut(), ""),
    ],
)
@pytest.mark.usefixtures("silence_passes")
async def test_a_fault_at_the_beginning_comes_with_what_may_cure_it(
    connect, new_mail, verb, fault, hint
) -> None:
    async with Inbox() as inbox:
        inbox.faults.on(verb, fault)
        outcome = await connect(inbox).send(new_mail(), OpenGate())
        assert isinstance(outcome, Temporary)
        assert hint in outcome.reason
        assert ("smtp." in outcome.reason) is bool(hint)


@pytest.mark.parametrize("keep", [False, True])
@pytest.mark.parametrize("fault", ["cut", "silence", "421"])
@pytest.mark.usefixtures("silence_passes")
async def test_a_connection_lost_after_the_dot_may_have_sent_it(connect, new_mail, fault, keep) -> None:
    async with Inbox() as inbox:
        mailer = connect(inbox)
        action = {
            "cut": Cut(keep=keep),
            "silence": Silence(keep=keep),
            "421": Reply(421, "4.3.2 shutting down", keep=keep),
        }[fault]
        inbox.faults.on("DOT", action, times=1)
        mail = new_mail()
        outcome = await mailer.send(mail, OpenGate())
        assert isinstance(outcome, Temporary)
        assert outcome.maybe_accepted
        assert len(inbox.messages) == keep
        # The retry is the same, on a new connection.
        assert isinstance(await mailer.send(mail, OpenGate()), Delivered)
        assert {received.raw for received in inbox.messages} == {build(mail)}
        assert inbox.connections.total == 2


async def test_an_answer_that_is_not_smtp_after_the_dot(connect, new_mail) -> None:
    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        for answer in (b"220 hi", b"250 hi", b"250 ok", b"250 ok", b"354 go"):
            writer.write(answer + b"\r\n")
            await reader.readline()
        await reader.readuntil(b"\r\n.\r\n")
        writer.write(b"what?\r\n")
        await reader.read()
        writer.close()

    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    async with Inbox() as inbox:
        outcome = await connect(inbox, port=port).send(new_mail(), OpenGate())
    server.close()
    await server.wait_closed()
    assert isinstance(outcome, Temporary)
    assert outcome.maybe_accepted
    assert "not SMTP" in outcome.reason


async def test_a_slow_server_is_waited_for(connect, new_mail) -> None:
    async with Inbox() as inbox:
        inbox.faults.delay = 0.05
        assert isinstance(await connect(inbox).send(new_mail(), OpenGate()), Delivered)


def test_time_limits_are_those_of_rfc_5321() -> None:
    limits = Timeouts()
    assert (limits.step, limits.data, limits.final) == (300, 120, 600)


# Reused connections


async def test_an_idle_connection_that_the_server_closed_costs_nothing(connect, new_mail) -> None:
    async with Inbox() as inbox:
        mailer = connect(inbox, max_connections=1)
        assert isinstance(await mailer.send(new_mail(), OpenGate()), Delivered)
        await inbox.drop_connections()
        assert isinstance(await mailer.send(new_mail(), OpenGate()), Delivered)
        assert inbox.connections.total == 2


@pytest.mark.parametrize("verb", ["MAIL", "RCPT", "DATA"])
@pytest.mark.parametrize("fault", [Cut(), Silence(), Reply(421, "4.7.0 too many messages")])
@pytest.mark.usefixtures("silence_passes")
async def test_a_reused_connection_that_dies_before_the_dot_is_replaced_once(
    connect, new_mail, fault, verb
) -> None:
    async with Inbox() as inbox:
        mailer = connect(inbox, max_connections=1)
        assert isinstance(await mailer.send(new_mail(), OpenGate()), Delivered)
        rule = inbox.faults.on(verb, fault, times=1)
        assert isinstance(await mailer.send(new_mail(), OpenGate()), Delivered)
        assert rule.used == 1
        assert inbox.connections.total == 2
        inbox.faults.on(verb, fault, times=2)
        assert isinstance(await mailer.send(new_mail(), OpenGate()), Temporary)


async def test_a_server_that_allows_few_connections_and_messages_loses_nothing(
    connect, new_mail, clock
) -> None:
    async with Inbox() as inbox:
        inbox.faults.connection_limit = 3
        inbox.faults.messages_per_connection = 4
        mailer = connect(inbox, max_connections=10)
        outcomes = await asyncio.gather(*(mailer.send(new_mail(), OpenGate()) for _ in range(60)))
        assert [outcome for outcome in outcomes if not isinstance(outcome, Delivered)] == []
        assert len(inbox.messages) == 60
        assert inbox.connections.highest == 3
        assert 1 <= mailer.connection_limit <= 3


async def test_connections_grow_again_one_after_the_other(connect, new_mail, clock) -> None:
    async with Inbox() as inbox:
        inbox.faults.connection_limit = 1
        inbox.faults.delay = 0.005  # long enough for several to wait at once, and for all refusals to come
        mailer = connect(inbox, max_connections=3)
        await asyncio.gather(*(mailer.send(new_mail(), OpenGate()) for _ in range(10)))
        assert mailer.connection_limit == 1
        inbox.faults.connection_limit = None
        for limit in (2, 3, 3):
            clock.now += 10
            await asyncio.gather(*(mailer.send(new_mail(), OpenGate()) for _ in range(10)))
            assert mailer.connection_limit == limit
        assert inbox.connections.highest == 3


async def test_our_own_limit_of_messages_per_connection(connect, new_mail) -> None:
    async with Inbox() as inbox:
        mailer = connect(inbox, max_connections=1, messages_per_connection=2)
        for _ in range(5):
            assert isinstance(await mailer.send(new_mail(), OpenGate()), Delivered)
        assert sorted(inbox.connections.messages.values()) == [1, 2, 2]
        assert inbox.connections.highest == 1
        assert inbox.commands["QUIT"] == 2


async def test_idle_connections_are_not_used_after_half_a_minute(connect, new_mail, clock) -> None:
    async with Inbox() as inbox:
        mailer = connect(inbox)
        assert isinstance(await mailer.send(new_mail(), OpenGate()), Delivered)
        clock.now += 31
        assert isinstance(await mailer.send(new_mail(), OpenGate()), Delivered)
        assert inbox.connections.total == 2
        assert inbox.commands["QUIT"] == 1


async def test_no_more_than_so_many_a_minute(connect, new_mail, clock, monkeypatch) -> None:
    slept = []
    sleep = asyncio.sleep

    async def pass_time(seconds: float) -> None:
        slept.append(seconds)
        clock.now += seconds
        await sleep(0)

    async with Inbox() as inbox:
        mailer = connect(inbox, max_per_minute=2)
        monkeypatch.setattr("teleport_email.mail.smtp.mailer.asyncio.sleep", pass_time)
        for _ in range(2):
            assert isinstance(await mailer.send(new_mail(), OpenGate()), Delivered)
        clock.now += 20
        for _ in range(3):
            assert isinstance(await mailer.send(new_mail(), OpenGate()), Delivered)
        monkeypatch.undo()
        assert slept == [40.0, 60.0]


# The gate and cancellation


async def test_nothing_is_begun_or_finished_through_a_closed_gate(connect, new_mail, strict_gate) -> None:
    async with Inbox() as inbox:
        mailer = connect(inbox)
        assert isinstance(await mailer.send(new_mail(), strict_gate(begin=False)), Withdrawn)
        assert inbox.connections.total == 0
        assert isinstance(await mailer.send(new_mail(), strict_gate(finish=False)), Withdrawn)
        assert inbox.commands["DATA"] == 1
        assert inbox.commands["DOT"] == 0
        closed = strict_gate()
        closed.closed.set_result(None)
        assert isinstance(await mailer.send(new_mail(), closed), Withdrawn)
        assert isinstance(await mailer.send(new_mail(), OpenGate()), Delivered)
        assert len(inbox.messages) == 1


@pytest.mark.parametrize("verb", BEFORE_THE_DOT)
async def test_a_gate_that_closes_before_the_dot_ends_the_send_at_once(connect, new_mail, verb) -> None:
    async with Inbox() as inbox:
        mailer = connect(inbox, max_connections=1)
        inbox.faults.on(verb, Silence(), times=1)
        gate = OpenGate()
        send = asyncio.create_task(mailer.send(new_mail(), gate))
        await inbox.until(lambda i: i.connections.total if verb == "CONNECT" else i.commands[verb])
        gate.closed.set_result(None)
        assert isinstance(await asyncio.wait_for(send, 60), Withdrawn)
        if verb not in {"CONNECT", "EHLO"}:  # those hold up the connection that is opening, not a message
            assert isinstance(await mailer.send(new_mail(), OpenGate()), Delivered)
        await inbox.drop_connections()


@pytest.mark.parametrize("verb", ["MAIL", "RCPT", "DATA"])
async def test_cancelled_before_the_dot(connect, new_mail, verb) -> None:
    async with Inbox() as inbox:
        mailer = connect(inbox, max_connections=1)
        inbox.faults.on(verb, Silence(), times=1)
        send = asyncio.create_task(mailer.send(new_mail(), OpenGate()))
        await inbox.until(lambda i: i.commands[verb] == 1)
        send.cancel()
        with pytest.raises(asyncio.CancelledError):
            await send
        assert isinstance(await mailer.send(new_mail(), OpenGate()), Delivered)
        assert len(inbox.messages) == 1


@pytest.mark.parametrize("how", ["cancel", "cancel twice", "close", "close and cancel"])
async def test_after_the_dot_nothing_cuts_the_wait_short(connect, new_mail, how) -> None:
    async with Inbox() as inbox:
        mailer = connect(inbox)
        inbox.faults.on("DOT", Wait(0.1))
        gate = OpenGate()
        send = asyncio.create_task(mailer.send(new_mail(), gate))
        await inbox.until(lambda i: i.commands["DOT"] == 1)
        if "close" in how:
            gate.closed.set_result(None)
            await asyncio.sleep(0)
        if "cancel" in how:
            send.cancel()
        if "twice" in how:
            await asyncio.sleep(0)
            send.cancel()
        assert isinstance(await send, Delivered)


async def test_closing_waits_for_the_sends_under_way_and_says_goodbye(connect, new_mail) -> None:
    async with Inbox() as inbox:
        mailer = connect(inbox, max_connections=1)
        assert isinstance(await mailer.send(new_mail(), OpenGate()), Delivered)
        inbox.faults.on("DOT", Wait(0.1))
        sends = [asyncio.create_task(mailer.send(new_mail(), OpenGate())) for _ in range(3)]
        await inbox.until(lambda i: i.commands["DOT"] == 2)
        await mailer.close()
        assert all(send.done() and isinstance(send.result(), Delivered) for send in sends)
        assert inbox.commands["QUIT"] == 1
        assert isinstance(await mailer.send(new_mail(), OpenGate()), Withdrawn)
        await inbox.until(lambda i: i.connections.current == 0)


# Pauses


async def test_an_unreachable_server_pauses_everybody_until_a_probe_gets_through(
    connect, new_mail, clock
) -> None:
    async with Inbox() as inbox:
        mailer = connect(inbox)
        await inbox.stop_listening()
        outcomes = await asyncio.gather(*(mailer.send(new_mail(), OpenGate()) for _ in range(5)))
        assert {type(outcome) for outcome in outcomes} == {Temporary}
        assert "refused the connection" in mailer.paused
        assert 0 < mailer.next_probe_in <= 1
        # Sends that nobody admitted come back at once, without a connection.
        assert isinstance(await mailer.send(new_mail(), OpenGate()), Temporary)
        await inbox.listen_again()
        entered = []

        async def one() -> None:
            async with mailer.admit():
                entered.append(await mailer.send(new_mail(), OpenGate()))

        waiting = [asyncio.create_task(one()) for _ in range(3)]
        await asyncio.sleep(0)
        assert entered == []
        clock.now += 2
        await asyncio.wait_for(asyncio.gather(*waiting), 60)
        assert {type(outcome) for outcome in entered} == {Delivered}
        assert mailer.paused == ""
        assert mailer.next_probe_in == 0


@pytest.mark.parametrize("greeting", [Reply(421, "4.3.2 too busy"), Reply(554, "no SMTP service here")])
async def test_a_greeting_that_sends_us_away_passes(connect, new_mail, clock, greeting) -> None:
    async with Inbox() as inbox:
        mailer = connect(inbox)
        rule = inbox.faults.on("CONNECT", greeting)
        outcome = await mailer.send(new_mail(), OpenGate())
        assert isinstance(outcome, Temporary)
        assert greeting.text in mailer.paused
        rule.remove()
        clock.now += 2
        async with mailer.admit():
            assert isinstance(await mailer.send(new_mail(), OpenGate()), Delivered)
        assert not mailer.paused


async def test_admission_opens_a_connection_before_there_is_anything_to_send(connect, new_mail) -> None:
    async with Inbox() as inbox:
        mailer = connect(inbox)
        async with mailer.admit():
            await inbox.until(lambda i: i.commands["EHLO"] == 1)
            assert isinstance(await mailer.send(new_mail(), OpenGate()), Delivered)
        assert inbox.connections.total == 1


# Logging in


@pytest.mark.parametrize("mechanisms", [("PLAIN", "LOGIN"), ("LOGIN",)])
@pytest.mark.parametrize("tls", ["none", "starttls", "implicit"])
async def test_login_with_a_password(connect, new_mail, tls, mechanisms) -> None:
    async with Inbox(tls=tls, passwords={"me": "säcret"}, mechanisms=mechanisms) as inbox:
        assert isinstance(await connect(inbox).send(new_mail(), OpenGate()), Delivered)
        assert inbox.messages[0].auth_user == "me"
        assert f"AUTH {mechanisms[0]}" in "\n".join(inbox.transcript)


async def test_a_wrong_password_is_tried_once_and_pauses_until_it_is_repaired(
    connect, new_mail, clock
) -> None:
    async with Inbox(tls="starttls", passwords={"me": "secret"}) as inbox:
        inbox.faults.refuse_login = True
        mailer = connect(inbox, max_connections=10)
        outcomes = await asyncio.gather(*(mailer.send(new_mail(), OpenGate()) for _ in range(20)))
        assert {type(outcome) for outcome in outcomes} == {AccountFault}
        assert inbox.commands["AUTH"] == 1
        assert inbox.commands["MAIL"] == 0
        assert "535" in mailer.paused
        assert "secret" not in mailer.paused
        assert 3 < mailer.next_probe_in <= 5
        clock.now += 5
        async with mailer.admit():
            assert isinstance(await mailer.send(new_mail(), OpenGate()), AccountFault)
        assert inbox.commands["AUTH"] == 2
        assert 5 < mailer.next_probe_in <= 10
        inbox.faults.refuse_login = False
        clock.now += 10
        async with mailer.admit():
            assert isinstance(await mailer.send(new_mail(), OpenGate()), Delivered)
        assert not mailer.paused


@pytest.mark.parametrize(
    ("reply", "expected"),
    [
        (Reply(454, "4.7.0 temporary authentication failure"), Temporary),
        (Reply(432, "4.7.12 a password transition is needed"), AccountFault),
        (Reply(534, "5.7.9 mechanism too weak"), AccountFault),
        (Reply(538, "5.7.11 encryption required"), AccountFault),
        (Reply(432, "4.3.2 concurrent connections limit exceeded"), Temporary),
    ],
)
async def test_answers_to_a_login(connect, new_mail, reply, expected) -> None:
    async with Inbox(passwords={"me": "secret"}) as inbox:
        inbox.faults.on("AUTH", reply)
        mailer = connect(inbox)
        assert type(await mailer.send(new_mail(), OpenGate())) is expected
        assert reply.text in mailer.paused


async def test_no_login_offered_or_none_that_we_know(connect, new_mail) -> None:
    async with Inbox() as inbox:
        outcome = await connect(inbox, auth="xoauth2", username="me").send(new_mail(), OpenGate())
        assert isinstance(outcome, AccountFault)
        assert "no login at all" in outcome.reason
    async with Inbox(tokens={"me": "token"}, mechanisms=("XOAUTH2",)) as inbox:
        outcome = await connect(inbox, auth="password", username="me").send(new_mail(), OpenGate())
        assert isinstance(outcome, AccountFault)
        assert "offers XOAUTH2" in outcome.reason


async def test_a_password_goes_in_clear_text_only_where_that_is_allowed(
    connect, new_mail, monkeypatch
) -> None:
    async with Inbox(passwords={"me": "secret"}) as inbox:
        monkeypatch.setattr(smtp_connection, "is_loopback", lambda address: False)
        outcome = await connect(inbox, allow_plaintext_auth=False).send(new_mail(), OpenGate())
        assert isinstance(outcome, AccountFault)
        assert "allow_plaintext_auth" in outcome.reason
        assert inbox.commands["AUTH"] == 0
        mailer = connect(inbox, allow_plaintext_auth=True, max_connections=1, messages_per_connection=1)
        with structlog.testing.capture_logs() as logs:
            for _ in range(3):
                assert isinstance(await mailer.send(new_mail(), OpenGate()), Delivered)
        warnings = [entry["event"] for entry in logs if entry["log_level"] == "warning"]
        assert warnings == ["password sent in clear text"]
        assert "secret" not in str(logs)


@pytest.mark.parametrize(
    ("address", "expected"),
    [("127.0.0.1", True), ("127.8.9.1", True), ("::1", True), ("192.0.2.1", False), ("fe80::1%eth0", False)],
)
def test_loopback(address, expected) -> None:
    assert is_loopback(address) is expected


# TLS


@pytest.mark.parametrize("tls", ["starttls", "starttls-offered", "implicit"])
async def test_tls(connect, new_mail, tls) -> None:
    async with Inbox(tls=tls) as inbox:
        assert isinstance(await connect(inbox).send(new_mail(), OpenGate()), Delivered)
        assert inbox.messages[0].tls == "TLSv1.3"


async def test_a_host_with_the_dot_of_the_root_is_another_name_for_dns_alone(
    connect, new_mail, monkeypatch
) -> None:
    """SNI and certificates have none (RFC 6066 section 3)."""
    loop = asyncio.get_running_loop()
    resolve = loop.getaddrinfo
    asked: list[object] = []

    def look_up(host, *more, **options):
        asked.append(host)
        return resolve(str(host).removesuffix("."), *more, **options)

    monkeypatch.setattr(loop, "getaddrinfo", look_up)
    for tls in ("starttls", "implicit"):
        async with Inbox(tls=tls) as inbox:
            outcome = await connect(inbox, host="localhost.").send(new_mail(), OpenGate())
            assert isinstance(outcome, Delivered), outcome
            assert inbox.messages[0].tls
    assert set(asked) == {"localhost."}


async def test_opportunistic_without_an_offer_goes_in_the_clear(connect, new_mail) -> None:
    async with Inbox() as inbox:
        mailer = connect(inbox, tls="opportunistic")
        assert isinstance(await mailer.send(new_mail(), OpenGate()), Delivered)
        assert inbox.messages[0].tls == ""


async def test_a_starttls_that_vanishes_is_never_done_without(connect, new_mail, clock) -> None:
    async with Inbox(tls="starttls", passwords={"me": "secret"}) as inbox:
        mailer = connect(inbox, max_connections=1, messages_per_connection=1)
        assert isinstance(await mailer.send(new_mail(), OpenGate()), Delivered)
        inbox.faults.hide_starttls = True
        outcome = await mailer.send(new_mail(), OpenGate())
        assert isinstance(outcome, AccountFault)
        assert "STARTTLS" in outcome.reason
        assert inbox.commands["MAIL"] == inbox.commands["AUTH"] == 1
        inbox.faults.hide_starttls = False
        clock.now += 10
        async with mailer.admit():
            assert isinstance(await mailer.send(new_mail(), OpenGate()), Delivered)
        assert all(mail.tls for mail in inbox.messages)


@pytest.mark.parametrize(("code", "expected"), [(454, Temporary), (502, AccountFault)])
async def test_starttls_refused(connect, new_mail, code, expected) -> None:
    async with Inbox(tls="starttls-offered") as inbox:
        inbox.faults.on("STARTTLS", Reply(code, "no"))
        assert type(await connect(inbox).send(new_mail(), OpenGate())) is expected
        assert inbox.messages == []


@pytest.mark.parametrize("tls", ["starttls", "starttls-offered", "implicit"])
async def test_a_certificate_that_is_not_valid_for_us(connect, new_mail, tls) -> None:
    async with Inbox(tls=tls) as inbox, Inbox(tls=tls) as other:
        outcome = await connect(inbox, ca_file=other.ca_file).send(new_mail(), OpenGate())
        assert isinstance(outcome, AccountFault)
        assert "smtp.ca_file" in outcome.reason
        assert inbox.messages == []
    async with Inbox(tls=tls, certificate_names=("elsewhere.test",)) as inbox:
        outcome = await connect(inbox).send(new_mail(), OpenGate())
        assert isinstance(outcome, AccountFault)
        assert inbox.messages == []


async def test_system_cas_are_those_of_ssl_cert_file(connect, new_mail, monkeypatch) -> None:
    async with Inbox(tls="implicit") as inbox:
        assert isinstance(await connect(inbox, ca_file=None).send(new_mail(), OpenGate()), AccountFault)
        monkeypatch.setenv("SSL_CERT_FILE", str(inbox.ca_file))
        assert isinstance(await connect(inbox, ca_file=None).send(new_mail(), OpenGate()), Delivered)


async def test_tls_files_that_cannot_be_used_are_named(connect, new_mail, tmp_path) -> None:
    broken = tmp_path / "broken.pem"
    broken.write_text("not a certificate")
    async with Inbox(tls="starttls") as inbox:
        for path in (tmp_path / "missing.pem", broken):
            outcome = await connect(inbox, ca_file=path).send(new_mail(), OpenGate())
            assert isinstance(outcome, AccountFault)
            assert f"smtp.ca_file {path}" in outcome.reason
            changes = {"client_cert": path, "client_key": path}
            outcome = await connect(inbox, **changes).send(new_mail(), OpenGate())
            assert isinstance(outcome, AccountFault)
            assert f"smtp.client_cert {path}" in outcome.reason


async def test_a_ca_file_that_is_replaced_is_read_again(connect, new_mail, tmp_path, clock) -> None:
    async with Inbox(tls="starttls") as inbox, Inbox(tls="starttls") as other:
        ca_file = tmp_path / "ca.pem"
        ca_file.write_bytes(other.ca_file.read_bytes())
        mailer = connect(inbox, ca_file=ca_file)
        assert isinstance(await mailer.send(new_mail(), OpenGate()), AccountFault)
        replacement = tmp_path / "new.pem"
        replacement.write_bytes(inbox.ca_file.read_bytes())
        replacement.rename(ca_file)
        clock.now += 10
        async with mailer.admit():
            assert isinstance(await mailer.send(new_mail(), OpenGate()), Delivered)


@pytest.mark.parametrize("tls", ["starttls", "implicit"])
async def test_client_certificates(connect, new_mail, tls) -> None:
    async with Inbox(tls=tls, client_certs="required") as inbox:
        certificate, key = inbox.client_certificate("mailer")
        mailer = connect(inbox, client_cert=certificate, client_key=key)
        assert isinstance(await mailer.send(new_mail(), OpenGate()), Delivered)
        assert inbox.messages[0].client_name == "mailer"
        outcome = await connect(inbox).send(new_mail(), OpenGate())
        assert isinstance(outcome, Temporary | AccountFault)
        assert len(inbox.messages) == 1


async def test_tls_against_a_port_that_wants_starttls_is_explained(connect, new_mail) -> None:
    async with Inbox() as inbox:
        outcome = await connect(inbox, tls="implicit", ca_file=None).send(new_mail(), OpenGate())
        assert isinstance(outcome, AccountFault)
        assert 'smtp.tls = "starttls"' in outcome.reason


# Names and addresses


async def test_what_we_call_ourselves(connect, new_mail) -> None:
    async with Inbox() as inbox:
        mailer = connect(inbox, helo_hostname="mailer.example.com")
        assert isinstance(await mailer.send(new_mail(), OpenGate()), Delivered)
        assert "1 C: EHLO mailer.example.com" in inbox.transcript


@pytest.mark.parametrize(
    ("hostname", "sockname", "expected"),
    [
        ("host.example.com", ("127.0.0.1", 1), "host.example.com"),
        ("host", ("192.0.2.7", 1), "[192.0.2.7]"),
        ("host", ("fe80::1%eth0", 1, 0, 0), "[IPv6:fe80::1]"),
        ("hö.st", None, "[127.0.0.1]"),
    ],
)
def test_own_name(monkeypatch, hostname, sockname, expected) -> None:
    monkeypatch.setattr("socket.gethostname", lambda: hostname)
    assert own_name(sockname) == expected


async def test_a_refused_name_says_which_setting_changes_it(connect, new_mail) -> None:
    async with Inbox() as inbox:
        inbox.faults.on("EHLO", Reply(550, "5.7.1 bad name"))
        outcome = await connect(inbox).send(new_mail(), OpenGate())
        assert isinstance(outcome, AccountFault)
        assert "smtp.helo_hostname" in outcome.reason


async def test_a_server_without_ehlo(connect, new_mail) -> None:
    async with Inbox() as inbox:
        inbox.faults.on("EHLO", Reply(502, "not implemented"))
        assert isinstance(await connect(inbox).send(new_mail(), OpenGate()), Delivered)


@pytest.mark.parametrize("host", ["::1", "[::1]"])
@pytest.mark.parametrize("tls", ["none", "starttls", "implicit"])
async def test_ipv6(connect, new_mail, host, tls) -> None:
    async with Inbox(host="::1", tls=tls) as inbox:
        assert isinstance(await connect(inbox, host=host).send(new_mail(), OpenGate()), Delivered)


async def test_an_http_proxy_is_nothing_to_smtp(connect, new_mail, monkeypatch) -> None:
    for name in ("HTTPS_PROXY", "HTTP_PROXY", "ALL_PROXY", "https_proxy", "all_proxy"):
        monkeypatch.setenv(name, "http://127.0.0.1:1")
    async with Inbox() as inbox:
        assert isinstance(await connect(inbox).send(new_mail(), OpenGate()), Delivered)


async def test_a_name_that_does_not_exist(connect, new_mail) -> None:
    async with Inbox() as inbox:
        outcome = await connect(inbox, host="does-not-exist.invalid").send(new_mail(), OpenGate())
        assert isinstance(outcome, Temporary)
        assert "the name does-not-exist.invalid is not known: check smtp.host and DNS" in outcome.reason


# check


async def test_verify_tells_what_it_found(connect) -> None:
    async with Inbox(tls="starttls", passwords={"me": "secret"}, max_size=20_000_000) as inbox:
        findings = await connect(inbox).verify()
        assert all(finding.good for finding in findings)
        assert [finding.subject for finding in findings] == ["connection", "TLS", "login", "size"]
        assert "TLSv1.3, certificate valid until 2" in findings[1].detail
        assert findings[2].detail == "as me by PLAIN"
        assert findings[3].detail == "takes messages up to 20,000 kB"
        assert inbox.commands["MAIL"] == 0
        assert inbox.commands["QUIT"] == 1
        inbox.faults.refuse_login = True
        findings = await connect(inbox).verify()
        assert [finding.good for finding in findings] == [True, True, False]
        assert "535" in findings[-1].detail
        await inbox.stop_listening()
        [finding] = await connect(inbox).verify()
        assert not finding.good
        assert "refused" in finding.detail


# PIPELINING that is offered and not meant


@pytest.mark.parametrize("first", ["accepted", "refused"])
@pytest.mark.usefixtures("silence_passes")
async def test_a_group_of_which_all_but_the_first_is_thrown_away_is_the_last(
    connect, new_mail, pipelining, first
) -> None:
    async with Inbox() as inbox:
        inbox.faults.drops_commands = True
        if first == "refused":
            inbox.faults.on("MAIL", Reply(452, "4.3.1 disk full"), times=1)
        mailer = connect(inbox, max_connections=1)
        with structlog.testing.capture_logs() as logs:
            outcome = await mailer.send(new_mail(), OpenGate())
            for _ in range(5):
                assert isinstance(await mailer.send(new_mail(), OpenGate()), Delivered)
        assert isinstance(outcome, Temporary if pipelining or first == "refused" else Delivered)
        assert inbox.connections.total == (2 if pipelining else 1)
        said = [entry["event"] for entry in logs if entry["log_level"] == "warning"]
        assert said == ["mail server does not mean PIPELINING"] * pipelining
        assert not mailer.paused


@pytest.mark.usefixtures("silence_passes")
async def test_connections_that_stand_when_that_is_found_out_go_one_by_one_too(connect, new_mail) -> None:
    async with Inbox() as inbox:
        mailer = connect(inbox, max_connections=3)
        inbox.faults.delay = 0.005  # long enough for several to wait at once
        await asyncio.gather(*(mailer.send(new_mail(), OpenGate()) for _ in range(6)))
        inbox.faults.delay = 0
        inbox.faults.drops_commands = True
        await mailer.send(new_mail(), OpenGate())
        outcomes = await asyncio.gather(*(mailer.send(new_mail(), OpenGate()) for _ in range(6)))
        assert [outcome for outcome in outcomes if not isinstance(outcome, Delivered)] == []


@pytest.mark.usefixtures("silence_passes")
async def test_no_pipelining_at_all_where_the_settings_say_so(connect, new_mail) -> None:
    async with Inbox() as inbox:
        inbox.faults.drops_commands = True
        mailer = connect(inbox, pipelining=False)
        for _ in range(3):
            assert isinstance(await mailer.send(new_mail(), OpenGate()), Delivered)
        assert inbox.connections.total == 1


@pytest.mark.usefixtures("silence_passes")
async def test_silence_from_the_first_command_on_says_nothing_about_pipelining(connect, new_mail) -> None:
    async with Inbox() as inbox:
        inbox.faults.on("MAIL", Silence(), times=1)
        mailer = connect(inbox)
        with structlog.testing.capture_logs() as logs:
            assert isinstance(await mailer.send(new_mail(), OpenGate()), Temporary)
        assert [entry for entry in logs if entry["log_level"] == "warning"] == []


async def test_verify_tries_sender_and_recipient_and_sends_nothing(connect) -> None:
    async with Inbox() as inbox:

        async def tried(**changes: object) -> list[tuple[bool, bool, str, str]]:
            findings = await connect(inbox, **changes).verify("teleport@example.com", "bob@example.com")
            return [(found.good, found.odd, found.subject, found.detail) for found in findings[2:]]

        size = (True, False, "size", "takes messages up to 10,240 kB")
        needless = (True, False, "login", "none needed")
        nameless = (True, True, "login", "none: smtp.username is empty")
        sender = (True, False, "sender", "teleport@example.com is accepted")
        recipient = (True, False, "recipient", "bob@example.com is accepted")
        assert await tried() == [needless, size, sender, recipient]
        assert (inbox.commands["RCPT"], inbox.commands["RSET"]) == (1, 1)

        inbox.faults.on("MAIL", Reply(550, "5.7.60 SendAsDenied"), times=1)
        said = "teleport@example.com: the mail server answered 550 5.7.60 SendAsDenied to MAIL FROM"
        assert await tried() == [nameless, size, (False, False, "sender", said)]

        inbox.faults.on("RCPT", Reply(554, "5.7.1 Relay access denied"), times=1)
        said = "bob@example.com: the mail server answered 554 5.7.1 Relay access denied to RCPT TO"
        assert await tried() == [nameless, size, sender, (False, False, "recipient", said)]

        inbox.faults.on("RCPT", Reply(451, "4.7.1 greylisted"), times=1)
        *_, last = await tried()
        assert last[:3] == (True, True, "recipient")
        assert "451 4.7.1 greylisted" in last[3]

        inbox.faults.on("RCPT", Reply(554, "5.7.1 no"), times=1)
        [login, *_] = await tried(username="me", auth="none")
        assert login[3] == 'none: smtp.auth is "none"'
        assert inbox.commands["DATA"] == 0


@pytest.mark.parametrize(
    ("limit", "good", "said"),
    [(39_999, False, "40 kB only"), (500, False, "0.5 kB"), (40_000, True, "40 kB")],
)
async def test_verify_wants_room_for_a_message(connect, limit, good, said) -> None:
    async with Inbox(max_size=limit) as inbox:
        [size] = [found for found in await connect(inbox).verify() if found.subject == "size"]
        assert size.good is good
        assert said in size.detail


@pytest.mark.parametrize("tls", ["starttls", "implicit"])
@pytest.mark.parametrize("fault", ["stranger", "stranger to ours", "name"])
async def test_verify_tells_a_fault_of_the_certificate_under_tls(
    connect, stack, tmp_path, tls, fault
) -> None:
    names = ("mail.example.com",) if fault == "name" else LOOPBACK_NAMES
    inbox = await stack.enter_async_context(Inbox(tls=tls, certificate_names=names))
    changes = {}
    if fault == "stranger":
        changes = {"ca_file": None}
    elif fault == "stranger to ours":
        other = await stack.enter_async_context(Inbox(tls=tls))
        changes = {"ca_file": other.ca_file}
    *_, found = await connect(inbox, **changes).verify("teleport@example.com", "bob@example.com")
    assert (found.good, found.subject) == (False, "TLS")
    assert {
        "stranger": "name that CA in smtp.ca_file",
        "stranger to ours": f"is not in smtp.ca_file ({changes.get('ca_file')})",
        "name": "set smtp.host to a name that the certificate has",
    }[fault] in found.detail


async def test_verify_says_where_it_ends(connect) -> None:
    async with Inbox(tls="starttls", passwords={"me": "secret"}) as inbox:
        for verb, subject in (
            ("CONNECT", "connection"),
            ("EHLO", "session"),
            ("STARTTLS", "TLS"),
            ("AUTH", "login"),
        ):
            inbox.faults.on(verb, Reply(454, "4.0.0 not now"), times=1)
            *_, found = await connect(inbox).verify()
            assert (found.good, found.subject) == (False, subject)
        inbox.faults.hide_starttls = True
        *_, found = await connect(inbox).verify()
        assert (found.good, found.subject) == (False, "TLS")


async def test_verify_names_nobody_whom_the_server_could_not_be_told(connect) -> None:
    async with Inbox() as inbox:
        *_, sender, recipient = await connect(inbox).verify("teleport@example.com", "jürgen@example.com")
        assert sender.good
        assert (recipient.good, recipient.subject) == (False, "recipient")
        assert "SMTPUTF8" in recipient.detail
        *_, sender = await connect(inbox).verify("jürgen@example.com", "bob@example.com")
        assert (sender.good, sender.subject) == (False, "sender")
        assert inbox.commands["RCPT"] == 0


async def test_a_connection_that_has_had_its_messages_is_replaced(connect, new_mail) -> None:
    """OpenSMTPD says it by 452 and lets the connection stand, to say it again."""
    async with Inbox() as inbox:
        spent = inbox.faults.on(
            "MAIL", Reply(452, "4.5.3 Too many recipients: Too many messages sent"), after=2
        )
        mailer = connect(inbox, max_connections=1)
        for _ in range(2):
            assert isinstance(await mailer.send(new_mail(), OpenGate()), Delivered)
        spent.times = 1
        assert isinstance(await mailer.send(new_mail(), OpenGate()), Delivered)
        assert (spent.used, inbox.connections.total) == (1, 2)
        assert not mailer.paused
        spent.times = None
        assert isinstance(await mailer.send(new_mail(), OpenGate()), Temporary)
