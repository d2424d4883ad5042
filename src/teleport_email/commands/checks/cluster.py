"""The cluster: the way in, what it is, what we may do there, what it lets us watch."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from contextlib import aclosing, suppress
from typing import Any

from teleport_email.commands import cluster_session
from teleport_email.commands.checks import access_lists
from teleport_email.commands.checks.line import Level, Line, fault, note, ok, warning
from teleport_email.config.settings import Settings
from teleport_email.core.errors import (
    ClusterError,
    Conflict,
    Denied,
    IdentityError,
    NotFound,
    Rejected,
    Unsupported,
)
from teleport_email.core.model import AccessRequest, RequestState
from teleport_email.daemon.clocks import wall_clock
from teleport_email.reconciling.unannounced import unannounced
from teleport_email.routing.policy import policy
from teleport_email.routing.rules import compile_rules
from teleport_email.teleport.calls.events import WatchStarted
from teleport_email.teleport.calls.permissions import (
    MAKE_ONE,
    denied_actions,
    is_personal,
    role_lines,
    where_to_add,
    whose,
)
from teleport_email.teleport.connect.credentials import Identity
from teleport_email.teleport.session import Connection

# Each step of connecting has its own limit; this one is for all of them through every way there is.
CONNECT_SECONDS = 60.0
# An id that no request has: writing to it is refused for the permission, or else for want of the request.
NOBODYS_REQUEST = "00000000-0000-0000-0000-000000000000"
# A user that no cluster has: everybody may look up themselves, so that would prove nothing.
NOBODY = "nobody@teleport-email.invalid"
REQUESTS, DATA, RULES, USERS = "access_request", "access_plugin_data", "access_monitoring_rule", "user"
LOGINS = "user_login_state"
LISTS = "access_list"
LIST_REQUESTS, LIST_RULES = "list requests", "list Access Monitoring Rules"
LIST_LISTS = "list Access Lists"
_WITHOUT: Mapping[str, str] = {
    RULES: "Access Monitoring Rules are not followed",
    USERS: "names of requesters, suggested reviewers and in rules are not turned into addresses",
    LOGINS: "traits of Access Lists are not seen, and some SSO users not found",
    LISTS: "their owners are not reminded of reviews",
}


async def inspect(settings: Settings) -> AsyncIterator[Line]:
    """Connect and look. Nothing is changed there."""
    session = cluster_session(settings)
    try:
        async with asyncio.timeout(CONNECT_SECONDS):
            connection = await session.connect()
    except TimeoutError:
        yield fault("cluster", f"{settings.teleport.addr}: no connection within {CONNECT_SECONDS:.0f} s")
        return
    except (ClusterError, IdentityError) as error:
        yield fault("cluster", str(error))
        return
    async with connection:
        yield _about(connection)
        answers: dict[str, Any] = {}
        async for line in _permissions(connection, settings, answers):
            yield line
        if LIST_REQUESTS in answers:  # else it is the same fault
            yield await _watch(connection, rules=LIST_RULES in answers)
            async for line in _requests(connection, settings, answers[LIST_REQUESTS]):
                yield line
        async for line in _rules(connection, settings.plugin_name):
            yield line
        if LIST_LISTS in answers:
            async for line in access_lists.inspect(connection, settings.access_lists, wall_clock()):
                yield line


def _about(connection: Connection) -> Line:
    cluster = connection.cluster
    reviewed = (
        f"requests are reviewed at https://{cluster.proxy_public_addr.removesuffix(':443')}/web/requests"
        if cluster.advanced_access_workflows and cluster.proxy_public_addr
        else "requests are reviewed with tsh (the cluster has no web reviews)"
    )
    version = f"Teleport {cluster.server_version or 'of unknown version'}"
    return ok("cluster", f"{cluster.name}, {version}, by {connection.way}; {reviewed}")


async def _permissions(
    connection: Connection, settings: Settings, answers: dict[str, Any]
) -> AsyncIterator[Line]:
    """What we may do: a line for each; and one for all that is missing and needed, one for what is not.

    Into ``answers`` goes what the cluster answered, by what we may do.
    """

    async def write_nothing() -> None:
        # Found out by trying: the answer says whether the permission or only the request is missing.
        with suppress(NotFound, Conflict):
            await connection.plugin_data.compare_and_swap(
                NOBODYS_REQUEST, {"ledger": ""}, {"ledger": "never there"}
            )

    async def read_nothing() -> object:
        return await connection.plugin_data.read(NOBODYS_REQUEST)

    async def look_up_nobody() -> object:
        return await connection.users.user(NOBODY)

    async def look_up_no_login() -> object:
        with suppress(Unsupported):  # as all servers before it: users' own resources count
            return await connection.users.login_state(NOBODY)
        return None

    async def look_for_lists() -> object:
        if not await connection.access_lists.exist():
            raise Unsupported("no Access Lists")
        return None

    calls: list[tuple[str, str, Callable[[], Awaitable[object]]]] = [
        (REQUESTS, LIST_REQUESTS, connection.requests.list),
        (DATA, "read plugin data", read_nothing),
        (DATA, "write plugin data", write_nothing),
        (RULES, LIST_RULES, connection.rules.list),
        (USERS, "look up users", look_up_nobody),
        (LOGINS, "look up users' login states", look_up_no_login),
    ]
    if settings.access_lists.enabled:
        calls.append((LISTS, LIST_LISTS, look_for_lists))
    refused: dict[str, dict[str, list[str]]] = {}
    """What may not be done, by how grave that is, with the refused verbs by kind."""
    actions: dict[str, list[str]] = {}
    for kind, action, call in calls:
        found = await _permitted(kind, action, call, answers)
        if isinstance(found, Line):
            yield found
            continue
        level = _how_grave(kind, settings)
        actions.setdefault(level, []).append(action)
        for each, verbs in found.items():
            refused.setdefault(level, {}).setdefault(each, []).extend(verbs)
    ours = connection.identity
    for level in (Level.FAULT, Level.WARNING, Level.NOTE):
        if level in refused:
            yield _refused(level, actions[level], refused[level], ours)
            if is_personal(ours.user, ours.roles):
                return  # all for the same reason


def _how_grave(kind: str, settings: Settings) -> Level:
    """How much is lost without the right to this kind, with this configuration."""
    if kind not in _WITHOUT:
        return Level.FAULT
    if kind == LISTS:
        return Level.WARNING  # somebody asked for it, and requests are told all the same
    delivery = settings.delivery
    names = delivery.notify_requester or delivery.recipients_annotation or settings.access_lists.enabled
    looked_up = bool(names) or delivery.suggested_reviewers == "only"
    return Level.WARNING if looked_up and kind in (USERS, LOGINS) else Level.NOTE


def _refused(
    level: Level, actions: Sequence[str], kinds: Mapping[str, Sequence[str]], identity: Identity
) -> Line:
    user, roles = identity.user, identity.roles
    lost = "; ".join(_WITHOUT[kind] for kind in kinds if kind in _WITHOUT)
    what = f"{whose(user, roles)} may not {', '.join(actions)}" + (f": {lost}" if lost else "")
    # With update alone plugin data can be read, too, though a refusal to read it names other verbs.
    wanted = {kind: () if kind == DATA else verbs for kind, verbs in kinds.items()}
    if is_personal(user, roles):
        return Line(level, "permissions", what, (f"this identity is {user}'s own: {MAKE_ONE}",))
    return Line(level, "permissions", what, (where_to_add(user, roles), *role_lines(wanted)))


async def _permitted(
    kind: str, action: str, call: Callable[[], Awaitable[object]], answers: dict[str, Any]
) -> Line | Mapping[str, tuple[str, ...]]:
    """A line about it; or the verbs by kind that are refused."""
    try:
        answers[action] = await call()
    except Denied as error:
        return denied_actions(str(error)) or {kind: ()}
    except Unsupported:
        if kind == LISTS:
            return note(
                "permissions", f"this cluster has no Access Lists (Enterprise has): {_WITHOUT[LISTS]}"
            )
        return note("permissions", f"this cluster is too old to {action}: {_WITHOUT.get(kind, 'not needed')}")
    except ClusterError as error:
        return fault("permissions", f"could not find out whether we may {action}: {error}")
    return ok("permissions", f"may {action}")


async def _requests(
    connection: Connection, settings: Settings, requests: Sequence[AccessRequest]
) -> AsyncIterator[Line]:
    """How many of these are pending, and how many of them the daemon will announce when it starts."""
    try:
        data = await connection.plugin_data.read_all()
    except ClusterError:
        return  # said above
    pending = sum(request.state is RequestState.PENDING for request in requests)
    new = len(unannounced(requests, data, settings.delivery, policy(settings), wall_clock()))
    if not new:
        yield ok("requests", f"{pending} pending; none of them is still to be announced")
        return
    yield note(
        "requests",
        f"{pending} pending; {new} of them nobody was told of yet: the daemon will when it starts",
        'delivery.catch_up says up to which age; "0" leaves all alone that were made before',
    )


async def _rules(connection: Connection, plugin_name: str) -> AsyncIterator[Line]:
    """What whoever keeps the rules should know: those that never match, and those with something odd."""
    try:
        rules = compile_rules(await connection.rules.list(), plugin_name)
    except ClusterError:
        return  # said above
    for rule in rules:
        if rule.faulty:
            yield warning("rules", f'rule "{rule.name}" never matches: {rule.reason}')
        for remark in rule.remarks:
            yield warning("rules", f'rule "{rule.name}": {remark}')
    if rules and not any(rule.faulty or rule.remarks for rule in rules):
        yield ok("rules", f"{len(rules)} Access Monitoring Rule(s) for {plugin_name}")


async def _watch(connection: Connection, *, rules: bool) -> Line:
    """``rules``: whether we may list them; if not, that was said."""
    wanted = (REQUESTS, RULES)
    user, roles = connection.identity.user, connection.identity.roles
    try:
        async with aclosing(connection.watch(wanted)) as events:
            first = await anext(events)
    except (Denied, Rejected) as error:  # the latter when not one of the kinds is left
        return fault(
            "watch",
            f"may not watch requests: {error}",
            where_to_add(user, roles),
            *role_lines([REQUESTS]),
        )
    except ClusterError as error:
        return fault("watch", str(error))
    granted = first.kinds if isinstance(first, WatchStarted) else None
    if granted is None:
        return ok("watch", f"begun; this old server does not say which of {', '.join(wanted)} it grants")
    if REQUESTS not in granted:
        return fault("watch", "requests are not granted", where_to_add(user, roles), *role_lines([REQUESTS]))
    if RULES not in granted and rules:
        with suppress(ClusterError):
            if not await connection.rules.exist():
                return ok("watch", f"granted: {', '.join(sorted(granted))}; there are no rules to watch here")
        return warning("watch", f"only {', '.join(sorted(granted))}: {_WITHOUT[RULES]}")
    return ok("watch", f"granted: {', '.join(sorted(granted))}")
