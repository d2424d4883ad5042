"""The HTTP server: what it serves, what it refuses, and that nothing it is sent brings it down."""

from __future__ import annotations

import asyncio
import ssl

import httpx
import pytest
import trustme
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from teleport_email.telemetry.httpd import CutConnection, HttpServer, Limits, Request, Response


async def hello(request: Request) -> Response:
    return Response.text(f"hello {request.query.get('name', 'nobody')}")


async def echo(request: Request) -> Response:
    return Response.json(
        {
            "body": request.body.decode(),
            "parameters": dict(request.parameters),
            "form": request.form(),
            "path": request.path,
            "peer": request.peer,
            "tls": request.tls,
            "probe": request.headers.get("x-probe"),
        }
    )


async def broken(request: Request) -> Response:
    raise RuntimeError("secret detail")


async def cut(request: Request) -> Response:
    raise CutConnection


async def slow(request: Request) -> Response:
    await asyncio.Event().wait()
    raise AssertionError


async def bad_header(request: Request) -> Response:
    return Response.text("x", headers=(("X-Bad", "a\r\nInjected: 1"),))


ROUTES = {
    ("GET", "/hello"): hello,
    ("POST", "/echo/{word}/end"): echo,
    ("GET", "/broken"): broken,
    ("GET", "/cut"): cut,
    ("GET", "/slow"): slow,
    ("GET", "/bad-header"): bad_header,
}


@pytest.fixture
async def server():
    async with HttpServer(ROUTES, limits=Limits(body_bytes=1000, handler_time=0.2)) as server:
        yield server


@pytest.fixture
async def client(server):
    async with httpx.AsyncClient(base_url=server.url, trust_env=False) as client:
        yield client


async def raw(server: HttpServer, data: bytes, *, eof: bool = False) -> bytes:
    reader, writer = await asyncio.open_connection("127.0.0.1", server.port)
    try:
        writer.write(data)
        if eof:
            writer.write_eof()
        async with asyncio.timeout(60):
            return await reader.read()
    except ConnectionResetError:
        return b""
    finally:
        writer.close()


async def test_routes_and_keep_alive(server, client):
    for name in ("a", "b", "c"):
        assert (await client.get("/hello", params={"name": name})).text == f"hello {name}"
    assert server.connections == 1


async def test_head_has_the_length_and_no_body(client):
    answer = await client.head("/hello")
    assert answer.status_code == 200
    assert answer.headers["content-length"] == str(len("hello nobody"))
    assert answer.content == b""


async def test_parameters_forms_and_headers(client):
    answer = await client.post("/echo/a%2Fb%20c/end", data={"x": "1", "y": ""}, headers={"X-Probe": "7"})
    assert answer.json() == {
        "body": "x=1&y=",
        "parameters": {"word": "a/b c"},
        "form": {"x": "1", "y": ""},
        "path": "/echo/a/b c/end",
        "peer": "127.0.0.1",
        "tls": False,
        "probe": "7",
    }


async def test_unknown_paths_and_methods(client):
    assert (await client.get("/nowhere")).status_code == 404
    assert (await client.get("/hello/")).status_code == 404
    wrong = await client.post("/hello")
    assert (wrong.status_code, wrong.headers["allow"]) == (405, "GET")


async def test_a_failing_handler_answers_500_without_detail(client):
    answer = await client.get("/broken")
    assert answer.status_code == 500
    assert "secret" not in answer.text
    assert (await client.get("/hello")).status_code == 200


async def test_a_handler_that_takes_too_long_answers_503(client):
    assert (await client.get("/slow")).status_code == 503


@pytest.mark.parametrize("path", ["/cut", "/bad-header"])
async def test_a_cut_or_an_impossible_header_ends_the_connection_unanswered(client, path):
    with pytest.raises(httpx.RemoteProtocolError):
        await client.get(path)
    assert (await client.get("/hello")).status_code == 200


async def test_a_body_beyond_the_limit_is_refused(client):
    assert (await client.post("/echo/a/end", content=b"x" * 1000)).status_code == 200
    assert (await client.post("/echo/a/end", content=b"x" * 1001)).status_code == 413

    async def chunks():
        for _ in range(30):
            yield b"x" * 100

    assert (await client.post("/echo/a/end", content=chunks())).status_code == 413


async def test_a_chunked_body_arrives_whole(client):
    async def chunks():
        yield b"abc"
        yield b"def"

    assert (await client.post("/echo/a/end", content=chunks())).json()["body"] == "abcdef"


async def test_pipelined_requests_are_answered_in_order(server):
    request = b"GET /hello?name=%s HTTP/1.1\r\nHost: x\r\n\r\n"
    answer = await raw(server, request % b"one" + request % b"two", eof=True)
    assert answer.index(b"hello one") < answer.index(b"hello two")


async def test_expect_continue(server):
    reader, writer = await asyncio.open_connection("127.0.0.1", server.port)
    writer.write(
        b"POST /echo/a/end HTTP/1.1\r\nHost: x\r\nContent-Length: 2\r\nExpect: 100-continue\r\nConnection: close\r\n\r\n"
    )
    assert (await reader.readline()).startswith(b"HTTP/1.1 100")
    writer.write(b"ok")
    assert b"200 OK" in await reader.read()
    writer.close()


@pytest.mark.parametrize(
    ("data", "status"),
    [
        (b"nonsense\r\n\r\n", b"400"),
        (b"GET /hello HTTP/1.1\r\n\r\n", b"400"),
        (b"GET /hello HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n", b"400"),
        (b"GET /hello HTTP/1.1\r\nHost: x\r\nX: " + b"a" * 70000 + b"\r\n\r\n", b"431"),
        (b"POST /echo/a/end HTTP/1.1\r\nHost: x\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\nab", b"400"),
        (b"POST /echo/a/end HTTP/1.1\r\nHost: x\r\nContent-Length: -1\r\n\r\n", b"400"),
        (b"GET http://[x/hello HTTP/1.1\r\nHost: x\r\n\r\n", b"400"),
        (b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03", b"400"),
    ],
)
async def test_what_breaks_the_rules_is_refused(server, data, status):
    answer = await raw(server, data)
    assert answer.startswith(b"HTTP/1.1 " + status)
    assert b"onnection: close" in answer


@settings(max_examples=40, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    data=st.binary(max_size=300),
    start=st.sampled_from([b"", b"GET /hello HTTP/1.1\r\nHost: x\r\n", b"POST "]),
)
def test_no_bytes_bring_it_down(data, start):
    async def attack():
        async with HttpServer(ROUTES, limits=Limits(handler_time=0.2)) as server:
            await raw(server, start + data, eof=True)
            assert b"hello nobody" in await raw(
                server, b"GET /hello HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n"
            )
            return server

    server = asyncio.run(attack())
    assert server.connections == 0


async def test_a_request_that_never_ends_is_cut_off():
    async with HttpServer(ROUTES, limits=Limits(request_time=0.1, idle_time=0.1)) as server:
        assert await raw(server, b"GET /hello HTT") == b""
        assert await raw(server, b"") == b""
        assert await raw(server, b"POST /echo/a/end HTTP/1.1\r\nHost: x\r\nContent-Length: 5\r\n\r\n") == b""


async def test_too_many_connections_are_refused_not_queued():
    async with HttpServer(ROUTES, limits=Limits(connections=2)) as server:
        held = [await asyncio.open_connection("127.0.0.1", server.port) for _ in range(2)]
        for _, writer in held:  # answered once, then idle: accepted for certain
            writer.write(b"GET /hello HTTP/1.1\r\nHost: x\r\n\r\n")
        for reader, _ in held:
            await reader.readuntil(b"hello nobody")
        assert b"503" in await raw(server, b"")
        for _, writer in held:
            writer.close()


async def test_close_lets_requests_under_way_finish_and_drops_idle_ones():
    begun, go = asyncio.Event(), asyncio.Event()

    async def busy(request: Request) -> Response:
        begun.set()
        await go.wait()
        return Response.text("done")

    server = HttpServer({("GET", "/busy"): busy})
    await server.start()
    reader, writer = await asyncio.open_connection("127.0.0.1", server.port)
    writer.write(b"GET /busy HTTP/1.1\r\nHost: x\r\n\r\n")
    idle_reader, idle_writer = await asyncio.open_connection("127.0.0.1", server.port)
    await begun.wait()
    async with asyncio.timeout(60):
        closing = asyncio.ensure_future(server.close())
        assert await idle_reader.read() == b""
        go.set()
        assert (await reader.read()).endswith(b"done")
        await closing
    with pytest.raises(OSError):
        await asyncio.open_connection("127.0.0.1", server.port)
    writer.close()
    idle_writer.close()


async def test_close_ends_what_does_not_finish():
    begun = asyncio.Event()

    async def stuck(request: Request) -> Response:
        begun.set()
        await asyncio.Event().wait()
        raise AssertionError

    server = HttpServer({("GET", "/stuck"): stuck})
    await server.start()
    reader, writer = await asyncio.open_connection("127.0.0.1", server.port)
    writer.write(b"GET /stuck HTTP/1.1\r\nHost: x\r\n\r\n")
    await begun.wait()
    async with asyncio.timeout(60):
        await server.close(grace=0.05)
    assert server.connections == 0
    try:
        answer = await reader.read()
    except ConnectionResetError:
        answer = b""
    assert answer == b""
    writer.close()


async def test_tls():
    ca = trustme.CA()
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    ca.issue_cert("127.0.0.1").configure_cert(context)
    trusting = ssl.create_default_context()
    ca.configure_trust(trusting)
    async with (
        HttpServer(ROUTES, tls=context) as server,
        httpx.AsyncClient(base_url=server.url, verify=trusting, trust_env=False) as client,
    ):
        assert server.url.startswith("https://127.0.0.1:")
        assert (await client.post("/echo/a/end")).json()["tls"] is True


async def test_ipv6():
    async with (
        HttpServer(ROUTES, host="::1") as server,
        httpx.AsyncClient(base_url=server.url, trust_env=False) as client,
    ):
        assert server.url.startswith("http://[::1]:")
        assert (await client.post("/echo/a/end")).json()["peer"] == "::1"


async def test_a_taken_port_is_an_oserror(server):
    with pytest.raises(OSError):
        await HttpServer({}, port=server.port).start()
