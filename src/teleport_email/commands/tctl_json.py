"""Access requests as ``tctl get access_request --format=json`` prints them: one object or a list. Pure.

The keys are those of Teleport's own JSON; what this program has no use for is not looked at.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

from teleport_email.core.errors import ConditionError
from teleport_email.core.foreign import json_value
from teleport_email.core.model import (
    AccessList,
    AccessRequest,
    Constraint,
    RequestState,
    ResourceID,
    Review,
    Threshold,
)
from teleport_email.routing.rules.texts import rfc3339

KIND = "access_request"
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
# types.RequestState. Only a request that somebody wrote by hand has none; it is taken as a new one.
_STATES = {
    0: RequestState.PENDING,
    1: RequestState.PENDING,
    2: RequestState.APPROVED,
    3: RequestState.DENIED,
    4: RequestState.PROMOTED,
}

_LONG_TERM = frozenset({"2", "LONG_TERM"})
_CONSTRAINTS = {"logins": "logins", "rolearns": "roles"}
"""Key of a constraint's values, in small letters -> what they are."""


def parse_requests(text: str) -> list[AccessRequest]:
    """The requests in ``text``, in its order. ``ValueError`` with what is wrong and where."""
    document = json_value(text)
    entries = document if isinstance(document, list) else [document]
    return [_request(_Table(entry, f"request {number}")) for number, entry in enumerate(entries, 1)]


class _Table:
    """A JSON object with its place in the document. Missing and ``null`` are the same, as in Go."""

    def __init__(self, value: object, place: str) -> None:
        if not isinstance(value, dict):
            raise ValueError(f"{place} is no object")
        self._value: Mapping[str, Any] = value
        self.place = place

    def text(self, key: str) -> str:
        value = self._value.get(key)
        if value is None:
            return ""
        if not isinstance(value, str):
            raise ValueError(f"{self.place}: {key} is no string")
        return value

    def texts(self, key: str) -> tuple[str, ...]:
        values = self._list(key)
        if not all(isinstance(value, str) for value in values):
            raise ValueError(f"{self.place}: {key} is no list of strings")
        return tuple(values)

    def number(self, key: str) -> int:
        value = self._value.get(key)
        if value is None:
            return 0
        if isinstance(value, bool) or not isinstance(value, int):
            raise ValueError(f"{self.place}: {key} is no whole number")
        return value

    def numbers(self, key: str) -> tuple[int, ...]:
        values = self._list(key)
        if not all(isinstance(value, int) for value in values):
            raise ValueError(f"{self.place}: {key} is no list of whole numbers")
        return tuple(values)

    def time(self, key: str) -> datetime | None:
        """A time in UTC, microseconds; ``None`` for Go's zero time and for what ``datetime`` cannot hold."""
        text = self.text(key)
        if not text:
            return None
        try:
            nanoseconds = rfc3339(text.encode(errors="replace")).nanoseconds
        except ConditionError as error:
            raise ValueError(f"{self.place}: {key}: {error}") from None
        try:
            time = _EPOCH + timedelta(microseconds=nanoseconds // 1000)
        except OverflowError:
            return None
        return time if time.year > 1 else None

    def state(self, key: str) -> RequestState:
        value = self._value.get(key)
        for state in _STATES.values():
            if value == state.value:
                return state
        number = self.number(key)
        if number not in _STATES:
            raise ValueError(f"{self.place}: {key} {number} is no state of a request")
        return _STATES[number]

    def table(self, key: str) -> _Table:
        return _Table(self._value.get(key), f"{self.place}: {key}")

    def table_or_none(self, key: str) -> _Table | None:
        return None if self._value.get(key) is None else self.table(key)

    def tables(self, key: str) -> Iterator[_Table]:
        for number, value in enumerate(self._list(key), 1):
            yield _Table(value, f"{self.place}: {key} {number}")

    def lists(self) -> dict[str, tuple[str, ...]]:
        """All keys, each with a list of strings."""
        return {key: self.texts(key) for key in self._value}

    def word(self, key: str) -> str:
        """A text, or a number as one: names of values are printed in both ways."""
        value = self._value.get(key)
        return str(value) if isinstance(value, str | int) else ""

    def __iter__(self) -> Iterator[str]:
        return iter(self._value)

    def inner(self) -> Iterator[_Table]:
        """The objects in it."""
        for key, value in self._value.items():
            if isinstance(value, dict):
                yield _Table(value, f"{self.place}: {key}")

    def flag(self, key: str) -> bool:
        return self._value.get(key) is True

    def _list(self, key: str) -> list[Any]:
        value = self._value.get(key)
        if value is None:
            return []
        if not isinstance(value, list):
            raise ValueError(f"{self.place}: {key} is no list")
        return value


def _request(entry: _Table) -> AccessRequest:
    if (kind := entry.text("kind") or KIND) != KIND:
        raise ValueError(f"{entry.place}: kind is {kind!r}, not {KIND}")
    metadata, spec = entry.table("metadata"), entry.table("spec")
    name = metadata.text("name")
    if not name:
        raise ValueError(f"{entry.place}: metadata.name is missing")
    annotations = spec.table_or_none("system_annotations")
    return AccessRequest(
        id=name,
        user=spec.text("user"),
        roles=spec.texts("roles"),
        state=spec.state("state"),
        created=spec.time("created"),
        expires=metadata.time("expires"),
        access_expires=spec.time("expires"),
        max_duration=spec.time("max_duration"),
        session_ttl=spec.time("session_ttl"),
        assume_start=spec.time("assume_start_time"),
        request_reason=spec.text("request_reason"),
        resolve_reason=spec.text("resolve_reason"),
        reviews=tuple(_review(review) for review in spec.tables("reviews")),
        thresholds=tuple(
            Threshold(each.text("name"), each.text("filter"), each.number("approve"), each.number("deny"))
            for each in spec.tables("thresholds")
        ),
        suggested_reviewers=spec.texts("suggested_reviewers"),
        role_thresholds=_role_thresholds(spec),
        resources=_resources(spec),
        system_annotations=annotations.lists() if annotations else {},
        access_list=_access_list(spec),
        login_hint=spec.text("login_hint"),
        dry_run=spec.flag("dry_run"),
        long_term=spec.word("request_kind") in _LONG_TERM,
    )


def _resources(spec: _Table) -> tuple[ResourceID, ...]:
    """Those of both fields: resources with constraints stand only in the newer."""
    found = [_resource(each) for each in spec.tables("resource_ids")]
    for each in spec.tables("resource_access_ids"):
        constraints = each.table_or_none("constraints")
        resource = _resource(each.table("id"), _constraint(constraints) if constraints else None)
        if resource not in found:
            found.append(resource)
    return tuple(found)


def _resource(each: _Table, constraint: Constraint | None = None) -> ResourceID:
    return ResourceID(
        each.text("cluster"), each.text("kind"), each.text("name"), each.text("sub_resource"), constraint
    )


def _constraint(table: _Table) -> Constraint:
    """The values, however deep they stand: Go writes the wrapper of a choice in more than one way."""
    for key in table:
        what = _CONSTRAINTS.get(key.lower().replace("_", ""))
        if what:
            return Constraint(what, table.texts(key))
    for inner in table.inner():
        if (found := _constraint(inner)) != Constraint():
            return found
    return Constraint()


def _role_thresholds(spec: _Table) -> dict[str, tuple[tuple[int, ...], ...]]:
    mapping = spec.table_or_none("rtm")
    if mapping is None:
        return {}
    found: dict[str, tuple[tuple[int, ...], ...]] = {}
    for role in mapping:
        sets = mapping.table(role)
        # With and without a tag Go writes the name of a field as it is declared, or small.
        each_set = (*sets.tables("sets"), *sets.tables("Sets"))
        found[role] = tuple((*each.numbers("indexes"), *each.numbers("Indexes")) for each in each_set)
    return found


def _review(review: _Table) -> Review:
    return Review(
        author=review.text("author"),
        proposed_state=review.state("proposed_state"),
        reason=review.text("reason"),
        created=review.time("created"),
        roles=review.texts("roles"),
        threshold_indexes=review.numbers("i"),
        assume_start=review.time("assume_start_time"),
        access_list=_access_list(review),
    )


def _access_list(holder: _Table) -> AccessList | None:
    found = holder.table_or_none("access_list")
    return AccessList(found.text("name"), found.text("title")) if found else None
