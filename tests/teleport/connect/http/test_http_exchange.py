"""One request on a raw transport, and where exactly its answer ends."""

from __future__ import annotations

import asyncio

import pytest

from teleport_email.teleport.connect.http.http_exchange import MAX_BODY, HttpExchange, NotHttp


@pytest.fixture
async def ask():
    """Ask a server that answers with given bytes; gives the answer and the request as it arrived."""
    servers, transports, writers = [], [], []

    async def ask(answer, method="GET", headers=(), *, close=True):
        heard = bytearray()

        async def serve(reader, writer):
            heard.extend(await reader.readuntil(b"\r\n\r\n"))
            writer.write(answer)
            if close:
                writer.close()
            else:
                writers.append(writer)

        server = await asyncio.start_server(serve, "127.0.0.1", 0)
        servers.append(server)
        loop = asyncio.get_running_loop()
        transport, exchange = await loop.create_connection(HttpExchange, *server.sockets[0].getsockname())
        transports.append(transport)
        assert not transport.is_reading()
        async with asyncio.timeout(60):
            found = await exchange.ask(transport, method, "/x", [("Host", "h"), *headers])
        return found, bytes(heard)

    yield ask
    for transport in [*transports, *(writer.transport for writer in writers)]:
        transport.abort()
    for server in servers:
        server.close()


async def test_answer_with_a_length(ask):
    answer, heard = await ask(b"HTTP/1.1 404 No\r\nContent-Length: 3\r\nX-A: b\r\n\r\nabc", close=False)
    assert (answer.status, answer.body, answer.headers["x-a"], answer.switched) == (404, b"abc", "b", False)
    assert heard.startswith(b"GET /x HTTP/1.1\r\n")


async def test_answer_in_chunks_after_another_head(ask):
    answer, _ = await ask(
        b"HTTP/1.1 103 Early Hints\r\nLink: x\r\n\r\n"
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n2\r\nde\r\n0\r\n\r\n"
    )
    assert (answer.status, answer.body) == (200, b"abcde")


async def test_bytes_behind_a_switch_belong_to_the_new_protocol(ask):
    head = b"HTTP/1.1 101 Switching\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\r\n"
    answer, _ = await ask(
        head + b"\x89\x00more", headers=[("Upgrade", "websocket"), ("Connection", "Upgrade")]
    )
    assert (answer.switched, answer.trailing) == (True, b"\x89\x00more")


async def test_a_tunnel(ask):
    answer, heard = await ask(b"HTTP/1.1 200 Connection established\r\n\r\n", "CONNECT", close=False)
    assert (answer.switched, answer.trailing) == (True, b"")
    assert heard.startswith(b"CONNECT /x")


@pytest.mark.parametrize(
    ("answer", "words"),
    [
        (b"", "closed without an answer|no HTTP"),
        (b"SSH-2.0-OpenSSH\r\n", "no HTTP"),
        (b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nabc", "no HTTP"),
        (b"HTTP/1.1 200 OK\r\nX: " + b"x" * 100_000, "no HTTP"),
        (b"HTTP/1.1 200 OK\r\n\r\n" + b"x" * (MAX_BODY + 1), "more than"),
    ],
)
async def test_no_answer(ask, answer, words):
    with pytest.raises(NotHttp, match=words):
        await ask(answer)


@pytest.mark.parametrize(
    "interim", [b"HTTP/1.1 100 Continue\r\n\r\n", b"HTTP/1.1 103 Hints\r\nLink: x\r\n\r\n"]
)
async def test_interim_answers_without_end_are_no_answer(ask, interim):
    with pytest.raises(NotHttp, match="interim"):
        await ask(interim * 2000, close=False)


async def test_chunks_of_one_byte_count_with_all_they_have(ask):
    with pytest.raises(NotHttp, match="more than"):
        await ask(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n" + b"1\r\nx\r\n" * 80_000)
