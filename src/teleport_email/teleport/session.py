"""A session with the cluster: connect with the identity as it is now, and make calls over that connection.

A :class:`Connection` is used once: when it has ended, or its certificate nears its end, ``connect`` makes the
next one, over a new relay. So each reads the identity afresh, and a renewal leaves no gap: the old
connection stays until the new one stands.
"""

from __future__ import annotations

import asyncio
import re
import ssl
from asyncio import StreamReader, StreamWriter
from collections.abc import AsyncGenerator, Callable, Mapping, Sequence
from contextlib import AsyncExitStack
from datetime import datetime, timedelta
from functools import cached_property
from types import TracebackType
from typing import TYPE_CHECKING, Any, NoReturn, Self

import grpc.aio

from teleport_email.config.settings import TeleportSettings
from teleport_email.core.errors import Denied, IdentityError, Rejected, Unreachable
from teleport_email.core.model import ClusterInfo
from teleport_email.teleport._proto import auth_pb2
from teleport_email.teleport._proto.auth_pb2_grpc import AuthServiceStub
from teleport_email.teleport._proto.rules_pb2_grpc import AccessMonitoringRulesServiceStub
from teleport_email.teleport._proto.userloginstate_pb2_grpc import UserLoginStateServiceStub
from teleport_email.teleport._proto.users_pb2_grpc import UsersServiceStub
from teleport_email.teleport.calls.call import Caller, TolerantChannel
from teleport_email.teleport.calls.convert import ACCESS_LIST, cluster_from_proto
from teleport_email.teleport.calls.events import WatchEvent, WatchStarted, event_from_proto, watch_request
from teleport_email.teleport.calls.plugin_data import PluginData
from teleport_email.teleport.calls.requests import Requests
from teleport_email.teleport.calls.resources import Resources
from teleport_email.teleport.calls.rules import Rules
from teleport_email.teleport.calls.users import Users
from teleport_email.teleport.connect.credentials import SERVER_NAME, Identity, check_time, load
from teleport_email.teleport.connect.dialer import Dialer
from teleport_email.teleport.connect.relay import Relay

if TYPE_CHECKING:
    from teleport_email.teleport.calls.access_lists import AccessLists

PING_INTERVAL = 20.0
"""Seconds between pings. They are ordinary calls: servers end connections whose HTTP/2 pings come often."""

PING_DEADLINE = 10.0
"""With the interval: a dead peer is noticed within half a minute."""

INIT_DEADLINE = 30.0
"""Seconds until a watch must have begun; a cluster that is just starting may fill its cache first."""

MAX_MESSAGE = 512 * 1024 * 1024
"""Bytes. All plugin data come in one answer: 113 MB for 100,000 requests; grpc's own limit is 4 MiB."""

NEAR_END = timedelta(minutes=5)
"""A certificate with less time left is always renewed, however short its life was."""

_WATCHING = "watching the cluster's events"

_OPTIONS: tuple[tuple[str, Any], ...] = (
    ("grpc.default_authority", SERVER_NAME),
    ("grpc.enable_http_proxy", 0),  # the dialer knows the proxies
    ("grpc.use_local_subchannel_pool", 1),  # else channels share connections, also those of closed ones
    ("grpc.max_receive_message_length", MAX_MESSAGE),
    ("grpc.initial_reconnect_backoff_ms", 200),
    ("grpc.max_reconnect_backoff_ms", 2000),
)


class Connection:
    """One connection to the cluster: made by :meth:`Session.connect`, ended by :meth:`close`.

    Calls raise the :class:`ClusterError` that fits; any may raise :class:`Unreachable`, and after that, as
    the relay serves one connection only, so will all others.
    """

    requests: Requests
    plugin_data: PluginData
    access_list_data: PluginData
    """Plugin data of kind ``access_list``."""
    users: Users
    rules: Rules
    resources: Resources
    cluster: ClusterInfo
    """As the last ping told it."""

    def __init__(
        self,
        *,
        identity: Identity,
        way: str,
        plugin_name: str,
        channel: grpc.aio.Channel,
        fault: Callable[[], Exception | None],
        read_identity: Callable[[], Identity],
        ping_interval: float,
        ping_deadline: float,
    ) -> None:
        """``fault`` tells what ended the connection, if anything did; the other times are in seconds."""
        self.identity = identity
        self.way = way
        self.cluster = ClusterInfo(identity.cluster)
        self._read_identity = read_identity
        self._ping_interval = ping_interval
        self._ping_deadline = ping_deadline
        self._resources = AsyncExitStack()
        self._tolerant = tolerant = TolerantChannel(channel)
        self._caller = Caller(fault)
        self._auth = AuthServiceStub(tolerant)
        self.requests = Requests(self._caller, self._auth)
        self.plugin_data = PluginData(self._caller, self._auth, plugin_name)
        self.access_list_data = PluginData(self._caller, self._auth, plugin_name, ACCESS_LIST)
        self.users = Users(
            self._caller, UsersServiceStub(tolerant), self._auth, UserLoginStateServiceStub(tolerant)
        )
        self.rules = Rules(self._caller, AccessMonitoringRulesServiceStub(tolerant), plugin_name)
        self.resources = Resources(self._caller, self._auth, identity.cluster)

    @cached_property
    def access_lists(self) -> AccessLists:
        """Access Lists. Few clusters are asked for them, so what it takes is loaded here."""
        from teleport_email.teleport._proto.accesslist_pb2_grpc import AccessListServiceStub
        from teleport_email.teleport.calls.access_lists import AccessLists

        return AccessLists(self._caller, AccessListServiceStub(self._tolerant))

    async def ping(self) -> ClusterInfo:
        """Ask for the cluster's name and features. Raises :class:`Unreachable` after the ping's deadline."""
        answer = await self._caller.unary(
            self._auth.Ping,
            auth_pb2.PingRequest(),
            doing="asking the cluster for a sign of life",
            timeout=self._ping_deadline,
            urgent=True,
        )
        self.cluster = cluster_from_proto(answer)
        return self.cluster

    async def keep_alive(self) -> NoReturn:
        """Ping at intervals for ever; raises :class:`Unreachable` as soon as one has no answer."""
        while True:
            await asyncio.sleep(self._ping_interval)
            await self.ping()

    async def watch(self, kinds: Sequence[str]) -> AsyncGenerator[WatchEvent, None]:
        """The events about resources of these kinds: first :class:`WatchStarted`, then what happens.

        Old servers know no partial success and refuse the whole watch for one kind that they do not know or
        permit: then the first kind alone is asked for.

        Never ends by itself: raises :class:`Unreachable` when the server ends the stream, which it does
        whenever it likes, or :class:`Denied` when not even the first kind is permitted. Close the generator
        (``contextlib.aclosing``) to end it from here. Unknown events are passed over.
        """
        stream = self._stream(kinds)
        try:
            try:
                started = await _begin(stream)
            except Denied:
                if len(kinds) == 1:
                    raise
                await stream.aclose()
                stream = self._stream(kinds[:1])
                started = WatchStarted((await _begin(stream)).kinds or frozenset(kinds[:1]))
            yield started
            async for message in stream:
                event = event_from_proto(message)
                if event is not None:
                    yield event
        finally:
            await stream.aclose()
        raise Unreachable(f"{_WATCHING}: the cluster ended the stream")

    def _stream(self, kinds: Sequence[str]) -> AsyncGenerator[auth_pb2.Event, None]:
        return self._caller.stream(self._auth.WatchEvents, watch_request(kinds), doing=_WATCHING)

    def renew_due(self, now: datetime) -> bool:
        """Whether a new connection should take this one's place, since the identity on disk has changed.

        It should when the certificate in use is in the last third of its life or its last five minutes, or
        when other CAs are trusted now: the old ones may go any time. A file that cannot be used (half
        written, say, or expired itself) changes nothing; it is looked at again the next time.
        """
        try:
            found = self._read_identity()
            check_time(found, now, clock_set=True)
        except IdentityError:
            return False
        ours = self.identity
        if found.fingerprint == ours.fingerprint:
            return False
        if _authorities(found) != _authorities(ours):
            return True
        left, life = ours.not_after - now, ours.not_after - ours.not_before
        return found.not_after > ours.not_after and (left <= life / 3 or left < NEAR_END)

    async def close(self) -> None:
        """End all calls (they raise :class:`Unreachable`) and the connection. May be called repeatedly."""
        await self._resources.aclose()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, exc: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.close()

    def own(self, resources: AsyncExitStack) -> None:
        """Take over what :meth:`close` is to end."""
        self._resources = resources


class Session:
    """Connects to the cluster of a configuration, as often as needed."""

    def __init__(
        self,
        settings: TeleportSettings,
        plugin_name: str,
        *,
        environ: Mapping[str, str],
        now: Callable[[], datetime],
        clock_set: Callable[[], bool],
        ping_interval: float = PING_INTERVAL,
        ping_deadline: float = PING_DEADLINE,
    ) -> None:
        """``environ``: where proxies are configured. ``now``: the wall clock, UTC;
        ``clock_set``: whether it can be believed. Times in seconds."""
        self._settings = settings
        self._plugin_name = plugin_name
        self._now = now
        self._clock_set = clock_set
        self._ping_interval = ping_interval
        self._ping_deadline = ping_deadline
        self._dialer = Dialer(settings.addr, environ)
        self.identity: Identity | None = None
        """The one that was tried last."""

    async def connect(self) -> Connection:
        """Read the identity, dial, and have an answer from the cluster.

        Raises :class:`IdentityError` (also when the cluster refuses it), :class:`IdentityExpired`
        or :class:`Unreachable`, each with the reason and where.
        """
        identity = self.identity = load(self._settings)
        check_time(identity, self._now(), clock_set=self._clock_set())
        # Dialled here rather than by the relay: so a fault comes as it is, and no deadline cuts it short.
        opened = [await self._dialer.dial(identity)]

        async def dial() -> tuple[StreamReader, StreamWriter]:
            return opened.pop() if opened else await self._dialer.dial(identity)

        async with AsyncExitStack() as resources:
            resources.callback(_abort, opened)
            relay = await resources.enter_async_context(Relay(dial))
            channel = grpc.aio.insecure_channel(relay.target, options=_OPTIONS)
            resources.push_async_callback(channel.close)
            connection = Connection(
                identity=identity,
                way=self._dialer.way,
                plugin_name=self._plugin_name,
                channel=channel,
                fault=lambda: _cause(relay.last_error),
                read_identity=lambda: load(self._settings),
                ping_interval=self._ping_interval,
                ping_deadline=self._ping_deadline,
            )
            try:
                await connection.ping()
            except Unreachable:
                fault = _cause(relay.last_error)
                if refusal := _refusal_of_certificate(fault):
                    raise IdentityError(
                        f"{identity.where}: the cluster does not accept the certificate of {identity.user} "
                        f"({refusal}); is it of cluster {identity.cluster}, and are its CAs still in use?"
                    ) from fault
                raise
            connection.own(resources.pop_all())
        return connection


async def _begin(stream: AsyncGenerator[auth_pb2.Event, None]) -> WatchStarted:
    """The first event. Raises :class:`Denied` where nothing is granted, :class:`Unreachable`."""
    try:
        async with asyncio.timeout(INIT_DEADLINE):
            first = await anext(stream, None)
    except TimeoutError:
        raise Unreachable(f"{_WATCHING}: the stream did not begin in time") from None
    except Rejected as error:
        # So it answers when it grants none of the kinds: a bad parameter, and no permission named.
        raise Denied(str(error)) from None
    event = event_from_proto(first) if first is not None else None
    if not isinstance(event, WatchStarted):
        raise Unreachable(f"{_WATCHING}: the stream did not begin as it should")
    return event


def _abort(opened: Sequence[tuple[StreamReader, StreamWriter]]) -> None:
    for _, writer in opened:
        writer.transport.abort()


def _cause(fault: Exception | None) -> Exception | None:
    """The first real error in a group, such as a task group makes."""
    while isinstance(fault, ExceptionGroup):
        fault = fault.exceptions[0]
    return fault


_CERTIFICATE_ALERT = re.compile(r"ALERT_(?P<what>[A-Z_]*(CERTIFICATE|UNKNOWN_CA|ACCESS_DENIED)[A-Z_]*)")


def _refusal_of_certificate(fault: Exception | None) -> str:
    """The alert with which the server refused our certificate, in words; empty when it was something else.

    With TLS 1.3 it arrives after our side of the handshake is complete, so the dialer cannot see it.
    """
    match = _CERTIFICATE_ALERT.search(fault.reason or "") if isinstance(fault, ssl.SSLError) else None
    return match["what"].replace("_", " ").lower() if match else ""


def _authorities(identity: Identity) -> frozenset[bytes]:
    """The CAs, whatever their order."""
    return frozenset(re.findall(rb"-----BEGIN [^-]+-----([^-]+)-----END", identity.ca_pem))
