"""The cluster's Access Lists: made, reviewed, deleted; their owners, also where a list owns a list."""

from __future__ import annotations

import calendar
from collections.abc import Callable, Iterable, Sequence
from datetime import UTC, datetime, timedelta

import grpc

from teleport_email.sandbox.cluster.refusal import Refusal, bad_parameter, not_found
from teleport_email.sandbox.cluster.wire import field
from teleport_email.teleport._proto import accesslist_pb2, header_pb2
from teleport_email.teleport.calls.convert import ACCESS_LIST

_PAGE = 100  # the most that a page has, whatever is asked for
_MONTHS = (1, 3, 6, 12)
_LAST = 31
_DAYS = (1, 15, _LAST)


class AccessListBook:
    """All Access Lists. ``changed`` is called after each change; nothing here asks for permissions."""

    def __init__(
        self, now: Callable[[], datetime], new_name: Callable[[], str], changed: Callable[[], None]
    ) -> None:
        self._now = now
        self._new_name = new_name
        self._changed = changed
        self._lists: dict[str, accesslist_pb2.AccessList] = {}
        self._members: dict[str, Sequence[accesslist_pb2.AccessListOwner]] = {}
        self.counts_members = True
        """Whether this server tells how many members there are; old ones do not."""

    def __contains__(self, name: str) -> bool:
        return name in self._lists

    def __len__(self) -> int:
        return len(self._lists)

    # What people do ---------------------------------------------------------------------------------

    def create(
        self,
        name: str = "",
        *,
        title: str = "",
        description: str = "",
        owners: Sequence[str] = ("alice@example.com",),
        owner_lists: Sequence[str] = (),
        due: datetime | None = None,
        notify_before: timedelta | None = None,
        members: Sequence[str] = (),
        member_lists: Sequence[str] = (),
        roles: Sequence[str] = (),
        months: int = 6,
        day_of_month: int = 1,
        type: str = "",  # noqa: A002 - the name of the field, as in Teleport
        replace: bool = False,
    ) -> str:
        """Make a list, or put it in place of another; its name.

        ``due``: the next audit date, UTC (default: in ``months``). ``notify_before``: how long before it
        reminding begins (None: not said, two weeks). A review moves the date on by ``months`` (1, 3, 6 or
        12), to a day of the month (1, 15, or 31 for the last).

        :raises Refusal: the name is taken, nobody owns it, or the recurrence makes no sense.
        """
        name = name or self._new_name()
        if name in self._lists and not replace:
            raise Refusal(grpc.StatusCode.ALREADY_EXISTS, f'access_list "{name}" already exists')
        if not owners and not owner_lists:
            raise bad_parameter("owners are missing")
        if months not in _MONTHS:
            raise bad_parameter(f"recurrence frequency is an invalid value: {months}")
        if day_of_month not in _DAYS:
            raise bad_parameter(f"recurrence day of month is an invalid value: {day_of_month}")
        message = accesslist_pb2.AccessList(
            header=header_pb2.ResourceHeader(
                kind=ACCESS_LIST, version="v1", metadata=header_pb2.Metadata(name=name)
            )
        )
        spec = message.spec
        spec.title = title or name
        spec.description = description
        spec.type = type
        spec.owners.extend(_named(owners, owner_lists))
        spec.grants.roles.extend(roles)
        recurrence = spec.audit.recurrence
        recurrence.frequency, recurrence.day_of_month = months, day_of_month
        spec.audit.next_audit_date.FromDatetime(
            due if due is not None else next_audit_date(self._now(), months, day_of_month)
        )
        if notify_before is not None:
            spec.audit.notifications.start.FromTimedelta(notify_before)
        message.status.member_count = len(members)
        message.status.member_list_count = len(member_lists)
        self._members[name] = _named(members, member_lists)
        self.put(message)
        return name

    def put(self, message: accesslist_pb2.AccessList) -> None:
        """Make or replace a list, unchecked and as it is."""
        self._lists[message.header.metadata.name] = message
        self._changed()

    def review(self, name: str) -> datetime:
        """Review a list: its next audit date, moved on from the one before by the list's recurrence.

        :raises Refusal: there is none of this name, or it has no audits.
        """
        message = accesslist_pb2.AccessList()
        message.CopyFrom(self._need(name))
        audit = message.spec.audit
        if not audit.HasField("next_audit_date") or message.spec.type == "static":
            raise bad_parameter(f'access_list "{name}" has no audits')
        before = audit.next_audit_date.ToDatetime(tzinfo=UTC)
        following = next_audit_date(before, audit.recurrence.frequency, audit.recurrence.day_of_month)
        audit.next_audit_date.FromDatetime(following)
        self.put(message)
        return following

    def delete(self, name: str) -> None:
        """Delete a list; raises :class:`Refusal` when there is none."""
        self._need(name)
        del self._lists[name]
        self._members.pop(name, None)
        self._changed()

    def get(self, name: str) -> accesslist_pb2.AccessList | None:
        """A list as it is."""
        return self._lists.get(name)

    def list(self) -> list[accesslist_pb2.AccessList]:
        """All lists by name."""
        return [self._lists[name] for name in sorted(self._lists)]

    # What clients ask -------------------------------------------------------------------------------

    def page(self, asked: accesslist_pb2.ListAccessListsRequest) -> bytes:
        """The ``ListAccessListsResponse``: lists by name; the token is the name of the next."""
        found = [name for name in sorted(self._lists) if name >= asked.next_token]
        limit = asked.page_size if 0 < asked.page_size <= _PAGE else _PAGE
        answer = b"".join(field(1, self.wire(name)) for name in found[:limit])
        return answer + (field(2, found[limit].encode()) if len(found) > limit else b"")

    def wire(self, name: str) -> bytes:
        """The encoded list; raises :class:`Refusal` when there is none."""
        message = self._need(name)
        if not self.counts_members and message.HasField("status"):
            message = accesslist_pb2.AccessList(header=message.header, spec=message.spec)
        return message.SerializeToString()

    def owners(self, name: str) -> bytes:
        """The ``GetAccessListOwnersResponse``: users, and the members of the lists that own it.

        Lists that are members of lists are followed, each once: there may be circles.

        :raises Refusal: there is no such list.
        """
        found: dict[str, accesslist_pb2.AccessListOwner] = {}
        ahead = list(self._need(name).spec.owners)
        seen: set[str] = set()
        while ahead:
            owner = ahead.pop(0)
            if owner.membership_kind != accesslist_pb2.MEMBERSHIP_KIND_LIST:
                found.setdefault(owner.name, owner)
            elif owner.name not in seen:
                seen.add(owner.name)
                ahead.extend(self._members.get(owner.name, ()))
        return accesslist_pb2.GetAccessListOwnersResponse(owners=found.values()).SerializeToString()

    def _need(self, name: str) -> accesslist_pb2.AccessList:
        message = self._lists.get(name)
        if message is None:
            raise no_list(name)
        return message


def no_list(name: str) -> Refusal:
    """There is no list of this name."""
    return not_found(f'{ACCESS_LIST} "{name}" doesn\'t exist')


def next_audit_date(before: datetime, months: int, day_of_month: int) -> datetime:
    """The audit date that follows one, at midnight UTC, as Teleport counts it."""
    following = before.year * 12 + before.month - 1 + months
    year, month = following // 12, following % 12 + 1
    last = calendar.monthrange(year, month)[1]
    return datetime(year, month, last if day_of_month == _LAST else max(1, day_of_month), tzinfo=UTC)


def _named(users: Iterable[str], lists: Iterable[str]) -> list[accesslist_pb2.AccessListOwner]:
    user, nested = accesslist_pb2.MEMBERSHIP_KIND_USER, accesslist_pb2.MEMBERSHIP_KIND_LIST
    return [
        *(accesslist_pb2.AccessListOwner(name=name, membership_kind=user) for name in users),
        *(accesslist_pb2.AccessListOwner(name=name, membership_kind=nested) for name in lists),
    ]
