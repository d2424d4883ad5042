"""Access Lists: those that have an audit, and who owns them. Teleport Enterprise has them.

Loaded by the first who asks :attr:`Connection.access_lists`.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterable
from datetime import timedelta

from teleport_email.core.audits import WINDOW, Audit, ListOwner, OwnedList
from teleport_email.core.errors import NotFound, Rejected, Unsupported
from teleport_email.teleport._proto import accesslist_pb2
from teleport_email.teleport._proto.accesslist_pb2_grpc import AccessListServiceStub
from teleport_email.teleport.calls.call import Caller
from teleport_email.teleport.calls.convert import EPOCH, time_from_proto

PAGE = 100
"""Lists a page: the most that a server gives."""
PAGES = 10_000
"""A server that goes on for longer will never end: a million lists."""
DEADLINE = 20.0
LISTING = "listing Access Lists"

REVIEWED = frozenset({"", "dynamic", "scim"})
"""The types of lists that are reviewed. ``static`` ones, which are managed as code, are not."""

TITLE, DESCRIPTION = 200, 1000
"""Characters of what owners wrote that are kept: the server has no limit, and it stands in every reminder."""
NAME = 512
"""Longest name of a list. It must fit into the keys of the server's own storage, so a longer one is none."""
ROLE, ROLES = 200, 50
"""Longest name of a role that is kept, and how many of them."""
CUT = "…"
"""Stands where something was cut off; in ``Audit.roles`` as the last of them."""


class AccessLists:
    """The Access Lists of a cluster.

    Everything here raises :class:`Denied` without ``access_list: list, read`` and :class:`Unsupported` where
    the cluster has no such lists (no Enterprise, or too old).
    """

    def __init__(self, caller: Caller, service: AccessListServiceStub) -> None:
        self._caller = caller
        self._service = service

    async def pages(self) -> AsyncIterator[list[OwnedList]]:
        """All lists that are reviewed, as many at a time as the server gives; a page may be empty.

        A list that moves between the pages while they are read comes again: what comes later counts.
        Raises :class:`Rejected` when the pages have no end.
        """
        token = ""
        seen: set[str] = set()
        while True:
            answer = await self._page(token, PAGE)
            found: dict[str, OwnedList] = {}
            for message in answer.access_lists:
                owned = owned_list_from_proto(message)
                if owned is not None:
                    found[owned.audit.list_name] = owned
            yield list(found.values())
            token = answer.next_token
            if not token:
                return
            if token in seen or len(seen) >= PAGES:
                raise Rejected(f"{LISTING}: the pages go round in circles")
            seen.add(token)

    async def get(self, name: str) -> OwnedList | None:
        """A list as it is now; None when there is none of this name, or none that is reviewed."""
        doing = f"reading Access List {name}"
        try:
            answer = await self._caller.unary(
                self._service.GetAccessList,
                accesslist_pb2.GetAccessListRequest(name=name),
                doing=doing,
                timeout=DEADLINE,
            )
        except NotFound:
            return None
        if answer.header.metadata.name != name:
            raise Rejected(f"{doing}: the answer is about another one")
        return owned_list_from_proto(answer)

    async def owners(self, name: str) -> tuple[ListOwner, ...]:
        """The users who own a list, with the members of the lists that own it.

        Raises :class:`NotFound` when there is no such list.
        """
        answer = await self._caller.unary(
            self._service.GetAccessListOwners,
            accesslist_pb2.GetAccessListOwnersRequest(access_list=name),
            doing=f"asking for the owners of Access List {name}",
            timeout=DEADLINE,
        )
        return tuple(owner for owner in owners_from_proto(answer.owners) if not owner.is_list)

    async def exist(self) -> bool:
        """Whether this cluster has Access Lists at all. Raises any :class:`ClusterError` but
        :class:`Unsupported`.
        """
        try:
            await self._page("", 1)
        except Unsupported:
            return False
        return True

    async def _page(self, token: str, size: int) -> accesslist_pb2.ListAccessListsResponse:
        return await self._caller.unary(
            self._service.ListAccessLists,
            accesslist_pb2.ListAccessListsRequest(page_size=size, next_token=token),
            doing=LISTING,
            timeout=DEADLINE,
        )


def owned_list_from_proto(message: accesslist_pb2.AccessList) -> OwnedList | None:
    """A list with its audit; None where there is none: another type, no date, no name. Never raises."""
    spec, status = message.spec, message.status
    name = message.header.metadata.name
    due = time_from_proto(spec.audit.next_audit_date)
    if due is None or spec.type not in REVIEWED or not 0 < len(name) <= NAME:
        return None
    due = due.replace(microsecond=0)
    start = spec.audit.notifications.start.seconds
    # Of centuries, which no timedelta holds, as much as there is since 1970.
    window = timedelta(seconds=min(start, (due - EPOCH) // timedelta(seconds=1))) if start > 0 else WINDOW
    return OwnedList(
        Audit(
            list_name=name,
            due=due,
            opens=due - window,
            title=_cut(spec.title, TITLE),
            description=_cut(spec.description, DESCRIPTION),
            members=status.member_count if status.HasField("member_count") else None,
            member_lists=status.member_list_count if status.HasField("member_list_count") else None,
            roles=_roles(spec.grants.roles),
        ),
        owners_from_proto(spec.owners),
    )


def owners_from_proto(owners: Iterable[accesslist_pb2.AccessListOwner]) -> tuple[ListOwner, ...]:
    """Owners in their order, each once; those without a name are left out."""
    found = {
        ListOwner(owner.name, owner.membership_kind == accesslist_pb2.MEMBERSHIP_KIND_LIST): None
        for owner in owners
        if owner.name
    }
    return tuple(found)


def _roles(roles: Iterable[str]) -> tuple[str, ...]:
    found = tuple(dict.fromkeys(_cut(role, ROLE) for role in roles if role))
    return (*found[:ROLES], CUT) if len(found) > ROLES else found


def _cut(text: str, most: int) -> str:
    return text if len(text) <= most else text[: most - 1] + CUT
