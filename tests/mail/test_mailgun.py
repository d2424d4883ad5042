"""Sending by Mailgun to a real HTTP server: every answer, every fault, before and after the last byte."""

from __future__ import annotations

import asyncio
import random
from collections.abc import AsyncIterator, Callable
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime

import httpx
import pytest

from teleport_email.config.settings import Secret
from teleport_email.core.model import AccountFault, Declined, Delivered, Refused, Temporary, Withdrawn
from teleport_email.mail.mailer import OpenGate
from teleport_email.mail.mailgun import MailgunMailer, _wait
from teleport_email.mail.message import build
from teleport_email.sandbox.front.gateways import ConnectProxy
from teleport_email.sandbox.mail.mail_certificates import MailAuthority
from teleport_email.sandbox.mail.mailgun import Answer, Cut, MailgunServer, Silence, Wait, rate_limited

NOW = datetime(2026, 11, 22, 18, 30, tzinfo=UTC)


@pytest.fixture
async def connect(clock) -> AsyncIterator[Callable[..., MailgunMailer]]:
    mailers: list[MailgunMailer] = []

    def make(server: MailgunServer, *, environ=None, **changes) -> MailgunMailer:
        mailer = MailgunMailer(
            server.settings(**changes),
            clock=clock,
            random=random.Random(1),
            environ=environ or {},
            now=lambda: NOW,
        )
        mailers.append(mailer)
        return mailer

    yield make
    for mailer in mailers:
        await mailer.close()


async def test_the_same_bytes_as_by_smtp_with_all_options_explicit(connect, new_mail) -> None:
    async with MailgunServer() as server:
        mail = new_mail()
        outcome = await connect(server).send(mail, OpenGate())
        assert outcome == Delivered(f"<{mail.message_id}> Queued. Thank you.")
        [received] = server.messages
        assert received.raw == build(mail)
        assert received.envelope_to == ("bob@example.com",)
        assert dict(received.options) == {
            "o:tracking": ("no",),
            "o:tracking-clicks": ("no",),
            "o:tracking-opens": ("no",),
            "o:require-tls": ("yes",),
            "o:skip-verification": ("no",),
        }


async def test_tls_to_the_recipients_server_can_be_left_to_it(connect, new_mail) -> None:
    async with MailgunServer() as server:
        assert isinstance(await connect(server, require_tls=False).send(new_mail(), OpenGate()), Delivered)
        assert server.messages[0].options["o:require-tls"] == ("no",)


async def test_https_against_the_system_s_cas(connect, new_mail, monkeypatch) -> None:
    async with MailgunServer(tls=True) as server:
        outcome = await connect(server).send(new_mail(), OpenGate())
        assert isinstance(outcome, Temporary)
        assert not outcome.maybe_accepted
        assert "CERTIFICATE_VERIFY_FAILED" in outcome.reason
        monkeypatch.setenv("SSL_CERT_FILE", str(server.ca_file))
        assert isinstance(await connect(server).send(new_mail(), OpenGate()), Delivered)


async def test_a_slash_in_the_domain_does_not_change_the_path(connect, new_mail) -> None:
    async with MailgunServer() as server:
        outcome = await connect(server, domain="mg.example.com/x").send(new_mail(), OpenGate())
        assert isinstance(outcome, AccountFault)
        assert "404" in outcome.reason


@pytest.mark.parametrize(
    ("answer", "expected", "maybe", "paused"),
    [
        (Answer(400, json={"message": "'to' parameter is not a valid address"}), Declined, False, True),
        (Answer(400, json={"message": "'from' parameter is not a valid address"}), Declined, False, True),
        (Answer(400, json={"message": "550 5.1.1 no such user"}), Refused, False, False),
        (Answer(403, json={"message": "5.1.10 null MX"}), Refused, False, False),
        (Answer(413, "too large"), Declined, False, True),
        (Answer(401, "Forbidden"), AccountFault, False, True),
        (Answer(402, json={"message": "payment required"}), AccountFault, False, True),
        (Answer(403, json={"message": "domain is disabled"}), Declined, False, True),
        (Answer(404, json={"message": "Domain not found"}), AccountFault, False, True),
        (rate_limited(20), Temporary, False, True),
        (Answer(500, "oops"), Temporary, True, False),
        (Answer(502, "<html>bad gateway</html>"), Temporary, True, False),
        (Answer(503, json={"message": "try later"}, keep=True), Temporary, True, False),
        (Answer(200, "Mailgun Magnificent API"), Temporary, True, True),
        (Answer(200, json={"message": "Queued"}), Temporary, True, True),
        (Answer(200, json=["id"]), Temporary, True, True),
        (Answer(302, "elsewhere", headers=(("Location", "https://example.com/"),)), Temporary, False, True),
    ],
)
async def test_answers(connect, new_mail, clock, answer, expected, maybe, paused) -> None:
    async with MailgunServer() as server:
        mailer = connect(server)
        rule = server.faults.on("SEND", answer)
        mail = new_mail()
        outcome = await mailer.send(mail, OpenGate())
        assert type(outcome) is expected
        assert str(answer.status) in outcome.reason
        assert getattr(outcome, "maybe_accepted", False) == maybe
        assert bool(mailer.paused) == paused
        assert len(server.messages) == answer.keep
        rule.remove()
        clock.now += 30
        async with mailer.admit():
            assert isinstance(await mailer.send(mail, OpenGate()), Delivered)
        assert not mailer.paused
        assert {received.raw for received in server.messages} == {build(mail)}


async def test_a_wrong_key_is_never_shown(connect, new_mail) -> None:
    async with MailgunServer() as server:
        mailer = connect(server, private_key=Secret("key-wrong"))
        outcome = await mailer.send(new_mail(), OpenGate())
        assert isinstance(outcome, AccountFault)
        assert "mailgun.private_key" in outcome.reason
        assert "key-wrong" not in mailer.paused + repr(outcome)


async def test_a_wait_that_the_server_asks_for_is_kept_by_all(connect, new_mail, clock) -> None:
    async with MailgunServer() as server:
        mailer = connect(server)
        server.faults.on("SEND", rate_limited(120), times=1)
        outcome = await mailer.send(new_mail(), OpenGate())
        assert isinstance(outcome, Temporary)
        assert outcome.retry_after == 120
        assert mailer.next_probe_in == 120
        other = await mailer.send(new_mail(), OpenGate())
        assert isinstance(other, Temporary)
        assert sum(server.answers.values()) == 1


@pytest.mark.parametrize(
    ("headers", "said", "seconds"),
    [
        ({"Retry-After": "7"}, "in 9 seconds", 7),
        ({"Retry-After": format_datetime(NOW + timedelta(seconds=90), usegmt=True)}, "", 90),
        ({"Retry-After": format_datetime(NOW - timedelta(seconds=90), usegmt=True)}, "", 0),
        ({"Retry-After": "soon"}, "", None),
        ({"X-RateLimit-Reset": f"{NOW.timestamp() + 40:.0f}"}, "", 40),
        ({"X-RateLimit-Reset": f"{NOW.timestamp() * 1000 + 40_000:.0f}"}, "", 40),
        ({}, "Too many requests. Please try again in 12 seconds", 12),
        ({}, "try later", None),
    ],
)
def test_how_long_to_wait(headers, said, seconds) -> None:
    assert _wait(httpx.Headers(headers), said, NOW) == seconds


@pytest.mark.parametrize("keep", [False, True])
@pytest.mark.parametrize("fault", [Cut, Silence])
@pytest.mark.usefixtures("silence_passes")
async def test_no_answer_after_the_last_byte_may_have_sent_it(connect, new_mail, fault, keep) -> None:
    async with MailgunServer() as server:
        mailer = connect(server)
        server.faults.on("SEND", fault(keep=keep), times=1)
        mail = new_mail()
        outcome = await mailer.send(mail, OpenGate())
        assert isinstance(outcome, Temporary)
        assert outcome.maybe_accepted
        assert not mailer.paused
        assert isinstance(await mailer.send(mail, OpenGate()), Delivered)
        assert len(server.messages) == 1 + keep
        assert {received.raw for received in server.messages} == {build(mail)}


async def test_an_unreachable_service_is_definite_and_pauses(connect, new_mail, clock) -> None:
    server = MailgunServer()
    async with server:
        mailer = connect(server)
    outcome = await mailer.send(new_mail(), OpenGate())
    assert isinstance(outcome, Temporary)
    assert not outcome.maybe_accepted
    assert mailer.paused == outcome.reason
    assert 0 < mailer.next_probe_in <= 1


async def test_nothing_is_finished_through_a_closed_gate(connect, new_mail, strict_gate) -> None:
    async with MailgunServer() as server:
        mailer = connect(server)
        gate = strict_gate(finish=False)
        assert isinstance(await mailer.send(new_mail(), gate), Withdrawn)
        assert gate.asked_to_finish.is_set()
        assert isinstance(await mailer.send(new_mail(), strict_gate(begin=False)), Withdrawn)
        assert not mailer.paused
        assert isinstance(await mailer.send(new_mail(), OpenGate()), Delivered)
        assert len(server.messages) == 1


async def test_a_call_that_waits_for_its_turn_ends_with_its_gate(connect, new_mail) -> None:
    async with MailgunServer() as server:
        mailer = connect(server)
        calls: list[str] = []
        all_there = asyncio.Event()

        def count(recipient: str) -> bool:
            calls.append(recipient)
            if len(calls) == 8:
                all_there.set()
            return True

        server.faults.on("SEND", Silence(), recipient=count)
        first = [asyncio.create_task(mailer.send(new_mail(), OpenGate())) for _ in range(8)]
        gate = OpenGate()
        waiting = asyncio.create_task(mailer.send(new_mail(), gate))
        await asyncio.sleep(0)
        gate.closed.set_result(None)
        assert isinstance(await waiting, Withdrawn)
        await asyncio.wait_for(all_there.wait(), 60)
        await server.close()
        for outcome in await asyncio.gather(*first):
            assert isinstance(outcome, Temporary)
            assert outcome.maybe_accepted


@pytest.mark.parametrize("how", ["cancel", "close"])
async def test_after_the_last_byte_nothing_cuts_the_wait_short(connect, new_mail, how) -> None:
    async with MailgunServer() as server:
        mailer = connect(server)
        arrived = asyncio.Event()
        server.faults.on(
            "SEND", Wait(0.1), recipient=lambda _: bool(arrived.set()) or True
        )  # the predicate sees the call come in
        gate = OpenGate()
        send = asyncio.create_task(mailer.send(new_mail(), gate))
        await asyncio.wait_for(arrived.wait(), 60)
        if how == "close":
            gate.closed.set_result(None)
        else:
            send.cancel()
        assert isinstance(await send, Delivered)


async def test_many_at_once_are_bounded(connect, new_mail) -> None:
    async with MailgunServer() as server:
        server.faults.delay = 0.01
        mailer = connect(server)
        outcomes = await asyncio.gather(*(mailer.send(new_mail(), OpenGate()) for _ in range(40)))
        assert {type(outcome) for outcome in outcomes} == {Delivered}
        assert len({received.peer for received in server.messages}) <= 8


async def test_through_a_proxy_unless_excluded(connect, new_mail) -> None:
    seen: list[bytes] = []

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        head = await reader.readuntil(b"\r\n\r\n")
        seen.append(head)
        writer.write(b"HTTP/1.1 407 Proxy Authentication Required\r\nContent-Length: 0\r\n\r\n")
        await writer.drain()
        writer.close()

    proxy = await asyncio.start_server(serve, "127.0.0.1", 0)
    environ = {"HTTPS_PROXY": f"http://me:secret@127.0.0.1:{proxy.sockets[0].getsockname()[1]}"}
    async with MailgunServer() as server:
        mailer = connect(server, environ=environ, api_base="https://api.mailgun.invalid")
        outcome = await mailer.send(new_mail(), OpenGate())
        assert isinstance(outcome, Temporary)
        assert not outcome.maybe_accepted
        assert "407" in outcome.reason
        assert "secret" not in outcome.reason
        assert seen[0].startswith(b"CONNECT api.mailgun.invalid:443 ")
        assert b"Proxy-Authorization: Basic bWU6c2VjcmV0" in seen[0]
        # A loopback address is not asked of a proxy.
        assert isinstance(await connect(server, environ=environ).send(new_mail(), OpenGate()), Delivered)
    proxy.close()
    await proxy.wait_closed()
    assert len(seen) == 1


@pytest.mark.parametrize("proxy_tls", [False, True], ids=["http", "https"])
async def test_delivered_through_a_proxy(connect, new_mail, tmp_path, monkeypatch, proxy_tls) -> None:
    """TLS with Mailgun goes through the tunnel; only the proxy can resolve the name."""
    authority = MailAuthority("CA of the proxy")
    proxy = ConnectProxy(
        credentials=("me", "secret"),
        tls=authority if proxy_tls else None,
        hosts={"mailgun.invalid": "127.0.0.1"},
    )
    async with MailgunServer(tls=True, names=("mailgun.invalid",)) as server, proxy:
        (tmp_path / "cas.pem").write_bytes(server.authority.ca_pem + authority.ca_pem)
        monkeypatch.setenv("SSL_CERT_FILE", str(tmp_path / "cas.pem"))
        scheme = "https" if proxy_tls else "http"
        environ = {"HTTPS_PROXY": f"{scheme}://me:secret@{proxy.addr}", "NO_PROXY": "10.0.0.0/8,.example"}
        port = server.url.rpartition(":")[2]
        mailer = connect(server, environ=environ, api_base=f"https://mailgun.invalid:{port}")
        for _ in range(2):
            assert isinstance(await mailer.send(new_mail(), OpenGate()), Delivered)
        assert all(finding.good for finding in await mailer.verify())
        assert len(server.messages) == 2
        assert set(proxy.tunnels) == {f"mailgun.invalid:{port}"}
        await mailer.close()


async def test_a_proxy_variable_that_is_none_is_said(connect, new_mail) -> None:
    async with MailgunServer() as server:
        mailer = connect(server, environ={"HTTPS_PROXY": "ftp://x:geheim@y"}, api_base="https://a.invalid")
        outcome = await mailer.send(new_mail(), OpenGate())
        assert isinstance(outcome, Temporary)
        assert "HTTPS_PROXY" in outcome.reason
        assert "geheim" not in outcome.reason


async def test_verify_sends_nothing(connect, new_mail) -> None:
    async with MailgunServer() as server:
        findings = await connect(server).verify()
        assert [(finding.good, finding.subject) for finding in findings] == [
            (True, "connection"),
            (True, "domain"),
        ]
        [_, fault] = await connect(server, private_key=Secret("wrong")).verify()
        assert not fault.good
        assert "401" in fault.detail
        [_, fault] = await connect(server, domain="other.example.com").verify()
        assert not fault.good
        assert 'region = "eu"' in fault.detail
        [_, fault] = await connect(server, api_base=f"{server.url}/x").verify()
        assert not fault.good
        assert server.messages == []
        gone = connect(server)
    [fault] = await gone.verify()
    assert not fault.good
    assert fault.subject == "connection"
