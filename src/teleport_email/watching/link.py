"""The connection to the cluster as the rest of the program sees it: the one that stands now, or none.

In: connections, set and taken away by ``watch``. Out: plugin data, look-ups and status for whoever asks.
Never: dialling.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from datetime import datetime
from typing import Protocol

from msgspec import Struct

from teleport_email.core.audits import ListOwner, OwnedList
from teleport_email.core.errors import Unreachable
from teleport_email.core.model import ClusterInfo, ResourceID, User
from teleport_email.reconciling.keys import resource


class _PluginData(Protocol):
    async def read(self, request_id: str) -> Mapping[str, str]: ...
    async def read_all(self) -> Mapping[str, Mapping[str, str]]: ...
    async def compare_and_swap(
        self,
        request_id: str,
        set: Mapping[str, str],  # noqa: A002 - the name on the wire
        expect: Mapping[str, str],
    ) -> None: ...


class _Users(Protocol):
    async def get(self, name: str) -> User | None: ...


class _Resources(Protocol):
    async def names(self, ids: Sequence[ResourceID]) -> Mapping[ResourceID, str]: ...
    async def labels(self, ids: Sequence[ResourceID]) -> Sequence[Mapping[str, str]] | None: ...


class AccessLists(Protocol):
    """The Access Lists of the cluster (:class:`teleport_email.teleport.calls.access_lists.AccessLists`)."""

    def pages(self) -> AsyncIterator[list[OwnedList]]: ...
    async def get(self, name: str) -> OwnedList | None: ...
    async def owners(self, name: str) -> tuple[ListOwner, ...]: ...


class Connected(Protocol):
    """What is needed of a connection."""

    @property
    def cluster(self) -> ClusterInfo: ...
    @property
    def way(self) -> str: ...
    @property
    def plugin_data(self) -> _PluginData: ...
    @property
    def access_list_data(self) -> _PluginData: ...
    @property
    def access_lists(self) -> AccessLists: ...
    @property
    def users(self) -> _Users: ...
    @property
    def resources(self) -> _Resources: ...


class Status(Struct):
    """How things stand, for the health page and the service manager."""

    cluster: str = ""
    server_version: str = ""
    way: str = ""
    problem: str = "still connecting"
    """Why there is no connection; empty when there is one."""
    identity_ends: datetime | None = None
    identity_user: str = ""
    connections: int = 0
    """How many connections have been made so far."""
    listed: bool = False
    """Whether the first list is through."""


class AccessListData:
    """Our plugin data of kind ``access_list`` by the keys of the queue, over the connection of the moment."""

    def __init__(self, current: Callable[[], Connected]) -> None:
        self._current = current

    async def read(self, key: str) -> Mapping[str, str]:
        """Those of a list, or of an owner."""
        return await self._current().access_list_data.read(resource(key))

    async def compare_and_swap(
        self,
        key: str,
        *,
        set: Mapping[str, str],  # noqa: A002 - the name on the wire
        expect: Mapping[str, str],
    ) -> None:
        """Write them."""
        await self._current().access_list_data.compare_and_swap(resource(key), set=set, expect=expect)


class Link:
    """The current connection. Calls without one raise :class:`Unreachable` at once."""

    def __init__(self) -> None:
        self.connected: Callable[[], None] = lambda: None
        """Called with each new connection: permissions may be others from now on."""
        self._connection: Connected | None = None
        self._cluster = ClusterInfo("")
        self.status = Status()
        self.access_list_data = AccessListData(self._now)

    @property
    def cluster(self) -> ClusterInfo:
        """The cluster as it was last seen, also while it is out of reach."""
        return self._connection.cluster if self._connection else self._cluster

    def set(self, connection: Connected) -> None:
        """From now on this connection is used."""
        self._connection = connection
        self._cluster = connection.cluster
        self.status.connections += 1
        self.status.problem = ""
        self.status.cluster = connection.cluster.name
        self.status.server_version = connection.cluster.server_version
        self.status.way = connection.way
        self.connected()

    def unset(self, connection: Connected, problem: str) -> None:
        """The connection has ended; nothing happens where another one stands already."""
        if self._connection is connection:
            self._cluster = connection.cluster
            self._connection = None
            self.status.problem = problem

    def _now(self) -> Connected:
        if self._connection is None:
            raise Unreachable("not connected to the cluster at the moment")
        return self._connection

    async def read(self, request_id: str) -> Mapping[str, str]:
        """Our plugin data of a request."""
        return await self._now().plugin_data.read(request_id)

    async def compare_and_swap(
        self,
        request_id: str,
        *,
        set: Mapping[str, str],  # noqa: A002 - the name on the wire
        expect: Mapping[str, str],
    ) -> None:
        """Write our plugin data of a request."""
        await self._now().plugin_data.compare_and_swap(request_id, set, expect)

    def access_lists(self) -> AccessLists:
        """The Access Lists, over this very connection."""
        return self._now().access_lists

    async def get(self, name: str) -> User | None:
        """A user of the cluster."""
        return await self._now().users.get(name)

    async def names(self, ids: Sequence[ResourceID]) -> Mapping[ResourceID, str]:
        """Friendly names of resources."""
        return await self._now().resources.names(ids)

    async def labels(self, ids: Sequence[ResourceID]) -> Sequence[Mapping[str, str]] | None:
        """Labels of resources; None when those of any cannot be read."""
        return await self._now().resources.labels(ids)
