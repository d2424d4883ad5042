"""An access request's life, pure: messages in, messages out, by the rules of a Teleport 17.0 cluster.

Every step returns a changed copy, or raises :class:`Refusal` with the words of the real server. Two ways
lead to a resolution: reviews, which are counted against thresholds, and an administrator's word, which
needs no review. A denial is final; an approval can still be followed by an administrator's denial.
Filters of thresholds are not evaluated: each review counts for each threshold.
"""

from __future__ import annotations

import random
import uuid
from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta

from msgspec import Struct, field

from teleport_email.core.model import AccessList, RequestState, ResourceID, Threshold
from teleport_email.sandbox.cluster.refusal import access_denied, bad_parameter
from teleport_email.teleport._proto import types_pb2
from teleport_email.teleport.calls.convert import state_to_proto
from teleport_email.teleport.calls.resource_ids import constraint_to_proto, resource_to_proto

KIND = "access_request"
VERSION = "v3"

_PROPOSALS = frozenset({RequestState.APPROVED, RequestState.DENIED, RequestState.PROMOTED})

DEFAULT_THRESHOLD = Threshold(name="default", approve=1, deny=1)
"""What a role that says nothing about thresholds gets."""


class Draft(Struct, frozen=True, kw_only=True):
    """A request that somebody wants to make. Durations count from its creation."""

    user: str
    roles: Sequence[str] = ()
    reason: str = ""
    suggested_reviewers: Sequence[str] = ()
    resources: Sequence[ResourceID] = ()
    pending_for: timedelta = timedelta(hours=1)
    """How long it waits for a resolution before it disappears."""
    access_for: timedelta = timedelta(hours=12)
    """How long access would last; a resolved request disappears then."""
    thresholds: Sequence[Threshold] = (DEFAULT_THRESHOLD,)
    assume_start: datetime | None = None
    annotations: Mapping[str, Sequence[str]] = field(default_factory=dict)
    login_hint: str = ""
    role_thresholds: Mapping[str, Sequence[Sequence[int]]] = field(default_factory=dict)
    """Which thresholds a role needs: one of each set. Without: any of all."""
    long_term: bool = False


def new_id(now: datetime, rng: random.Random, sequence: int) -> str:
    """A UUID of version 7: sorted by time, and by ``sequence`` (0 to 4095) within a millisecond."""
    milliseconds = int(now.timestamp() * 1000)
    value = milliseconds << 80 | 7 << 76 | (sequence & 0xFFF) << 64 | 2 << 62 | rng.getrandbits(62)
    return str(uuid.UUID(int=value))


def new_request(draft: Draft, request_id: str, created: datetime) -> types_pb2.AccessRequestV3:
    """A pending request as the cluster stores it, without a revision.

    :raises Refusal: neither roles nor resources are asked for, or a duration makes no sense.
    """
    if not draft.roles and not draft.resources:
        raise bad_parameter("access request must specify at least one role or resource")
    if draft.pending_for <= timedelta(0) or draft.access_for <= timedelta(0):
        raise bad_parameter("access request must expire after it was made")
    request = types_pb2.AccessRequestV3(Kind=KIND, Version=VERSION)
    request.Metadata.Name = request_id
    request.Metadata.Namespace = "default"
    request.Metadata.Expires.FromDatetime(created + draft.pending_for)
    spec = request.Spec
    spec.User = draft.user
    spec.Roles.extend(draft.roles)
    spec.State = types_pb2.PENDING
    spec.Created.FromDatetime(created)
    for moment in (spec.Expires, spec.MaxDuration, spec.SessionTTL):
        moment.FromDatetime(created + draft.access_for)
    spec.RequestReason = draft.reason
    spec.ResolveAnnotations.SetInParent()  # the real server sends both even when empty
    spec.SystemAnnotations.SetInParent()
    for key, values in draft.annotations.items():
        spec.SystemAnnotations.Values[key].Values.extend(values)
    for threshold in draft.thresholds:
        spec.Thresholds.add(
            Name=threshold.name, Filter=threshold.filter, Approve=threshold.approve, Deny=threshold.deny
        )
    spec.SuggestedReviewers.extend(draft.suggested_reviewers)
    for resource in draft.resources:
        if resource.constraint is None:
            spec.RequestedResourceIDs.append(resource_to_proto(resource))
        else:
            spec.RequestedResourceAccessIDs.add(
                id=resource_to_proto(resource), constraints=constraint_to_proto(resource)
            )
    if draft.long_term:
        spec.RequestKind = types_pb2.LONG_TERM
    spec.LoginHint = draft.login_hint
    if draft.assume_start is not None:
        spec.AssumeStartTime.FromDatetime(draft.assume_start)
    everything = (tuple(range(len(draft.thresholds))),)
    for role in draft.roles:
        for indexes in draft.role_thresholds.get(role, everything):
            spec.RoleThresholdMapping[role].Sets.add(Indexes=indexes)
    return request


def review(
    request: types_pb2.AccessRequestV3,
    author: str,
    state: RequestState,
    reason: str,
    now: datetime,
    *,
    access_list: AccessList | None = None,
    assume_start: datetime | None = None,
) -> types_pb2.AccessRequestV3:
    """The request with one more review, resolved if that review decides it.

    :raises Refusal: own request, second review by the same author, already resolved, no decision proposed.
    """
    if author == request.Spec.User:
        raise access_denied(f'user "{author}" cannot review request "{request.Metadata.Name}"')
    if state not in _PROPOSALS:
        raise bad_parameter(f"invalid state proposal: {state} (expected approval/denial)")
    if any(earlier.Author == author for earlier in request.Spec.Reviews):
        raise access_denied(f'user "{author}" has already reviewed this request')
    if request.Spec.State != types_pb2.PENDING:
        settled = types_pb2.RequestState.Name(request.Spec.State).lower()
        raise access_denied(f"the access request has been already {settled}")
    changed = _copy(request)
    spec = changed.Spec
    added = spec.Reviews.add(Author=author, ProposedState=state_to_proto(state), Reason=reason)
    added.Created.FromDatetime(now)
    added.Annotations.SetInParent()
    added.ThresholdIndexes.extend(range(len(spec.Thresholds)))
    if access_list is not None:
        added.accessList.Name = access_list.name
        added.accessList.Title = access_list.title
    if assume_start is not None:
        added.AssumeStartTime.FromDatetime(assume_start)
        spec.AssumeStartTime.FromDatetime(assume_start)
    if _decided(spec):
        spec.State = added.ProposedState
        spec.ResolveReason = reason
        spec.accessList.CopyFrom(added.accessList)  # present though empty, once a review has resolved it
        changed.Metadata.Expires.CopyFrom(spec.Expires)
    return changed


def resolve(
    request: types_pb2.AccessRequestV3, state: RequestState, reason: str
) -> types_pb2.AccessRequestV3:
    """The request as an administrator settles it (``tctl requests approve`` or ``deny``), without a review.

    :raises Refusal: it was denied already and is to become something else.
    """
    if request.Spec.State == types_pb2.DENIED and state is not RequestState.DENIED:
        raise bad_parameter(f'cannot set request-state "{state}" (already denied)')
    changed = _copy(request)
    changed.Spec.State = state_to_proto(state)
    changed.Spec.ResolveReason = reason
    if state is RequestState.APPROVED:
        changed.Metadata.Expires.CopyFrom(changed.Spec.Expires)
    return changed


def _decided(spec: types_pb2.AccessRequestSpecV3) -> bool:
    """Whether the last review settles the request. A threshold of 0 asks for 1.

    One denial's threshold that is met suffices; for an approval, one of every set of every role.
    """
    last = spec.Reviews[-1].ProposedState
    if last == types_pb2.PROMOTED:
        return True
    count = sum(one.ProposedState == last for one in spec.Reviews)
    needed = [one.Approve if last == types_pb2.APPROVED else one.Deny for one in spec.Thresholds]
    met = [count >= max(1, number) for number in needed]
    sets = [one for sets in spec.RoleThresholdMapping.values() for one in sets.Sets]
    if last == types_pb2.APPROVED and sets:
        return all(any(met[index] for index in one.Indexes) for one in sets)
    return any(met)


def _copy(request: types_pb2.AccessRequestV3) -> types_pb2.AccessRequestV3:
    copied = types_pb2.AccessRequestV3()
    copied.CopyFrom(request)
    return copied
