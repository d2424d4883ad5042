# Generated from proto/ by proto/generate.py. Do not edit.
import datetime

from google.protobuf import duration_pb2 as _duration_pb2
from google.protobuf import timestamp_pb2 as _timestamp_pb2
from teleport_email.teleport._proto import header_pb2 as _header_pb2
from google.protobuf.internal import containers as _containers
from google.protobuf.internal import enum_type_wrapper as _enum_type_wrapper
from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from collections.abc import Iterable as _Iterable, Mapping as _Mapping
from typing import ClassVar as _ClassVar, Optional as _Optional, Union as _Union

DESCRIPTOR: _descriptor.FileDescriptor

class MembershipKind(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    MEMBERSHIP_KIND_UNSPECIFIED: _ClassVar[MembershipKind]
    MEMBERSHIP_KIND_USER: _ClassVar[MembershipKind]
    MEMBERSHIP_KIND_LIST: _ClassVar[MembershipKind]
MEMBERSHIP_KIND_UNSPECIFIED: MembershipKind
MEMBERSHIP_KIND_USER: MembershipKind
MEMBERSHIP_KIND_LIST: MembershipKind

class AccessListOwner(_message.Message):
    __slots__ = ("name", "description", "membership_kind")
    NAME_FIELD_NUMBER: _ClassVar[int]
    DESCRIPTION_FIELD_NUMBER: _ClassVar[int]
    MEMBERSHIP_KIND_FIELD_NUMBER: _ClassVar[int]
    name: str
    description: str
    membership_kind: MembershipKind
    def __init__(self, name: _Optional[str] = ..., description: _Optional[str] = ..., membership_kind: _Optional[_Union[MembershipKind, str]] = ...) -> None: ...

class Recurrence(_message.Message):
    __slots__ = ("frequency", "day_of_month")
    FREQUENCY_FIELD_NUMBER: _ClassVar[int]
    DAY_OF_MONTH_FIELD_NUMBER: _ClassVar[int]
    frequency: int
    day_of_month: int
    def __init__(self, frequency: _Optional[int] = ..., day_of_month: _Optional[int] = ...) -> None: ...

class Notifications(_message.Message):
    __slots__ = ("start",)
    START_FIELD_NUMBER: _ClassVar[int]
    start: _duration_pb2.Duration
    def __init__(self, start: _Optional[_Union[datetime.timedelta, _duration_pb2.Duration, _Mapping]] = ...) -> None: ...

class AccessListAudit(_message.Message):
    __slots__ = ("next_audit_date", "recurrence", "notifications")
    NEXT_AUDIT_DATE_FIELD_NUMBER: _ClassVar[int]
    RECURRENCE_FIELD_NUMBER: _ClassVar[int]
    NOTIFICATIONS_FIELD_NUMBER: _ClassVar[int]
    next_audit_date: _timestamp_pb2.Timestamp
    recurrence: Recurrence
    notifications: Notifications
    def __init__(self, next_audit_date: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., recurrence: _Optional[_Union[Recurrence, _Mapping]] = ..., notifications: _Optional[_Union[Notifications, _Mapping]] = ...) -> None: ...

class AccessListGrants(_message.Message):
    __slots__ = ("roles",)
    ROLES_FIELD_NUMBER: _ClassVar[int]
    roles: _containers.RepeatedScalarFieldContainer[str]
    def __init__(self, roles: _Optional[_Iterable[str]] = ...) -> None: ...

class AccessListSpec(_message.Message):
    __slots__ = ("description", "owners", "audit", "grants", "title", "type")
    DESCRIPTION_FIELD_NUMBER: _ClassVar[int]
    OWNERS_FIELD_NUMBER: _ClassVar[int]
    AUDIT_FIELD_NUMBER: _ClassVar[int]
    GRANTS_FIELD_NUMBER: _ClassVar[int]
    TITLE_FIELD_NUMBER: _ClassVar[int]
    TYPE_FIELD_NUMBER: _ClassVar[int]
    description: str
    owners: _containers.RepeatedCompositeFieldContainer[AccessListOwner]
    audit: AccessListAudit
    grants: AccessListGrants
    title: str
    type: str
    def __init__(self, description: _Optional[str] = ..., owners: _Optional[_Iterable[_Union[AccessListOwner, _Mapping]]] = ..., audit: _Optional[_Union[AccessListAudit, _Mapping]] = ..., grants: _Optional[_Union[AccessListGrants, _Mapping]] = ..., title: _Optional[str] = ..., type: _Optional[str] = ...) -> None: ...

class AccessListStatus(_message.Message):
    __slots__ = ("member_count", "member_list_count")
    MEMBER_COUNT_FIELD_NUMBER: _ClassVar[int]
    MEMBER_LIST_COUNT_FIELD_NUMBER: _ClassVar[int]
    member_count: int
    member_list_count: int
    def __init__(self, member_count: _Optional[int] = ..., member_list_count: _Optional[int] = ...) -> None: ...

class AccessList(_message.Message):
    __slots__ = ("header", "spec", "status")
    HEADER_FIELD_NUMBER: _ClassVar[int]
    SPEC_FIELD_NUMBER: _ClassVar[int]
    STATUS_FIELD_NUMBER: _ClassVar[int]
    header: _header_pb2.ResourceHeader
    spec: AccessListSpec
    status: AccessListStatus
    def __init__(self, header: _Optional[_Union[_header_pb2.ResourceHeader, _Mapping]] = ..., spec: _Optional[_Union[AccessListSpec, _Mapping]] = ..., status: _Optional[_Union[AccessListStatus, _Mapping]] = ...) -> None: ...

class ListAccessListsRequest(_message.Message):
    __slots__ = ("page_size", "next_token")
    PAGE_SIZE_FIELD_NUMBER: _ClassVar[int]
    NEXT_TOKEN_FIELD_NUMBER: _ClassVar[int]
    page_size: int
    next_token: str
    def __init__(self, page_size: _Optional[int] = ..., next_token: _Optional[str] = ...) -> None: ...

class ListAccessListsResponse(_message.Message):
    __slots__ = ("access_lists", "next_token")
    ACCESS_LISTS_FIELD_NUMBER: _ClassVar[int]
    NEXT_TOKEN_FIELD_NUMBER: _ClassVar[int]
    access_lists: _containers.RepeatedCompositeFieldContainer[AccessList]
    next_token: str
    def __init__(self, access_lists: _Optional[_Iterable[_Union[AccessList, _Mapping]]] = ..., next_token: _Optional[str] = ...) -> None: ...

class GetAccessListRequest(_message.Message):
    __slots__ = ("name",)
    NAME_FIELD_NUMBER: _ClassVar[int]
    name: str
    def __init__(self, name: _Optional[str] = ...) -> None: ...

class GetAccessListOwnersRequest(_message.Message):
    __slots__ = ("access_list",)
    ACCESS_LIST_FIELD_NUMBER: _ClassVar[int]
    access_list: str
    def __init__(self, access_list: _Optional[str] = ...) -> None: ...

class GetAccessListOwnersResponse(_message.Message):
    __slots__ = ("owners",)
    OWNERS_FIELD_NUMBER: _ClassVar[int]
    owners: _containers.RepeatedCompositeFieldContainer[AccessListOwner]
    def __init__(self, owners: _Optional[_Iterable[_Union[AccessListOwner, _Mapping]]] = ...) -> None: ...
