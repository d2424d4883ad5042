"""Plugin data: a map of strings for each access request or list, with compare-and-swap, kept by the cluster.

It is read from the store itself and so is current. The server merges ``set`` key by key, an empty value
deletes its key; ``expect`` is compared only for the keys that it holds, and a key expected as ``""`` must be
absent. Data of a request needs the request when it is made, and is kept an hour longer than its access. Data
of kind ``access_list`` needs no such list, and is kept for two weeks after each write.
"""

from __future__ import annotations

from collections.abc import Mapping

from teleport_email.core.errors import NotFound, Rejected
from teleport_email.teleport._proto import types_pb2
from teleport_email.teleport._proto.auth_pb2_grpc import AuthServiceStub
from teleport_email.teleport.calls.call import Caller
from teleport_email.teleport.calls.convert import ACCESS_REQUEST, plugin_data_from_proto

WRITE_DEADLINE = 5.0
"""A claim's lease is renewed every 8 s: a write must have ended, one way or another, before the next."""

READ_DEADLINE = 10.0
READ_ALL_DEADLINE = 180.0
"""All entries come in one answer: more than 100 MB for 100,000 requests."""


class PluginData:
    """The entries of one plugin for resources of one kind."""

    def __init__(
        self, caller: Caller, auth: AuthServiceStub, plugin: str, kind: str = ACCESS_REQUEST
    ) -> None:
        self._caller = caller
        self._auth = auth
        self._plugin = plugin
        self._kind = kind

    async def read(self, resource: str) -> dict[str, str]:
        """The entry of a resource, by its id or name; empty when there is none."""
        named = self._named(resource)
        try:
            answer = await self._caller.unary(
                self._auth.GetPluginData,
                types_pb2.PluginDataFilter(Kind=self._kind, Resource=resource, Plugin=self._plugin),
                doing=f"reading plugin data of {named}",
                timeout=READ_DEADLINE,
            )
        except NotFound:
            return {}
        return plugin_data_from_proto(answer.PluginData, self._plugin).get(resource, {})

    async def read_all(self) -> dict[str, dict[str, str]]:
        """All entries by resource, in one answer: for the start and after long outages."""
        answer = await self._caller.unary(
            self._auth.GetPluginData,
            types_pb2.PluginDataFilter(Kind=self._kind, Plugin=self._plugin),
            doing="reading all plugin data" + ("" if self._kind == ACCESS_REQUEST else f" of {self._kind}s"),
            timeout=READ_ALL_DEADLINE,
        )
        return plugin_data_from_proto(answer.PluginData, self._plugin)

    async def compare_and_swap(
        self,
        resource: str,
        set: Mapping[str, str],  # noqa: A002 - the name of the field, as in Teleport
        expect: Mapping[str, str],
    ) -> None:
        """Write ``set`` if the entry is as ``expect`` says.

        Raises :class:`Conflict` (it is not, or too many write at once), :class:`NotFound` (no such resource,
        and no data from when there was), :class:`Unreachable` (after 5 s at the latest; it may have been
        written all the same), :class:`Denied` or :class:`Rejected`.
        """
        doing = f"writing plugin data of {self._named(resource)}"
        try:
            update = types_pb2.PluginDataUpdateParams(
                Kind=self._kind, Resource=resource, Plugin=self._plugin, Set=set, Expect=expect
            )
        except (TypeError, ValueError) as error:  # a lone surrogate: not to be had as UTF-8
            raise Rejected(f"{doing}: not all of it is text ({type(error).__name__})") from None
        await self._caller.unary(self._auth.UpdatePluginData, update, doing=doing, timeout=WRITE_DEADLINE)

    def _named(self, resource: str) -> str:
        """The resource for people. Without a name the server would answer with the entries of all."""
        if not resource:
            raise Rejected(f"plugin data of an {self._kind} without an id")
        return resource if self._kind == ACCESS_REQUEST else f"{self._kind} {resource}"
