"""Logging in by XOAUTH2: a real token endpoint, a real SMTP server that takes its tokens."""

from __future__ import annotations

import asyncio

import pytest

from teleport_email.config.settings import OAuth2Settings, Secret
from teleport_email.core.model import AccountFault, Delivered, Temporary
from teleport_email.mail.mailer import OpenGate
from teleport_email.mail.smtp.oauth2 import TokenError, _read, token_source
from teleport_email.sandbox.mail.inbox import Inbox
from teleport_email.sandbox.mail.mailgun import Answer, Cut
from teleport_email.sandbox.mail.token_server import TokenServer


async def test_tokens_are_kept_until_shortly_before_their_end(connect, new_mail, clock) -> None:
    async with Inbox(tls="starttls", tokens={"bot": ""}) as inbox:
        server = TokenServer(
            scope="mail.send", expires_in=3600, on_issue=lambda token: inbox.access.tokens.update(bot=token)
        )
        async with server:
            mailer = connect(
                inbox, auth="xoauth2", oauth2=server.settings(), max_connections=1, messages_per_connection=1
            )
            for _ in range(3):
                assert isinstance(await mailer.send(new_mail(), OpenGate()), Delivered)
            assert server.issued == ["token-1"]
            assert server.requests[0]["scope"] == "mail.send"
            assert inbox.messages[0].auth_user == "bot"
            clock.now += 3301
            assert isinstance(await mailer.send(new_mail(), OpenGate()), Delivered)
            assert server.issued == ["token-1", "token-2"]


async def test_a_revoked_token_is_fetched_anew_once(connect, new_mail, clock) -> None:
    async with Inbox(tls="starttls", tokens={"bot": ""}) as inbox:

        def issue(token: str) -> None:
            inbox.access.tokens["bot"] = token  # type: ignore[index]

        async with TokenServer(on_issue=issue) as server:
            mailer = connect(
                inbox, auth="xoauth2", oauth2=server.settings(), max_connections=1, messages_per_connection=1
            )
            assert isinstance(await mailer.send(new_mail(), OpenGate()), Delivered)
            inbox.access.tokens["bot"] = "revoked"  # type: ignore[index]
            assert isinstance(await mailer.send(new_mail(), OpenGate()), Delivered)
            assert server.issued == ["token-1", "token-2"]
            assert not mailer.paused
            # Refused again with a new one: then it is the account.
            inbox.faults.refuse_login = True
            outcome = await mailer.send(new_mail(), OpenGate())
            assert isinstance(outcome, AccountFault)
            assert "535" in mailer.paused
            assert "token-" not in mailer.paused
            assert server.issued == ["token-1", "token-2", "token-3"]


async def test_the_client_secret_is_wrong(connect, new_mail) -> None:
    async with Inbox(tokens={"bot": "x"}) as inbox, TokenServer() as server:
        oauth2 = server.settings(client_secret=Secret("geheim"))
        mailer = connect(inbox, auth="xoauth2", oauth2=oauth2)
        outcome = await mailer.send(new_mail(), OpenGate())
        assert isinstance(outcome, AccountFault)
        assert "invalid_client" in outcome.reason
        assert "smtp.oauth2.token_url" in outcome.reason
        assert "geheim" not in outcome.reason
        assert inbox.commands["AUTH"] == 0


@pytest.mark.parametrize("fault", [Answer(503, "busy"), Answer(429, "slow down"), Cut()])
async def test_the_token_endpoint_is_out_of_order(connect, new_mail, clock, fault) -> None:
    async with Inbox(tokens={"bot": ""}) as inbox:
        server = TokenServer(on_issue=lambda token: inbox.access.tokens.update(bot=token))
        async with server:
            server.faults.add("TOKEN", fault, times=1)
            mailer = connect(inbox, auth="xoauth2", oauth2=server.settings())
            assert isinstance(await mailer.send(new_mail(), OpenGate()), Temporary)
            assert "token" in mailer.paused
            clock.now += 2
            async with mailer.admit():
                assert isinstance(await mailer.send(new_mail(), OpenGate()), Delivered)


async def test_a_token_file_is_read_at_each_login(connect, new_mail, clock, tmp_path) -> None:
    file = tmp_path / "token"
    async with Inbox(tokens={"bot": "first"}) as inbox:
        mailer = connect(
            inbox, auth="xoauth2", oauth2=OAuth2Settings(token_file=file), messages_per_connection=1
        )
        outcome = await mailer.send(new_mail(), OpenGate())
        assert isinstance(outcome, AccountFault)
        assert f"smtp.oauth2.token_file {file}" in outcome.reason
        file.write_text("first\n")
        clock.now += 10
        async with mailer.admit():
            assert isinstance(await mailer.send(new_mail(), OpenGate()), Delivered)
        inbox.access.tokens["bot"] = "second"  # type: ignore[index]
        outcome = await mailer.send(new_mail(), OpenGate())
        assert isinstance(outcome, AccountFault)
        assert "first" not in outcome.reason
        file.write_text("second\n")
        clock.now += 20
        async with mailer.admit():
            assert isinstance(await mailer.send(new_mail(), OpenGate()), Delivered)


@pytest.mark.parametrize("text", ["", "two words", "a\x01b", "ä"])
async def test_a_file_with_something_else_in_it(tmp_path, clock, text) -> None:
    file = tmp_path / "token"
    file.write_text(text, encoding="utf-8")
    with pytest.raises(TokenError) as caught:
        await token_source(OAuth2Settings(token_file=file), clock=clock).get()
    assert caught.value.permanent


async def test_many_logins_at_once_fetch_one_token(clock) -> None:
    async with TokenServer() as server:
        source = token_source(server.settings(), clock=clock, environ={})
        assert await asyncio.gather(*(source.get() for _ in range(5))) == ["token-1"] * 5
        assert await asyncio.gather(*(source.renew("token-1") for _ in range(5))) == ["token-2"] * 5
        assert server.issued == ["token-1", "token-2"]


@pytest.mark.parametrize(
    ("status", "body", "permanent"),
    [
        (200, b"{}", True),
        (200, b"<html>", True),
        (200, b'["access_token"]', True),
        (200, b'{"access_token": "a b"}', True),
        (400, b'{"error": "invalid_scope"}', True),
        (500, b"", False),
    ],
)
def test_answers_without_a_token(status, body, permanent) -> None:
    with pytest.raises(TokenError) as caught:
        _read(status, body, "https://login.example.com/token")
    assert caught.value.permanent is permanent


@pytest.mark.parametrize(
    ("expires_in", "seconds"), [('"60"', 60), ("60", 60), ("null", 3600), ("-1", 3600), ('"x"', 3600)]
)
def test_lifetimes(expires_in, seconds) -> None:
    body = f'{{"access_token": "t", "expires_in": {expires_in}}}'.encode()
    assert _read(200, body, "https://login.example.com/token") == ("t", seconds)
