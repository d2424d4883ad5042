"""The cluster: the way in, what it is, what we may do there, what it lets us watch."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import aclosing, suppress

from teleport_email.commands import cluster_session
from teleport_email.commands.checks.line import Line, fault, ok, warning
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
from teleport_email.routing.rules import compile_rules
from teleport_email.teleport.calls.events import WatchStarted
from teleport_email.teleport.calls.permissions import denied_actions, role_lines
from teleport_email.teleport.session import Connection

# Each step of connecting has its own limit; this one is for all of them through every way there is.
CONNECT_SECONDS = 60.0
# An id that no request has: writing to it is refused for the permission, or else for want of the request.
NOBODYS_REQUEST = "00000000-0000-0000-0000-000000000000"
# A user that no cluster has: everybody may look up themselves, so that would prove nothing.
NOBODY = "nobody@teleport-email.invalid"
REQUESTS, DATA, RULES, USERS = "access_request", "access_plugin_data", "access_monitoring_rule", "user"
LOGINS = "user_login_state"
TO_THE_ROLE = (
    "give it the preset role access-plugin, where the cluster has that (Teleport from mid-2025), or",
    "add to the role that it has (tctl edit role/teleport-email; a preset itself is reset by Teleport):",
)
_WITHOUT: Mapping[str, str] = {
    RULES: "Access Monitoring Rules are not followed",
    USERS: "user names (of requesters, suggested reviewers, in rules) cannot be turned into addresses",
    LOGINS: "traits that Access Lists grant are not seen, and some SSO users not found",
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
        async for line in _permissions(connection):
            yield line
        yield await _watch(connection)
        async for line in _rules(connection, settings.plugin_name):
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


async def _permissions(connection: Connection) -> AsyncIterator[Line]:
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

    yield await _permitted(REQUESTS, "list requests", connection.requests.list)
    yield await _permitted(DATA, "read plugin data", read_nothing)
    yield await _permitted(DATA, "write plugin data", write_nothing)
    yield await _permitted(RULES, "list Access Monitoring Rules", connection.rules.list)
    yield await _permitted(USERS, "look up users", look_up_nobody)
    yield await _permitted(LOGINS, "look up users' login states", look_up_no_login)


async def _permitted(kind: str, action: str, call: Callable[[], Awaitable[object]]) -> Line:
    try:
        await call()
    except Denied as error:
        lines = role_lines(denied_actions(str(error)) or {kind: ()})
        todo = (*TO_THE_ROLE, *lines)
        if kind in _WITHOUT:
            return warning("permissions", f"may not {action}: {_WITHOUT[kind]}", *todo)
        return fault("permissions", f"may not {action}", *todo)
    except Unsupported:
        return warning(
            "permissions", f"this cluster is too old to {action}: {_WITHOUT.get(kind, 'not needed')}"
        )
    except ClusterError as error:
        return fault("permissions", f"could not find out whether we may {action}: {error}")
    return ok("permissions", f"may {action}")


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


async def _watch(connection: Connection) -> Line:
    wanted = (REQUESTS, RULES)
    try:
        async with aclosing(connection.watch(wanted)) as events:
            first = await anext(events)
    except (Denied, Rejected) as error:  # the latter when not one of the kinds is left
        return fault(
            "watch",
            f"may not watch requests: {error}",
            *TO_THE_ROLE,
            *role_lines([REQUESTS]),
        )
    except ClusterError as error:
        return fault("watch", str(error))
    granted = first.kinds if isinstance(first, WatchStarted) else None
    if granted is None:
        return ok("watch", f"begun; this old server does not say which of {', '.join(wanted)} it grants")
    if REQUESTS not in granted:
        return fault("watch", "requests are not granted", *role_lines([REQUESTS]))
    if RULES not in granted:
        with suppress(ClusterError):
            if not await connection.rules.exist():
                return ok("watch", f"granted: {', '.join(sorted(granted))}; there are no rules to watch here")
        return warning("watch", f"only {', '.join(sorted(granted))}: {_WITHOUT[RULES]}")
    return ok("watch", f"granted: {', '.join(sorted(granted))}")
