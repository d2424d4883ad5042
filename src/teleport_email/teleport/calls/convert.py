"""Generated messages <-> the program's values. Pure.

From the wire nothing raises, whatever it holds: an unknown state counts as pending (so that nothing is
announced as over that may not be), a time that makes no sense counts as absent. Where the cluster sends an
empty message for "none" (an access list without a name, a time of zero), the value is ``None``.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from datetime import UTC, datetime, timedelta

from google.protobuf.message import Message
from google.protobuf.timestamp_pb2 import Timestamp
from google.protobuf.unknown_fields import UnknownFieldSet

from teleport_email.core.model import (
    AccessList,
    AccessMonitoringRule,
    AccessRequest,
    ClusterInfo,
    RequestState,
    Review,
    Schedule,
    Shift,
    Threshold,
    User,
)
from teleport_email.teleport._proto import (
    auth_pb2,
    header_pb2,
    rules_pb2,
    types_pb2,
    userloginstate_pb2,
    wrappers_pb2,
)
from teleport_email.teleport.calls.resource_ids import (
    constraint_to_proto,
    resource_to_proto,
    resources_from_proto,
)

ACCESS_REQUEST = "access_request"
ACCESS_LIST = "access_list"
ACCESS_MONITORING_RULE = "access_monitoring_rule"

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
LAST_SECOND = int(datetime(9999, 1, 1, tzinfo=UTC).timestamp()) - 1
"""Later times count as absent: within a year of ``datetime.max`` a time zone's offset would overflow."""

_STATE_NUMBERS: Mapping[RequestState, types_pb2.RequestState] = {
    RequestState.PENDING: types_pb2.PENDING,
    RequestState.APPROVED: types_pb2.APPROVED,
    RequestState.DENIED: types_pb2.DENIED,
    RequestState.PROMOTED: types_pb2.PROMOTED,
}
_STATES: Mapping[int, RequestState] = {int(number): state for state, number in _STATE_NUMBERS.items()}


# From the wire --------------------------------------------------------------------------------------


def time_from_proto(stamp: Timestamp) -> datetime | None:
    """UTC, to the microsecond; ``None`` for Go's zero time (year 1), for 0 and for what is out of range."""
    if not 0 < stamp.seconds <= LAST_SECOND:
        return None
    microseconds = min(max(stamp.nanos, 0) // 1000, 999_999)
    return EPOCH + timedelta(seconds=stamp.seconds, microseconds=microseconds)


def state_from_proto(number: int) -> RequestState:
    """NONE counts as pending, as in Teleport's own defaults; so does a number that we do not know."""
    return _STATES.get(number, RequestState.PENDING)


def labels_from_proto(labels: wrappers_pb2.LabelValues) -> dict[str, tuple[str, ...]]:
    """``wrappers.LabelValues`` as a plain mapping."""
    return {key: tuple(values.Values) for key, values in labels.Values.items()}


def access_list_from_proto(promoted: types_pb2.PromotedAccessList) -> AccessList | None:
    """``None`` without a name: requests that were not promoted carry an empty message."""
    return AccessList(promoted.Name, promoted.Title) if promoted.Name else None


def review_from_proto(review: types_pb2.AccessReview) -> Review:
    """One review."""
    return Review(
        author=review.Author,
        proposed_state=state_from_proto(review.ProposedState),
        reason=review.Reason,
        created=time_from_proto(review.Created),
        roles=tuple(review.Roles),
        threshold_indexes=tuple(review.ThresholdIndexes),
        assume_start=time_from_proto(review.AssumeStartTime),
        access_list=access_list_from_proto(review.accessList),
    )


def request_from_proto(request: types_pb2.AccessRequestV3) -> AccessRequest:
    """An access request. Its id is empty when the message had none: whoever gets it must check."""
    spec = request.Spec
    return AccessRequest(
        id=request.Metadata.Name,
        user=spec.User,
        roles=tuple(spec.Roles),
        state=state_from_proto(spec.State),
        created=time_from_proto(spec.Created),
        expires=time_from_proto(request.Metadata.Expires),
        access_expires=time_from_proto(spec.Expires),
        max_duration=time_from_proto(spec.MaxDuration),
        session_ttl=time_from_proto(spec.SessionTTL),
        assume_start=time_from_proto(spec.AssumeStartTime),
        request_reason=spec.RequestReason,
        resolve_reason=spec.ResolveReason,
        reviews=tuple(review_from_proto(review) for review in spec.Reviews),
        thresholds=tuple(
            Threshold(threshold.Name, threshold.Filter, threshold.Approve, threshold.Deny)
            for threshold in spec.Thresholds
        ),
        suggested_reviewers=tuple(spec.SuggestedReviewers),
        role_thresholds={
            role: tuple(tuple(one.Indexes) for one in sets.Sets)
            for role, sets in spec.RoleThresholdMapping.items()
        },
        resources=resources_from_proto(spec),
        system_annotations=labels_from_proto(spec.SystemAnnotations),
        access_list=access_list_from_proto(spec.accessList),
        login_hint=spec.LoginHint,
        dry_run=spec.DryRun,
        long_term=spec.RequestKind == types_pb2.LONG_TERM,
    )


def rule_from_proto(rule: rules_pb2.AccessMonitoringRule) -> AccessMonitoringRule:
    """An Access Monitoring Rule. Its name is empty when the message had none."""
    spec = rule.spec
    return AccessMonitoringRule(
        name=rule.metadata.name,
        subjects=tuple(spec.subjects),
        condition=spec.condition,
        notification=spec.notification.name,
        recipients=tuple(spec.notification.recipients),
        states=tuple(spec.states),
        desired_state=spec.desired_state,
        schedules={
            name: Schedule(
                tuple(Shift(shift.weekday, shift.start, shift.end) for shift in schedule.time.shifts),
                schedule.time.timezone,
            )
            for name, schedule in spec.schedules.items()
        },
        labels=dict(rule.metadata.labels),
        unknown=tuple(dict.fromkeys(_unknown_fields(spec, "spec"))),
    )


def _unknown_fields(message: Message, where: str) -> Iterator[str]:
    """The fields that newer servers have and our declarations have not, by their numbers."""
    fields = UnknownFieldSet(message)
    for number in sorted({fields[index].field_number for index in range(len(fields))}):
        yield f"{where}: field {number}"
    for descriptor, value in message.ListFields():
        if descriptor.message_type is None:
            continue
        inner = f"{where}.{descriptor.name}"
        if not descriptor.is_repeated:
            yield from _unknown_fields(value, inner)
        elif descriptor.message_type.GetOptions().map_entry:
            for each in value.values():
                yield from _unknown_fields(each, inner)
        else:
            for each in value:
                yield from _unknown_fields(each, inner)


def user_from_proto(user: types_pb2.UserV2) -> User:
    """A user."""
    return User(user.Metadata.Name, tuple(user.Spec.Roles), labels_from_proto(user.Spec.Traits))


def user_from_login_state(state: userloginstate_pb2.UserLoginState, name: str) -> User:
    """A user as of their login."""
    traits = {trait.key: tuple(trait.values) for trait in state.spec.traits}
    return User(name, tuple(state.spec.roles), traits)


def cluster_from_proto(ping: auth_pb2.PingResponse) -> ClusterInfo:
    """What a ping's answer tells."""
    return ClusterInfo(
        name=ping.ClusterName,
        server_version=ping.ServerVersion,
        proxy_public_addr=ping.ProxyPublicAddr,
        advanced_access_workflows=ping.ServerFeatures.AdvancedAccessWorkflows,
        cloud=ping.ServerFeatures.Cloud,
    )


def plugin_data_from_proto(data: Iterable[types_pb2.PluginDataV3], plugin: str) -> dict[str, dict[str, str]]:
    """The plugin's entries by resource; resources without an entry of it are left out."""
    found: dict[str, dict[str, str]] = {}
    for item in data:
        # A look by index would create an absent entry: protobuf's maps do that.
        if item.Metadata.Name and plugin in item.Spec.Entries:
            found[item.Metadata.Name] = dict(item.Spec.Entries[plugin].Data)
    return found


# To the wire ----------------------------------------------------------------------------------------


def time_to_proto(time: datetime | None) -> Timestamp | None:
    """Seconds and nanoseconds of an aware time; ``None`` (a field that is absent) for ``None``."""
    if time is None:
        return None
    since = time - EPOCH
    return Timestamp(seconds=since.days * 86400 + since.seconds, nanos=since.microseconds * 1000)


def state_to_proto(state: RequestState) -> types_pb2.RequestState:
    """The number of a state. ``ValueError`` for GONE: on the wire such a request is simply not there."""
    try:
        return _STATE_NUMBERS[state]
    except KeyError:
        raise ValueError(f"{state} is not a state that a request has on the wire") from None


def labels_to_proto(labels: Mapping[str, Iterable[str]]) -> wrappers_pb2.LabelValues:
    """A plain mapping as ``wrappers.LabelValues``."""
    return wrappers_pb2.LabelValues(
        Values={key: wrappers_pb2.StringValues(Values=values) for key, values in labels.items()}
    )


def access_list_to_proto(access_list: AccessList | None) -> types_pb2.PromotedAccessList | None:
    """``None`` stays an absent field."""
    if access_list is None:
        return None
    return types_pb2.PromotedAccessList(Name=access_list.name, Title=access_list.title)


def review_to_proto(review: Review) -> types_pb2.AccessReview:
    """One review."""
    return types_pb2.AccessReview(
        Author=review.author,
        Roles=review.roles,
        ProposedState=state_to_proto(review.proposed_state),
        Reason=review.reason,
        Created=time_to_proto(review.created),
        ThresholdIndexes=review.threshold_indexes,
        accessList=access_list_to_proto(review.access_list),
        AssumeStartTime=time_to_proto(review.assume_start),
    )


def request_to_proto(request: AccessRequest) -> types_pb2.AccessRequestV3:
    """An access request as a cluster sends it (without a revision)."""
    return types_pb2.AccessRequestV3(
        Kind=ACCESS_REQUEST,
        Version="v3",
        Metadata=types_pb2.Metadata(
            Name=request.id, Namespace="default", Expires=time_to_proto(request.expires)
        ),
        Spec=types_pb2.AccessRequestSpecV3(
            User=request.user,
            Roles=request.roles,
            State=state_to_proto(request.state),
            Created=time_to_proto(request.created),
            Expires=time_to_proto(request.access_expires),
            RequestReason=request.request_reason,
            ResolveReason=request.resolve_reason,
            SystemAnnotations=labels_to_proto(request.system_annotations),
            Thresholds=[
                types_pb2.AccessReviewThreshold(
                    Name=threshold.name,
                    Filter=threshold.filter,
                    Approve=threshold.approve,
                    Deny=threshold.deny,
                )
                for threshold in request.thresholds
            ],
            Reviews=[review_to_proto(review) for review in request.reviews],
            SuggestedReviewers=request.suggested_reviewers,
            RoleThresholdMapping={
                role: types_pb2.ThresholdIndexSets(
                    Sets=[types_pb2.ThresholdIndexSet(Indexes=indexes) for indexes in sets]
                )
                for role, sets in request.role_thresholds.items()
            },
            RequestedResourceIDs=[
                resource_to_proto(resource) for resource in request.resources if resource.constraint is None
            ],
            RequestKind=types_pb2.LONG_TERM if request.long_term else types_pb2.UNDEFINED,
            RequestedResourceAccessIDs=[
                types_pb2.ResourceAccessID(
                    id=resource_to_proto(resource), constraints=constraint_to_proto(resource)
                )
                for resource in request.resources
                if resource.constraint is not None
            ],
            LoginHint=request.login_hint,
            DryRun=request.dry_run,
            MaxDuration=time_to_proto(request.max_duration),
            SessionTTL=time_to_proto(request.session_ttl),
            accessList=access_list_to_proto(request.access_list),
            AssumeStartTime=time_to_proto(request.assume_start),
        ),
    )


def rule_to_proto(rule: AccessMonitoringRule) -> rules_pb2.AccessMonitoringRule:
    """An Access Monitoring Rule as a cluster sends it."""
    return rules_pb2.AccessMonitoringRule(
        metadata=header_pb2.Metadata(name=rule.name, labels=rule.labels),
        kind=ACCESS_MONITORING_RULE,
        version="v1",
        spec=rules_pb2.AccessMonitoringRuleSpec(
            subjects=rule.subjects,
            states=rule.states,
            condition=rule.condition,
            notification=rules_pb2.Notification(name=rule.notification, recipients=rule.recipients),
            desired_state=rule.desired_state,
            schedules={
                name: rules_pb2.Schedule(
                    time=rules_pb2.TimeSchedule(
                        shifts=[
                            rules_pb2.Shift(weekday=shift.weekday, start=shift.start, end=shift.end)
                            for shift in schedule.shifts
                        ],
                        timezone=schedule.timezone,
                    )
                )
                for name, schedule in rule.schedules.items()
            },
        ),
    )


def user_to_proto(user: User) -> types_pb2.UserV2:
    """A user as a cluster sends it."""
    return types_pb2.UserV2(
        Kind="user",
        Version="v2",
        Metadata=types_pb2.Metadata(Name=user.name, Namespace="default"),
        Spec=types_pb2.UserSpecV2(Roles=user.roles, Traits=labels_to_proto(user.traits)),
    )


def login_state_to_proto(user: User) -> userloginstate_pb2.UserLoginState:
    """What a user got when they logged in, as a cluster sends it."""
    header = header_pb2.ResourceHeader(
        kind="user_login_state", version="v1", metadata=header_pb2.Metadata(name=user.name)
    )
    traits = [userloginstate_pb2.Trait(key=key, values=values) for key, values in user.traits.items()]
    return userloginstate_pb2.UserLoginState(
        header=header, spec=userloginstate_pb2.Spec(roles=user.roles, traits=traits)
    )


def cluster_to_proto(cluster: ClusterInfo) -> auth_pb2.PingResponse:
    """The answer to a ping."""
    return auth_pb2.PingResponse(
        ClusterName=cluster.name,
        ServerVersion=cluster.server_version,
        ProxyPublicAddr=cluster.proxy_public_addr,
        ServerFeatures=auth_pb2.Features(
            AdvancedAccessWorkflows=cluster.advanced_access_workflows, Cloud=cluster.cloud
        ),
    )
