"""All that the cluster knows, and the calls that its clients make on it, without any network.

Each method under "Calls" takes the request message and who calls, and gives the encoded answer or raises
:class:`Refusal`; permissions are checked here. The gRPC side only carries them.
"""

from __future__ import annotations

import random
import uuid
from collections.abc import Callable, Sequence
from datetime import datetime, timedelta

from google.protobuf.timestamp_pb2 import Timestamp

from teleport_email.core.model import ClusterInfo
from teleport_email.sandbox.cluster.access_lists import AccessListBook, no_list
from teleport_email.sandbox.cluster.catalog import Catalog
from teleport_email.sandbox.cluster.faults import Faults
from teleport_email.sandbox.cluster.generation import Generation
from teleport_email.sandbox.cluster.lifecycle import KIND
from teleport_email.sandbox.cluster.permissions import Roles
from teleport_email.sandbox.cluster.plugin_store import KEPT_AFTER_WRITE, PluginStore, Write
from teleport_email.sandbox.cluster.refusal import Refusal, action_denied, bad_parameter
from teleport_email.sandbox.cluster.request_book import RequestBook
from teleport_email.sandbox.cluster.watchers import Watcher, Watchers
from teleport_email.sandbox.cluster.wire import field
from teleport_email.sandbox.front.front import Peer
from teleport_email.teleport._proto import (
    accesslist_pb2,
    auth_pb2,
    rules_pb2,
    types_pb2,
    userloginstate_pb2,
    users_pb2,
)
from teleport_email.teleport.calls.convert import (
    ACCESS_LIST,
    ACCESS_MONITORING_RULE,
    cluster_to_proto,
    time_to_proto,
)

_PLUGIN_DATA = "access_plugin_data"


class World:
    """The cluster's state. ``now`` is its clock, ``rng`` the source of its ids; ``changed`` is called when an
    Access List changes.
    """

    def __init__(
        self,
        info: ClusterInfo,
        now: Callable[[], datetime],
        rng: random.Random,
        changed: Callable[[], None] = lambda: None,
    ) -> None:
        self.info = info
        self.generation = Generation.of(info.server_version)
        self.now = now
        self.rng = rng
        self.roles = Roles()
        self.watchers = Watchers()
        self.faults = Faults(rng=rng, _end_streams=self.watchers.end)
        self.watchers.faults = self.faults
        self.requests = RequestBook(self.watchers.publish)
        self.plugin_data = PluginStore(self.new_revision)
        self.list_data = PluginStore(self.new_revision, ACCESS_LIST, KEPT_AFTER_WRITE, prolongs=True)
        self.access_lists = AccessListBook(now, self.new_revision, changed)
        self.access_lists.counts_members = self.generation.lists_of_lists
        self.catalog = Catalog(self.watchers.publish, self.new_revision)
        self.writes: list[Write] = []
        """Every UpdatePluginData that reached the store, in order."""

    def new_revision(self) -> str:
        """A resource's new revision, a random UUID."""
        return str(uuid.UUID(int=self.rng.getrandbits(128), version=4))

    @property
    def has_access_lists(self) -> bool:
        """Whether it shows them: an Enterprise cluster (which has advanced workflows) of some age does."""
        return self.info.advanced_access_workflows and self.generation.access_lists

    def expire(self) -> int:
        """Let go what has expired by the cluster's clock; how many requests that were."""
        now = self.now()
        self.plugin_data.expire(now)
        self.list_data.expire(now)
        return self.requests.expire(now)

    # Calls ------------------------------------------------------------------------------------------

    def ping(self, _request: auth_pb2.PingRequest, peer: Peer) -> bytes:
        """``Ping`` asks for no permission."""
        answer = cluster_to_proto(self.info)
        answer.RemoteAddr = peer.address
        return answer.SerializeToString()

    def list_access_requests(self, request: auth_pb2.ListAccessRequestsRequest, peer: Peer) -> bytes:
        """A page of requests, from a cache that may lag."""
        self._check(peer, KIND, "list", "read")
        return self.requests.page(request, self.now(), lag=self._lag)

    def get_access_requests(self, request: types_pb2.AccessRequestFilter, peer: Peer) -> list[bytes]:
        """All requests that match, one message each."""
        self._check(peer, KIND, "list", "read")
        return [stored.wire for stored in self.requests.select(request, self.now(), lag=self._lag)]

    def get_plugin_data(self, request: types_pb2.PluginDataFilter, peer: Peer) -> bytes:
        """Plugin data is current, whatever the lag. Who may read requests (or lists) may read their data."""
        store = self.data_of(request.Kind)
        if self._missing(peer, request.Kind, ("list", "read")):
            self._check(peer, _PLUGIN_DATA, "list", "read")
        return store.answer(request.Resource, request.Plugin)

    def update_plugin_data(self, request: types_pb2.PluginDataUpdateParams, peer: Peer) -> bytes:
        """Compare-and-swap. Who may update requests (or lists) may write their data."""
        kind, name = request.Kind, request.Resource
        store = self.data_of(kind)
        if self._missing(peer, kind, ("update",)):
            self._check(peer, _PLUGIN_DATA, "update")
        changes, expect = dict(request.Set), dict(request.Expect)
        refusal: Refusal | None = None
        try:
            if kind == ACCESS_LIST and self.faults.only_for_lists and name not in self.access_lists:
                raise no_list(name)
            store.update(name, request.Plugin, changes, expect, lambda: self.data_ends(kind, name))
        except Refusal as raised:
            refusal = raised
            raise
        finally:
            self.writes.append(Write(name, request.Plugin, changes, expect, peer.user, refusal, kind))
        return b""

    def list_access_lists(self, request: accesslist_pb2.ListAccessListsRequest, peer: Peer) -> bytes:
        """A page of Access Lists, by name."""
        self._check(peer, ACCESS_LIST, "list", "read")
        return self.access_lists.page(request)

    def get_access_list(self, request: accesslist_pb2.GetAccessListRequest, peer: Peer) -> bytes:
        """One Access List."""
        self._check(peer, ACCESS_LIST, "read")
        return self.access_lists.wire(request.name)

    def get_access_list_owners(self, request: accesslist_pb2.GetAccessListOwnersRequest, peer: Peer) -> bytes:
        """Who owns an Access List, nested ones resolved."""
        self._check(peer, ACCESS_LIST, "read")
        return self.access_lists.owners(request.access_list)

    def get_user(self, request: auth_pb2.GetUserRequest, peer: Peer) -> bytes:
        """The call that newer servers no longer have."""
        return self._user(request.Name, peer)

    def get_user_v1(self, request: users_pb2.GetUserRequest, peer: Peer) -> bytes:
        """The newer call: the user inside an answer of its own."""
        return field(1, self._user(peer.user if request.current_user else request.name, peer))

    def get_user_login_state(self, request: userloginstate_pb2.GetUserLoginStateRequest, peer: Peer) -> bytes:
        """What a user got when they logged in."""
        self._check(peer, "user_login_state", "read")
        return self.catalog.login_state(request.name)

    def list_resources(self, request: auth_pb2.ListResourcesRequest, peer: Peer) -> bytes:
        """Resources by name."""
        kind, verbs = request.ResourceType, ("list", "read")
        denied = kind in self.faults.denied
        if denied or self.roles.missing(peer, kind, verbs, preview=request.UsePreviewAsRoles):
            raise action_denied(kind, verbs)
        return self.catalog.resources(request)

    def list_rules(self, request: rules_pb2.ListAccessMonitoringRulesRequest, peer: Peer) -> bytes:
        """All rules, by name."""
        self._check(peer, ACCESS_MONITORING_RULE, "list", "read")
        return self.catalog.rules(request.page_size, request.page_token)

    def filter_rules(
        self, request: rules_pb2.ListAccessMonitoringRulesWithFilterRequest, peer: Peer
    ) -> bytes:
        """Rules for a subject and a plugin."""
        self._check(peer, ACCESS_MONITORING_RULE, "list", "read")
        return self.catalog.rules(
            request.page_size, request.page_token, request.subjects, request.notification_name
        )

    def watch(self, request: auth_pb2.Watch, peer: Peer) -> tuple[bytes, Watcher]:
        """The INIT event, and the stream of what happens from now on.

        :raises Refusal: a kind is not permitted and partial success is not enough, or none is permitted.
        """
        watchable = (KIND, ACCESS_MONITORING_RULE) if self.generation.rules else (KIND,)
        granted = []
        for kind in request.Kinds:
            if kind.Kind in watchable and not self._missing(peer, kind.Kind, ("read",)):
                granted.append(kind)
            elif not (request.AllowPartialSuccess and self.generation.partial_watch):
                raise action_denied(kind.Kind, ["read"])
        if not granted:
            raise bad_parameter("none of the requested kinds can be watched")
        init = auth_pb2.Event(Type=auth_pb2.INIT)
        if self.faults.watch_status and self.generation.partial_watch:
            status = init.WatchStatus
            status.Kind = "watch_status"
            status.Version = "v1"
            status.Metadata.Name = "watch-status"
            status.Metadata.Namespace = "default"
            status.Spec.Kinds.extend(granted)
        watcher = self.watchers.add(frozenset(kind.Kind for kind in granted))
        return init.SerializeToString(), watcher

    # ------------------------------------------------------------------------------------------------

    def data_of(self, kind: str) -> PluginStore:
        """The plugin data for resources of a kind; raises :class:`Refusal` where this version has none."""
        if kind == KIND:
            return self.plugin_data
        if kind == ACCESS_LIST and self.generation.access_lists:
            return self.list_data
        raise bad_parameter(f'unsupported resource kind "{kind}"')

    def data_ends(self, kind: str, name: str) -> Timestamp | None:
        """From when on plugin data is kept for a while; raises :class:`Refusal` without the request."""
        return time_to_proto(self.now()) if kind == ACCESS_LIST else self.requests.need(name).access_ends

    @property
    def _lag(self) -> tuple[int, timedelta]:
        return self.faults.lists.changes, self.faults.lists.age

    def _user(self, name: str, peer: Peer) -> bytes:
        if name != peer.user:
            self._check(peer, "user", "read")
        return self.catalog.user(name)

    def _missing(self, peer: Peer, kind: str, verbs: Sequence[str]) -> list[str]:
        return list(verbs) if kind in self.faults.denied else self.roles.missing(peer, kind, verbs)

    def _check(self, peer: Peer, kind: str, *verbs: str) -> None:
        if missing := self._missing(peer, kind, verbs):
            raise action_denied(kind, missing)
