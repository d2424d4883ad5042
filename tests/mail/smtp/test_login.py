"""Logging in: which mechanism, and what is said to which challenge."""

from __future__ import annotations

import asyncio
from base64 import b64decode, b64encode
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager

import pytest

from teleport_email.core.model import AccountFault, Delivered, Temporary
from teleport_email.mail.mailer import OpenGate
from teleport_email.mail.smtp import connection as smtp_connection
from teleport_email.mail.smtp.login import begin, usable
from teleport_email.sandbox.mail.inbox import Inbox
from teleport_email.sandbox.mail.smtp_faults import Reply


def b64(text: str) -> str:
    return b64encode(text.encode()).decode()


@pytest.mark.parametrize(
    ("offered", "expected"),
    [
        (["plain", "login", "cram-md5"], ["PLAIN", "LOGIN", "CRAM-MD5"]),
        (["LOGIN", "PLAIN"], ["PLAIN", "LOGIN"]),
        (["cram-md5", "digest-md5"], ["CRAM-MD5"]),
        (["gssapi", "xoauth2"], []),
        ([], []),
    ],
)
def test_the_mechanisms_for_a_password(offered, expected) -> None:
    assert usable("password", offered) == expected


def test_the_mechanism_for_a_token() -> None:
    assert usable("xoauth2", ["plain", "xoauth2", "oauthbearer"]) == ["XOAUTH2"]
    assert usable("xoauth2", ["plain", "login"]) == []


def test_cram_md5_as_in_rfc_2195() -> None:
    """The example of section 2."""
    exchange = begin("CRAM-MD5", "tim", "tanstaaftanstaaf")
    assert exchange.initial is None
    challenge = "PDE4OTYuNjk3MTcwOTUyQHBvc3RvZmZpY2UucmVzdG9uLm1jaS5uZXQ+"
    assert exchange.answer(challenge) == "tim b913a602c7eda7a495b4e6e7334d3890"
    assert exchange.answer(challenge) is None


def test_plain_is_said_again_once_to_who_looked_past_it() -> None:
    exchange = begin("PLAIN", "me", "secret")
    assert exchange.initial == "\0me\0secret"
    assert [exchange.answer(""), exchange.answer("")] == ["\0me\0secret", None]


def test_xoauth2_answers_a_refusal_with_nothing() -> None:
    exchange = begin("XOAUTH2", "me", "token")
    assert exchange.initial == "user=me\x01auth=Bearer token\x01\x01"
    assert [exchange.answer(b64('{"status":"400"}')), exchange.answer("")] == ["", None]


USUAL = ["me", "secret", None]


@pytest.mark.parametrize(
    ("prompts", "expected"),
    [
        ([b64("Username:"), b64("Password:")], USUAL),
        ([b64("User Name\0"), b64("Password\0")], USUAL),
        ([b64("login name"), b64("PASSWORD")], USUAL),
        (["Username:", "Password:"], USUAL),  # without base64
        (["", ""], USUAL),
        ([b64("Benutzer?"), b64("Kennwort?")], USUAL),
        (["4oKs/w==", "!"], USUAL),
        ([b64("Password:"), b64("Username:")], ["secret", "me", None]),
        ([b64("Username:"), b64("Username:")], ["me", None, "secret"]),
        ([b64("Password:"), b64("Password:")], ["secret", None, "me"]),
    ],
)
def test_login_answers_what_it_is_asked_each_once(prompts, expected) -> None:
    exchange = begin("LOGIN", "me", "secret")
    assert exchange.initial is None
    assert [exchange.answer(prompt) for prompt in [*prompts, ""]] == expected


# Over the wire


@asynccontextmanager
async def server(offer: str, *answers: str) -> AsyncIterator[tuple[int, list[str]]]:
    """Its port and what it heard: says these answers to what follows EHLO; ``cut`` closes."""
    heard: list[str] = []

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(b"220 hi\r\n")
        for answer in (
            f"250-hi\r\n250-AUTH {offer}" if "\r\n" in offer else f"250-hi\r\n250 AUTH {offer}",
            *answers,
        ):
            heard.append((await reader.readline()).decode().strip())
            if answer == "cut":
                break
            writer.write(f"{answer}\r\n".encode())
        else:
            await reader.read()
        writer.close()

    listening = await asyncio.start_server(serve, "127.0.0.1", 0)
    try:
        yield listening.sockets[0].getsockname()[1], heard
    finally:
        listening.close()
        await listening.wait_closed()


@pytest.fixture
def log_in(connect, new_mail) -> Callable[..., object]:
    """The outcome of a mail to a server that listens on this port."""

    async def attempt(port: int) -> object:
        async with Inbox(passwords={"me": "secret"}) as inbox:
            return await connect(inbox, port=port).send(new_mail(), OpenGate())

    return attempt


async def test_the_password_goes_only_where_it_is_asked_for(log_in) -> None:
    asks = (f"334 {b64('Username:')}", f"334 {b64('Password:')}", "535 5.7.8 no")
    async with server("LOGIN", *asks) as (port, heard):
        outcome = await log_in(port)
    assert isinstance(outcome, AccountFault)
    assert "535 5.7.8 no" in outcome.reason
    assert heard[1:] == ["AUTH LOGIN", b64("me"), b64("secret")]


async def test_a_question_that_nobody_can_answer_is_broken_off(log_in) -> None:
    asks = (f"334 {b64('Username:')}", f"334 {b64('User name, please:')}", "501 5.7.0 aborted")
    async with server("LOGIN", *asks) as (port, heard):
        outcome = await log_in(port)
    assert isinstance(outcome, AccountFault)
    assert "LOGIN" in outcome.reason
    assert heard[1:] == ["AUTH LOGIN", b64("me"), "*"]


@pytest.mark.parametrize("before", [1, 2])
async def test_a_connection_lost_meanwhile_does_not_tell_what_was_said(log_in, before) -> None:
    asks = [f"334 {b64('Username:')}", f"334 {b64('Password:')}"][:before]
    async with server("LOGIN", *asks, "cut") as (port, _):
        outcome = await log_in(port)
    assert isinstance(outcome, Temporary)
    assert "AUTH: the mail server closed the connection" in outcome.reason
    assert not any(said in outcome.reason for said in (b64("me"), b64("secret"), "secret"))


@pytest.mark.parametrize("prompt", ["334 ", "334 OK"])
async def test_a_server_that_looks_past_the_initial_response(log_in, prompt) -> None:
    async with server("PLAIN LOGIN", prompt, "535 no") as (port, heard):
        assert isinstance(await log_in(port), AccountFault)
    assert [b64decode(line.split()[-1]) for line in heard[1:]] == [b"\0me\0secret"] * 2


async def test_504_is_no_refusal_and_the_next_mechanism_is_tried(connect, new_mail) -> None:
    mechanisms = ("PLAIN", "LOGIN", "CRAM-MD5")
    async with Inbox(passwords={"me": "secret"}, mechanisms=mechanisms) as inbox:
        for unknown in range(3):
            inbox.faults.on("AUTH", Reply(504, "5.5.4 unrecognized"), times=unknown)
            mailer = connect(inbox)
            assert isinstance(await mailer.send(new_mail(), OpenGate()), Delivered)
            assert not mailer.paused
        assert [line.split()[-1] for line in inbox.transcript if " C: AUTH" in line] == [
            "PLAIN",
            *("PLAIN", "LOGIN"),
            *("PLAIN", "LOGIN", "CRAM-MD5"),
        ]
        inbox.faults.on("AUTH", Reply(504, "5.5.4 unrecognized"))
        outcome = await connect(inbox).send(new_mail(), OpenGate())
        assert isinstance(outcome, AccountFault)
        assert "504 5.5.4" in outcome.reason


async def test_a_refusal_proper_ends_it(connect, new_mail) -> None:
    async with Inbox(passwords={"me": "secret"}, mechanisms=("PLAIN", "LOGIN", "CRAM-MD5")) as inbox:
        inbox.faults.on("AUTH", Reply(504, "5.5.4 unrecognized"), times=1)
        inbox.faults.on("AUTH", Reply(535, "5.7.8 wrong"))
        assert isinstance(await connect(inbox).send(new_mail(), OpenGate()), AccountFault)
        assert inbox.commands["AUTH"] == 2


async def test_cram_md5_where_nothing_else_is_offered(connect, new_mail, monkeypatch) -> None:
    async with Inbox(passwords={"me": "sécret"}, mechanisms=("CRAM-MD5", "XOAUTH2")) as inbox:
        assert isinstance(await connect(inbox).send(new_mail(), OpenGate()), Delivered)
        assert inbox.messages[0].auth_user == "me"
        inbox.access.passwords["me"] = "another"
        assert isinstance(await connect(inbox).send(new_mail(), OpenGate()), Delivered)
        outcome = await connect(inbox, username="you").send(new_mail(), OpenGate())
        assert isinstance(outcome, AccountFault)
        monkeypatch.setattr(smtp_connection, "is_loopback", lambda address: False)
        mailer = connect(inbox, allow_plaintext_auth=False)
        assert isinstance(await mailer.send(new_mail(), OpenGate()), Delivered), (
            "it does not show the password"
        )


async def test_a_size_of_thousands_of_digits_is_no_size(log_in) -> None:
    """Python refuses to read such numbers with an error of its own."""
    offer = f"PLAIN\r\n250 SIZE {'9' * 5000}"
    async with server(offer, "535 5.7.8 no") as (port, heard):
        outcome = await log_in(port)
    assert isinstance(outcome, AccountFault)
    assert heard[1].startswith("AUTH PLAIN")
