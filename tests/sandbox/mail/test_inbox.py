"""The inbox as an SMTP server: what it keeps, who may send, and every fault that it can play."""

from __future__ import annotations

import asyncio
import base64
import contextlib
import ssl

import aiosmtplib
import pytest

from teleport_email.sandbox.mail.inbox import Inbox
from teleport_email.sandbox.mail.smtp_faults import Cut, Reply, Silence, Wait

MAIL = b"Subject: hello\r\nMessage-ID: <1@example.com>\r\n\r\n.dot first\r\nbody \xc3\xa9\r\n"
USER = {"bot@example.com": "secret"}


@contextlib.asynccontextmanager
async def client(inbox: Inbox, **options):
    options = {"hostname": inbox.host, "port": inbox.port, "timeout": 5, "start_tls": False, **options}
    smtp = aiosmtplib.SMTP(**options)
    await smtp.connect()
    try:
        yield smtp
    finally:
        smtp.close()


def trusting(inbox: Inbox, **options) -> ssl.SSLContext:
    return ssl.create_default_context(cadata=inbox.authority.ca_pem.decode(), **options)


async def send(smtp: aiosmtplib.SMTP, *to: str, sender: str = "bot@example.com", mail: bytes = MAIL) -> str:
    """One transaction, verb by verb; the reply to the dot."""
    await smtp.mail(sender)
    for address in to or ("alice@example.com",):
        await smtp.rcpt(address)
    return (await smtp.data(mail)).message


class Lines:
    """A client that writes lines and reads replies."""

    def __init__(self, inbox: Inbox) -> None:
        self._inbox = inbox

    async def __aenter__(self):
        self.reader, self.writer = await asyncio.open_connection(self._inbox.host, self._inbox.port)
        return self

    async def __aexit__(self, *exc):
        self.writer.close()

    async def read(self) -> str:
        async with asyncio.timeout(60):
            return (await self.reader.readline()).decode().rstrip()

    async def say(self, line: str) -> str:
        self.writer.write(line.encode() + b"\r\n")
        reply = await self.read()
        while reply[3:4] == "-":
            reply = await self.read()
        return reply


async def test_keeps_the_very_bytes_and_who_they_were_for():
    async with Inbox() as inbox, client(inbox) as smtp:
        answer = await send(smtp, "alice@example.com", "bob@example.com")
        assert answer.endswith("queued as 1")
        [mail] = await inbox.wait_for(1)
    assert mail.raw == MAIL
    assert (mail.envelope_from, mail.envelope_to) == (
        "bot@example.com",
        ("alice@example.com", "bob@example.com"),
    )
    assert (mail.subject, mail.message_id, mail.session, mail.tls) == ("hello", "1@example.com", 1, "")
    assert mail.acknowledged
    assert inbox.commands["DOT"] == 1


async def test_wait_for_counts_predicates_and_says_what_came():
    async with Inbox() as inbox, client(inbox) as smtp:
        waiting = asyncio.ensure_future(inbox.wait_for(2))
        named = asyncio.ensure_future(
            inbox.wait_for(lambda mails: any(m.to == "bob@example.com" for m in mails))
        )
        await send(smtp)
        assert not waiting.done()
        await send(smtp, "bob@example.com")
        assert [mail.to for mail in await waiting] == ["alice@example.com", "bob@example.com"]
        assert len(await named) == 2
        with pytest.raises(TimeoutError, match=r"2 messages came .*bob@example.com: hello"):
            await inbox.wait_for(3, timeout=0.01)


async def test_counts_connections_and_messages_on_them():
    async with Inbox() as inbox:
        async with client(inbox) as one, client(inbox) as two:
            await send(one)
            await send(one)
            await send(two)
            await two.quit()
        await inbox.until(lambda box: box.connections.current == 0)
        assert (inbox.connections.highest, inbox.connections.total) == (2, 2)
        assert dict(inbox.connections.messages) == {1: 2, 2: 1}


async def test_ipv6():
    async with Inbox(host="::1") as inbox, client(inbox) as smtp:
        await send(smtp)
        assert inbox.messages[0].peer.startswith("[::1]:")
        assert inbox.address == f"[::1]:{inbox.port}"


async def test_keeps_no_more_than_asked_but_counts_all():
    async with Inbox(keep=2) as inbox, client(inbox) as smtp:
        for _ in range(3):
            await send(smtp)
        assert [mail.number for mail in inbox.messages] == [2, 3]
        assert len(await inbox.wait_for(3)) == 2


async def test_starttls_is_mandatory_or_offered():
    async with Inbox(tls="starttls") as inbox, client(inbox) as smtp:
        with pytest.raises(aiosmtplib.SMTPResponseException) as refused:
            await smtp.mail("bot@example.com")
        assert refused.value.code == 530
        await smtp.starttls(tls_context=trusting(inbox))
        await send(smtp)
        assert inbox.messages[0].tls == "TLSv1.3"
    async with Inbox(tls="starttls-offered") as inbox, client(inbox) as smtp:
        await smtp.ehlo()
        assert smtp.supports_extension("starttls")
        await send(smtp)
        assert inbox.messages[0].tls == ""


async def test_implicit_tls_with_an_untrusted_certificate_and_a_trusted_one():
    async with Inbox(tls="implicit") as inbox:
        with pytest.raises(aiosmtplib.SMTPConnectError):
            async with client(inbox, use_tls=True, start_tls=None):
                pass
        async with client(inbox, use_tls=True, start_tls=None, tls_context=trusting(inbox)) as smtp:
            await send(smtp)
        assert inbox.messages[0].tls == "TLSv1.3"


async def test_a_certificate_for_another_name():
    async with Inbox(tls="implicit", certificate_names=("mail.example.org",)) as inbox:
        with pytest.raises(aiosmtplib.SMTPConnectError, match=r"(?i)verify failed"):
            async with client(inbox, use_tls=True, start_tls=None, tls_context=trusting(inbox)):
                pass


@pytest.mark.parametrize("tls", ["starttls", "implicit"])
async def test_client_certificates(tls):
    async with Inbox(tls=tls, client_certs="wanted") as inbox:
        context = trusting(inbox)
        context.load_cert_chain(*inbox.client_certificate("mailer"))
        options = {"use_tls": True, "start_tls": None} if tls == "implicit" else {"start_tls": True}
        async with client(inbox, tls_context=context, **options) as smtp:
            await send(smtp)
        async with client(inbox, tls_context=trusting(inbox), **options) as smtp:
            await send(smtp)
        assert [mail.client_name for mail in inbox.messages] == ["mailer", ""]
        assert inbox.client_certificate("other")[1].stat().st_mode & 0o777 == 0o600


@pytest.mark.parametrize("method", ["auth_plain", "auth_login"])
async def test_passwords(method):
    async with Inbox(tls="starttls", passwords=USER) as inbox, client(inbox) as smtp:
        await smtp.ehlo()
        assert not smtp.supports_extension("auth")
        await smtp.starttls(tls_context=trusting(inbox))
        with pytest.raises(aiosmtplib.SMTPResponseException) as refused:
            await smtp.mail("bot@example.com")
        assert refused.value.code == 530
        with pytest.raises(aiosmtplib.SMTPAuthenticationError):
            await getattr(smtp, method)("bot@example.com", "wrong")
        await getattr(smtp, method)("bot@example.com", "secret")
        await send(smtp)
        assert inbox.messages[0].auth_user == "bot@example.com"
        assert not any("secret" in line or "AGJvd" in line for line in inbox.transcript)


async def test_bearer_tokens_longer_than_a_line_of_mail():
    token = "t" * 4000
    async with Inbox(tokens={"bot@example.com": token}) as inbox, client(inbox) as smtp:
        await smtp.ehlo()
        assert smtp.server_auth_methods == ["xoauth2"]
        with pytest.raises(aiosmtplib.SMTPAuthenticationError) as refused:
            await smtp.auth_xoauth2("bot@example.com", "old")
        assert refused.value.code == 535
        await smtp.auth_xoauth2("bot@example.com", token)
        await send(smtp)
        assert inbox.messages[0].auth_user == "bot@example.com"


async def test_xoauth2_in_two_steps_and_given_up():
    async with Inbox(tokens={"bot": "token"}) as inbox, Lines(inbox) as lines:
        assert (await lines.read()).startswith("220")
        await lines.say("EHLO me")
        assert (await lines.say("AUTH XOAUTH2")).startswith("334")
        assert (await lines.say("*")).startswith("501")
        assert (await lines.say("AUTH XOAUTH2")).startswith("334")
        blob = base64.b64encode(b"user=bot\x01auth=Bearer token\x01\x01").decode()
        assert (await lines.say(blob)).startswith("235")


async def test_size_is_announced_and_held_to():
    async with Inbox(max_size=100) as inbox, client(inbox) as smtp:
        await smtp.ehlo()
        assert smtp.esmtp_extensions["size"] == "100"
        with pytest.raises(aiosmtplib.SMTPResponseException) as refused:
            await smtp.mail("bot@example.com", options=["SIZE=101"])
        assert refused.value.code == 552
        await smtp.mail("bot@example.com")
        await smtp.rcpt("alice@example.com")
        with pytest.raises(aiosmtplib.SMTPDataError) as refused:
            await smtp.data(b"x\r\n" * 50)
        assert refused.value.code == 552
        assert inbox.messages == []


async def test_lines_that_are_too_long_are_refused():
    async with Inbox() as inbox, client(inbox) as smtp:
        await send(smtp, mail=b"Subject: x\r\n\r\n" + b"y" * 998 + b"\r\n")
        with pytest.raises(aiosmtplib.SMTPDataError):
            await send(smtp, mail=b"Subject: x\r\n\r\n" + b"y" * 999 + b"\r\n")
        assert inbox.received == 1


@pytest.mark.parametrize(
    "raw", [b"", b"\r\n\r\n", b"Subject: =?x?q?\xff?=\r\nContent-Type: /\r\n\r\n\xff\xfe", b"\0\r\n"]
)
async def test_no_message_is_too_odd_to_be_looked_at(raw):
    async with Inbox() as inbox, client(inbox) as smtp:
        await send(smtp, mail=raw)
        [mail] = inbox.messages
        assert isinstance(mail.text + mail.html + mail.subject + mail.message_id, str)
        assert mail.references == ()


# Faults


async def test_refused_connections_and_back_on_the_same_port():
    async with Inbox() as inbox:
        async with client(inbox) as smtp:
            await inbox.stop_listening()
            with pytest.raises(ConnectionRefusedError):
                await asyncio.open_connection(inbox.host, inbox.port)
            await send(smtp)  # those that stand go on
        port = inbox.port
        await inbox.listen_again()
        assert inbox.port == port
        async with client(inbox) as smtp:
            await send(smtp)
        assert inbox.received == 2


async def test_dropped_connections():
    async with Inbox() as inbox, client(inbox) as smtp:
        await send(smtp)
        await inbox.drop_connections()
        assert inbox.connections.current == 0
        with pytest.raises(aiosmtplib.SMTPServerDisconnected):
            await send(smtp)


@pytest.mark.parametrize("code", [421, 451, 554])
async def test_a_greeting_that_sends_away_closes_the_connection(code):
    async with Inbox() as inbox:
        inbox.faults.on("CONNECT", Reply(code, "4.3.2 closing"), times=1)
        async with Lines(inbox) as lines:
            assert await lines.read() == f"{code} 4.3.2 closing"
            assert await lines.read() == ""
            assert inbox.connections.current == 0
        async with Lines(inbox) as lines:
            assert (await lines.read()).startswith("220")


@pytest.mark.parametrize("verb", ["EHLO", "MAIL", "RCPT", "DATA", "DOT"])
async def test_421_at_any_verb_closes_the_connection(verb):
    async with Inbox() as inbox, client(inbox) as smtp:
        rule = inbox.faults.on(verb, Reply(421, "4.3.0 later"))
        with pytest.raises(aiosmtplib.SMTPResponseException) as refused:
            await send(smtp)
        assert refused.value.code == 421
        await inbox.until(lambda box: box.connections.current == 0)
        assert (inbox.received, rule.used) == (0, 1 if verb != "EHLO" else rule.used)


async def test_pipelined_commands_are_answered_in_order_and_the_message_waits_for_the_354():
    async with Inbox() as inbox:
        async with Lines(inbox) as lines:
            await lines.read()
            await lines.say("EHLO me")
            assert any(line.endswith("250-PIPELINING") for line in inbox.transcript)
            lines.writer.write(
                b"MAIL FROM:<a@example.com>\r\nRCPT TO:<b@example.com>\r\nRCPT TO:\r\nDATA\r\n"
            )
            codes = [(await lines.read())[:3] for _ in range(4)]
            assert codes == ["250", "250", "501", "354"]
            lines.writer.write(MAIL + b".\r\nMAIL FROM:<a@example.com>\r\nDATA\r\n")
            assert [(await lines.read())[:3] for _ in range(3)] == ["250", "250", "503"]
        assert inbox.received == 1
        inbox.faults.pipelining = False
        async with client(inbox) as smtp:
            await smtp.ehlo()
            assert not smtp.supports_extension("pipelining")


@pytest.mark.parametrize(("over", "first"), [("421", "421"), ("cut", "")])
async def test_connection_limit(over, first):
    async with Inbox() as inbox:
        inbox.faults.connection_limit = 1
        inbox.faults.over_limit = over
        async with client(inbox) as smtp:
            async with Lines(inbox) as lines:
                try:
                    greeting = await lines.read()
                except ConnectionResetError:
                    greeting = ""
                assert greeting[:3] == first
            await send(smtp)
        await inbox.until(lambda box: box.connections.current == 0)
        async with client(inbox) as smtp:
            await send(smtp)
        assert (inbox.connections.refused, inbox.connections.highest, inbox.received) == (1, 1, 2)


async def test_messages_per_connection():
    async with Inbox() as inbox:
        inbox.faults.messages_per_connection = 2
        async with client(inbox) as smtp:
            await send(smtp)
            await send(smtp)
            with pytest.raises(aiosmtplib.SMTPResponseException) as refused:
                await send(smtp)
            assert refused.value.code == 421
        assert inbox.received == 2


async def test_one_recipient_among_many_so_many_times_and_later():
    async with Inbox() as inbox, client(inbox) as smtp:
        rule = inbox.faults.on(
            "RCPT", Reply(450, "4.2.0 busy"), recipient="BOB@example.com", times=1, after=1
        )
        replies = []
        for _ in range(3):
            await smtp.mail("bot@example.com")
            await smtp.rcpt("alice@example.com")
            try:
                replies.append((await smtp.rcpt("bob@example.com")).code)
            except aiosmtplib.SMTPResponseException as refused:
                replies.append(refused.code)
            await smtp.rset()
        assert replies == [250, 450, 250]
        rule.remove()
        rule.remove()
        assert inbox.faults.rules == []


@pytest.mark.parametrize("verb", ["MAIL", "DATA", "DOT"])
async def test_refusals_leave_the_connection_usable(verb):
    async with Inbox() as inbox, client(inbox) as smtp:
        inbox.faults.on(verb, Reply(554, "5.7.1 no"), times=1)
        with pytest.raises(aiosmtplib.SMTPResponseException) as refused:
            await send(smtp)
        assert refused.value.code == 554
        await smtp.rset()
        await send(smtp)
        assert inbox.received == 1


async def test_greylisting_goes_by_recipient():
    async with Inbox() as inbox, client(inbox) as smtp:
        inbox.faults.greylist = 0.0
        for recipient in ("alice@example.com", "bob@example.com"):
            with pytest.raises(aiosmtplib.SMTPResponseException) as refused:
                await send(smtp, recipient)
            assert refused.value.code == 451
            await smtp.rset()
            await send(smtp, recipient)
        assert inbox.received == 2


async def test_login_refused_until_repaired():
    async with Inbox(passwords=USER) as inbox, client(inbox) as smtp:
        await smtp.ehlo()
        inbox.faults.refuse_login = True
        with pytest.raises(aiosmtplib.SMTPAuthenticationError):
            await smtp.auth_plain("bot@example.com", "secret")
        inbox.faults.refuse_login = False
        await smtp.auth_plain("bot@example.com", "secret")


@pytest.mark.parametrize("keep", [True, False])
@pytest.mark.parametrize("tls", ["none", "starttls", "implicit"])
async def test_cut_after_the_dot_with_and_without_the_mail(keep, tls):
    options = {
        "none": {},
        "starttls": {"start_tls": True},
        "implicit": {"use_tls": True, "start_tls": None},
    }[tls]
    async with Inbox(tls=tls) as inbox:
        if tls != "none":
            options["tls_context"] = trusting(inbox)
        inbox.faults.on("DOT", Cut(keep=keep))
        async with client(inbox, **options) as smtp:
            with pytest.raises(aiosmtplib.SMTPServerDisconnected):
                await send(smtp)
        await inbox.until(lambda box: box.connections.current == 0)
        assert [mail.acknowledged for mail in inbox.messages] == ([False] if keep else [])


async def test_a_refusal_that_kept_the_mail():
    async with Inbox() as inbox, client(inbox) as smtp:
        inbox.faults.on("DOT", Reply(451, "4.3.0 local error", keep=True))
        with pytest.raises(aiosmtplib.SMTPDataError):
            await send(smtp)
        assert inbox.received == 1


@pytest.mark.parametrize("keep", [True, False])
async def test_the_dot_is_never_answered(keep):
    async with Inbox() as inbox, client(inbox, timeout=0.2) as smtp:
        inbox.faults.on("DOT", Silence(keep=keep))
        await smtp.mail("bot@example.com")
        await smtp.rcpt("alice@example.com")
        with pytest.raises(aiosmtplib.SMTPTimeoutError):
            await smtp.data(MAIL)
        assert inbox.received == int(keep)
        smtp.close()
        await inbox.until(lambda box: box.connections.current == 0)


async def test_starttls_that_vanishes_lets_clear_text_through():
    async with Inbox(tls="starttls") as inbox, client(inbox) as smtp:
        inbox.faults.hide_starttls = True
        await smtp.ehlo()
        assert not smtp.supports_extension("starttls")
        await send(smtp)
        assert inbox.messages[0].tls == ""
        async with Lines(inbox) as lines:
            await lines.read()
            await lines.say("EHLO me")
            assert (await lines.say("STARTTLS")).startswith("502")


async def test_delay_and_wait_slow_things_down_only():
    loop = asyncio.get_running_loop()
    async with Inbox() as inbox, client(inbox) as smtp:
        inbox.faults.delay = 0.02
        start = loop.time()
        await send(smtp)
        assert loop.time() - start >= 0.1  # EHLO, MAIL, RCPT, DATA and the dot
        inbox.faults.clear()
        inbox.faults.on("DOT", Wait(0.05), times=1)
        start = loop.time()
        await send(smtp)
        assert loop.time() - start >= 0.05
        assert inbox.received == 2


async def test_chance_comes_from_the_seed():
    def play() -> list[bool]:
        faults = Inbox().faults
        faults.on("MAIL", Reply(451), chance=0.5)
        return [faults.at("MAIL") is not None for _ in range(30)]

    assert play() == play()
    assert True in play()
    assert False in play()


async def test_many_clients_at_once_and_all_of_them_gone_at_close():
    before = asyncio.all_tasks()
    inbox = Inbox(tls="starttls")
    await inbox.start()
    inbox.faults.on("DOT", Silence(keep=True), after=30)

    async def one() -> None:
        with contextlib.suppress(aiosmtplib.SMTPException):
            async with client(inbox, start_tls=True, tls_context=trusting(inbox)) as smtp:
                await send(smtp)

    clients = [asyncio.ensure_future(one()) for _ in range(40)]
    await inbox.wait_for(40)
    ca_file = inbox.ca_file
    await inbox.close()
    await asyncio.gather(*clients)
    assert asyncio.all_tasks() == before
    assert inbox.connections.current == 0
    assert not ca_file.exists()
