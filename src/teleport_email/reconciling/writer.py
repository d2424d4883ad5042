"""What the texts about a request need to know: look-ups around ``render``.

In: a request, or reviews of Access Lists. Out: a function for ``claim`` that writes a message of any kind,
and asks for nothing more.
Never: a failure because a name was not found.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from typing import Protocol

import structlog

from teleport_email.core import informing, reminding
from teleport_email.core.claim import Render
from teleport_email.core.decide import View
from teleport_email.core.errors import ClusterError
from teleport_email.core.ledger import Ledger
from teleport_email.core.model import (
    ClusterInfo,
    Content,
    Kind,
    RequestState,
    ResourceID,
    Topic,
    replace,
)
from teleport_email.render import Facts, Renderer, subject

log = structlog.get_logger()


class Users(Protocol):
    """Looks up users' names for people; None of one that has none, or may not be read."""

    async def name(self, name: str) -> str | None: ...


class Resources(Protocol):
    """Looks up friendly names of resources, as far as that is permitted."""

    async def names(self, ids: Sequence[ResourceID]) -> Mapping[ResourceID, str]: ...


class TextWriter:
    """Prepares the rendering of a request's messages."""

    def __init__(
        self,
        renderer: Renderer,
        resources: Resources,
        users: Users,
        *,
        cluster: Callable[[], ClusterInfo],
        wall: Callable[[], datetime],
        rng: random.Random,
    ) -> None:
        self._renderer = renderer
        self._resources = resources
        self._users = users
        self._cluster = cluster
        self._wall = wall
        self._rng = rng

    async def prepare(self, view: View) -> Render:
        """Look up what the texts show besides the request; what cannot be found is left out."""
        request = view.request
        names: Mapping[ResourceID, str] = {}
        if request.resources:
            try:
                names = await self._resources.names(request.resources)
            except ClusterError as error:
                log.debug("names of resources not found", request=request.id, error=str(error))
        requester: str | None = None
        try:
            requester = await self._users.name(request.user)
        except ClusterError as error:  # nobody waits for a name: the message tells the user name anyway
            log.debug("name of the requester not found", request=request.id, error=str(error))
        facts = Facts(self._cluster(), resource_names=names, requester_name=requester or "")

        def render(kind: Kind, view: View, ledger: Ledger) -> Content:
            request = view.request
            told = tuple(party.address for party in ledger.parties if not party.requester)
            quiet: tuple[str, ...] = ()
            if kind.topic is Topic.ESCALATION:
                told = tuple(party.address for party in ledger.told)
                quiet = tuple(party.address for party in ledger.silent(request.reviews))
            if view.gone and request.state is RequestState.PENDING:
                request = replace(request, state=RequestState.GONE)
            # A conversation keeps its subject, whatever was configured since; the Go plugin's the plain one.
            kept = informing.subjects(ledger.info)
            begun = bool(ledger.frozen) or any(party.entries for party in ledger.parties)
            title = kept[0] if kept else subject(facts.cluster, request.id) if begun else None
            boundary = f"=_{self._rng.getrandbits(128):032x}"
            return self._renderer.render(
                kind,
                request,
                replace(facts, recipients=told, silent=quiet),
                now=self._wall(),
                boundary=boundary,
                title=title,
            )

        return render


class ReminderWriter:
    """Prepares the rendering of reminders to the owners of Access Lists. It needs nothing but the lists."""

    def __init__(
        self,
        renderer: Renderer,
        *,
        cluster: Callable[[], ClusterInfo],
        wall: Callable[[], datetime],
        rng: random.Random,
    ) -> None:
        self._renderer = renderer
        self._cluster = cluster
        self._wall = wall
        self._rng = rng

    async def prepare(self, view: View) -> Render:  # noqa: ARG002 - that of the write counts, which may be newer
        """Nothing is looked up."""

        def render(kind: Kind, view: View, ledger: Ledger) -> Content:
            return self._renderer.remind(
                reminding.audits_of(view, ledger, kind),
                self._cluster(),
                now=self._wall(),
                boundary=f"=_{self._rng.getrandbits(128):032x}",
            )

        return render
