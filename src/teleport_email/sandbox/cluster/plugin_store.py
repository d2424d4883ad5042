"""Plugin data: string maps beside resources of one kind, changed by compare-and-swap only. Pure.

As in Teleport: ``Set`` merges key by key and an empty value deletes; ``Expect`` is checked only for the keys
that it holds, and a key expected as ``""`` must be absent; data of a request is made with its access expiry
plus one hour, outlives the request, and cannot be made for a request that is not there. Data of kind
``access_list`` lives for two weeks after each write.
"""

from __future__ import annotations

import heapq
import json
from collections.abc import Callable, Iterator, Mapping
from datetime import UTC, datetime, timedelta

from google.protobuf.timestamp_pb2 import Timestamp
from msgspec import Struct

from teleport_email.sandbox.cluster.lifecycle import KIND
from teleport_email.sandbox.cluster.refusal import Refusal, bad_parameter, compare_failed
from teleport_email.sandbox.cluster.wire import field
from teleport_email.teleport._proto import types_pb2

KEPT_AFTER_ACCESS = timedelta(hours=1)
"""How long data of a request is kept after the access would have ended."""
KEPT_AFTER_WRITE = timedelta(weeks=2)
"""How long data of an Access List is kept after the last write."""

MAX_BYTES = 1_000_000
"""Limit of one resource's data over all plugins, counted on the JSON that the cluster stores."""

_JSON_GROWTH = 6  # a control character becomes \\u0000; no character grows more
_ENVELOPE = 512  # more than kind, names, times and brackets take


class Write(Struct, frozen=True):
    """One call of UpdatePluginData, as it was asked for and as it ended."""

    request_id: str
    """The name of the list, with kind ``access_list``."""
    plugin: str
    set: Mapping[str, str]
    expect: Mapping[str, str]
    user: str
    refusal: Refusal | None
    """Why it was refused; None: it was applied."""
    kind: str = KIND

    @property
    def applied(self) -> bool:
        """Whether it changed anything."""
        return self.refusal is None


class _Record:
    """One resource's data over all plugins. ``expires`` as it goes over the wire, to the nanosecond."""

    __slots__ = ("_wire", "entries", "expires", "kind", "name", "revision")

    def __init__(self, kind: str, name: str, expires: Timestamp | None) -> None:
        self.kind = kind
        self.name = name
        self.expires = expires
        self.revision = ""
        self.entries: dict[str, dict[str, str]] = {}
        self._wire: bytes | None = None

    def replace(self, plugin: str, data: dict[str, str], revision: str) -> None:
        if data:
            self.entries[plugin] = data
        else:
            self.entries.pop(plugin, None)
        self.revision = revision
        self._wire = None

    def expired(self, now: datetime) -> bool:
        return self.expires is not None and self.expires.ToDatetime(tzinfo=UTC) <= now

    @property
    def wire(self) -> bytes:
        """The ``types.PluginDataV3``, encoded once per change and only when somebody reads it."""
        if self._wire is None:
            message = types_pb2.PluginDataV3(Kind="plugin_data", SubKind=self.kind, Version="v3")
            message.Metadata.Name = self.name
            message.Metadata.Namespace = "default"
            if self.expires is not None:
                message.Metadata.Expires.CopyFrom(self.expires)
            message.Metadata.Revision = self.revision
            message.Spec.SetInParent()
            for plugin, data in self.entries.items():
                message.Spec.Entries[plugin].Data.update(data)
            self._wire = message.SerializeToString()
        return self._wire


class PluginStore:
    """All plugin data of the cluster for resources of one kind.

    It is kept for ``kept`` longer than the resource, or than the last write where each write ``prolongs``.
    """

    def __init__(
        self,
        new_revision: Callable[[], str],
        kind: str = KIND,
        kept: timedelta = KEPT_AFTER_ACCESS,
        *,
        prolongs: bool = False,
    ) -> None:
        self._new_revision = new_revision
        self._kind = kind
        self._kept = kept
        self._prolongs = prolongs
        self._records: dict[str, _Record] = {}
        self._expiries: list[tuple[datetime, str]] = []

    def update(
        self,
        name: str,
        plugin: str,
        changes: Mapping[str, str],
        expect: Mapping[str, str],
        ends: Callable[[], Timestamp | None],
    ) -> None:
        """Apply ``changes`` if every expectation holds.

        ``ends`` tells from when on the data is kept for a while: when access by the request ends, or now.
        It is asked if the data is to be made or prolonged, and raises :class:`Refusal` when there is no
        such resource.

        :raises Refusal: expectation not met, no such resource, or the data would become too big.
        """
        record = self._records.get(name)
        made = record is None
        if record is None:
            record = _Record(self._kind, name, self._kept_until(ends()))
        current = record.entries.get(plugin, {})
        for key, value in expect.items():
            if current.get(key, "") != value:
                raise compare_failed(f"expectations not met for field {json.dumps(key)}")
        data = {key: value for key, value in {**current, **changes}.items() if value}
        _check_size({**record.entries, plugin: data})
        if self._prolongs and not made:
            record.expires = self._kept_until(ends())
        record.replace(plugin, data, self._new_revision())
        if made:
            self._add(record)

    def load(self, message: types_pb2.PluginDataV3) -> None:
        """Take over a recorded message as it is, in place of what is there for its resource."""
        expires = message.Metadata.Expires if message.Metadata.HasField("Expires") else None
        record = _Record(self._kind, message.Metadata.Name, expires)
        record.entries = {plugin: dict(entry.Data) for plugin, entry in message.Spec.Entries.items()}
        record.revision = message.Metadata.Revision
        self._add(record)

    def get(self, name: str, plugin: str) -> dict[str, str]:
        """A copy of one plugin's data for one resource; empty when there is none."""
        record = self._records.get(name)
        return dict(record.entries.get(plugin, {})) if record else {}

    def put(self, name: str, plugin: str, data: Mapping[str, str], ends: Timestamp | None) -> None:
        """Set one plugin's data for one resource to exactly this, unchecked (tests lay in old states so)."""
        record = self._records.get(name)
        if record is None:
            record = _Record(self._kind, name, self._kept_until(ends))
            self._add(record)
        record.replace(plugin, dict(data), self._new_revision())

    def all(self, plugin: str) -> dict[str, dict[str, str]]:
        """A copy of one plugin's data, by resource."""
        return {
            name: dict(record.entries[plugin])
            for name, record in self._records.items()
            if plugin in record.entries
        }

    def answer(self, resource: str, plugin: str) -> bytes:
        """The ``proto.PluginDataSeq`` for a filter; empty strings match everything."""
        return b"".join(field(1, record.wire) for record in self._matching(resource, plugin))

    def expire(self, now: datetime) -> None:
        """Forget what has expired."""
        while self._expiries and self._expiries[0][0] <= now:
            _, name = heapq.heappop(self._expiries)
            record = self._records.get(name)
            if record is None:
                continue
            # A record that was replaced or prolonged has been given more time.
            if record.expired(now):
                del self._records[name]
            else:
                self._note_expiry(record)

    def _kept_until(self, ends: Timestamp | None) -> Timestamp | None:
        if ends is None:
            return None
        return Timestamp(seconds=ends.seconds + int(self._kept.total_seconds()), nanos=ends.nanos)

    def _add(self, record: _Record) -> None:
        self._records[record.name] = record
        self._note_expiry(record)

    def _note_expiry(self, record: _Record) -> None:
        if record.expires is not None:
            heapq.heappush(self._expiries, (record.expires.ToDatetime(tzinfo=UTC), record.name))

    def _matching(self, resource: str, plugin: str) -> Iterator[_Record]:
        if resource:
            record = self._records.get(resource)
            candidates = [] if record is None else [record]
        else:
            candidates = sorted(self._records.values(), key=lambda record: record.name)
        return (record for record in candidates if not plugin or plugin in record.entries)


def _check_size(entries: Mapping[str, Mapping[str, str]]) -> None:
    rough = sum(len(key) + len(value) for data in entries.values() for key, value in data.items())
    if rough * _JSON_GROWTH + _ENVELOPE <= MAX_BYTES:
        return
    stored = json.dumps(
        {plugin: {"data": data} for plugin, data in entries.items()},
        ensure_ascii=False,
        separators=(",", ":"),
    )
    if len(stored.encode()) + _ENVELOPE > MAX_BYTES:
        raise bad_parameter("plugin data size limit exceeded")
