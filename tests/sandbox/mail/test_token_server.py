"""The token endpoint: who gets a token, and what others are told."""

from __future__ import annotations

import httpx
import pytest

from teleport_email.sandbox.mail.mailgun import Answer
from teleport_email.sandbox.mail.script import Cut
from teleport_email.sandbox.mail.token_server import TokenServer

GRANT = {"grant_type": "client_credentials"}
BY_FORM = {**GRANT, "client_id": "mailer", "client_secret": "client-secret"}


@pytest.fixture
async def http():
    async with httpx.AsyncClient(trust_env=False) as http:
        yield http


async def test_tokens_by_form_and_by_basic_auth(http):
    seen: list[str] = []
    async with TokenServer(client_secret="s:e cret", expires_in=60, on_issue=seen.append) as server:
        form = {**GRANT, "client_id": "mailer", "client_secret": "s:e cret"}
        answer = (await http.post(server.url, data=form)).json()
        assert answer == {"access_token": "token-1", "token_type": "Bearer", "expires_in": 60}
        # RFC 6749 wants both parts form-encoded.
        assert (await http.post(server.url, data=GRANT, auth=("mailer", "s%3Ae+cret"))).status_code == 200
        assert server.issued == seen == ["token-1", "token-2"]
        assert server.requests[0]["grant_type"] == "client_credentials"
        assert server.settings().token_url == server.url


@pytest.mark.parametrize(
    ("form", "status", "error"),
    [
        ({**BY_FORM, "client_secret": "wrong"}, 401, "invalid_client"),
        (GRANT, 401, "invalid_client"),
        ({**BY_FORM, "grant_type": "password"}, 400, "unsupported_grant_type"),
        ({**BY_FORM, "scope": "other"}, 400, "invalid_scope"),
    ],
)
async def test_refusals(http, form, status, error):
    async with TokenServer(scope="mail") as server:
        answer = await http.post(server.url, data={"scope": "mail", **form})
        assert (answer.status_code, answer.json()["error"]) == (status, error)
        assert server.issued == []


async def test_faults(http):
    async with TokenServer() as server:
        server.faults.add("TOKEN", Answer(503, "later"), times=1)
        server.faults.add("TOKEN", Cut(), times=1)
        assert (await http.post(server.url, data=BY_FORM)).status_code == 503
        with pytest.raises(httpx.RemoteProtocolError):
            await http.post(server.url, data=BY_FORM)
        assert (await http.post(server.url, data=BY_FORM)).status_code == 200
