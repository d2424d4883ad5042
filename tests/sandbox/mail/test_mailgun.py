"""The sandbox's Mailgun: what it takes, what it refuses and how, and its faults."""

from __future__ import annotations

import asyncio
import contextlib
import ssl

import httpx
import pytest

from teleport_email.sandbox.mail.mailgun import (
    BANNER,
    NOT_ALLOWED,
    UNAUTHORIZED,
    Answer,
    Cut,
    MailgunServer,
    Silence,
    Wait,
    rate_limited,
)

MAIL = b"Message-ID: <1@example.com>\r\nSubject: hello\r\n\r\n--x\r\n\r\n\x00\xff\r\n.\r\n"


@contextlib.asynccontextmanager
async def client(server: MailgunServer, key: str | None = None, **options):
    async with httpx.AsyncClient(
        base_url=server.url, auth=("api", key or server.key), trust_env=False, **options
    ) as http:
        yield http


async def post(
    http: httpx.AsyncClient, domain: str = "mg.example.com", *, to="alice@example.com", mail=MAIL, **data
):
    return await http.post(
        f"/v3/{domain}/messages.mime",
        data={"to": to, **data} if to else data,
        files={"message": ("message.eml", mail, "message/rfc822")} if mail is not None else None,
    )


async def test_takes_a_message_as_it_is():
    async with MailgunServer() as server, client(server) as http:
        answer = await post(http, **{"o:tracking": "no", "o:tag": ["a", "b"]})
        assert answer.status_code == 200
        assert answer.json() == {"id": "<1@example.com>", "message": "Queued. Thank you."}
        [mail] = await server.wait_for(1)
        assert mail.raw == MAIL
        assert mail.envelope_to == ("alice@example.com",)
        assert dict(mail.options) == {"o:tracking": ("no",), "o:tag": ("a", "b")}
        assert mail.subject == "hello"


async def test_a_message_without_an_id_is_given_one():
    async with MailgunServer() as server, client(server) as http:
        assert (await post(http, mail=b"Subject: x\r\n\r\n")).json()["id"].endswith("@mg.example.com>")


async def test_a_wrong_key_gets_the_bare_word():
    async with MailgunServer() as server, client(server, key="wrong") as http:
        answer = await post(http)
        assert (answer.status_code, answer.text) == (401, "Forbidden")
        assert server.received == 0


async def test_an_unknown_domain_and_a_broken_path():
    async with MailgunServer() as server, client(server) as http:
        unknown = await post(http, "other.example.com")
        assert (unknown.status_code, unknown.json()) == (404, {"message": "Domain not found"})
        broken = await post(http, "mg/example.com")
        assert broken.status_code == 200
        assert "json" not in broken.headers["content-type"]
        assert server.received == 0


@pytest.mark.parametrize(
    ("call", "says"),
    [
        ({"to": None}, "to parameter is missing"),
        ({"to": "nobody"}, "not a valid address"),
        ({"to": ["alice@example.com", "x y@example.com"]}, "not a valid address"),
        ({"mail": None}, "multipart"),
    ],
)
async def test_bad_calls_get_a_400_with_the_reason(call, says):
    async with MailgunServer() as server, client(server) as http:
        answer = await post(http, **call)
        assert answer.status_code == 400
        assert says in answer.json()["message"]
        assert server.received == 0


async def test_the_domain_can_be_looked_up_unless_the_key_may_only_send():
    async with MailgunServer() as server, client(server) as http:
        assert (await http.get("/v3/domains/mg.example.com")).json()["domain"]["state"] == "active"
        assert (await http.get("/v3/domains/other.example.com")).status_code == 404
        server.faults.on("DOMAIN", Answer(500, "oops"), times=1)
        assert (await http.get("/v3/domains/mg.example.com")).status_code == 500
    async with MailgunServer(sending_key=True) as server, client(server) as http:
        assert (await http.get("/v3/domains/mg.example.com")).status_code == 401
        assert (await post(http)).status_code == 200


@pytest.mark.parametrize(
    ("action", "status", "kept"),
    [
        (UNAUTHORIZED, 401, 0),
        (NOT_ALLOWED, 403, 0),
        (BANNER, 200, 0),
        (Answer(500, "oops"), 500, 0),
        (Answer(502, "oops", keep=True), 502, 1),
        (rate_limited(7), 429, 0),
    ],
)
async def test_scripted_answers(action, status, kept):
    async with MailgunServer() as server, client(server) as http:
        server.faults.on("SEND", action, recipient="alice@example.com", times=1)
        assert (await post(http, to="bob@example.com")).status_code == 200
        answer = await post(http)
        assert answer.status_code == status
        assert [mail.acknowledged for mail in server.to("alice@example.com")] == [False] * kept
        assert (await post(http)).status_code == 200
        assert server.answers[status] >= 1


def test_rate_limits_say_when():
    assert rate_limited(7).headers == (("Retry-After", "7"),)
    assert rate_limited(7, "X-RateLimit-Reset", now=1000.0).headers == (("X-RateLimit-Reset", "1007"),)
    assert rate_limited(7, "").headers == ()
    assert "7 seconds" in rate_limited(7, "").json["message"]


@pytest.mark.parametrize("keep", [True, False])
async def test_a_cut_and_a_silence_with_and_without_the_mail(keep):
    async with MailgunServer() as server, client(server, timeout=0.2) as http:
        server.faults.on("SEND", Cut(keep=keep), times=1)
        with pytest.raises(httpx.RemoteProtocolError):
            await post(http)
        server.faults.on("SEND", Silence(keep=keep), times=1)
        with pytest.raises(httpx.ReadTimeout):
            await post(http)
        assert server.received == 2 * keep
        server.faults.clear()
        assert (await post(http)).status_code == 200


async def test_delays():
    loop = asyncio.get_running_loop()
    async with MailgunServer() as server, client(server) as http:
        server.faults.on("SEND", Wait(0.05), times=1)
        start = loop.time()
        assert (await post(http)).status_code == 200
        assert loop.time() - start >= 0.05
        server.faults.delay = 0.05
        start = loop.time()
        assert (await post(http)).status_code == 200
        assert loop.time() - start >= 0.05


async def test_tls_with_its_own_authority():
    async with MailgunServer(tls=True) as server:
        context = ssl.create_default_context(cafile=str(server.ca_file))
        async with client(server, verify=context) as http:
            assert (await post(http)).status_code == 200
        assert server.settings().api_base.startswith("https://127.0.0.1:")
        assert server.messages[0].tls


async def test_waiting_in_vain_says_what_came():
    async with MailgunServer() as server, client(server, key="wrong") as http:
        await post(http)
        with pytest.raises(TimeoutError, match=r'0 messages came .*"401": 1'):
            await server.wait_for(1, timeout=0.01)
