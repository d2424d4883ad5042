# Generated from proto/ by proto/generate.py. Do not edit.
import datetime

from google.protobuf import timestamp_pb2 as _timestamp_pb2
from teleport_email.teleport._proto import wrappers_pb2 as _wrappers_pb2
from google.protobuf.internal import containers as _containers
from google.protobuf.internal import enum_type_wrapper as _enum_type_wrapper
from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from collections.abc import Iterable as _Iterable, Mapping as _Mapping
from typing import ClassVar as _ClassVar, Optional as _Optional, Union as _Union

DESCRIPTOR: _descriptor.FileDescriptor

class RequestState(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    NONE: _ClassVar[RequestState]
    PENDING: _ClassVar[RequestState]
    APPROVED: _ClassVar[RequestState]
    DENIED: _ClassVar[RequestState]
    PROMOTED: _ClassVar[RequestState]

class AccessRequestKind(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    UNDEFINED: _ClassVar[AccessRequestKind]
    SHORT_TERM: _ClassVar[AccessRequestKind]
    LONG_TERM: _ClassVar[AccessRequestKind]

class AccessRequestScope(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    DEFAULT: _ClassVar[AccessRequestScope]
NONE: RequestState
PENDING: RequestState
APPROVED: RequestState
DENIED: RequestState
PROMOTED: RequestState
UNDEFINED: AccessRequestKind
SHORT_TERM: AccessRequestKind
LONG_TERM: AccessRequestKind
DEFAULT: AccessRequestScope

class Metadata(_message.Message):
    __slots__ = ("Name", "Namespace", "Description", "Labels", "Expires", "Revision")
    class LabelsEntry(_message.Message):
        __slots__ = ("key", "value")
        KEY_FIELD_NUMBER: _ClassVar[int]
        VALUE_FIELD_NUMBER: _ClassVar[int]
        key: str
        value: str
        def __init__(self, key: _Optional[str] = ..., value: _Optional[str] = ...) -> None: ...
    NAME_FIELD_NUMBER: _ClassVar[int]
    NAMESPACE_FIELD_NUMBER: _ClassVar[int]
    DESCRIPTION_FIELD_NUMBER: _ClassVar[int]
    LABELS_FIELD_NUMBER: _ClassVar[int]
    EXPIRES_FIELD_NUMBER: _ClassVar[int]
    REVISION_FIELD_NUMBER: _ClassVar[int]
    Name: str
    Namespace: str
    Description: str
    Labels: _containers.ScalarMap[str, str]
    Expires: _timestamp_pb2.Timestamp
    Revision: str
    def __init__(self, Name: _Optional[str] = ..., Namespace: _Optional[str] = ..., Description: _Optional[str] = ..., Labels: _Optional[_Mapping[str, str]] = ..., Expires: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., Revision: _Optional[str] = ...) -> None: ...

class ResourceHeader(_message.Message):
    __slots__ = ("Kind", "SubKind", "Version", "Metadata")
    KIND_FIELD_NUMBER: _ClassVar[int]
    SUBKIND_FIELD_NUMBER: _ClassVar[int]
    VERSION_FIELD_NUMBER: _ClassVar[int]
    METADATA_FIELD_NUMBER: _ClassVar[int]
    Kind: str
    SubKind: str
    Version: str
    Metadata: _Metadata
    def __init__(self, Kind: _Optional[str] = ..., SubKind: _Optional[str] = ..., Version: _Optional[str] = ..., Metadata: _Optional[_Union[Metadata, _Mapping]] = ...) -> None: ...

class WatchKind(_message.Message):
    __slots__ = ("Kind", "LoadSecrets", "Name", "Filter", "SubKind", "Version")
    class FilterEntry(_message.Message):
        __slots__ = ("key", "value")
        KEY_FIELD_NUMBER: _ClassVar[int]
        VALUE_FIELD_NUMBER: _ClassVar[int]
        key: str
        value: str
        def __init__(self, key: _Optional[str] = ..., value: _Optional[str] = ...) -> None: ...
    KIND_FIELD_NUMBER: _ClassVar[int]
    LOADSECRETS_FIELD_NUMBER: _ClassVar[int]
    NAME_FIELD_NUMBER: _ClassVar[int]
    FILTER_FIELD_NUMBER: _ClassVar[int]
    SUBKIND_FIELD_NUMBER: _ClassVar[int]
    VERSION_FIELD_NUMBER: _ClassVar[int]
    Kind: str
    LoadSecrets: bool
    Name: str
    Filter: _containers.ScalarMap[str, str]
    SubKind: str
    Version: str
    def __init__(self, Kind: _Optional[str] = ..., LoadSecrets: _Optional[bool] = ..., Name: _Optional[str] = ..., Filter: _Optional[_Mapping[str, str]] = ..., SubKind: _Optional[str] = ..., Version: _Optional[str] = ...) -> None: ...

class WatchStatusSpecV1(_message.Message):
    __slots__ = ("Kinds",)
    KINDS_FIELD_NUMBER: _ClassVar[int]
    Kinds: _containers.RepeatedCompositeFieldContainer[WatchKind]
    def __init__(self, Kinds: _Optional[_Iterable[_Union[WatchKind, _Mapping]]] = ...) -> None: ...

class WatchStatusV1(_message.Message):
    __slots__ = ("Kind", "SubKind", "Version", "Metadata", "Spec")
    KIND_FIELD_NUMBER: _ClassVar[int]
    SUBKIND_FIELD_NUMBER: _ClassVar[int]
    VERSION_FIELD_NUMBER: _ClassVar[int]
    METADATA_FIELD_NUMBER: _ClassVar[int]
    SPEC_FIELD_NUMBER: _ClassVar[int]
    Kind: str
    SubKind: str
    Version: str
    Metadata: _Metadata
    Spec: WatchStatusSpecV1
    def __init__(self, Kind: _Optional[str] = ..., SubKind: _Optional[str] = ..., Version: _Optional[str] = ..., Metadata: _Optional[_Union[Metadata, _Mapping]] = ..., Spec: _Optional[_Union[WatchStatusSpecV1, _Mapping]] = ...) -> None: ...

class PromotedAccessList(_message.Message):
    __slots__ = ("Name", "Title")
    NAME_FIELD_NUMBER: _ClassVar[int]
    TITLE_FIELD_NUMBER: _ClassVar[int]
    Name: str
    Title: str
    def __init__(self, Name: _Optional[str] = ..., Title: _Optional[str] = ...) -> None: ...

class AccessReviewThreshold(_message.Message):
    __slots__ = ("Name", "Filter", "Approve", "Deny")
    NAME_FIELD_NUMBER: _ClassVar[int]
    FILTER_FIELD_NUMBER: _ClassVar[int]
    APPROVE_FIELD_NUMBER: _ClassVar[int]
    DENY_FIELD_NUMBER: _ClassVar[int]
    Name: str
    Filter: str
    Approve: int
    Deny: int
    def __init__(self, Name: _Optional[str] = ..., Filter: _Optional[str] = ..., Approve: _Optional[int] = ..., Deny: _Optional[int] = ...) -> None: ...

class AccessReview(_message.Message):
    __slots__ = ("Author", "Roles", "ProposedState", "Reason", "Created", "Annotations", "ThresholdIndexes", "accessList", "AssumeStartTime")
    AUTHOR_FIELD_NUMBER: _ClassVar[int]
    ROLES_FIELD_NUMBER: _ClassVar[int]
    PROPOSEDSTATE_FIELD_NUMBER: _ClassVar[int]
    REASON_FIELD_NUMBER: _ClassVar[int]
    CREATED_FIELD_NUMBER: _ClassVar[int]
    ANNOTATIONS_FIELD_NUMBER: _ClassVar[int]
    THRESHOLDINDEXES_FIELD_NUMBER: _ClassVar[int]
    ACCESSLIST_FIELD_NUMBER: _ClassVar[int]
    ASSUMESTARTTIME_FIELD_NUMBER: _ClassVar[int]
    Author: str
    Roles: _containers.RepeatedScalarFieldContainer[str]
    ProposedState: RequestState
    Reason: str
    Created: _timestamp_pb2.Timestamp
    Annotations: _wrappers_pb2.LabelValues
    ThresholdIndexes: _containers.RepeatedScalarFieldContainer[int]
    accessList: PromotedAccessList
    AssumeStartTime: _timestamp_pb2.Timestamp
    def __init__(self, Author: _Optional[str] = ..., Roles: _Optional[_Iterable[str]] = ..., ProposedState: _Optional[_Union[RequestState, str]] = ..., Reason: _Optional[str] = ..., Created: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., Annotations: _Optional[_Union[_wrappers_pb2.LabelValues, _Mapping]] = ..., ThresholdIndexes: _Optional[_Iterable[int]] = ..., accessList: _Optional[_Union[PromotedAccessList, _Mapping]] = ..., AssumeStartTime: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ...) -> None: ...

class ResourceID(_message.Message):
    __slots__ = ("ClusterName", "Kind", "Name", "SubResourceName")
    CLUSTERNAME_FIELD_NUMBER: _ClassVar[int]
    KIND_FIELD_NUMBER: _ClassVar[int]
    NAME_FIELD_NUMBER: _ClassVar[int]
    SUBRESOURCENAME_FIELD_NUMBER: _ClassVar[int]
    ClusterName: str
    Kind: str
    Name: str
    SubResourceName: str
    def __init__(self, ClusterName: _Optional[str] = ..., Kind: _Optional[str] = ..., Name: _Optional[str] = ..., SubResourceName: _Optional[str] = ...) -> None: ...

class ThresholdIndexSet(_message.Message):
    __slots__ = ("Indexes",)
    INDEXES_FIELD_NUMBER: _ClassVar[int]
    Indexes: _containers.RepeatedScalarFieldContainer[int]
    def __init__(self, Indexes: _Optional[_Iterable[int]] = ...) -> None: ...

class ThresholdIndexSets(_message.Message):
    __slots__ = ("Sets",)
    SETS_FIELD_NUMBER: _ClassVar[int]
    Sets: _containers.RepeatedCompositeFieldContainer[ThresholdIndexSet]
    def __init__(self, Sets: _Optional[_Iterable[_Union[ThresholdIndexSet, _Mapping]]] = ...) -> None: ...

class AWSConsoleResourceConstraints(_message.Message):
    __slots__ = ("role_arns",)
    ROLE_ARNS_FIELD_NUMBER: _ClassVar[int]
    role_arns: _containers.RepeatedScalarFieldContainer[str]
    def __init__(self, role_arns: _Optional[_Iterable[str]] = ...) -> None: ...

class SSHResourceConstraints(_message.Message):
    __slots__ = ("logins",)
    LOGINS_FIELD_NUMBER: _ClassVar[int]
    logins: _containers.RepeatedScalarFieldContainer[str]
    def __init__(self, logins: _Optional[_Iterable[str]] = ...) -> None: ...

class WindowsDesktopResourceConstraints(_message.Message):
    __slots__ = ("logins",)
    LOGINS_FIELD_NUMBER: _ClassVar[int]
    logins: _containers.RepeatedScalarFieldContainer[str]
    def __init__(self, logins: _Optional[_Iterable[str]] = ...) -> None: ...

class ResourceConstraints(_message.Message):
    __slots__ = ("version", "aws_console", "ssh", "windows_desktop")
    VERSION_FIELD_NUMBER: _ClassVar[int]
    AWS_CONSOLE_FIELD_NUMBER: _ClassVar[int]
    SSH_FIELD_NUMBER: _ClassVar[int]
    WINDOWS_DESKTOP_FIELD_NUMBER: _ClassVar[int]
    version: str
    aws_console: AWSConsoleResourceConstraints
    ssh: SSHResourceConstraints
    windows_desktop: WindowsDesktopResourceConstraints
    def __init__(self, version: _Optional[str] = ..., aws_console: _Optional[_Union[AWSConsoleResourceConstraints, _Mapping]] = ..., ssh: _Optional[_Union[SSHResourceConstraints, _Mapping]] = ..., windows_desktop: _Optional[_Union[WindowsDesktopResourceConstraints, _Mapping]] = ...) -> None: ...

class ResourceAccessID(_message.Message):
    __slots__ = ("id", "constraints")
    ID_FIELD_NUMBER: _ClassVar[int]
    CONSTRAINTS_FIELD_NUMBER: _ClassVar[int]
    id: ResourceID
    constraints: ResourceConstraints
    def __init__(self, id: _Optional[_Union[ResourceID, _Mapping]] = ..., constraints: _Optional[_Union[ResourceConstraints, _Mapping]] = ...) -> None: ...

class AccessRequestSpecV3(_message.Message):
    __slots__ = ("User", "Roles", "State", "Created", "Expires", "RequestReason", "ResolveReason", "ResolveAnnotations", "SystemAnnotations", "Thresholds", "RoleThresholdMapping", "Reviews", "SuggestedReviewers", "RequestedResourceIDs", "LoginHint", "DryRun", "MaxDuration", "SessionTTL", "accessList", "AssumeStartTime", "RequestKind", "RequestedResourceAccessIDs")
    class RoleThresholdMappingEntry(_message.Message):
        __slots__ = ("key", "value")
        KEY_FIELD_NUMBER: _ClassVar[int]
        VALUE_FIELD_NUMBER: _ClassVar[int]
        key: str
        value: ThresholdIndexSets
        def __init__(self, key: _Optional[str] = ..., value: _Optional[_Union[ThresholdIndexSets, _Mapping]] = ...) -> None: ...
    USER_FIELD_NUMBER: _ClassVar[int]
    ROLES_FIELD_NUMBER: _ClassVar[int]
    STATE_FIELD_NUMBER: _ClassVar[int]
    CREATED_FIELD_NUMBER: _ClassVar[int]
    EXPIRES_FIELD_NUMBER: _ClassVar[int]
    REQUESTREASON_FIELD_NUMBER: _ClassVar[int]
    RESOLVEREASON_FIELD_NUMBER: _ClassVar[int]
    RESOLVEANNOTATIONS_FIELD_NUMBER: _ClassVar[int]
    SYSTEMANNOTATIONS_FIELD_NUMBER: _ClassVar[int]
    THRESHOLDS_FIELD_NUMBER: _ClassVar[int]
    ROLETHRESHOLDMAPPING_FIELD_NUMBER: _ClassVar[int]
    REVIEWS_FIELD_NUMBER: _ClassVar[int]
    SUGGESTEDREVIEWERS_FIELD_NUMBER: _ClassVar[int]
    REQUESTEDRESOURCEIDS_FIELD_NUMBER: _ClassVar[int]
    LOGINHINT_FIELD_NUMBER: _ClassVar[int]
    DRYRUN_FIELD_NUMBER: _ClassVar[int]
    MAXDURATION_FIELD_NUMBER: _ClassVar[int]
    SESSIONTTL_FIELD_NUMBER: _ClassVar[int]
    ACCESSLIST_FIELD_NUMBER: _ClassVar[int]
    ASSUMESTARTTIME_FIELD_NUMBER: _ClassVar[int]
    REQUESTKIND_FIELD_NUMBER: _ClassVar[int]
    REQUESTEDRESOURCEACCESSIDS_FIELD_NUMBER: _ClassVar[int]
    User: str
    Roles: _containers.RepeatedScalarFieldContainer[str]
    State: RequestState
    Created: _timestamp_pb2.Timestamp
    Expires: _timestamp_pb2.Timestamp
    RequestReason: str
    ResolveReason: str
    ResolveAnnotations: _wrappers_pb2.LabelValues
    SystemAnnotations: _wrappers_pb2.LabelValues
    Thresholds: _containers.RepeatedCompositeFieldContainer[AccessReviewThreshold]
    RoleThresholdMapping: _containers.MessageMap[str, ThresholdIndexSets]
    Reviews: _containers.RepeatedCompositeFieldContainer[AccessReview]
    SuggestedReviewers: _containers.RepeatedScalarFieldContainer[str]
    RequestedResourceIDs: _containers.RepeatedCompositeFieldContainer[ResourceID]
    LoginHint: str
    DryRun: bool
    MaxDuration: _timestamp_pb2.Timestamp
    SessionTTL: _timestamp_pb2.Timestamp
    accessList: PromotedAccessList
    AssumeStartTime: _timestamp_pb2.Timestamp
    RequestKind: AccessRequestKind
    RequestedResourceAccessIDs: _containers.RepeatedCompositeFieldContainer[ResourceAccessID]
    def __init__(self, User: _Optional[str] = ..., Roles: _Optional[_Iterable[str]] = ..., State: _Optional[_Union[RequestState, str]] = ..., Created: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., Expires: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., RequestReason: _Optional[str] = ..., ResolveReason: _Optional[str] = ..., ResolveAnnotations: _Optional[_Union[_wrappers_pb2.LabelValues, _Mapping]] = ..., SystemAnnotations: _Optional[_Union[_wrappers_pb2.LabelValues, _Mapping]] = ..., Thresholds: _Optional[_Iterable[_Union[AccessReviewThreshold, _Mapping]]] = ..., RoleThresholdMapping: _Optional[_Mapping[str, ThresholdIndexSets]] = ..., Reviews: _Optional[_Iterable[_Union[AccessReview, _Mapping]]] = ..., SuggestedReviewers: _Optional[_Iterable[str]] = ..., RequestedResourceIDs: _Optional[_Iterable[_Union[ResourceID, _Mapping]]] = ..., LoginHint: _Optional[str] = ..., DryRun: _Optional[bool] = ..., MaxDuration: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., SessionTTL: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., accessList: _Optional[_Union[PromotedAccessList, _Mapping]] = ..., AssumeStartTime: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., RequestKind: _Optional[_Union[AccessRequestKind, str]] = ..., RequestedResourceAccessIDs: _Optional[_Iterable[_Union[ResourceAccessID, _Mapping]]] = ...) -> None: ...

class AccessRequestV3(_message.Message):
    __slots__ = ("Kind", "SubKind", "Version", "Metadata", "Spec")
    KIND_FIELD_NUMBER: _ClassVar[int]
    SUBKIND_FIELD_NUMBER: _ClassVar[int]
    VERSION_FIELD_NUMBER: _ClassVar[int]
    METADATA_FIELD_NUMBER: _ClassVar[int]
    SPEC_FIELD_NUMBER: _ClassVar[int]
    Kind: str
    SubKind: str
    Version: str
    Metadata: _Metadata
    Spec: AccessRequestSpecV3
    def __init__(self, Kind: _Optional[str] = ..., SubKind: _Optional[str] = ..., Version: _Optional[str] = ..., Metadata: _Optional[_Union[Metadata, _Mapping]] = ..., Spec: _Optional[_Union[AccessRequestSpecV3, _Mapping]] = ...) -> None: ...

class AccessRequestFilter(_message.Message):
    __slots__ = ("ID", "User", "State", "SearchKeywords", "Scope", "Requester")
    ID_FIELD_NUMBER: _ClassVar[int]
    USER_FIELD_NUMBER: _ClassVar[int]
    STATE_FIELD_NUMBER: _ClassVar[int]
    SEARCHKEYWORDS_FIELD_NUMBER: _ClassVar[int]
    SCOPE_FIELD_NUMBER: _ClassVar[int]
    REQUESTER_FIELD_NUMBER: _ClassVar[int]
    ID: str
    User: str
    State: RequestState
    SearchKeywords: _containers.RepeatedScalarFieldContainer[str]
    Scope: AccessRequestScope
    Requester: str
    def __init__(self, ID: _Optional[str] = ..., User: _Optional[str] = ..., State: _Optional[_Union[RequestState, str]] = ..., SearchKeywords: _Optional[_Iterable[str]] = ..., Scope: _Optional[_Union[AccessRequestScope, str]] = ..., Requester: _Optional[str] = ...) -> None: ...

class PluginDataFilter(_message.Message):
    __slots__ = ("Kind", "Resource", "Plugin")
    KIND_FIELD_NUMBER: _ClassVar[int]
    RESOURCE_FIELD_NUMBER: _ClassVar[int]
    PLUGIN_FIELD_NUMBER: _ClassVar[int]
    Kind: str
    Resource: str
    Plugin: str
    def __init__(self, Kind: _Optional[str] = ..., Resource: _Optional[str] = ..., Plugin: _Optional[str] = ...) -> None: ...

class PluginDataEntry(_message.Message):
    __slots__ = ("Data",)
    class DataEntry(_message.Message):
        __slots__ = ("key", "value")
        KEY_FIELD_NUMBER: _ClassVar[int]
        VALUE_FIELD_NUMBER: _ClassVar[int]
        key: str
        value: str
        def __init__(self, key: _Optional[str] = ..., value: _Optional[str] = ...) -> None: ...
    DATA_FIELD_NUMBER: _ClassVar[int]
    Data: _containers.ScalarMap[str, str]
    def __init__(self, Data: _Optional[_Mapping[str, str]] = ...) -> None: ...

class PluginDataSpecV3(_message.Message):
    __slots__ = ("Entries",)
    class EntriesEntry(_message.Message):
        __slots__ = ("key", "value")
        KEY_FIELD_NUMBER: _ClassVar[int]
        VALUE_FIELD_NUMBER: _ClassVar[int]
        key: str
        value: PluginDataEntry
        def __init__(self, key: _Optional[str] = ..., value: _Optional[_Union[PluginDataEntry, _Mapping]] = ...) -> None: ...
    ENTRIES_FIELD_NUMBER: _ClassVar[int]
    Entries: _containers.MessageMap[str, PluginDataEntry]
    def __init__(self, Entries: _Optional[_Mapping[str, PluginDataEntry]] = ...) -> None: ...

class PluginDataV3(_message.Message):
    __slots__ = ("Kind", "SubKind", "Version", "Metadata", "Spec")
    KIND_FIELD_NUMBER: _ClassVar[int]
    SUBKIND_FIELD_NUMBER: _ClassVar[int]
    VERSION_FIELD_NUMBER: _ClassVar[int]
    METADATA_FIELD_NUMBER: _ClassVar[int]
    SPEC_FIELD_NUMBER: _ClassVar[int]
    Kind: str
    SubKind: str
    Version: str
    Metadata: _Metadata
    Spec: PluginDataSpecV3
    def __init__(self, Kind: _Optional[str] = ..., SubKind: _Optional[str] = ..., Version: _Optional[str] = ..., Metadata: _Optional[_Union[Metadata, _Mapping]] = ..., Spec: _Optional[_Union[PluginDataSpecV3, _Mapping]] = ...) -> None: ...

class PluginDataUpdateParams(_message.Message):
    __slots__ = ("Kind", "Resource", "Plugin", "Set", "Expect")
    class SetEntry(_message.Message):
        __slots__ = ("key", "value")
        KEY_FIELD_NUMBER: _ClassVar[int]
        VALUE_FIELD_NUMBER: _ClassVar[int]
        key: str
        value: str
        def __init__(self, key: _Optional[str] = ..., value: _Optional[str] = ...) -> None: ...
    class ExpectEntry(_message.Message):
        __slots__ = ("key", "value")
        KEY_FIELD_NUMBER: _ClassVar[int]
        VALUE_FIELD_NUMBER: _ClassVar[int]
        key: str
        value: str
        def __init__(self, key: _Optional[str] = ..., value: _Optional[str] = ...) -> None: ...
    KIND_FIELD_NUMBER: _ClassVar[int]
    RESOURCE_FIELD_NUMBER: _ClassVar[int]
    PLUGIN_FIELD_NUMBER: _ClassVar[int]
    SET_FIELD_NUMBER: _ClassVar[int]
    EXPECT_FIELD_NUMBER: _ClassVar[int]
    Kind: str
    Resource: str
    Plugin: str
    Set: _containers.ScalarMap[str, str]
    Expect: _containers.ScalarMap[str, str]
    def __init__(self, Kind: _Optional[str] = ..., Resource: _Optional[str] = ..., Plugin: _Optional[str] = ..., Set: _Optional[_Mapping[str, str]] = ..., Expect: _Optional[_Mapping[str, str]] = ...) -> None: ...

class UserSpecV2(_message.Message):
    __slots__ = ("Roles", "Traits")
    ROLES_FIELD_NUMBER: _ClassVar[int]
    TRAITS_FIELD_NUMBER: _ClassVar[int]
    Roles: _containers.RepeatedScalarFieldContainer[str]
    Traits: _wrappers_pb2.LabelValues
    def __init__(self, Roles: _Optional[_Iterable[str]] = ..., Traits: _Optional[_Union[_wrappers_pb2.LabelValues, _Mapping]] = ...) -> None: ...

class UserV2(_message.Message):
    __slots__ = ("Kind", "SubKind", "Version", "Metadata", "Spec")
    KIND_FIELD_NUMBER: _ClassVar[int]
    SUBKIND_FIELD_NUMBER: _ClassVar[int]
    VERSION_FIELD_NUMBER: _ClassVar[int]
    METADATA_FIELD_NUMBER: _ClassVar[int]
    SPEC_FIELD_NUMBER: _ClassVar[int]
    Kind: str
    SubKind: str
    Version: str
    Metadata: _Metadata
    Spec: UserSpecV2
    def __init__(self, Kind: _Optional[str] = ..., SubKind: _Optional[str] = ..., Version: _Optional[str] = ..., Metadata: _Optional[_Union[Metadata, _Mapping]] = ..., Spec: _Optional[_Union[UserSpecV2, _Mapping]] = ...) -> None: ...

class CommandLabelV2(_message.Message):
    __slots__ = ("Period", "Command", "Result")
    PERIOD_FIELD_NUMBER: _ClassVar[int]
    COMMAND_FIELD_NUMBER: _ClassVar[int]
    RESULT_FIELD_NUMBER: _ClassVar[int]
    Period: int
    Command: _containers.RepeatedScalarFieldContainer[str]
    Result: str
    def __init__(self, Period: _Optional[int] = ..., Command: _Optional[_Iterable[str]] = ..., Result: _Optional[str] = ...) -> None: ...

class ServerSpecV2(_message.Message):
    __slots__ = ("Hostname", "CmdLabels")
    class CmdLabelsEntry(_message.Message):
        __slots__ = ("key", "value")
        KEY_FIELD_NUMBER: _ClassVar[int]
        VALUE_FIELD_NUMBER: _ClassVar[int]
        key: str
        value: CommandLabelV2
        def __init__(self, key: _Optional[str] = ..., value: _Optional[_Union[CommandLabelV2, _Mapping]] = ...) -> None: ...
    HOSTNAME_FIELD_NUMBER: _ClassVar[int]
    CMDLABELS_FIELD_NUMBER: _ClassVar[int]
    Hostname: str
    CmdLabels: _containers.MessageMap[str, CommandLabelV2]
    def __init__(self, Hostname: _Optional[str] = ..., CmdLabels: _Optional[_Mapping[str, CommandLabelV2]] = ...) -> None: ...

class ServerV2(_message.Message):
    __slots__ = ("Kind", "SubKind", "Version", "Metadata", "Spec")
    KIND_FIELD_NUMBER: _ClassVar[int]
    SUBKIND_FIELD_NUMBER: _ClassVar[int]
    VERSION_FIELD_NUMBER: _ClassVar[int]
    METADATA_FIELD_NUMBER: _ClassVar[int]
    SPEC_FIELD_NUMBER: _ClassVar[int]
    Kind: str
    SubKind: str
    Version: str
    Metadata: _Metadata
    Spec: ServerSpecV2
    def __init__(self, Kind: _Optional[str] = ..., SubKind: _Optional[str] = ..., Version: _Optional[str] = ..., Metadata: _Optional[_Union[Metadata, _Mapping]] = ..., Spec: _Optional[_Union[ServerSpecV2, _Mapping]] = ...) -> None: ...

class AppSpecV3(_message.Message):
    __slots__ = ("DynamicLabels",)
    class DynamicLabelsEntry(_message.Message):
        __slots__ = ("key", "value")
        KEY_FIELD_NUMBER: _ClassVar[int]
        VALUE_FIELD_NUMBER: _ClassVar[int]
        key: str
        value: CommandLabelV2
        def __init__(self, key: _Optional[str] = ..., value: _Optional[_Union[CommandLabelV2, _Mapping]] = ...) -> None: ...
    DYNAMICLABELS_FIELD_NUMBER: _ClassVar[int]
    DynamicLabels: _containers.MessageMap[str, CommandLabelV2]
    def __init__(self, DynamicLabels: _Optional[_Mapping[str, CommandLabelV2]] = ...) -> None: ...

class AppV3(_message.Message):
    __slots__ = ("Kind", "SubKind", "Version", "Metadata", "Spec")
    KIND_FIELD_NUMBER: _ClassVar[int]
    SUBKIND_FIELD_NUMBER: _ClassVar[int]
    VERSION_FIELD_NUMBER: _ClassVar[int]
    METADATA_FIELD_NUMBER: _ClassVar[int]
    SPEC_FIELD_NUMBER: _ClassVar[int]
    Kind: str
    SubKind: str
    Version: str
    Metadata: _Metadata
    Spec: AppSpecV3
    def __init__(self, Kind: _Optional[str] = ..., SubKind: _Optional[str] = ..., Version: _Optional[str] = ..., Metadata: _Optional[_Union[Metadata, _Mapping]] = ..., Spec: _Optional[_Union[AppSpecV3, _Mapping]] = ...) -> None: ...

class AppServerSpecV3(_message.Message):
    __slots__ = ("Hostname", "App")
    HOSTNAME_FIELD_NUMBER: _ClassVar[int]
    APP_FIELD_NUMBER: _ClassVar[int]
    Hostname: str
    App: AppV3
    def __init__(self, Hostname: _Optional[str] = ..., App: _Optional[_Union[AppV3, _Mapping]] = ...) -> None: ...

class AppServerV3(_message.Message):
    __slots__ = ("Kind", "SubKind", "Version", "Metadata", "Spec")
    KIND_FIELD_NUMBER: _ClassVar[int]
    SUBKIND_FIELD_NUMBER: _ClassVar[int]
    VERSION_FIELD_NUMBER: _ClassVar[int]
    METADATA_FIELD_NUMBER: _ClassVar[int]
    SPEC_FIELD_NUMBER: _ClassVar[int]
    Kind: str
    SubKind: str
    Version: str
    Metadata: _Metadata
    Spec: AppServerSpecV3
    def __init__(self, Kind: _Optional[str] = ..., SubKind: _Optional[str] = ..., Version: _Optional[str] = ..., Metadata: _Optional[_Union[Metadata, _Mapping]] = ..., Spec: _Optional[_Union[AppServerSpecV3, _Mapping]] = ...) -> None: ...

class DatabaseSpecV3(_message.Message):
    __slots__ = ("DynamicLabels",)
    class DynamicLabelsEntry(_message.Message):
        __slots__ = ("key", "value")
        KEY_FIELD_NUMBER: _ClassVar[int]
        VALUE_FIELD_NUMBER: _ClassVar[int]
        key: str
        value: CommandLabelV2
        def __init__(self, key: _Optional[str] = ..., value: _Optional[_Union[CommandLabelV2, _Mapping]] = ...) -> None: ...
    DYNAMICLABELS_FIELD_NUMBER: _ClassVar[int]
    DynamicLabels: _containers.MessageMap[str, CommandLabelV2]
    def __init__(self, DynamicLabels: _Optional[_Mapping[str, CommandLabelV2]] = ...) -> None: ...

class DatabaseV3(_message.Message):
    __slots__ = ("Metadata", "Spec")
    METADATA_FIELD_NUMBER: _ClassVar[int]
    SPEC_FIELD_NUMBER: _ClassVar[int]
    Metadata: _Metadata
    Spec: DatabaseSpecV3
    def __init__(self, Metadata: _Optional[_Union[Metadata, _Mapping]] = ..., Spec: _Optional[_Union[DatabaseSpecV3, _Mapping]] = ...) -> None: ...

class DatabaseServerSpecV3(_message.Message):
    __slots__ = ("Database",)
    DATABASE_FIELD_NUMBER: _ClassVar[int]
    Database: DatabaseV3
    def __init__(self, Database: _Optional[_Union[DatabaseV3, _Mapping]] = ...) -> None: ...

class DatabaseServerV3(_message.Message):
    __slots__ = ("Metadata", "Spec")
    METADATA_FIELD_NUMBER: _ClassVar[int]
    SPEC_FIELD_NUMBER: _ClassVar[int]
    Metadata: _Metadata
    Spec: DatabaseServerSpecV3
    def __init__(self, Metadata: _Optional[_Union[Metadata, _Mapping]] = ..., Spec: _Optional[_Union[DatabaseServerSpecV3, _Mapping]] = ...) -> None: ...

class KubernetesClusterSpecV3(_message.Message):
    __slots__ = ("DynamicLabels",)
    class DynamicLabelsEntry(_message.Message):
        __slots__ = ("key", "value")
        KEY_FIELD_NUMBER: _ClassVar[int]
        VALUE_FIELD_NUMBER: _ClassVar[int]
        key: str
        value: CommandLabelV2
        def __init__(self, key: _Optional[str] = ..., value: _Optional[_Union[CommandLabelV2, _Mapping]] = ...) -> None: ...
    DYNAMICLABELS_FIELD_NUMBER: _ClassVar[int]
    DynamicLabels: _containers.MessageMap[str, CommandLabelV2]
    def __init__(self, DynamicLabels: _Optional[_Mapping[str, CommandLabelV2]] = ...) -> None: ...

class KubernetesClusterV3(_message.Message):
    __slots__ = ("Metadata", "Spec")
    METADATA_FIELD_NUMBER: _ClassVar[int]
    SPEC_FIELD_NUMBER: _ClassVar[int]
    Metadata: _Metadata
    Spec: KubernetesClusterSpecV3
    def __init__(self, Metadata: _Optional[_Union[Metadata, _Mapping]] = ..., Spec: _Optional[_Union[KubernetesClusterSpecV3, _Mapping]] = ...) -> None: ...

class KubernetesServerSpecV3(_message.Message):
    __slots__ = ("Cluster",)
    CLUSTER_FIELD_NUMBER: _ClassVar[int]
    Cluster: KubernetesClusterV3
    def __init__(self, Cluster: _Optional[_Union[KubernetesClusterV3, _Mapping]] = ...) -> None: ...

class KubernetesServerV3(_message.Message):
    __slots__ = ("Metadata", "Spec")
    METADATA_FIELD_NUMBER: _ClassVar[int]
    SPEC_FIELD_NUMBER: _ClassVar[int]
    Metadata: _Metadata
    Spec: KubernetesServerSpecV3
    def __init__(self, Metadata: _Optional[_Union[Metadata, _Mapping]] = ..., Spec: _Optional[_Union[KubernetesServerSpecV3, _Mapping]] = ...) -> None: ...

class WindowsDesktopV3(_message.Message):
    __slots__ = ("Header",)
    HEADER_FIELD_NUMBER: _ClassVar[int]
    Header: ResourceHeader
    def __init__(self, Header: _Optional[_Union[ResourceHeader, _Mapping]] = ...) -> None: ...

class UserGroupV1(_message.Message):
    __slots__ = ("Header",)
    HEADER_FIELD_NUMBER: _ClassVar[int]
    Header: ResourceHeader
    def __init__(self, Header: _Optional[_Union[ResourceHeader, _Mapping]] = ...) -> None: ...

_Metadata = Metadata
