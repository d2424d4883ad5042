"""An embedded Teleport cluster: a real gRPC server behind mutual TLS 1.3, answering as the real one does.

Used by ``teleport-email sandbox``, the demo, the chaos harness and the tests. It holds everything in memory
and runs in the caller's event loop::

    async with SandboxCluster() as cluster:
        identity = cluster.write_identity(directory)
        request = await cluster.create(user="alice", roles=["dev"], reason="a fix")
        await cluster.review(request.id, "bob@example.com", RequestState.APPROVED)
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import random
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from types import TracebackType
from typing import Self

import grpc

from teleport_email.core.model import (
    AccessMonitoringRule,
    ClusterInfo,
    User,
)
from teleport_email.sandbox.cluster.access_lists import AccessListBook
from teleport_email.sandbox.cluster.faults import Faults
from teleport_email.sandbox.cluster.lifecycle import KIND
from teleport_email.sandbox.cluster.permissions import Permissions
from teleport_email.sandbox.cluster.plugin_store import Write
from teleport_email.sandbox.cluster.request_desk import RequestDesk
from teleport_email.sandbox.cluster.service import Service
from teleport_email.sandbox.cluster.world import World
from teleport_email.sandbox.front.ca import Authorities, Credentials, KeyType
from teleport_email.sandbox.front.front import Front, server_context
from teleport_email.teleport._proto import auth_pb2, types_pb2


def _wall_clock() -> datetime:
    return datetime.now(UTC)


class SandboxCluster(RequestDesk):
    """The cluster. ``now`` is its clock (certificates live by real time all the same); ``seed`` makes its
    ids and its random faults repeatable. ``version`` says what it can do: see :class:`Generation`.
    """

    def __init__(
        self,
        name: str = "demo.example.com",
        host: str = "127.0.0.1",
        port: int = 0,
        *,
        advanced_workflows: bool = True,
        cloud: bool = False,
        proxy_public_addr: str = "proxy.example.com:443",
        version: str = "17.0.0",
        now: Callable[[], datetime] = _wall_clock,
        seed: int | None = None,
    ) -> None:
        self.name = name
        self.version = version
        self.host = host
        self._clock = now
        self._ahead = timedelta(0)
        info = ClusterInfo(name, version, proxy_public_addr, advanced_workflows, cloud)
        super().__init__(World(info, self.now, random.Random(seed), self._changed), self._changed)
        self.ca = Authorities(name, _wall_clock())
        key, certificate = self.ca.server(host, _wall_clock())
        self._front = Front(server_context(key, certificate, self.ca.user.pem), host, port, self._changed)
        self._service = Service(self._world, self._front.peer, self._changed)
        self._server: grpc.aio.Server | None = None
        self._expiring: asyncio.Task[None] | None = None
        self._world.faults.reach = lambda reachable: self.start() if reachable else self.stop()
        self._waiters: list[tuple[Callable[[], bool], asyncio.Future[None]]] = []

    # Life -------------------------------------------------------------------------------------------

    async def __aenter__(self) -> Self:
        self._server = grpc.aio.server(
            handlers=[self._service],
            options=[
                ("grpc.so_reuseport", 0),
                # All plugin data at once is one answer, without a limit in the real server either.
                ("grpc.max_send_message_length", -1),
            ],
        )
        self._front.inner_port = self._server.add_insecure_port("127.0.0.1:0")
        await self._server.start()
        try:
            self._front.open()
        except OSError:  # the port is taken
            await self._server.stop(None)
            raise
        self._expiring = asyncio.create_task(self._expire())
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        if self._expiring is not None:
            self._expiring.cancel()
            await asyncio.gather(self._expiring, return_exceptions=True)
        self._world.watchers.end()
        await self._front.close()
        if self._server is not None:
            await self._server.stop(None)

    def stop(self) -> None:
        """Be gone, as a server that was stopped: connections are cut and new ones refused. State stays."""
        self._front.shut()

    def start(self) -> None:
        """Be there again after :meth:`stop` or :meth:`fall_silent`, on the same port with the same state."""
        self._front.open()

    def fall_silent(self) -> None:
        """Pass on not a byte more, without closing anything: a dead peer that TCP does not notice."""
        self._front.fall_silent()

    def cut(self) -> None:
        """Cut all connections; new ones are welcome at once."""
        self._front.cut()

    @property
    def addr(self) -> str:
        """``host:port`` as for ``teleport.addr``."""
        return f"[{self.host}]:{self.port}" if ":" in self.host else f"{self.host}:{self.port}"

    @property
    def port(self) -> int:
        """The port, known from the start on."""
        return self._front.port

    @property
    def handshake_faults(self) -> list[str]:
        """Why connections failed before their first call, in order."""
        return self._front.refused

    # Credentials ------------------------------------------------------------------------------------

    def credentials(
        self,
        user: str = "access-plugin",
        *,
        roles: Sequence[str] = ("access-plugin",),
        permissions: Permissions | None = None,
        valid_for: timedelta = timedelta(days=1),
        not_before: datetime | None = None,
        key_type: KeyType = "ecdsa",
    ) -> Credentials:
        """Issue credentials. Valid from a minute ago for ``valid_for`` from now, or from ``not_before``.

        ``permissions`` makes a role of the user's own with just these, in place of ``roles``.
        """
        if permissions is not None:
            roles = (f"{user}-only",)
            self.put_role(roles[0], permissions)
        now = _wall_clock()
        begin = now - timedelta(minutes=1) if not_before is None else not_before
        end = (now if not_before is None else not_before) + valid_for
        return self.ca.credentials(user, roles, not_before=min(begin, end), not_after=end, key_type=key_type)

    def identity(
        self,
        user: str = "access-plugin",
        *,
        roles: Sequence[str] = ("access-plugin",),
        permissions: Permissions | None = None,
        valid_for: timedelta = timedelta(days=1),
        not_before: datetime | None = None,
        key_type: KeyType = "ecdsa",
    ) -> bytes:
        """The text of a new identity file; the parameters are those of :meth:`credentials`."""
        return self.credentials(
            user,
            roles=roles,
            permissions=permissions,
            valid_for=valid_for,
            not_before=not_before,
            key_type=key_type,
        ).identity_file

    def write_identity(self, directory: Path, identity: bytes | None = None) -> Path:
        """Write an identity (a new one by default) as the file ``identity`` of a directory, mode 0600.

        In place, as ``tbot`` does it.
        """
        path = directory / "identity"
        flags = os.O_WRONLY | os.O_CREAT | os.O_TRUNC
        with os.fdopen(os.open(path, flags, 0o600), "wb") as file:
            file.write(self.identity() if identity is None else identity)
        return path

    def put_role(self, name: str, permissions: Permissions) -> None:
        """Make or change a role; holds at once, also for certificates issued before."""
        self._world.roles.put(name, permissions)

    # Plugin data ------------------------------------------------------------------------------------

    def plugin_data(self, name: str, plugin: str = "email", *, kind: str = KIND) -> dict[str, str]:
        """A plugin's data for a request (or what is named so, of another kind), empty when there is none."""
        return self._world.data_of(kind).get(name, plugin)

    def all_plugin_data(self, plugin: str = "email", *, kind: str = KIND) -> dict[str, dict[str, str]]:
        """A plugin's data by request, or by what is of another kind."""
        return self._world.data_of(kind).all(plugin)

    def put_plugin_data(
        self, name: str, data: Mapping[str, str], plugin: str = "email", *, kind: str = KIND
    ) -> None:
        """Set a plugin's data to exactly this, unchecked, as if another plugin had written it."""
        known = kind != KIND or name in self._world.requests
        ends = self._world.data_ends(kind, name) if known else None
        self._world.data_of(kind).put(name, plugin, data, ends)

    def load_plugin_data(self, wire: bytes) -> None:
        """Take over a recorded ``types.PluginDataV3``."""
        self._world.plugin_data.load(types_pb2.PluginDataV3.FromString(wire))

    @property
    def writes(self) -> Sequence[Write]:
        """Every UpdatePluginData that reached the store, in order, with how it ended."""
        return self._world.writes

    # Users, rules, resources, Access Lists ----------------------------------------------------------------

    def put_user(self, user: User) -> None:
        """Make or replace a user."""
        self._world.catalog.put_user(user)

    def load_user(self, wire: bytes) -> None:
        """Take over a recorded ``types.UserV2``, to the byte."""
        self._world.catalog.load_user(wire)

    def delete_user(self, name: str) -> None:
        """Delete a user, if there is one."""
        self._world.catalog.delete_user(name)

    def put_login_state(self, user: User) -> None:
        """Set what a user got when they logged in: roles and traits of SSO and of Access Lists."""
        self._world.catalog.put_login_state(user)

    def put_rule(self, rule: AccessMonitoringRule) -> None:
        """Make or replace an Access Monitoring Rule; watchers see it.

        Raises :class:`Refusal` where the version checks conditions and this one does not parse.
        """
        self._world.generation.check_rule(rule)
        self._world.catalog.put_rule(rule)

    def load_rule(self, wire: bytes) -> None:
        """Take over a recorded rule, to the byte."""
        self._world.catalog.load_rule(wire)

    def delete_rule(self, name: str) -> None:
        """Delete a rule; raises :class:`Refusal` when there is none."""
        self._world.catalog.delete_rule(name)

    def put_node(self, name: str, hostname: str) -> None:
        """Make or replace a server that can be requested; its name is a UUID."""
        resource = auth_pb2.PaginatedResource()
        resource.Node.Kind = "node"
        resource.Node.Version = "v2"
        resource.Node.Metadata.Name = name
        resource.Node.Metadata.Namespace = "default"
        resource.Node.Spec.Hostname = hostname
        self._world.catalog.put_resource("node", resource)

    def put_resource(self, kind: str, resource: auth_pb2.PaginatedResource) -> None:
        """Make or replace a resource, listed as ``kind``: ``node``, ``app_server``, ``db_server`` ..."""
        self._world.catalog.put_resource(kind, resource)

    @property
    def access_lists(self) -> AccessListBook:
        """The Access Lists; a cluster without advanced workflows, or an old one, has them and shows none."""
        return self._world.access_lists

    @property
    def has_access_lists(self) -> bool:
        """Whether it shows them."""
        return self._world.has_access_lists

    # Time, faults, waiting --------------------------------------------------------------------------

    def now(self) -> datetime:
        """The cluster's time, UTC."""
        return self._clock() + self._ahead

    def advance(self, by: timedelta) -> None:
        """Set the cluster's clock ahead, and let go what has expired by then."""
        self._ahead += by
        self._world.expire()
        self._expiries_changed.set()
        self._changed()

    @property
    def faults(self) -> Faults:
        """What goes wrong."""
        return self._world.faults

    @property
    def calls(self) -> Counter[str]:
        """Calls by method: the bare name (``Ping``, ``GetUser``), and ``UsersService/GetUser``."""
        return self._service.calls

    @property
    def watchers(self) -> int:
        """How many watch streams are open."""
        return len(self._world.watchers)

    async def wait_for(self, condition: Callable[[], bool], timeout: float = 60.0) -> None:
        """Wait until a condition holds; looked at after each call, change of a request, end of a stream
        and failed handshake.

        :raises TimeoutError: it did not within ``timeout`` seconds.
        """
        if condition():
            return
        waiting = (condition, asyncio.get_running_loop().create_future())
        self._waiters.append(waiting)
        try:
            async with asyncio.timeout(timeout):
                await waiting[1]
        finally:
            self._waiters.remove(waiting)

    # ------------------------------------------------------------------------------------------------

    def _changed(self) -> None:
        for condition, met in self._waiters:
            if not met.done() and condition():
                met.set_result(None)

    async def _expire(self) -> None:
        """Let requests expire when their time has come."""
        while True:
            self._expiries_changed.clear()
            if self._world.expire():
                self._changed()
                continue
            due = self._world.requests.next_expiry
            seconds = None if due is None else max(0.0, (due - self.now()).total_seconds())
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(seconds):
                    await self._expiries_changed.wait()
