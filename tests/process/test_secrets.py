"""Secrets in foreign words, end to end: servers that say back what they were told, and all that is then shown.

A real daemon that logs everything, its pages, ``check``, ``send-test``, ``show``, ``ls`` and what it keeps in the
cluster: none of that has a secret in any form.
"""

from __future__ import annotations

import asyncio
import base64
import contextlib
import json
import os
import re
import socket
import sys
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import quote, quote_plus

import httpx
import pytest

from teleport_email.sandbox.command.running import Sandbox

PASSWORD = "kJ8#x/Q?v+W%9&mT2"
CLIENT_SECRET = "cS7/y?R#u=V~4 pN6"
TOKEN = "ya29.tE5+w/Z-q_K3=="
KEY = "key-9fB4/h?L#s+D7"
PROXY_PASSWORD = "pX3#d/M?g+C8"
RECIPIENTS = [f"r{number}@example.com" for number in range(4)]
PATIENCE = 60.0

Conversation = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]


def forms(secret: str) -> set[str]:
    """How a secret can be written, of base64 the part that is the same whatever stands before and behind it."""
    raw = secret.encode()
    found = {secret, quote(secret, safe=""), quote_plus(secret), "".join(f"%{byte:02X}" for byte in raw)}
    found |= {json.dumps(secret)[1:-1], "".join(secret.split())}
    for encode in (base64.b64encode, base64.urlsafe_b64encode):
        for offset in range(3):
            digits = encode(bytes(offset) + raw).decode().rstrip("=")
            found.add(digits[-(-offset * 8 // 6) : (offset + len(raw)) * 8 // 6])
    return found


def leaks(text: str, secrets: set[str]) -> set[str]:
    """All that eight characters in a row of any form of a secret stand in, line ends and blanks left out."""
    squeezed = "".join(text.replace("\\n", "").replace("\\\\", "\\").split())
    found = set()
    for form in {form for secret in secrets for form in forms(secret)}:
        written = "".join(form.split())
        found |= {written[at : at + 8] for at in range(len(written) - 7) if written[at : at + 8] in squeezed}
    return found


@contextlib.asynccontextmanager
async def serving(converse: Conversation) -> AsyncIterator[int]:
    """A server for as long as the block lasts; its port."""

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with contextlib.suppress(ConnectionError, asyncio.IncompleteReadError, asyncio.CancelledError):
            await converse(reader, writer)
        writer.close()

    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    try:
        yield server.sockets[0].getsockname()[1]
    finally:
        server.close()
        await server.wait_closed()


def said_back(told: str) -> str:
    """What somebody was told, in all sorts of forms, as one line."""
    decoded = []
    for word in re.split(r"[\s:]+", told):
        with contextlib.suppress(ValueError):
            decoded.append(base64.b64decode(word, validate=True).decode("utf-8", "replace"))
    plain = " ".join("".join(c if c.isprintable() else " " for c in text) for text in decoded)
    return f"you said {told} which is {plain} or {quote(told)} or {told[: len(told) * 2 // 3]}... end"


@dataclass
class EchoingSmtp:
    """Refuses logins at first, takes them later; whatever it answers, it says back what it was told in the last
    login, in pieces of many lines.
    """

    mechanism: str
    refusals: int = 2
    told: list[str] = field(default_factory=list)

    async def converse(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        last = ""
        recipient = ""

        async def line() -> str:
            return (await reader.readuntil(b"\r\n")).decode().rstrip()

        def answer(code: int, text: str = "") -> None:
            words = f"{text} {said_back(last)}" if last else text
            pieces = [words[at : at + 23] for at in range(0, len(words), 23)] or [""]
            for piece in pieces[:-1]:
                writer.write(f"{code}-{piece}\r\n".encode())
            writer.write(f"{code} {pieces[-1]}\r\n".encode())

        answer(220, "mail.example.com ESMTP")
        while True:
            words = (await line()).split()
            match words[0].upper().partition(":")[0]:
                case "EHLO":
                    writer.write(f"250-mail.example.com\r\n250 AUTH {self.mechanism}\r\n".encode())
                case "AUTH":
                    said = words[2:]
                    challenges = {"LOGIN": ["VXNlcm5hbWU6", "UGFzc3dvcmQ6"], "CRAM-MD5": ["PDEuMkB4Pg=="]}
                    for challenge in challenges.get(self.mechanism, []):
                        writer.write(f"334 {challenge}\r\n".encode())
                        said.append(await line())
                    last = f"AUTH {self.mechanism} {' '.join(said)}"
                    self.told += said
                    self.refusals -= 1
                    answer(*((535, "5.7.8 no:") if self.refusals >= 0 else (235, "2.7.0 yes:")))
                case "RCPT":
                    recipient = words[1].removeprefix("TO:<").removesuffix(">")
                    code, text = {
                        RECIPIENTS[0]: (554, "5.7.1 relay denied"),
                        RECIPIENTS[1]: (550, "5.1.1 nobody"),
                        RECIPIENTS[2]: (451, "4.3.0 later"),
                    }.get(recipient, (250, "2.1.5 ok"))
                    answer(code, text)
                case "DATA":
                    answer(354, "go on")
                    await reader.readuntil(b"\r\n.\r\n")
                    answer(250, "2.0.0 queued")
                case "QUIT":
                    answer(221, "2.0.0 bye")
                    return
                case _:
                    answer(250, "2.0.0 ok")


def echoing_http(status: str, *, token_first: bool = False) -> Conversation:
    """Answers every request with all that stood in it. ``token_first``: the first answer is a bearer token."""
    answered = 0

    async def converse(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        nonlocal answered
        while True:
            head = (await reader.readuntil(b"\r\n\r\n")).decode()
            length = re.search(r"content-length: (\d+)", head, re.IGNORECASE)
            body = (await reader.readexactly(int(length[1]))).decode("utf-8", "replace") if length else ""
            login = re.search(r"authorization: (.*?)\r", head, re.IGNORECASE)
            words = said_back(f"{login[1] if login else ''} {body[:600]}".strip())
            answer = {"message": words, "error": "invalid_client", "error_description": words}
            said = status
            if token_first and not answered:
                said, answer = "200 OK", {"access_token": TOKEN, "token_type": "Bearer"}
            answered += 1
            text = json.dumps(answer)
            if status.startswith("407"):
                said = f"407 {words[:300]}"
            writer.write(
                f"HTTP/1.1 {said}\r\nContent-Type: application/json\r\nContent-Length: {len(text)}\r\n\r\n"
                f"{text}".encode()
            )

    return converse


async def output(*arguments: str, environ: dict[str, str]) -> str:
    """All that a command prints, with its errors; whatever it ends with."""
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "teleport_email", *arguments,
        stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.STDOUT, env=os.environ | environ,
    )  # fmt: skip
    async with asyncio.timeout(PATIENCE):
        return (await process.communicate())[0].decode()


class Trial:
    """A configuration, the daemon that runs by it, and all that is to be read anywhere."""

    def __init__(
        self, sandbox: Sandbox, directory: Path, mail: str, *, log_format: str, addr: str = ""
    ) -> None:
        self.sandbox = sandbox
        self.log_format = log_format
        self.environ: dict[str, str] = {}
        with socket.create_server(("127.0.0.1", 0)) as free:
            self._page = f"127.0.0.1:{free.getsockname()[1]}"
        self.log = directory / "daemon.log"
        self.configuration = directory / "trial.toml"
        cluster = sandbox.configuration.read_text().partition("[smtp]")[0]
        if addr:
            cluster = re.sub(r"addr = .*", f'addr = "{addr}"', cluster)
        self.configuration.write_text(
            f'{cluster}{mail}\n[delivery]\nsender = "teleport@example.com"\n'
            f'[role_to_recipients]\n"*" = {json.dumps(RECIPIENTS)}\n'
            f'[log]\noutput = "{self.log}"\nseverity = "trace"\nformat = "{log_format}"\n'
            f'[diagnostics]\naddr = "{self._page}"\n'
        )

    async def everything(self, until: Callable[[Trial, str], bool]) -> dict[str, str]:
        """What is to be read where, once the log has all that ``until`` waits for."""
        request = await self.sandbox.cluster.create(user="alice", roles=["dev"], reason="a fix")
        self.request_id = request.id
        shown: dict[str, str] = {}
        process = await asyncio.create_subprocess_exec(
            sys.executable, "-m", "teleport_email", "start", "-c", str(self.configuration),
            stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.STDOUT, env=os.environ | self.environ,
        )  # fmt: skip
        try:
            ends = asyncio.get_running_loop().time() + PATIENCE
            while not (self.log.exists() and until(self, self.log.read_text())):
                late = asyncio.get_running_loop().time() > ends
                if late or process.returncode is not None:
                    pytest.fail(self.log.read_text()[-3000:] if self.log.exists() else "no log")
                await asyncio.sleep(0.05)
            async with asyncio.timeout(PATIENCE), httpx.AsyncClient(trust_env=False) as http:
                for page in ("readyz", "statusz", "metrics"):
                    shown[page] = (await http.get(f"http://{self._page}/{page}")).text
            of_all = ["-c", str(self.configuration)]
            check = ["check", "--json"] if self.log_format == "json" else ["check"]
            shown["check"] = await output(*check, *of_all, environ=self.environ)
            send_test = ["send-test", "--debug", "--to", RECIPIENTS[3]]
            shown["send-test"] = await output(*send_test, *of_all, environ=self.environ)
        finally:
            with contextlib.suppress(ProcessLookupError):
                process.terminate()
            async with asyncio.timeout(PATIENCE):
                shown["stdout"] = (await process.communicate())[0].decode()
        shown["log"] = self.log.read_text()
        shown["plugin data"] = json.dumps(self.sandbox.cluster.plugin_data(request.id))
        return shown


def assert_clean(shown: dict[str, str], *secrets: str) -> None:
    """Nothing of any secret anywhere, and each place really speaks of the servers' answers."""
    found = {place: leaks(text, set(secrets)) for place, text in shown.items()}
    assert {place: pieces for place, pieces in found.items() if pieces} == {}


def test_leaks_are_found() -> None:
    for form in forms(PASSWORD):
        assert leaks(f"535 you said {form[:9]}\n{form[9:]}", {PASSWORD})
    login = base64.b64encode(f"\0bob@example.com\0{PASSWORD}".encode()).decode()
    assert leaks(f"535 {login}", {PASSWORD})
    assert not leaks("535 5.7.8 authentication failed for bob@example.com", {PASSWORD, TOKEN, KEY})


@pytest.mark.parametrize(
    ("mechanism", "log_format"),
    [("PLAIN", "text"), ("LOGIN", "json"), ("CRAM-MD5", "text"), ("XOAUTH2", "json")],
)
async def test_a_mail_server_that_says_back_what_it_was_told(
    sandbox, tmp_path, mechanism, log_format
) -> None:
    server = EchoingSmtp(mechanism)
    (tmp_path / "password").write_text(PASSWORD)
    (tmp_path / "client_secret").write_text(CLIENT_SECRET)
    async with (
        serving(server.converse) as port,
        serving(echoing_http("401 Unauthorized", token_first=True)) as tokens,
    ):
        mail = f'[smtp]\nhost = "127.0.0.1"\nport = {port}\nusername = "bob@example.com"\ntls = "none"\n'
        if mechanism == "XOAUTH2":
            server.refusals = 0
            mail += (
                f'auth = "xoauth2"\n[smtp.oauth2]\ntoken_url = "http://127.0.0.1:{tokens}/token"\n'
                f'client_id = "mailer"\nclient_secret_file = "{tmp_path}/client_secret"\n'
            )
        else:
            mail += f'password_file = "{tmp_path}/password"\n'
        trial = Trial(sandbox, tmp_path, mail, log_format=log_format)

        def all_tried(trial: Trial, log: str) -> bool:
            data = json.dumps(trial.sandbox.cluster.plugin_data(trial.request_id))
            return "message delivered" in log and "nobody" in log and "relay denied" in data

        shown = await trial.everything(all_tried)
        of_it = ["-c", str(trial.configuration)]
        shown["show"] = await output("show", trial.request_id, *of_it, environ={})
        shown["ls"] = await output("ls", "--json", *of_it, environ={})
    secrets = {PASSWORD, CLIENT_SECRET, TOKEN}
    for told in server.told:
        said = base64.b64decode(told).decode()
        secrets.add(said.rpartition(" ")[2] if mechanism == "CRAM-MD5" else told[-16:].rstrip("="))
    secrets.discard(
        base64.b64encode(b"bob@example.com").decode()[-16:].rstrip("=")
    )  # a name, as LOGIN says it
    assert_clean(shown, *secrets)
    assert "you said" in shown["log"]
    assert "relay denied" in shown["show"]
    if mechanism == "XOAUTH2":
        assert "invalid_client" in shown["check"]
    else:
        assert "you said" in shown["send-test"]
        assert "no: you said" in " ".join(shown["log"].split())


async def test_a_mailgun_that_says_back_what_it_was_told(sandbox, tmp_path) -> None:
    (tmp_path / "key").write_text(KEY)
    async with serving(echoing_http("401 Forbidden")) as port:
        mail = (
            f'[mailgun]\ndomain = "mg.example.com"\nprivate_key_file = "{tmp_path}/key"\n'
            f'api_base = "http://127.0.0.1:{port}"\n'
        )
        trial = Trial(sandbox, tmp_path, mail, log_format="text")
        shown = await trial.everything(lambda _, log: "sending paused" in log)
    assert_clean(shown, KEY)
    for place in ("log", "readyz", "check", "send-test"):
        assert "you said" in shown[place], place


@pytest.mark.parametrize(("way", "escaped"), [("mailgun", True), ("mailgun", False), ("oauth2", False)])
async def test_a_proxy_that_says_back_what_it_was_told(sandbox, tmp_path, way, escaped) -> None:
    """Also where the password would end the host in the URL, so that nobody is asked at all."""
    (tmp_path / "secret").write_text(KEY)
    async with serving(echoing_http("407 Proxy Authentication Required")) as port:
        mail = (
            f'[mailgun]\ndomain = "mg.example.com"\nprivate_key_file = "{tmp_path}/secret"\n'
            'api_base = "https://mailgun.example.test"\n'
            if way == "mailgun"
            else '[smtp]\nhost = "127.0.0.1"\nusername = "bob@example.com"\nport = '
            f'{sandbox.mail.port}\ntls = "starttls"\nca_file = "{sandbox.options.directory}/mail-ca.pem"\n'
            'auth = "xoauth2"\n[smtp.oauth2]\ntoken_url = "https://login.example.test/token"\n'
            f'client_id = "mailer"\nclient_secret_file = "{tmp_path}/secret"\n'
        )
        trial = Trial(sandbox, tmp_path, mail, log_format="json" if escaped else "text")
        password = quote(PROXY_PASSWORD, safe="") if escaped else PROXY_PASSWORD
        trial.environ = {
            "HTTPS_PROXY": f"http://carol:{password}@127.0.0.1:{port}",
            "NO_PROXY": "127.0.0.1",  # the cluster
        }
        shown = await trial.everything(lambda _, log: "sending paused" in log)
    assert_clean(shown, KEY, PROXY_PASSWORD)
    for place in ("log", "readyz", "check", "send-test"):
        assert ("407" if escaped else "HTTPS_PROXY") in shown[place], place


async def test_a_proxy_before_the_cluster(sandbox, tmp_path) -> None:
    async with serving(echoing_http("407 Proxy Authentication Required")) as port:
        mail = '[smtp]\nhost = "127.0.0.1"\nport = 1\ntls = "none"\n'
        trial = Trial(sandbox, tmp_path, mail, log_format="text", addr="teleport.example.test:443")
        trial.environ = {"HTTPS_PROXY": f"http://carol:{quote(PROXY_PASSWORD, safe='')}@127.0.0.1:{port}"}
        shown = await trial.everything(lambda _, log: "cluster not reached" in log)
    assert_clean(shown, PROXY_PASSWORD)
    for place in ("log", "readyz", "check"):
        assert "407" in shown[place], place
