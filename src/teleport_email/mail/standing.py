"""Who was refused for what may be our own fault, how long each waits, and whether anybody gets through.

A state machine without I/O; clock and chance come from outside. One recipient's refusal holds up nobody else:
each waits alone, longer and longer. Only when nobody gets through at all the account is in *doubt*: those who
were refused then wait for probes, which take turns, and whoever was not refused is tried at once, one at a
time. Whatever is accepted ends the doubt.
"""

from __future__ import annotations

import random
from collections import OrderedDict
from collections.abc import Callable, Collection, Mapping

from msgspec import Struct, field

from teleport_email.core.backoff import PROBES, REFUSED
from teleport_email.core.model import Believe, Declined, Refused

__all__ = ["Standing", "Waiting"]

TURN = 3.0
"""Seconds between two tries of refused recipients: 20 a minute at most, however many somebody suggests."""

TAKEN_FOR = 30.0
"""Seconds for which a turn is kept for the request that took it: a claim and a slow server fit in."""

SEEN_TIMES = 3
SEEN_FOR = 900.0
"""The same answer so often, over so many seconds, while others were accepted: then it is the recipient's.
Longer than the restart and most repairs of a mail server take."""

REPEATED_TIMES = 3
"""No such domain: believed when it was said so often in a row."""

REMEMBERED = 10_000
"""Refused recipients that are remembered; whoever is forgotten costs one more try."""

FORGOTTEN_AFTER = 3600.0
"""Seconds after which a refused recipient is forgotten for whom nothing waits."""


class Waiting(Struct, frozen=True):
    """Why one recipient waits. Durations in seconds."""

    recipient: str
    reason: str
    since: float
    """Since the first refusal."""
    tries: int
    next_try: float
    """Until the next try. While the account is in doubt: until the next probe, of whomever."""


class _Record(Struct):
    """One recipient who was refused. Times are readings of the clock."""

    first: float
    reason: str = ""
    tries: int = 0
    last: float = 0.0
    next_try: float = 0.0
    has_turn: bool = False
    """``next_try`` was given as a turn of its own."""
    same: int = 0
    """How often in a row the answer was the same."""
    same_since: float = 0.0
    accepted_before: int = 0
    """How many messages had been accepted when it was given first."""
    repeated: int = 0
    """How often in a row it was said that there is no such domain."""
    taken_until: float = float("-inf")
    taken_by: str = ""
    """The request that may try now; empty: the first that asks."""
    requests: dict[str, int] = field(default_factory=dict)
    """Ids of the requests that wait for this recipient, and the turn of the message that waits."""


class Standing:
    """What the account has achieved so far, and who waits. ``clock`` gives seconds.

    ``changed`` is called when a doubt begins or ends, ``wake`` with the id of a request that may go on.
    """

    def __init__(self, *, clock: Callable[[], float], random: random.Random) -> None:
        self._clock = clock
        self._random = random
        self.changed: Callable[[], None] = lambda: None
        self.wake: Callable[[str], object] = lambda _: None
        self._accepted = 0
        self._records: OrderedDict[str, _Record] = OrderedDict()
        """Who was tried, or had the turn, longest ago comes first."""
        self._fresh: set[str] = set()
        """Refused for the first time since the last acceptance. Who was refused before it proves nothing by
        being refused again: the account was seen to work."""
        self._undecided: set[str] = set()
        """Being tried when the others looked like a doubt: it begins when none of them is accepted."""
        self._parked: dict[str, tuple[str, ...]] = {}
        self._doubt = ""
        self._probes = 0
        self._next_probe = 0.0
        self._next_turn = float("-inf")

    # What is known

    @property
    def doubt(self) -> str:
        """Why it looks as if the account as a whole were refused; empty when it does not."""
        return self._doubt

    @property
    def next_probe_in(self) -> float:
        """Seconds until the next probe; 0 without a doubt, or when one is due."""
        return max(0.0, self._next_probe - self._clock()) if self._doubt else 0.0

    @property
    def parked(self) -> int:
        """How many requests wait for a recipient."""
        return len(self._parked)

    def waiting(self) -> list[Waiting]:
        """Everybody who waits, the longest first."""
        now = self._clock()
        records = sorted(self._records.items(), key=lambda item: item[1].first)
        return [
            Waiting(
                recipient,
                record.reason,
                now - record.first,
                record.tries,
                self.next_probe_in if self._doubt else max(0.0, record.next_try - now),
            )
            for recipient, record in records
            if record.requests
        ]

    # Whose turn it is

    def wait(self, recipient: str, request_id: str, turn: int = 0) -> float:
        """Seconds until this request may try this recipient. 0: now, and the turn is kept for it a while.

        ``turn``: how often ``teleport-email retry`` brought the message back. Where it did since the request
        was parked, somebody has repaired something, and all that was refused before counts no more.
        """
        record = self._records.get(recipient)
        if record is None:
            return 0.0
        if turn > record.requests.get(request_id, turn):
            self._forget(recipient)
            return 0.0
        now = self._clock()
        if now < record.taken_until and record.taken_by not in ("", request_id):
            return record.taken_until - now
        if now >= record.taken_until and (wait := self._until_turn(record, now)) > 0:
            return wait
        record.taken_until, record.taken_by = now + TAKEN_FOR, request_id
        return 0.0

    def may_try(self, recipient: str) -> bool:
        """Whether this recipient may be tried now: nobody refused him, or it is his turn."""
        record = self._records.get(recipient)
        now = self._clock()
        return record is None or now < record.taken_until or self._until_turn(record, now) <= 0

    def _until_turn(self, record: _Record, now: float) -> float:
        if self._doubt:
            if now < self._next_probe:
                return REFUSED.cap  # woken for the probe
            self._schedule_probe(now)
            return 0.0
        if record.next_try <= now and not record.has_turn:
            record.has_turn = True
            record.next_try = max(now, self._next_turn)
            self._next_turn = record.next_try + TURN
        return max(0.0, record.next_try - now)

    def reason(self, recipient: str) -> str:
        """Why this recipient was refused last; empty when he was not."""
        record = self._records.get(recipient)
        return record.reason if record is not None else ""

    def turn(self) -> None:
        """To be called when a probe is due: whoever was tried longest ago, and is wanted, has the turn."""
        now = self._clock()
        if not self._doubt or now < self._next_probe:
            return
        self._schedule_probe(now)
        for recipient, record in self._records.items():
            if record.requests:
                self._records.move_to_end(recipient)
                record.taken_until, record.taken_by = now + TAKEN_FOR, ""
                request_id = next(iter(record.requests))
                # At the end: another one next time, if this one cannot.
                record.requests[request_id] = record.requests.pop(request_id)
                self.wake(request_id)
                return

    def _schedule_probe(self, now: float) -> None:
        self._probes += 1
        self._next_probe = now + PROBES.delay(self._probes, self._random)

    # Who waits for whom

    def park(self, request_id: str, recipients: Mapping[str, int]) -> None:
        """The request waits for these of its recipients (each with the turn of its message), and for no
        others.
        """
        wanted = tuple(recipient for recipient in recipients if recipient in self._records)
        for recipient in self._parked.pop(request_id, ()):
            if recipient not in wanted and (record := self._records.get(recipient)) is not None:
                record.requests.pop(request_id, None)
        for recipient in wanted:
            self._records[recipient].requests[request_id] = recipients[recipient]
        if wanted:
            self._parked[request_id] = wanted

    def leave(self, request_id: str) -> None:
        """The request waits no more. A doubt about nobody is none."""
        if request_id in self._parked:
            self.park(request_id, {})
            if not self._parked:
                self._end_doubt()

    # What became of a try

    def accepted(self, recipient: str) -> None:
        """A message to this recipient was accepted."""
        self._accepted += 1
        self._undecided.clear()
        released, self._fresh = self._fresh, set()
        self._forget(recipient)
        if self._doubt:
            now = self._clock()
            for other in released & self._records.keys():
                # It was the account that was refused, and none of them: all at once, not in turns.
                record = self._records[other]
                record.next_try, record.has_turn = now, True
            self._end_doubt()

    def refused(
        self, recipient: str, refusal: Declined, *, trying: Collection[str] = (), others: bool = False
    ) -> Declined | Refused:
        """What a refusal means by now. ``trying``: whom else the server is being asked about; ``others``:
        whether anybody else waits to be tried.
        """
        now = self._clock()
        record = self._records.get(recipient)
        if record is None:
            record = self._records[recipient] = _Record(now)
            self._fresh.add(recipient)
        elif now < record.next_try and now >= record.taken_until:
            # Begun before the last one was refused, for another request: the same try once more.
            return refusal
        self._records.move_to_end(recipient)
        record.repeated = record.repeated + 1 if refusal.believe is Believe.REPEATED else 0
        if record.reason != refusal.reason:
            record.same, record.same_since, record.accepted_before = 0, now, self._accepted
        record.same += 1
        record.tries += 1
        record.reason, record.last = refusal.reason, now
        if self._is_certain(record, refusal.believe, now):
            self._forget(recipient)
            return Refused(refusal.reason)
        record.next_try = now + REFUSED.delay(record.tries, self._random)
        record.has_turn, record.taken_until = False, float("-inf")
        self._prune(now)
        if not self._doubt and not self._undecided and recipient in self._fresh:
            unknown = set(trying) - {recipient} - self._records.keys()
            if len(self._fresh) > 1 or not (unknown or others):
                self._undecided = unknown
                if not unknown:
                    self._begin_doubt()
        return refusal

    def certain(self, recipient: str) -> None:
        """The recipient was refused for certain: nobody waits for that."""
        self._forget(recipient)

    def ended(self, recipient: str) -> None:
        """A try has ended, whatever came of it."""
        if recipient in self._undecided:
            self._undecided.discard(recipient)
            if not self._undecided and self._fresh:
                self._begin_doubt()

    def _is_certain(self, record: _Record, believe: Believe, now: float) -> bool:
        if believe is Believe.REPEATED:
            return record.repeated >= REPEATED_TIMES
        if believe is Believe.SEEN:
            seen = record.same >= SEEN_TIMES and now - record.same_since >= SEEN_FOR
            return seen and self._accepted > record.accepted_before
        return False

    def _begin_doubt(self) -> None:
        self._doubt = next(
            record.reason for name, record in reversed(self._records.items()) if name in self._fresh
        )
        self._probes = 0
        self._schedule_probe(self._clock())
        self.changed()

    def _end_doubt(self) -> None:
        if self._doubt:
            self._doubt = ""
            self.changed()
            for request_id in tuple(self._parked):
                self.wake(request_id)

    def _forget(self, recipient: str) -> None:
        record = self._records.pop(recipient, None)
        self._fresh.discard(recipient)
        for request_id in record.requests if record is not None else ():
            self.wake(request_id)

    def _prune(self, now: float) -> None:
        while len(self._records) > REMEMBERED:
            self._forget(next(iter(self._records)))
        for recipient, record in tuple(self._records.items())[:2]:  # a few each time are enough
            if not record.requests and now - record.last > FORGOTTEN_AFTER:
                self._forget(recipient)
