"""The events of a watch, as values. Pure.

A watch begins with :class:`WatchStarted` and goes on with what was put and what is gone. Nothing that
happened before is replayed. A request that is gone was deleted or has expired: the cluster does not tell
which.
"""

from __future__ import annotations

from collections.abc import Sequence

from msgspec import Struct

from teleport_email.core.model import AccessMonitoringRule, AccessRequest
from teleport_email.teleport._proto import auth_pb2, types_pb2
from teleport_email.teleport.calls.convert import (
    ACCESS_MONITORING_RULE,
    ACCESS_REQUEST,
    request_from_proto,
    rule_from_proto,
)


class WatchStarted(Struct, frozen=True):
    """The stream is open: from here on nothing is missed."""

    kinds: frozenset[str] | None
    """The kinds that are granted; ``None`` when an old server does not say."""


class RequestPut(Struct, frozen=True):
    """A request was made, reviewed or resolved; it is shown whole."""

    request: AccessRequest


class RequestGone(Struct, frozen=True):
    """A request was deleted or has expired."""

    id: str


class RulePut(Struct, frozen=True):
    """An Access Monitoring Rule was made or changed. It may be meant for others: see its notification."""

    rule: AccessMonitoringRule


class RuleGone(Struct, frozen=True):
    """An Access Monitoring Rule was deleted."""

    name: str


WatchEvent = WatchStarted | RequestPut | RequestGone | RulePut | RuleGone


def watch_request(kinds: Sequence[str]) -> auth_pb2.Watch:
    """Ask for these kinds, and be content with those that are permitted."""
    return auth_pb2.Watch(Kinds=[types_pb2.WatchKind(Kind=kind) for kind in kinds], AllowPartialSuccess=True)


def event_from_proto(event: auth_pb2.Event) -> WatchEvent | None:
    """The event; ``None`` for one that we do not know, or without the name of what it is about."""
    if event.Type == auth_pb2.INIT:
        if event.HasField("WatchStatus"):
            return WatchStarted(frozenset(kind.Kind for kind in event.WatchStatus.Spec.Kinds))
        return WatchStarted(None)
    if event.Type == auth_pb2.PUT:
        return _put(event)
    if event.Type == auth_pb2.DELETE:
        return _gone(event)
    return None


def _put(event: auth_pb2.Event) -> WatchEvent | None:
    if event.HasField("AccessRequest") and event.AccessRequest.Metadata.Name:
        return RequestPut(request_from_proto(event.AccessRequest))
    if event.HasField("AccessMonitoringRule") and event.AccessMonitoringRule.metadata.name:
        return RulePut(rule_from_proto(event.AccessMonitoringRule))
    return None


def _gone(event: auth_pb2.Event) -> WatchEvent | None:
    """Usually only a header comes; the resource itself would say the same."""
    if event.HasField("ResourceHeader"):
        kind, name = event.ResourceHeader.Kind, event.ResourceHeader.Metadata.Name
    elif event.HasField("AccessRequest"):
        kind, name = ACCESS_REQUEST, event.AccessRequest.Metadata.Name
    elif event.HasField("AccessMonitoringRule"):
        kind, name = ACCESS_MONITORING_RULE, event.AccessMonitoringRule.metadata.name
    else:
        return None
    if name and kind == ACCESS_REQUEST:
        return RequestGone(name)
    if name and kind == ACCESS_MONITORING_RULE:
        return RuleGone(name)
    return None
