# Generated from proto/ by proto/generate.py. Do not edit.
from google.protobuf import empty_pb2 as _empty_pb2
from teleport_email.teleport._proto import rules_pb2 as _rules_pb2
from teleport_email.teleport._proto import types_pb2 as _types_pb2
from google.protobuf.internal import containers as _containers
from google.protobuf.internal import enum_type_wrapper as _enum_type_wrapper
from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from collections.abc import Iterable as _Iterable, Mapping as _Mapping
from typing import ClassVar as _ClassVar, Optional as _Optional, Union as _Union

DESCRIPTOR: _descriptor.FileDescriptor

class Operation(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    INIT: _ClassVar[Operation]
    PUT: _ClassVar[Operation]
    DELETE: _ClassVar[Operation]

class AccessRequestSort(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    DEFAULT: _ClassVar[AccessRequestSort]
INIT: Operation
PUT: Operation
DELETE: Operation
DEFAULT: AccessRequestSort

class PingRequest(_message.Message):
    __slots__ = ()
    def __init__(self) -> None: ...

class Features(_message.Message):
    __slots__ = ("AdvancedAccessWorkflows", "Cloud")
    ADVANCEDACCESSWORKFLOWS_FIELD_NUMBER: _ClassVar[int]
    CLOUD_FIELD_NUMBER: _ClassVar[int]
    AdvancedAccessWorkflows: bool
    Cloud: bool
    def __init__(self, AdvancedAccessWorkflows: _Optional[bool] = ..., Cloud: _Optional[bool] = ...) -> None: ...

class PingResponse(_message.Message):
    __slots__ = ("ClusterName", "ServerVersion", "ServerFeatures", "ProxyPublicAddr", "IsBoring", "RemoteAddr")
    CLUSTERNAME_FIELD_NUMBER: _ClassVar[int]
    SERVERVERSION_FIELD_NUMBER: _ClassVar[int]
    SERVERFEATURES_FIELD_NUMBER: _ClassVar[int]
    PROXYPUBLICADDR_FIELD_NUMBER: _ClassVar[int]
    ISBORING_FIELD_NUMBER: _ClassVar[int]
    REMOTEADDR_FIELD_NUMBER: _ClassVar[int]
    ClusterName: str
    ServerVersion: str
    ServerFeatures: Features
    ProxyPublicAddr: str
    IsBoring: bool
    RemoteAddr: str
    def __init__(self, ClusterName: _Optional[str] = ..., ServerVersion: _Optional[str] = ..., ServerFeatures: _Optional[_Union[Features, _Mapping]] = ..., ProxyPublicAddr: _Optional[str] = ..., IsBoring: _Optional[bool] = ..., RemoteAddr: _Optional[str] = ...) -> None: ...

class Watch(_message.Message):
    __slots__ = ("Kinds", "AllowPartialSuccess")
    KINDS_FIELD_NUMBER: _ClassVar[int]
    ALLOWPARTIALSUCCESS_FIELD_NUMBER: _ClassVar[int]
    Kinds: _containers.RepeatedCompositeFieldContainer[_types_pb2.WatchKind]
    AllowPartialSuccess: bool
    def __init__(self, Kinds: _Optional[_Iterable[_Union[_types_pb2.WatchKind, _Mapping]]] = ..., AllowPartialSuccess: _Optional[bool] = ...) -> None: ...

class Event(_message.Message):
    __slots__ = ("Type", "ResourceHeader", "AccessRequest", "WatchStatus", "AccessMonitoringRule")
    TYPE_FIELD_NUMBER: _ClassVar[int]
    RESOURCEHEADER_FIELD_NUMBER: _ClassVar[int]
    ACCESSREQUEST_FIELD_NUMBER: _ClassVar[int]
    WATCHSTATUS_FIELD_NUMBER: _ClassVar[int]
    ACCESSMONITORINGRULE_FIELD_NUMBER: _ClassVar[int]
    Type: Operation
    ResourceHeader: _types_pb2.ResourceHeader
    AccessRequest: _types_pb2.AccessRequestV3
    WatchStatus: _types_pb2.WatchStatusV1
    AccessMonitoringRule: _rules_pb2.AccessMonitoringRule
    def __init__(self, Type: _Optional[_Union[Operation, str]] = ..., ResourceHeader: _Optional[_Union[_types_pb2.ResourceHeader, _Mapping]] = ..., AccessRequest: _Optional[_Union[_types_pb2.AccessRequestV3, _Mapping]] = ..., WatchStatus: _Optional[_Union[_types_pb2.WatchStatusV1, _Mapping]] = ..., AccessMonitoringRule: _Optional[_Union[_rules_pb2.AccessMonitoringRule, _Mapping]] = ...) -> None: ...

class ListAccessRequestsRequest(_message.Message):
    __slots__ = ("Filter", "Sort", "Descending", "Limit", "StartKey")
    FILTER_FIELD_NUMBER: _ClassVar[int]
    SORT_FIELD_NUMBER: _ClassVar[int]
    DESCENDING_FIELD_NUMBER: _ClassVar[int]
    LIMIT_FIELD_NUMBER: _ClassVar[int]
    STARTKEY_FIELD_NUMBER: _ClassVar[int]
    Filter: _types_pb2.AccessRequestFilter
    Sort: AccessRequestSort
    Descending: bool
    Limit: int
    StartKey: str
    def __init__(self, Filter: _Optional[_Union[_types_pb2.AccessRequestFilter, _Mapping]] = ..., Sort: _Optional[_Union[AccessRequestSort, str]] = ..., Descending: _Optional[bool] = ..., Limit: _Optional[int] = ..., StartKey: _Optional[str] = ...) -> None: ...

class ListAccessRequestsResponse(_message.Message):
    __slots__ = ("AccessRequests", "NextKey")
    ACCESSREQUESTS_FIELD_NUMBER: _ClassVar[int]
    NEXTKEY_FIELD_NUMBER: _ClassVar[int]
    AccessRequests: _containers.RepeatedCompositeFieldContainer[_types_pb2.AccessRequestV3]
    NextKey: str
    def __init__(self, AccessRequests: _Optional[_Iterable[_Union[_types_pb2.AccessRequestV3, _Mapping]]] = ..., NextKey: _Optional[str] = ...) -> None: ...

class PluginDataSeq(_message.Message):
    __slots__ = ("PluginData",)
    PLUGINDATA_FIELD_NUMBER: _ClassVar[int]
    PluginData: _containers.RepeatedCompositeFieldContainer[_types_pb2.PluginDataV3]
    def __init__(self, PluginData: _Optional[_Iterable[_Union[_types_pb2.PluginDataV3, _Mapping]]] = ...) -> None: ...

class GetUserRequest(_message.Message):
    __slots__ = ("Name", "WithSecrets")
    NAME_FIELD_NUMBER: _ClassVar[int]
    WITHSECRETS_FIELD_NUMBER: _ClassVar[int]
    Name: str
    WithSecrets: bool
    def __init__(self, Name: _Optional[str] = ..., WithSecrets: _Optional[bool] = ...) -> None: ...

class ListResourcesRequest(_message.Message):
    __slots__ = ("ResourceType", "Limit", "StartKey", "PredicateExpression", "UseSearchAsRoles", "UsePreviewAsRoles")
    RESOURCETYPE_FIELD_NUMBER: _ClassVar[int]
    LIMIT_FIELD_NUMBER: _ClassVar[int]
    STARTKEY_FIELD_NUMBER: _ClassVar[int]
    PREDICATEEXPRESSION_FIELD_NUMBER: _ClassVar[int]
    USESEARCHASROLES_FIELD_NUMBER: _ClassVar[int]
    USEPREVIEWASROLES_FIELD_NUMBER: _ClassVar[int]
    ResourceType: str
    Limit: int
    StartKey: str
    PredicateExpression: str
    UseSearchAsRoles: bool
    UsePreviewAsRoles: bool
    def __init__(self, ResourceType: _Optional[str] = ..., Limit: _Optional[int] = ..., StartKey: _Optional[str] = ..., PredicateExpression: _Optional[str] = ..., UseSearchAsRoles: _Optional[bool] = ..., UsePreviewAsRoles: _Optional[bool] = ...) -> None: ...

class PaginatedResource(_message.Message):
    __slots__ = ("DatabaseServer", "AppServer", "Node", "WindowsDesktop", "KubernetesServer", "UserGroup")
    DATABASESERVER_FIELD_NUMBER: _ClassVar[int]
    APPSERVER_FIELD_NUMBER: _ClassVar[int]
    NODE_FIELD_NUMBER: _ClassVar[int]
    WINDOWSDESKTOP_FIELD_NUMBER: _ClassVar[int]
    KUBERNETESSERVER_FIELD_NUMBER: _ClassVar[int]
    USERGROUP_FIELD_NUMBER: _ClassVar[int]
    DatabaseServer: _types_pb2.DatabaseServerV3
    AppServer: _types_pb2.AppServerV3
    Node: _types_pb2.ServerV2
    WindowsDesktop: _types_pb2.WindowsDesktopV3
    KubernetesServer: _types_pb2.KubernetesServerV3
    UserGroup: _types_pb2.UserGroupV1
    def __init__(self, DatabaseServer: _Optional[_Union[_types_pb2.DatabaseServerV3, _Mapping]] = ..., AppServer: _Optional[_Union[_types_pb2.AppServerV3, _Mapping]] = ..., Node: _Optional[_Union[_types_pb2.ServerV2, _Mapping]] = ..., WindowsDesktop: _Optional[_Union[_types_pb2.WindowsDesktopV3, _Mapping]] = ..., KubernetesServer: _Optional[_Union[_types_pb2.KubernetesServerV3, _Mapping]] = ..., UserGroup: _Optional[_Union[_types_pb2.UserGroupV1, _Mapping]] = ...) -> None: ...

class ListResourcesResponse(_message.Message):
    __slots__ = ("Resources", "NextKey")
    RESOURCES_FIELD_NUMBER: _ClassVar[int]
    NEXTKEY_FIELD_NUMBER: _ClassVar[int]
    Resources: _containers.RepeatedCompositeFieldContainer[PaginatedResource]
    NextKey: str
    def __init__(self, Resources: _Optional[_Iterable[_Union[PaginatedResource, _Mapping]]] = ..., NextKey: _Optional[str] = ...) -> None: ...
