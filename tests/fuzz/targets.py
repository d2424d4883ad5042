"""Every parser of foreign bytes, with seeds to begin from. A target takes bytes and raises its own errors only.

As a program it goes on for as long as it is told, under limits of memory and of time for each input.
"""

from __future__ import annotations

import argparse
import asyncio
import base64
import concurrent.futures
import contextlib
import json
import random
import resource
import signal
import ssl
import sys
import time
import types
import zlib
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from unittest.mock import Mock

import h11
import httpcore
from aiosmtplib.esmtp import parse_esmtp_extensions

from teleport_email import config
from teleport_email.commands.tctl_json import parse_requests
from teleport_email.config.settings import MailgunSettings, Secret
from teleport_email.core import go_plugin
from teleport_email.core.audits import DAY, WEEK, Audit, next_step, step_begin
from teleport_email.core.claim import Claim
from teleport_email.core.decide import Audience, Policy, View
from teleport_email.core.errors import ConditionError, ConfigError, IdentityError, LedgerUnreadable
from teleport_email.core.foreign import Unreadable, http_date, json_value
from teleport_email.core.frozen import unpack
from teleport_email.core.ledger_json import dumps
from teleport_email.core.model import AccessRequest
from teleport_email.core.redaction import Redactor
from teleport_email.core.reminding import view_of
from teleport_email.mail import mailgun
from teleport_email.mail.http import HttpClient, HttpFault, _Network
from teleport_email.mail.smtp.dialogue import _Group
from teleport_email.mail.smtp.oauth2 import TokenError, _read
from teleport_email.mail.smtp.replies import Reply, Stage, judge
from teleport_email.routing.rules import Surroundings, parse
from teleport_email.routing.rules.written import parse_rules
from teleport_email.teleport._proto.accesslist_pb2 import AccessList, ListAccessListsResponse
from teleport_email.teleport.calls.access_lists import owned_list_from_proto
from teleport_email.teleport.calls.decoding import decoder
from teleport_email.teleport.connect import certificate
from teleport_email.teleport.connect.credentials import _assemble
from teleport_email.teleport.connect.http.frames import Decoder, FrameFault
from teleport_email.teleport.connect.http.http_exchange import HttpExchange, NotHttp
from teleport_email.teleport.connect.pem import PemFault, blocks
from teleport_email.teleport.connect.webapi import _parse

SECONDS_EACH = 5
"""Of processor, for one input: many times what the slowest needs on a busy machine."""
MEMORY = 2 << 30
"""Address space of the whole process: the libraries have a third of it."""
LONGEST = 40_000

KNOWN = Surroundings(AccessRequest(id="1", user="ann@example.com", roles=("dev",)), traits={})
CERTIFICATE = ssl.PEM_cert_to_DER_cert(
    (Path(__file__).parents[1] / "data/identity/tls.crt").read_text().strip()
)
REDACTOR = Redactor(["kJ8#x/Q?vzW9mT2", "pw"])


@dataclass(frozen=True)
class Target:
    feed: Callable[[bytes], object]
    seeds: tuple[bytes, ...]
    errors: tuple[type[Exception], ...] = ()


NOW = datetime(2026, 11, 22, 18, 30, tzinfo=UTC)
IDENTITIES = Path(__file__).parents[1] / "data" / "identity"
DECODE = decoder(ListAccessListsResponse)
_LIST = AccessList()
_LIST.header.metadata.name = "oncall"
_LIST.spec.title = "On call"
_LIST.spec.owners.add(name="ann@example.com", membership_kind="MEMBERSHIP_KIND_USER")
_LIST.spec.audit.next_audit_date.FromDatetime(NOW)
_LIST.spec.audit.notifications.start.FromSeconds(86400)
_LIST.spec.grants.roles.append("prod")
_LIST.status.member_count = 3
ACCESS_LISTS = ListAccessListsResponse(access_lists=[_LIST], next_token="next").SerializeToString()
AUDITS = (Audit("one", NOW, NOW - WEEK), Audit("two", NOW + DAY, NOW - DAY))
MAILGUN = MailgunSettings(domain="mg.example.com", private_key=Secret("key"))


def _identity(data: bytes) -> None:
    """As :func:`credentials.load` does with one file."""
    found = blocks(data)
    certificates = [block for block in found if block.label == "CERTIFICATE"]
    _assemble([block for block in found if block.is_key], certificates, [], (Path("i"),) * 3)


def _replies(data: bytes) -> None:
    group = _Group(3, lambda: None)
    for at in range(0, len(data), 7):
        group.feed(data[at : at + 7])
    for code, text in group._replies:
        judge(Stage.RCPT, Reply(code, text), sender="t@example.com", recipient="ann@example.com")
        parse_esmtp_extensions(text)


def _http_answer(data: bytes) -> None:
    """Of Mailgun and token endpoints: from the wire to what it means."""

    async def ask() -> None:
        client = HttpClient("http://h.example/x", key="x", environ={}, connect_seconds=60, answer_seconds=60)
        network = _Network({})
        network._network = httpcore.AsyncMockBackend([data[:100], data[100:], b""])
        client._pool = httpcore.AsyncConnectionPool(network_backend=network)
        try:
            answer = await client.post(b"x", 1, "text/plain")
        finally:
            await client.close()
        mailgun._judge(answer.status, answer.headers, answer.body, MAILGUN, NOW, recipient="ann@example.com")
        _read(answer.status, answer.body, "https://x/token")

    asyncio.run(ask())


def _exchange(data: bytes) -> None:
    """Of Proxies on the way to a tunnel or a WebSocket."""
    exchange = HttpExchange()
    exchange.connection_made(Mock(spec=asyncio.Transport))
    exchange._http.send(h11.Request(method="GET", target="/", headers=[("Host", "h")]))
    exchange._http.send(h11.EndOfMessage())
    answer = exchange._answer = concurrent.futures.Future()  # type: ignore[assignment]  # needs no loop
    for at in range(0, len(data), 97):
        exchange.data_received(data[at : at + 97])
    exchange.eof_received()
    exchange.connection_lost(None)
    answer.result(0)


def _content(data: bytes) -> None:
    """As it is, and packed: what is broken in a packed one its checksum finds."""
    with contextlib.suppress(LedgerUnreadable):
        unpack(data.decode("latin-1"))
    unpack(base64.b64encode(zlib.compress(data)).decode())


def _ledger(data: bytes) -> None:
    """Read, written, and asked what is due: of a request, and of reminders."""
    text = data.decode("utf-8", "replace")
    made = go_plugin.loads(text)
    dumps(made)
    claim = Claim("id", "x").read({go_plugin.LEDGER_KEY: text})
    for view in (View(KNOWN.request), view_of("id", ["ann@example.com", "bob@example.com"], AUDITS)):
        plan = claim.plan(view, Audience(), Policy(), NOW)
        if plan.round is not None:
            go_plugin.loads(dumps(made.with_round(plan.round)))


def _plugin_data(data: bytes) -> None:
    texts = data.decode("utf-8", "replace").split("\n")
    go_plugin.read(dict(zip((*go_plugin.GO_KEYS, go_plugin.LEDGER_KEY), texts, strict=False)), reviews=3)


def _access_lists(data: bytes) -> None:
    """As they come over the wire, texts that are no UTF-8 mended, and then as they are scheduled."""
    answer = DECODE(data)
    for message in answer.access_lists if answer is not None else ():
        owned = owned_list_from_proto(message)
        if owned is not None:
            step_begin(owned.audit, NOW)
            next_step(owned.audit, NOW)


TARGETS = {
    "identity": Target(
        _identity,
        (b"-----BEGIN CERTIFICATE-----\nMIIB\n-----END CERTIFICATE-----\n", b"ssh-rsa AAAA x\n",
         *(path.read_bytes() for path in sorted(IDENTITIES.glob("*.identity")))),
        (PemFault, IdentityError),
    ),
    "certificate": Target(certificate.read, (CERTIFICATE, CERTIFICATE[:200]), (certificate.CertificateFault,)),
    "tctl json": Target(
        lambda data: parse_requests(data.decode("utf-8", "replace")),
        (b'[{"kind":"access_request","metadata":{"name":"a"},"spec":{"user":"u","roles":["r"],"state":1}}]',),
        (ValueError,),
    ),
    "rules yaml": Target(
        lambda data: parse_rules(data.decode("utf-8", "replace")),
        (b"kind: access_monitoring_rule\nmetadata:\n  name: r\nspec:\n  condition: 'true'\n",),
        (ValueError,),
    ),
    "toml": Target(
        lambda data: config.parse(
            data.decode("utf-8", "surrogateescape"), environ={}, read_secrets=False
        ),
        (b'[teleport]\naddr = "a:1"\nidentity = "/i"\n[delivery]\nsender = "a@example.com"\n[smtp]\nhost = "h"\n',
         b'[role_to_recipients]\n"*" = ["b@example.com"]\n', b"[smtp]\nport = 99\n", b"a = [[[1.5e9, 1979-05-27]]]\n"),
        (ConfigError,),
    ),
    "ledger": Target(
        _ledger,
        (json.dumps({"v": 1, "n": "0" * 32, "d": "x", "w": "1", "s": "PENDING", "k": [], "p": [], "g": {}}).encode(),
         (b'{"v":1,"n":"00112233445566778899aabbccddeeff","d":"x","w":"1","s":"APPROVED","c":2,"k":[["a",""],["r1",""]],'
         b'"p":[{"a":"ann@example.com","m":{"a":[2,5],"r1":[3,6,"550"]},"i":{"w":[1,2,3,"451"],"s":"Ann@x"}}],"g":{}}'),
         (b'{"v":3,"n":"00112233445566778899aabbccddeeff","d":"x","w":"1","s":"PENDING","c":9,"k":[],'
         b'"p":[{"a":"ann@example.com","m":{"a":[2,5],"r9":[1,0]},"h":[[2,0,1,6,8,8],[3,1,7,7]],"t":1}],"g":{}}'),
         (b'{"v":1,"n":"00112233445566778899aabbccddeeff","d":"x","w":"1","s":"PENDING","k":[["l1",""],["l2","x"]],'
         b'"p":[{"a":"ann@example.com","m":{"l1":[2,5],"l2":[1,0]}}],"g":{},'
         b'"l":[[1,1795372260,20780,"AAAAAAAAAAAABBBBBBBBBBBB"],[2,1795382260,20781,"CCCCCCCCCCCC"]]}')),
        (LedgerUnreadable,),
    ),
    "content": Target(
        _content, (b'["s","t","h",1795372260,"b","t@example.com","",[["List-Id","<x>"]]]', b"\0" * 5000), (LedgerUnreadable,)
    ),
    "plugin data": Target(
        _plugin_data, (b"u\nr\nreason\n2\nAPPROVED\n\na@x/now/1@vm,b@x/now/2@vm\n",), (LedgerUnreadable,)
    ),
    "access lists": Target(_access_lists, (ACCESS_LISTS, ACCESS_LISTS * 3)),
    "frames": Target(
        lambda data: list(Decoder().feed(data)), (b"\x89\x03abc\x82\x02hi", b"\x82\x7f" + b"\0" * 8), (FrameFault,)
    ),
    "smtp replies": Target(
        _replies,
        (b"250-a\r\n250 b\r\n250 c\r\n354 d\r\n", b"250-\r\n" * 50, b"250-h\r\n250-SIZE 99\r\n250 AUTH PLAIN\r\n",
         b"550 5.1.1 <ann@example.com> no\r\n421 4.3.2 x\r\n550-5.7.1 y\r\n550 z\r\n"),
    ),
    "http answers": Target(
        _http_answer,
        (b'HTTP/1.1 200 OK\r\nContent-Length: 34\r\n\r\n{"access_token":"t","id":"<m@mg>"}',
         (b"HTTP/1.1 429 Slow\r\nRetry-After: Sun, 22 Nov 2026 18:31:00 GMT\r\nTransfer-Encoding: chunked\r\n\r\n"
         b'10\r\n{"message":"try"\r\n1\r\n}\r\n0\r\n\r\n'),
         b"HTTP/1.1 100 Continue\r\n\r\n" * 3 + b"HTTP/1.1 503 x\r\nx-ratelimit-reset: 1795372260\r\n\r\nbusy"),
        (HttpFault, TokenError),
    ),
    "http on the way": Target(
        _exchange,
        (b"HTTP/1.1 101 Switching\r\nUpgrade: websocket\r\nConnection: upgrade\r\n\r\n\x82\x02hi",
         b"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}",
         b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2;x=y\r\n{}\r\n0\r\nA: b\r\n\r\n"),
        (NotHttp,),
    ),
    "token answer": Target(
        lambda data: _read(200, data, "https://x/token"), (b'{"access_token":"t","expires_in":60}',), (TokenError,)
    ),
    "webapi": Target(_parse, (b'{"server_version":"17.0.0","cluster_name":"c","proxy":{}}',)),
    "json": Target(json_value, (b'{"a":[1,2.5,null]}',), (Unreadable,)),
    "date": Target(
        lambda data: http_date(data.decode("latin-1")), (b"Sun, 22 Nov 2026 18:30:00 GMT",), (Unreadable,)
    ),
    "condition": Target(
        lambda data: parse(data.decode("utf-8", "replace")).holds(KNOWN),
        (b'access_request.spec.roles.contains("dev") && !(set("a").isempty())',
         b'regexp.replace(access_request.spec.roles, "^(.*)$", "$1").contains("x")'),
        (ConditionError, ConfigError),
    ),
    "redaction": Target(
        lambda data: REDACTOR.hide(data.decode("utf-8", "replace")), (b"535 a0o4I3gvUT92elc5bVQy %6bJ8 &#x6b; \\x6b",)
    ),
}  # fmt: skip


def mutated(rng: random.Random, seeds: tuple[bytes, ...]) -> bytes:
    data = bytearray(rng.choice(seeds))
    for _ in range(rng.randint(0, 8)):
        at = rng.randint(0, len(data))
        piece = bytes(data[at : at + rng.randint(1, 12)])
        match rng.randint(0, 6):
            case 0:
                data[at:at] = bytes(rng.randrange(256) for _ in range(rng.randint(1, 6)))
            case 1:
                del data[at : at + rng.randint(1, 12)]
            case 2:
                data[at:at] = piece * rng.choice([1, 2, 100, 3000])
            case 3:
                data[at:at] = rng.choice(
                    [b"9" * 400, b"9" * 5000, b"[" * 3000, b'{"a":' * 2000, b"-1", b"1e999", b"NaN"]
                )
            case 4:
                data[at:at] = rng.choice(
                    [b"\0", b"\xff\xfe", b"\r\n", "\u202e\ud7ff".encode(), b"\\ud800", b"%", b"'"]
                )
            case 5:
                other = rng.choice(seeds)
                data[at:at] = other[rng.randint(0, len(other)) :]
            case _:
                if data:
                    data[at % len(data)] = rng.randrange(256)
    return bytes(data[:LONGEST])


class TooSlow(BaseException):
    """Not an Exception: no parser may catch it."""


def run(name: str, seed: int, seconds: float, rounds: int) -> int:
    """Feed ``rounds`` inputs, or as many as fit into ``seconds``; how many it were. Raises what gets out."""
    target, rng = TARGETS[name], random.Random(f"{name}{seed}")

    def too_slow(_number: int, _frame: types.FrameType | None) -> None:
        raise TooSlow

    before = signal.signal(signal.SIGVTALRM, too_slow)
    end = time.monotonic() + seconds
    done = 0
    try:
        while done < rounds and time.monotonic() < end:
            data = mutated(rng, target.seeds) if done >= len(target.seeds) else target.seeds[done]
            signal.setitimer(signal.ITIMER_VIRTUAL, SECONDS_EACH)
            try:
                target.feed(data)
            except target.errors:
                pass
            except BaseException:
                print(f"{name}, seed {seed}, round {done}: {data[:200]!r}", file=sys.stderr)
                raise
            finally:
                signal.setitimer(signal.ITIMER_VIRTUAL, 0)
            done += 1
    finally:
        signal.signal(signal.SIGVTALRM, before)
    return done


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--minutes", type=float, default=1)
    parser.add_argument("--seed", type=int, default=1)
    options = parser.parse_args()
    resource.setrlimit(resource.RLIMIT_AS, (MEMORY, MEMORY))
    end = time.monotonic() + 60 * options.minutes
    seed = options.seed
    counts = dict.fromkeys(TARGETS, 0)
    while time.monotonic() < end:
        for name in TARGETS:
            counts[name] += run(name, seed, min(5.0, max(0.0, end - time.monotonic())), 10**9)
        seed += 1
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024
    print(", ".join(f"{name} {count}" for name, count in counts.items()))
    print(f"{sum(counts.values())} inputs, no foreign error, no input above {SECONDS_EACH} s, peak {peak} MB")


if __name__ == "__main__":
    main()
