"""The gRPC side of the embedded cluster: carries calls to the :class:`World` and its answers back.

Answers are encoded already, so handlers pass bytes. Methods that no handler knows get the words of a Go
server. A call that came by another way than through the front door is refused.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Any, NamedTuple, NoReturn

import grpc

from teleport_email.sandbox.cluster.generation import ENTERPRISE
from teleport_email.sandbox.cluster.refusal import Refusal
from teleport_email.sandbox.cluster.world import World
from teleport_email.sandbox.front.front import Peer
from teleport_email.teleport._proto import (
    accesslist_pb2,
    auth_pb2,
    rules_pb2,
    types_pb2,
    userloginstate_pb2,
    users_pb2,
)

_AUTH = "proto.AuthService"
_USERS = "teleport.users.v1.UsersService"
_LOGIN_STATES = "teleport.userloginstate.v1.UserLoginStateService"
_RULES = "teleport.accessmonitoringrules.v1.AccessMonitoringRulesService"
_LISTS = "teleport.accesslist.v1.AccessListService"


class _Method(NamedTuple):
    name: str
    """As it is counted and scripted: the bare name, but for the second of two that share it."""
    request: Any
    handle: Callable[[Any, Peer], Any]


class Service(grpc.GenericRpcHandler):  # type: ignore[misc]
    """Every method of every service that the program calls.

    ``peer_of`` tells whose connection it is, by the address that gRPC sees; ``on_change`` is called after
    each step that somebody may wait for.
    """

    def __init__(
        self, world: World, peer_of: Callable[[str], Peer | None], on_change: Callable[[], None]
    ) -> None:
        self._world = world
        self._peer_of = peer_of
        self._on_change = on_change
        self.calls: Counter[str] = Counter()
        self._unary = {
            f"/{_AUTH}/Ping": _Method("Ping", auth_pb2.PingRequest, world.ping),
            f"/{_AUTH}/ListAccessRequests": _Method(
                "ListAccessRequests", auth_pb2.ListAccessRequestsRequest, world.list_access_requests
            ),
            f"/{_AUTH}/GetPluginData": _Method(
                "GetPluginData", types_pb2.PluginDataFilter, world.get_plugin_data
            ),
            f"/{_AUTH}/UpdatePluginData": _Method(
                "UpdatePluginData", types_pb2.PluginDataUpdateParams, world.update_plugin_data
            ),
            f"/{_AUTH}/GetUser": _Method("GetUser", auth_pb2.GetUserRequest, world.get_user),
            f"/{_AUTH}/ListResources": _Method(
                "ListResources", auth_pb2.ListResourcesRequest, world.list_resources
            ),
            f"/{_USERS}/GetUser": _Method(
                "UsersService/GetUser", users_pb2.GetUserRequest, world.get_user_v1
            ),
            f"/{_LOGIN_STATES}/GetUserLoginState": _Method(
                "GetUserLoginState", userloginstate_pb2.GetUserLoginStateRequest, world.get_user_login_state
            ),
            f"/{_RULES}/ListAccessMonitoringRules": _Method(
                "ListAccessMonitoringRules", rules_pb2.ListAccessMonitoringRulesRequest, world.list_rules
            ),
            f"/{_RULES}/ListAccessMonitoringRulesWithFilter": _Method(
                "ListAccessMonitoringRulesWithFilter",
                rules_pb2.ListAccessMonitoringRulesWithFilterRequest,
                world.filter_rules,
            ),
            f"/{_LISTS}/ListAccessLists": _Method(
                "ListAccessLists", accesslist_pb2.ListAccessListsRequest, world.list_access_lists
            ),
            f"/{_LISTS}/GetAccessList": _Method(
                "GetAccessList", accesslist_pb2.GetAccessListRequest, world.get_access_list
            ),
            f"/{_LISTS}/GetAccessListOwners": _Method(
                "GetAccessListOwners", accesslist_pb2.GetAccessListOwnersRequest, world.get_access_list_owners
            ),
        }
        self._streams: dict[str, tuple[str, Any, Callable[[Any, Peer], AsyncIterator[bytes]]]] = {
            f"/{_AUTH}/GetAccessRequestsV2": (
                "GetAccessRequestsV2",
                types_pb2.AccessRequestFilter,
                self._get_access_requests,
            ),
            f"/{_AUTH}/WatchEvents": ("WatchEvents", auth_pb2.Watch, self._watch),
        }

    def service(self, handler_call_details: grpc.HandlerCallDetails) -> grpc.RpcMethodHandler:
        """The handler of a method; one that refuses, where there is none."""
        path = handler_call_details.method
        if method := self._unary.get(path):
            if self._lacks(method.name):
                return grpc.unary_unary_rpc_method_handler(self._unknown(path, method.name))
            return grpc.unary_unary_rpc_method_handler(
                self._one(method), request_deserializer=method.request.FromString
            )
        if stream := self._streams.get(path):
            name, request, answer = stream
            if self._lacks(name):
                return grpc.unary_unary_rpc_method_handler(self._unknown(path, name))
            return grpc.unary_stream_rpc_method_handler(
                self._many(name, answer), request_deserializer=request.FromString
            )
        return grpc.unary_unary_rpc_method_handler(self._unknown(path, path))

    def _lacks(self, name: str) -> bool:
        world = self._world
        if name in ENTERPRISE and not world.has_access_lists:
            return True
        return name in world.faults.unimplemented or not world.generation.has(name)

    # One answer -------------------------------------------------------------------------------------

    def _one(self, method: _Method) -> Callable[[Any, Any], Awaitable[bytes]]:
        async def handle(request: Any, context: Any) -> bytes:
            peer = await self._begin(method.name, context)

            def carry_out() -> bytes:
                answer: bytes = method.handle(request, peer)
                self._on_change()
                return answer

            try:
                return await self._world.faults.next_action(method.name)(request, carry_out)
            except Refusal as refusal:
                await _refuse(context, refusal)

        return handle

    def _unknown(self, path: str, name: str) -> Callable[[Any, Any], Awaitable[bytes]]:
        service, _, method = path.removeprefix("/").partition("/")

        async def handle(_request: Any, context: Any) -> bytes:
            await self._begin(name, context)
            details = f"unknown method {method} for service {service}"
            known = {_AUTH, _USERS, _RULES, _LOGIN_STATES}
            if self._world.has_access_lists:
                known.add(_LISTS)
            if service not in known:
                details = f"unknown service {service}"
            await _refuse(context, Refusal(grpc.StatusCode.UNIMPLEMENTED, details))

        return handle

    # Many answers -----------------------------------------------------------------------------------

    def _many(
        self, name: str, answer: Callable[[Any, Peer], AsyncIterator[bytes]]
    ) -> Callable[[Any, Any], AsyncIterator[bytes]]:
        async def handle(request: Any, context: Any) -> AsyncIterator[bytes]:
            peer = await self._begin(name, context)
            try:
                # A scripted fault comes before the first answer; what it would carry out is the rest.
                await self._world.faults.next_action(name)(request, bytes)
                async for one in answer(request, peer):
                    yield one
            except Refusal as refusal:
                await _refuse(context, refusal)

        return handle

    async def _get_access_requests(
        self, request: types_pb2.AccessRequestFilter, peer: Peer
    ) -> AsyncIterator[bytes]:
        for one in self._world.get_access_requests(request, peer):
            yield one

    async def _watch(self, request: auth_pb2.Watch, peer: Peer) -> AsyncIterator[bytes]:
        init, watcher = self._world.watch(request, peer)
        self._on_change()
        try:
            yield init
            async for event in watcher.events():
                yield event
        finally:
            self._world.watchers.remove(watcher)
            self._on_change()

    # ------------------------------------------------------------------------------------------------

    async def _begin(self, name: str, context: Any) -> Peer:
        self.calls[name] += 1
        self._on_change()
        peer = self._peer_of(context.peer())
        if peer is None:
            await _refuse(
                context, Refusal(grpc.StatusCode.UNAUTHENTICATED, "not a connection of the front door")
            )
        self._world.expire()
        return peer


async def _refuse(context: Any, refusal: Refusal) -> NoReturn:
    await context.abort(refusal.code, refusal.details)
    raise AssertionError  # abort() has raised
