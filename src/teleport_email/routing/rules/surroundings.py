"""What a condition can see: the variables and where their values come from. Pure."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime, timedelta

from msgspec import Struct, field

from teleport_email.core.errors import ConditionError
from teleport_email.core.model import AccessRequest, hiding
from teleport_email.routing.rules.kinds import Dict, Instant, Kind, StringSet, Value
from teleport_email.routing.rules.texts import days_since_1970

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)
# What Go has where the cluster gave no time: midnight of 1 January of the year 1.
_NO_TIME = Instant(days_since_1970(1, 1, 1) * 86_400 * 10**9)


class Surroundings(Struct, frozen=True):
    """A request and what is known around it. ``None`` means not known, which is not the same as empty."""

    request: AccessRequest
    plugin_name: str = "email"
    traits: Mapping[str, Sequence[str]] | None = None
    """Of the requester."""
    labels: Sequence[Mapping[str, str]] | None = None
    """Of each requested resource."""
    _values: dict[tuple[str, str], Value] = field(default_factory=dict)
    """Of the variables that were asked for: thousands of labels are gone through once for all rules."""

    __repr__ = hiding("_values")

    def value(self, name: str, variable: Variable) -> Value:
        """Of the variable of that name. Raises ``ConditionError`` where it is not known."""
        key = (name, self.plugin_name)
        if key not in self._values:
            self._values[key] = variable.read(self)
        return self._values[key]


class Variable(Struct, frozen=True):
    """Kind and value of a variable. ``read`` raises ``ConditionError`` where the value is not known."""

    kind: Kind
    read: Callable[[Surroundings], Value]


def _text(text: str) -> bytes:
    # Protobuf strings are UTF-8; a lone surrogate can only come from a hand-made file.
    return text.encode(errors="surrogatepass")


def _set(items: Sequence[str]) -> StringSet:
    return frozenset(map(_text, items))


def _dict(items: Mapping[str, Sequence[str]]) -> Dict:
    return {_text(key): _set(values) for key, values in items.items()}


def _instant(time: datetime | None) -> Instant:
    return _NO_TIME if time is None else Instant((time - _EPOCH) // _MICROSECOND * 1000)


def _traits(known: Surroundings) -> Dict:
    if known.traits is None:
        raise ConditionError("the traits of the requester are not known")
    return _dict(known.traits)


def _labels(known: Surroundings) -> Sequence[Mapping[str, str]]:
    if known.labels is None and known.request.resources:
        raise ConditionError("the labels of the requested resources are not known")
    return known.labels or ()


def _union(known: Surroundings) -> Dict:
    values: dict[str, list[str]] = {}
    for labels in _labels(known):
        for key, value in labels.items():
            values.setdefault(key, []).append(value)
    return _dict(values)


def _intersection(known: Surroundings) -> Dict:
    resources = _labels(known)
    if not resources:
        return {}
    common = set(resources[0].items()).intersection(*(labels.items() for labels in resources[1:]))
    return {_text(key): _set([value]) for key, value in common}


VARIABLES: Mapping[str, Variable] = {
    "true": Variable(Kind.BOOL, lambda _: True),
    "false": Variable(Kind.BOOL, lambda _: False),
    "access_request.spec.roles": Variable(Kind.SET, lambda known: _set(known.request.roles)),
    "access_request.spec.suggested_reviewers": Variable(
        Kind.SET, lambda known: _set(known.request.suggested_reviewers)
    ),
    "access_request.spec.system_annotations": Variable(
        Kind.DICT, lambda known: _dict(known.request.system_annotations)
    ),
    "access_request.spec.user": Variable(Kind.STRING, lambda known: _text(known.request.user)),
    "access_request.spec.request_reason": Variable(
        Kind.STRING, lambda known: _text(known.request.request_reason)
    ),
    "access_request.spec.creation_time": Variable(Kind.TIME, lambda known: _instant(known.request.created)),
    # In spite of its name the end of the request's life: Teleport fills it from the metadata.
    "access_request.spec.expiry": Variable(Kind.TIME, lambda known: _instant(known.request.expires)),
    # Newer than 17.0:
    "access_request.spec.resource_labels_union": Variable(Kind.DICT, _union),
    "access_request.spec.resource_labels_intersection": Variable(Kind.DICT, _intersection),
    "user.traits": Variable(Kind.DICT, _traits),
    "plugin.spec.name": Variable(Kind.STRING, lambda known: _text(known.plugin_name)),
}
