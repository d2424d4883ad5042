"""Everything that can be made to go wrong with the embedded cluster, by script or by seeded chance.

Three places: the calls (:meth:`Faults.on`, :meth:`Faults.randomly`), the events on their way to the
watchers, and the lists that lag behind. All is off until it is set; :meth:`Faults.clear` sets all right.
Given the same seed and the same order of calls, the same things go wrong.

What happens to one call is a function of the request and of ``carry_out``, which does what the call asks
for and gives the answer's bytes; whether and when it is called, and what is told the caller, is the fault.
"""

from __future__ import annotations

import asyncio
import random
from collections import defaultdict, deque
from collections.abc import Awaitable, Callable, Iterator
from datetime import timedelta
from typing import Any

import grpc
from msgspec import Struct, field

from teleport_email.sandbox.cluster.refusal import Refusal, compare_failed, unavailable

CarryOut = Callable[[], bytes]
"""Does what the call asks for; gives the encoded answer or raises :class:`Refusal`."""

Action = Callable[[Any, CarryOut], Awaitable[bytes]]
"""What becomes of one call: (the request message, carry_out) -> the answer's bytes, or a Refusal raised."""


def fail(code: grpc.StatusCode = grpc.StatusCode.UNAVAILABLE, details: str = "made to fail") -> Action:
    """Refuse the call; nothing is done."""

    async def action(_request: Any, _carry_out: CarryOut) -> bytes:
        raise Refusal(code, details)

    return action


def conflict() -> Action:
    """Refuse as if somebody else had written first (FAILED_PRECONDITION)."""

    async def action(_request: Any, _carry_out: CarryOut) -> bytes:
        raise compare_failed("too many concurrent writes to plugin data, try again later")

    return action


def lose_answer() -> Action:
    """Carry the call out, then tell the caller UNAVAILABLE."""

    async def action(_request: Any, carry_out: CarryOut) -> bytes:
        carry_out()
        raise unavailable("the answer was lost")

    return action


def hang(*, carried_out: bool) -> Action:
    """Never answer, so that the caller runs into its deadline; ``carried_out``: the call is done anyway."""

    async def action(_request: Any, carry_out: CarryOut) -> bytes:
        if carried_out:
            carry_out()
        await asyncio.Event().wait()  # until the caller gives up, which cancels this
        raise AssertionError

    return action


def late(seconds: float) -> Action:
    """Tell the caller UNAVAILABLE at once and carry the call out ``seconds`` later: a late write."""

    async def action(_request: Any, carry_out: CarryOut) -> bytes:
        def do() -> None:
            try:
                carry_out()
            except Refusal:
                return  # nobody is left to hear of it

        asyncio.get_running_loop().call_later(seconds, do)
        raise unavailable("the answer was lost")

    return action


def delay(seconds: float) -> Action:
    """Carry the call out after ``seconds``, then answer."""

    async def action(_request: Any, carry_out: CarryOut) -> bytes:
        await asyncio.sleep(seconds)
        return carry_out()

    return action


async def carry_out_plainly(_request: Any, carry_out: CarryOut) -> bytes:
    """No fault at all."""
    return carry_out()


class EventFaults(Struct):
    """What happens to events on their way. Counts are used up one event at a time; chances are 0 to 1."""

    drop: int = 0
    """How many of the next events get lost."""
    double: int = 0
    """How many of the next events come twice."""
    reverse: int = 0
    """Hold events back until there are this many, then let them go in reverse order; 0: do not hold."""
    delay: tuple[float, float] = (0.0, 0.0)
    """Each event comes late by a random time between these seconds, so that events overtake one another."""
    drop_chance: float = 0.0
    double_chance: float = 0.0
    end_streams_every: int = 0
    """End all streams after each so many events; 0: never."""


class ListFaults(Struct):
    """How far lists lag behind the truth, in changes or in time (the greater lag counts)."""

    changes: int = 0
    age: timedelta = timedelta(0)


class _Chance(Struct):
    probability: float
    action: Action


class Faults(Struct, kw_only=True):
    """The switches. ``end_streams`` and ``unreachable`` act at once, the others on what comes next."""

    rng: random.Random
    _end_streams: Callable[[grpc.StatusCode | None], None]
    reach: Callable[[bool], None] | None = None
    """What :attr:`unreachable` works on; the cluster sets it."""
    events: EventFaults = field(default_factory=EventFaults)
    lists: ListFaults = field(default_factory=ListFaults)
    denied: set[str] = field(default_factory=set)
    """Kinds on which nobody may do anything, whatever the roles say."""
    unimplemented: set[str] = field(default_factory=set)
    """Methods that this server does not have, named as in ``SandboxCluster.calls``."""
    only_for_lists: bool = False
    """Refuse to write plugin data of kind ``access_list`` where no such list exists.

    A 17.0 server does not ask."""
    watch_status: bool = True
    """Whether INIT tells which kinds were granted; old servers send it bare."""
    _scripts: dict[str, deque[Action]] = field(default_factory=lambda: defaultdict(deque))
    _standing: dict[str, Action] = field(default_factory=dict)
    _chances: dict[str, list[_Chance]] = field(default_factory=lambda: defaultdict(list))
    _held: list[tuple[str, bytes]] = field(default_factory=list)
    _passed: int = 0
    _unreachable: bool = False

    @property
    def unreachable(self) -> bool:
        """Set to True, all connections are cut and new ones refused; set to False, all is well again."""
        return self._unreachable

    @unreachable.setter
    def unreachable(self, value: bool) -> None:
        self._unreachable = value
        if self.reach is not None:
            self.reach(not value)

    def on(self, method: str, action: Action, *, times: int | None = 1) -> None:
        """Do ``action`` in place of the next ``times`` calls of ``method`` (None: of all, until cleared).

        Several are taken in the order in which they were set; a standing one comes last.
        """
        if times is None:
            self._standing[method] = action
        else:
            self._scripts[method].extend([action] * times)

    def randomly(self, method: str, probability: float, action: Action) -> None:
        """Do ``action`` in place of a call of ``method`` with this probability (0 to 1)."""
        self._chances[method].append(_Chance(probability, action))

    def end_streams(self, code: grpc.StatusCode | None = None) -> None:
        """End every watch stream now: cleanly as Teleport does when its cache resets, or with a status."""
        self._end_streams(code)

    def be_old(self) -> None:
        """Be a server of before 15.1: no INIT status, no paged list, no UsersService, no filter for rules."""
        self.watch_status = False
        self.unimplemented |= {
            "ListAccessRequests",
            "UsersService/GetUser",
            "ListAccessMonitoringRulesWithFilter",
        }

    def be_new(self) -> None:
        """Be a server that has lost ``AuthService/GetUser``."""
        self.unimplemented.add("GetUser")

    def clear(self) -> None:
        """Set all right again. Events held back are let go with the next one."""
        self.events = EventFaults()
        self.lists = ListFaults()
        self.denied.clear()
        self.unimplemented.clear()
        self.only_for_lists = False
        self.watch_status = True
        if self._unreachable:
            self.unreachable = False
        self._scripts.clear()
        self._standing.clear()
        self._chances.clear()

    # For the cluster itself -------------------------------------------------------------------------

    def next_action(self, method: str) -> Action:
        """What to do with this call of ``method``."""
        if script := self._scripts.get(method):
            return script.popleft()
        for chance in self._chances.get(method, ()):
            if self.rng.random() < chance.probability:
                return chance.action
        return self._standing.get(method, carry_out_plainly)

    def distort(self, kind: str, event: bytes) -> Iterator[tuple[float, str, bytes]]:
        """What comes of one event: (delay in seconds, kind, event), nothing when it gets lost or is held."""
        faults = self.events
        copies = 1
        if faults.drop:
            faults.drop -= 1
            copies = 0
        elif faults.drop_chance and self.rng.random() < faults.drop_chance:
            copies = 0
        elif faults.double:
            faults.double -= 1
            copies = 2
        elif faults.double_chance and self.rng.random() < faults.double_chance:
            copies = 2
        self._held.extend([(kind, event)] * copies)
        if len(self._held) >= faults.reverse:
            ready = list(reversed(self._held)) if faults.reverse else list(self._held)
            self._held.clear()
            low, high = faults.delay
            for held_kind, held in ready:
                yield (self.rng.uniform(low, high) if high else 0.0), held_kind, held

    def stream_ends_now(self) -> bool:
        """Counts an event that went out; whether the streams end after it."""
        self._passed += 1
        every = self.events.end_streams_every
        return bool(every) and self._passed % every == 0
