"""What an HTTP server can answer, and what it costs: the same bound for Mailgun and for token endpoints."""

from __future__ import annotations

import asyncio
import gzip
import random
import re
import socket
import tracemalloc
import zlib
from collections.abc import AsyncIterator, Callable
from datetime import UTC, datetime
from typing import Any

import httpcore
import pytest

from teleport_email.config.settings import MailgunSettings, OAuth2Settings, Secret
from teleport_email.core.model import AccountFault, Delivered, Temporary
from teleport_email.mail.http import LARGEST_BODY, LARGEST_REST, HttpClient, HttpFault
from teleport_email.mail.mailer import OpenGate
from teleport_email.mail.mailgun import MailgunMailer
from teleport_email.mail.smtp.oauth2 import TokenError, token_source
from teleport_email.sandbox.front.gateways import ConnectProxy, Website
from teleport_email.sandbox.mail.mail_certificates import MailAuthority
from teleport_email.sandbox.mail.mailgun import MailgunServer

MOST = 8 << 20
"""Bytes of memory that any answer may cost at its peak."""

Raw = Callable[[bytes], Any]


@pytest.fixture
async def serve() -> AsyncIterator[Callable[..., Any]]:
    """A server that answers every request with given bytes, over and over if asked to; gives its URL."""
    servers: list[asyncio.Server] = []
    heads: list[bytes] = []

    async def start(answer: bytes, *, repeat: int = 1) -> str:
        async def talk(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            try:
                heads.append(await reader.readuntil(b"\r\n\r\n"))
                for _ in range(repeat):
                    writer.write(answer)
                    await writer.drain()
            except OSError:
                pass
            finally:
                writer.close()

        server = await asyncio.start_server(talk, "127.0.0.1", 0)
        servers.append(server)
        return f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"

    start.heads = heads  # type: ignore[attr-defined]
    yield start
    for server in servers:
        server.close()


def packed(kind: str) -> bytes:
    """Some KB that unpack to a hundred million bytes and more."""
    one = b"\0" * 100_000_000
    match kind:
        case "gzip":
            return gzip.compress(one)
        case "gzip, gzip":
            return gzip.compress(gzip.compress(one))
        case "deflate":
            return zlib.compress(one)
        case _:
            return b"\x8f\xff\xff\xff" * 100


def answered(body: bytes, encoding: str = "", status: int = 200) -> bytes:
    extra = f"Content-Encoding: {encoding}\r\n" if encoding else ""
    return f"HTTP/1.1 {status} X\r\n{extra}Content-Length: {len(body)}\r\n\r\n".encode() + body


def mailgun(url: str, clock: Any) -> MailgunMailer:
    settings = MailgunSettings(domain="x.example", private_key=Secret("key-1234567890"), api_base=url)
    return MailgunMailer(
        settings,
        clock=clock,
        random=random.Random(1),
        environ={},
        now=lambda: datetime(2026, 11, 22, tzinfo=UTC),
        answer_seconds=10,
    )


async def ways(url: str, clock: Any, mail: Any) -> AsyncIterator[object]:
    """Every way in which this program asks an HTTP server."""
    # As in the daemon, all secrets are known before the first call.
    settings = OAuth2Settings(token_url=f"{url}/token", client_id="c", client_secret=Secret("s" * 20))
    mailer = mailgun(url, clock)
    yield await mailer.verify()
    yield await mailer.send(mail, OpenGate())
    await mailer.close()
    try:
        yield await token_source(settings, clock=clock, environ={}).get()
    except TokenError as error:
        yield error


@pytest.mark.parametrize("kind", ["gzip", "gzip, gzip", "deflate", "br", "zstd", "x-gzip"])
async def test_no_encoding_is_asked_for_and_none_undone(serve, clock, new_mail, kind) -> None:
    url = await serve(answered(packed(kind), kind))
    mail = new_mail()
    tracemalloc.start()
    try:
        outcomes = [outcome async for outcome in ways(url, clock, mail)]
        assert tracemalloc.get_traced_memory()[1] < MOST
    finally:
        tracemalloc.stop()
    assert len(outcomes) == 3
    assert not any(isinstance(outcome, Delivered | str) for outcome in outcomes)
    assert len(serve.heads) == 3
    assert all(b"accept-encoding: identity\r\n" in head.lower() for head in serve.heads)


ENDLESS = {
    "interim": (b"HTTP/1.1 100 Continue\r\n\r\n", b"HTTP/1.1 100 Continue\r\n\r\n" * 1000),
    "hints": (b"HTTP/1.1 103 Hints\r\n\r\n", b"HTTP/1.1 103 Hints\r\nLink: " + b"x" * 1000 + b"\r\n\r\n"),
    "head": (b"HTTP/1.1 200 OK\r\n", b"X: " + b"y" * 1000 + b"\r\n"),
    "one header": (b"HTTP/1.1 200 OK\r\nX: ", b"y" * 10_000),
    "chunks": (b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n", b"1\r\nx\r\n" * 1000),
    "body": (b"HTTP/1.1 200 OK\r\n\r\n", b"x" * 10_000),
    "no http": (b"", b"SSH" * 10_000),
}


@pytest.mark.parametrize("kind", ENDLESS)
async def test_an_answer_without_end_is_bounded(serve, kind) -> None:
    first, again = ENDLESS[kind]
    times = 4 * (LARGEST_BODY + LARGEST_REST) // len(again) + 1
    url = await serve(first + again * times)
    client = HttpClient(url, "mailgun.api_base", environ={}, connect_seconds=30, answer_seconds=10)
    tracemalloc.start()
    try:
        try:
            answer = await client.post(b"x", 1, "text/plain")
            assert len(answer.body) <= LARGEST_BODY
        except HttpFault:
            pass
        assert tracemalloc.get_traced_memory()[1] < MOST
    finally:
        tracemalloc.stop()
        await client.close()


@pytest.mark.parametrize(
    ("status", "headers", "body"),
    [
        (200, "", b"[" * 50_000),
        (401, "", b"[" * 50_000),
        (429, "Retry-After: Thu, 01 Jan 99999999999999999999999 00:00:00 GMT", b"{}"),
        (429, f"Retry-After: {'9' * 400}", b"{}"),
        (503, "Retry-After: Fri, 31 Dec 9999 23:59:59 -9999", b"{}"),
        (429, f"X-RateLimit-Reset: {'9' * 20}", b"{}"),
        (429, "Retry-After: \xff\xfe", b"\xff\xfe"),
        (200, "", b'{"access_token": "t", "expires_in": ' + b"9" * 400 + b"}"),
        (200, "", b'{"access_token": "t", "expires_in": NaN}'),
        (200, "", b'{"access_token": "t", "expires_in": 1e999}'),
        (200, "", b'{"access_token": "t", "expires_in": [[]]}'),
        (302, "Location: file:///etc/passwd", b""),
    ],
)
async def test_whatever_is_answered_is_an_outcome(serve, clock, new_mail, status, headers, body) -> None:
    """No error of a library gets out, and the account's pause begins where it should."""
    head = f"HTTP/1.1 {status} X\r\n{headers + chr(13) + chr(10) if headers else ''}".encode("latin-1")
    url = await serve(head + f"Content-Length: {len(body)}\r\n\r\n".encode() + body)
    outcomes = [outcome async for outcome in ways(url, clock, new_mail())]
    assert len(outcomes) == 3
    assert isinstance(outcomes[1], Temporary | AccountFault)
    if isinstance(outcomes[1], Temporary):
        assert outcomes[1].retry_after is None or 0 <= outcomes[1].retry_after <= 1e6


async def test_a_dot_at_the_end_of_a_name_is_for_dns_only(serve, monkeypatch) -> None:
    asked = []
    connect = httpcore.AnyIOBackend.connect_tcp

    async def dial(self: httpcore.AnyIOBackend, host: str, *more: Any, **others: Any) -> Any:
        asked.append(host)
        return await connect(self, "127.0.0.1", *more, **others)

    monkeypatch.setattr(httpcore.AnyIOBackend, "connect_tcp", dial)
    port = (await serve(answered(b"{}"))).rpartition(":")[2]
    url = f"http://mail.example.:{port}"
    client = HttpClient(url, "mailgun.api_base", environ={}, connect_seconds=10, answer_seconds=10)
    assert (await client.post(b"x", 1, "text/plain")).status == 200
    await client.close()
    assert asked == ["mail.example."]
    assert f"Host: mail.example:{port}\r\n".encode() in serve.heads[0]


async def test_neither_sni_nor_certificate_nor_a_proxy_sees_the_dot(
    clock, new_mail, tmp_path, monkeypatch
) -> None:
    proxy = ConnectProxy(hosts={"mailgun.invalid": "127.0.0.1"})
    async with MailgunServer(tls=True, names=("mailgun.invalid",)) as server, proxy:
        (tmp_path / "cas.pem").write_bytes(server.authority.ca_pem)
        monkeypatch.setenv("SSL_CERT_FILE", str(tmp_path / "cas.pem"))
        port = server.url.rpartition(":")[2]
        mailer = MailgunMailer(
            server.settings(api_base=f"https://mailgun.invalid.:{port}"),
            clock=clock,
            random=random.Random(1),
            environ={"HTTPS_PROXY": f"http://{proxy.addr}"},
            answer_seconds=30,
        )
        assert isinstance(await mailer.send(new_mail(), OpenGate()), Delivered)
        assert set(proxy.tunnels) == {f"mailgun.invalid:{port}"}
        await mailer.close()


class TokenSite(Website):
    """A token endpoint behind TLS, which notes what it is called."""

    async def _special(self, path, headers, reader, writer):
        self.called.append(headers["host"])
        return await super()._special(path, headers, reader, writer)

    def _page(self, _path):
        return 200, b'{"access_token": "t0ken-of-the-site", "expires_in": 3600}'


@pytest.mark.parametrize("through", ["", "http", "https"])
async def test_nor_do_they_where_a_token_is_fetched(clock, tmp_path, monkeypatch, through) -> None:
    asked, sni = [], []
    connect = httpcore.AnyIOBackend.connect_tcp

    async def dial(self: httpcore.AnyIOBackend, host: str, *more: Any, **others: Any) -> Any:
        asked.append(host)
        return await connect(self, "127.0.0.1", *more, **others)

    monkeypatch.setattr(httpcore.AnyIOBackend, "connect_tcp", dial)
    public = MailAuthority("public CA")
    (tmp_path / "cas.pem").write_bytes(public.ca_pem)
    monkeypatch.setenv("SSL_CERT_FILE", str(tmp_path / "cas.pem"))
    site = TokenSite(authority=public, names=("login.example.test",))
    site.called = []
    proxy = ConnectProxy(
        tls=public if through == "https" else None,
        names=("gate.example.test",),
        hosts={"login.example.test": "127.0.0.1"},
    )
    for context in (site._context, proxy._context):
        if context is not None:
            context.sni_callback = lambda _socket, name, _context: sni.append(name)
    async with site, proxy:
        environ = {"HTTPS_PROXY": f"{through}://gate.example.test.:{proxy.port}"} if through else {}
        settings = OAuth2Settings(
            token_url=f"https://login.example.test.:{site.port}/token",
            client_id="mailer",
            client_secret=Secret("s3cret-of-the-client"),
        )
        assert await token_source(settings, clock=clock, environ=environ).get() == "t0ken-of-the-site"
    assert asked == ["gate.example.test." if through else "login.example.test."]
    assert site.called == [f"login.example.test:{site.port}"]
    assert proxy.tunnels == ([f"login.example.test:{site.port}"] if through else [])
    assert sni == [*(["gate.example.test"] if through == "https" else []), "login.example.test"]


@pytest.mark.parametrize(
    "echo",
    [
        "key-1234567890",
        "Basic YXBpOmtleS0xMjM0NTY3ODkw",
        "authorization=Basic%20YXBpOmtleS0xMjM0NTY3ODkw",
        "client_secret=" + "s" * 20,
    ],
)
async def test_a_secret_that_is_echoed_goes_nowhere(serve, clock, new_mail, echo) -> None:
    body = f'{{"message": "bad: {echo}", "error": "no", "error_description": "{echo}"}}'.encode()
    url = await serve(answered(body, status=401))
    for outcome in [outcome async for outcome in ways(url, clock, new_mail())]:
        assert "***" in repr(outcome)
        assert "1234567890" not in repr(outcome)
        assert "NTY3ODkw" not in repr(outcome)
        assert "s" * 20 not in repr(outcome)


@pytest.mark.parametrize(
    ("environ", "words"),
    [
        ({}, "the name api.nowhere.invalid is not known: check mailgun.api_base and DNS"),
        (
            {"HTTPS_PROXY": "http://proxy.invalid:3128"},
            "the name proxy.invalid is not known: check HTTPS_PROXY and DNS",
        ),
    ],
)
async def test_a_name_that_does_not_exist(monkeypatch, environ, words) -> None:
    async def nobody(*asked, **options):
        raise socket.gaierror(socket.EAI_NONAME, "Name or service not known")

    monkeypatch.setattr(asyncio.get_running_loop(), "getaddrinfo", nobody)
    url = "https://api.nowhere.invalid/v3"
    client = HttpClient(url, "mailgun.api_base", environ=environ, connect_seconds=10, answer_seconds=10)
    try:
        with pytest.raises(HttpFault, match=re.escape(words)):
            await client.post(b"x", 1, "text/plain")
    finally:
        await client.close()
