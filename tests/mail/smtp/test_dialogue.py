"""Several commands in one go, against servers that answer well, badly, and too much."""

from __future__ import annotations

import asyncio
import contextlib
import itertools
import socket
import ssl
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager

import pytest
from aiosmtplib.protocol import SMTPProtocol

from teleport_email.mail.smtp.dialogue import LONGEST_GROUP, ConnectionGone, Dialogue, Timeouts
from teleport_email.sandbox.mail.mail_certificates import MailAuthority

COMMANDS = ["MAIL FROM:<a@example.com>", "RCPT TO:<b@example.com>", "DATA"]
GOOD = b"250 2.1.0 sender\r\n250 2.1.5 recipient\r\n354 go on\r\n"
Script = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]
Talk = Callable[..., AbstractAsyncContextManager[Dialogue]]


@pytest.fixture
def talk() -> Talk:
    """A dialogue with a server that greets, takes a group of commands and then does as the script says."""

    @asynccontextmanager
    async def begin(script: Script | bytes) -> AsyncIterator[Dialogue]:
        over = asyncio.Event()

        async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            try:
                writer.write(b"220 here\r\n")
                for command in COMMANDS:
                    if await reader.readline() != command.encode() + b"\r\n":
                        return
                if isinstance(script, bytes):
                    writer.write(script)
                else:
                    await script(reader, writer)
                await reader.read()
            except ConnectionError:
                pass
            finally:
                writer.close()
                over.set()

        server = await asyncio.start_server(serve, "127.0.0.1", 0)
        dialogue = Dialogue(Timeouts(), lambda: None)
        try:
            port = server.sockets[0].getsockname()[1]
            await asyncio.get_running_loop().create_connection(lambda: dialogue.protocol, "127.0.0.1", port)
            assert str(await dialogue.greeting()) == "220 here"
            yield dialogue
        finally:
            dialogue.abort()
            await over.wait()
            server.close()
            await server.wait_closed()

    return begin


async def test_replies_in_one_packet(talk) -> None:
    async with talk(GOOD) as dialogue:
        replies = await dialogue.at_once(COMMANDS)
        assert [str(reply) for reply in replies] == ["250 2.1.0 sender", "250 2.1.5 recipient", "354 go on"]
        assert dialogue.alive


async def test_replies_byte_by_byte_and_of_several_lines(talk) -> None:
    async def drip(_reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        for byte in b"250-first\r\n250 second\r\n250\r\n354 go on\n":
            writer.write(bytes([byte]))
            await writer.drain()
            await asyncio.sleep(0)

    async with talk(drip) as dialogue:
        replies = await dialogue.at_once(COMMANDS)
        assert [(reply.code, reply.text) for reply in replies] == [
            (250, "first\nsecond"),
            (250, ""),
            (354, "go on"),
        ]


async def test_the_time_limit_is_for_each_reply(talk, pass_time) -> None:
    async def slowly(_reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        for line in GOOD.splitlines(keepends=True):
            await pass_time(200)
            writer.write(line)

    async with talk(slowly) as dialogue:
        assert len(await dialogue.at_once(COMMANDS)) == 3


@pytest.mark.skipif(not hasattr(socket, "TCP_QUICKACK"), reason="only Linux can acknowledge at once")
async def test_a_server_that_writes_each_reply_by_itself_under_nagles_algorithm_stalls_nobody() -> None:
    groups, delayed_ack = 25, 0.04

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(b"220 here\r\n")
        replies = itertools.cycle(GOOD.splitlines(keepends=True))
        with contextlib.suppress(ConnectionError):
            while await reader.readline():
                writer.write(next(replies))
                await writer.drain()
        writer.close()
        over.set()

    over = asyncio.Event()
    nagled = (
        socket.socket()
    )  # without a protocol number asyncio does not know it for TCP, and leaves Nagle on
    nagled.bind(("127.0.0.1", 0))
    server = await asyncio.start_server(serve, sock=nagled)
    dialogue = Dialogue(Timeouts(), lambda: None)
    loop = asyncio.get_running_loop()
    await loop.create_connection(lambda: dialogue.protocol, *nagled.getsockname())
    await dialogue.greeting()
    took = []
    for _ in range(5):  # the best of several: a busy machine is slow at times, a stall is there each time
        begun = loop.time()
        for _ in range(groups):
            assert len(await dialogue.at_once(COMMANDS)) == 3
        took.append(loop.time() - begun)
    dialogue.abort()
    await over.wait()
    server.close()
    await server.wait_closed()
    assert min(took) < groups * delayed_ack / 2


async def test_no_reply_in_time(talk, pass_time) -> None:
    async def half(_reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(b"250 ok\r\n250-only half\r\n")
        await pass_time(301)

    async with talk(half) as dialogue:
        with pytest.raises(ConnectionGone, match="RCPT TO: the mail server did not answer in time") as gone:
            await dialogue.at_once(COMMANDS)
        assert [reply.code for reply in gone.value.replies] == [250]
        assert not dialogue.alive


@pytest.mark.parametrize(
    ("said", "heard", "reason"),
    [
        (b"", [], "MAIL FROM: the mail server closed the connection"),
        (b"250 ok\r\n", [250], "RCPT TO: the mail server closed the connection"),
        (b"250 ok\r\n250 ok\r\n35", [250, 250], "DATA: the mail server closed the connection"),
    ],
)
async def test_a_connection_that_ends_midway(talk, said, heard, reason) -> None:
    async def leave(_reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(said)
        writer.close()

    async with talk(leave) as dialogue:
        with pytest.raises(ConnectionGone) as gone:
            await dialogue.at_once(COMMANDS)
        assert (gone.value.reason, gone.value.crowded) == (reason, False)
        assert [reply.code for reply in gone.value.replies] == heard


@pytest.mark.parametrize("place", range(3))
async def test_421_ends_it_wherever_it_comes(talk, place) -> None:
    before = b"".join(GOOD.splitlines(keepends=True)[:place])
    async with talk(before + b"421 4.7.0 too many messages\r\n") as dialogue:
        with pytest.raises(
            ConnectionGone, match=f"{COMMANDS[place].partition(':')[0]}: .* 421 4.7.0"
        ) as gone:
            await dialogue.at_once(COMMANDS)
        assert gone.value.crowded
        assert len(gone.value.replies) == place
        assert not dialogue.alive


@pytest.mark.parametrize("after", [b"", b"421 4.3.2 going down\r\n", b"what?\r\n"])
async def test_a_refusal_decides_whatever_breaks_behind_it(talk, after) -> None:
    async def refuse(_reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(b"250 ok\r\n550 5.1.1 nobody\r\n" + after)
        writer.close()

    async with talk(refuse) as dialogue:
        replies = await dialogue.at_once(COMMANDS)
        assert [reply.code for reply in replies] == [250, 550]
        assert not dialogue.alive


@pytest.mark.parametrize(
    ("said", "reason"),
    [
        (GOOD + b"250 and one more\r\n", "DATA: the mail server said more than it was asked"),
        (GOOD + b"25", "DATA: the mail server said more than it was asked"),
        (GOOD.replace(b"250 2.1.5", b"oops"), "RCPT TO: the mail server's answer is not SMTP"),
        (GOOD.replace(b"250 2.1.5", b"2500 2"), "RCPT TO: the mail server's answer is not SMTP"),
        (b"\r\n" + GOOD, "MAIL FROM: the mail server's answer is not SMTP"),
        (b"250-" + b"x" * 40_000, "MAIL FROM: the mail server's answer is not SMTP"),
        ((b"250-" + b"x" * 60 + b"\r\n") * 600, "MAIL FROM: the mail server's answer is not SMTP"),
    ],
    ids=["surplus", "half a surplus", "no code", "long code", "empty line", "long line", "many lines"],
)
async def test_what_is_not_the_answer_is_taken_for_none(talk, said, reason) -> None:
    async with talk(said) as dialogue:
        with pytest.raises(ConnectionGone) as gone:
            await dialogue.at_once(COMMANDS)
        assert gone.value.reason == reason
        assert not dialogue.alive


@pytest.mark.parametrize("bad", ["RCPT TO:<b@example.com>\r\nRSET", "RCPT TO:<\x00>", "NOOP\x7f"])
async def test_no_argument_becomes_a_command_of_its_own(talk, bad) -> None:
    async with talk(GOOD) as dialogue:
        with pytest.raises(ValueError, match="control character"):
            await dialogue.at_once(["MAIL FROM:<a@example.com>", bad])
        with pytest.raises(ValueError, match="control character"):
            await dialogue.one_by_one([bad])


async def test_a_lost_connection_takes_no_commands(talk) -> None:
    async with talk(GOOD) as dialogue:
        dialogue.abort()
        with pytest.raises(ConnectionGone, match="MAIL FROM: the mail server closed the connection"):
            await dialogue.at_once(COMMANDS)


@pytest.mark.parametrize("line", [b"250-\r\n", b"250-x\r\n", b"250-" + b" " * 60 + b"\r\n", b"250-\n"])
async def test_lines_count_with_all_they_have(talk, line) -> None:
    """Also those without a text: else they cost memory and time without end."""
    async with talk(line * (LONGEST_GROUP // len(line) + 1)) as dialogue:
        with pytest.raises(ConnectionGone, match="MAIL FROM: the mail server's answer is not SMTP"):
            await dialogue.at_once(COMMANDS)
        assert not dialogue.alive


@pytest.mark.parametrize("size", [1, 5])
async def test_a_long_reply_in_many_packets_is_read_once(monkeypatch, size) -> None:
    reads = []
    read = SMTPProtocol._read_response_from_buffer
    monkeypatch.setattr(
        SMTPProtocol, "_read_response_from_buffer", lambda self: reads.append(1) or read(self)
    )
    dialogue = Dialogue(Timeouts(), lambda: None)
    dialogue.protocol.connection_made(asyncio.Transport({}))
    reply = b"220-xx\r\n" * 4000 + b"220 end\r\n250 and more"
    for at in range(0, len(reply), size):
        dialogue.protocol.data_received(reply[at : at + size])
    greeting = await dialogue.greeting()
    assert (greeting.code, greeting.text.count("\n"), len(reads)) == (220, 4000, 1)
    assert greeting.text.endswith("end"), "what comes behind it answers nothing"


class Closed(asyncio.Transport):
    def abort(self) -> None:
        self.aborted = True


async def test_a_single_reply_without_end_is_cut() -> None:
    dialogue = Dialogue(Timeouts(), lambda: None)
    dialogue.protocol.connection_made(Closed())
    for _ in range(LONGEST_GROUP // 6 + 1):
        dialogue.protocol.data_received(b"220-\r\n")
    with pytest.raises(ConnectionGone, match="not SMTP"):
        await dialogue.greeting()


async def test_what_comes_in_the_clear_behind_starttls_is_no_answer_over_tls() -> None:
    authority = MailAuthority()

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(b"220 here\r\n")
        await reader.readline()
        writer.write(b"220 go on\r\n250 said by somebody in between\r\n")
        await writer.start_tls(authority.server_context())
        await reader.readline()
        writer.write(b"250 said by the server\r\n")
        await reader.read()
        writer.close()
        over.set()

    over = asyncio.Event()
    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    dialogue = Dialogue(Timeouts(), lambda: None)
    port = server.sockets[0].getsockname()[1]
    await asyncio.get_running_loop().create_connection(lambda: dialogue.protocol, "127.0.0.1", port)
    await dialogue.greeting()
    context = ssl.create_default_context(cadata=authority.ca_pem.decode())
    assert await dialogue.start_tls(context, "localhost") is None
    assert isinstance(dialogue.transport_info("ssl_object"), ssl.SSLObject)
    assert str(await dialogue.command("EHLO", "a.example.com")) == "250 said by the server"
    dialogue.abort()
    await over.wait()
    server.close()
    await server.wait_closed()
