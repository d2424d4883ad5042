"""How much the relay costs: list 10,000 access requests through it and through grpcio's own TLS.

Both go to the same gRPC server (a process of its own, mutual TLS by grpcio) and take turns, so that the ratio
means the same on any machine. Run: python bench/relay.py [rounds]. Exits 1 when the ratio is above 1.5.
"""

from __future__ import annotations

import asyncio
import contextlib
import multiprocessing
import statistics
import sys
import tempfile
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path

import grpc
import grpc.aio

from teleport_email.config.settings import TeleportSettings
from teleport_email.sandbox.front.ca import Authorities
from teleport_email.teleport._proto import auth_pb2, auth_pb2_grpc, types_pb2
from teleport_email.teleport._proto.auth_pb2_grpc import AuthServiceStub
from teleport_email.teleport.calls.call import Caller
from teleport_email.teleport.calls.requests import Requests
from teleport_email.teleport.connect import credentials
from teleport_email.teleport.connect.dialer import Dialer
from teleport_email.teleport.connect.relay import Relay

REQUESTS = 10_000
LIMIT = 1.5
OPTIONS = [
    ("grpc.max_receive_message_length", -1),
    ("grpc.use_local_subchannel_pool", 1),
    ("grpc.default_authority", credentials.SERVER_NAME),
]


def page(start: int, size: int) -> auth_pb2.ListAccessRequestsResponse:
    """Requests of about 1 KB each, as a request with a reason, suggested reviewers and two reviews has."""
    answer = auth_pb2.ListAccessRequestsResponse()
    for number in range(start, min(start + size, REQUESTS)):
        request = answer.AccessRequests.add(Kind="access_request", Version="v3")
        request.Metadata.Name = f"019aaaaa-0000-7000-8000-{number:012d}"
        request.Spec.User = f"person{number % 300}@example.com"
        request.Spec.Roles.extend(["editor", "production-database"])
        request.Spec.State = types_pb2.PENDING
        request.Spec.RequestReason = "The nightly job failed and somebody has to look. " * 8
        request.Spec.SuggestedReviewers.extend(["alice@example.com", "bob@example.com"])
        for author in ("alice@example.com", "carol@example.com"):
            request.Spec.Reviews.add(
                Author=author, ProposedState=types_pb2.APPROVED, Reason="Looks right. " * 8
            )
    if start + size < REQUESTS:
        answer.NextKey = str(start + size)
    return answer


class Auth(auth_pb2_grpc.AuthServiceServicer):
    """Pages are made once: the server is not what is measured."""

    def __init__(self) -> None:
        self.pages: dict[tuple[int, int], auth_pb2.ListAccessRequestsResponse] = {}

    async def ListAccessRequests(self, request, context):  # noqa: N802
        wanted = (int(request.StartKey or 0), request.Limit)
        if wanted not in self.pages:
            self.pages[wanted] = page(*wanted)
        return self.pages[wanted]


def serve(key: bytes, certificate: bytes, clients: bytes, ready) -> None:
    async def run() -> None:
        server = grpc.aio.server()
        auth_pb2_grpc.add_AuthServiceServicer_to_server(Auth(), server)
        secured = grpc.ssl_server_credentials([(key, certificate)], clients, require_client_auth=True)
        ready.put(server.add_secure_port("127.0.0.1:0", secured))
        await server.start()
        await server.wait_for_termination()

    asyncio.run(run())


async def measure(port: int, identity: credentials.Identity, rounds: int) -> float:
    secured = grpc.ssl_channel_credentials(identity.ca_pem, identity.key_pem, identity.cert_pem)
    override = ("grpc.ssl_target_name_override", credentials.SERVER_NAME)
    dialer = Dialer(f"127.0.0.1:{port}", {})
    times: dict[str, list[float]] = {"grpcio's own TLS": [], "the relay": []}
    async with (
        grpc.aio.secure_channel(f"127.0.0.1:{port}", secured, options=[*OPTIONS, override]) as native,
        Relay(lambda: dialer.dial(identity)) as relay,
        grpc.aio.insecure_channel(relay.target, options=OPTIONS) as relayed,
    ):
        calls = {
            name: Requests(Caller(lambda: None), AuthServiceStub(channel))
            for name, channel in zip(times, (native, relayed), strict=True)
        }
        for turn in range(rounds + 1):
            for name, requests in calls.items():
                began = time.perf_counter()
                found = await requests.list()
                took = time.perf_counter() - began
                assert len(found) == REQUESTS
                if turn:  # the first turn connects and warms up
                    times[name].append(took)
    medians = {name: statistics.median(taken) for name, taken in times.items()}
    for name, median in medians.items():
        best = min(times[name])
        print(f"{name:18} {median * 1000:7.0f} ms for {REQUESTS:,} requests (best {best * 1000:.0f})")
    return medians["the relay"] / medians["grpcio's own TLS"]


def main() -> int:
    rounds = int(sys.argv[1]) if len(sys.argv) > 1 else 7
    now = datetime.now(UTC)
    authorities = Authorities("bench.example.com", now)
    key, certificate = authorities.server("127.0.0.1", now)
    client = authorities.credentials(
        "bench", ["plugin"], not_before=now - timedelta(minutes=1), not_after=now + timedelta(hours=1)
    )
    processes = multiprocessing.get_context("spawn")
    ready = processes.Queue()
    server = processes.Process(
        target=serve, args=(key, certificate, authorities.user.pem, ready), daemon=True
    )
    server.start()
    try:
        with tempfile.TemporaryDirectory() as directory:
            path = Path(directory) / "identity"
            path.write_bytes(client.identity_file)
            identity = credentials.load(TeleportSettings(identity=path))
        ratio = asyncio.run(measure(ready.get(timeout=60), identity, rounds))
    finally:
        with contextlib.suppress(ValueError):
            server.terminate()
            server.join()
    print(f"ratio {ratio:.2f} (at most {LIMIT})")
    return 0 if ratio <= LIMIT else 1


if __name__ == "__main__":
    sys.exit(main())
