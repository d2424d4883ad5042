"""All interleavings of two workers on one request, with faults, driven through the project's own code.

A state holds the plugin data as the cluster has it, the mails that were accepted, writes that are still on
their way, what each worker knows, and a budget of faults. From each state every possible next step is taken;
states seen before are not taken up again. What is pure in the program (``decide``, ``ledger``, ``claim``,
``go_plugin``) is used as it is; only the loop around it is written again here, one step at a time.

Time is abstract: one step, ``a lease passes``, makes all sightings old; another, ``time passes``, moves the wall
clock of all to the next of a scenario's times. A worker may be paused anywhere, also
between the last look at its lease and the final dot.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from model import promise, reminded
from model.promise import Violation
from msgspec import structs

from teleport_email.core import go_plugin
from teleport_email.core.claim import Attempt, Claim
from teleport_email.core.decide import Audience, Due, Plan, Policy, View
from teleport_email.core.frozen import unpack
from teleport_email.core.ledger import LEDGER_KEY, RESOLUTION_TOPICS, Ledger, Mark
from teleport_email.core.model import (
    AccessRequest,
    Content,
    Declined,
    Delivered,
    Kind,
    Refused,
    RequestState,
    Review,
    SendOutcome,
    Temporary,
    Topic,
    Withdrawn,
)
from teleport_email.core.reminding import ReminderView, audits_of

CREATED = datetime(2026, 11, 22, 12, 0, tzinfo=UTC)
NOW = datetime(2026, 11, 22, 13, 0, tzinfo=UTC)
EXPIRES = datetime(2026, 11, 22, 20, 0, tzinfo=UTC)
POLICY = Policy(duty_since=datetime(2026, 11, 1, tzinfo=UTC))
PENDING, APPROVED, DENIED = RequestState.PENDING, RequestState.APPROVED, RequestState.DENIED
GO_CONTENT = "the Go plugin's"


def request(state: RequestState, reviews: int = 0) -> AccessRequest:
    proposed = state if state is not PENDING else APPROVED
    made = tuple(Review(f"r{number}@example.com", proposed) for number in range(reviews))
    return AccessRequest(
        "id", "user@example.com", ("dev",), state, created=CREATED, expires=EXPIRES, reviews=made
    )


@dataclass(frozen=True)
class Faults:
    """How many of each may still happen."""

    crashes: int = 0
    lost_writes: int = 0
    """Writes without an answer; they may be applied then, later, or never."""
    lost_answers: int = 0
    """Mails whose acceptance the worker never hears of, or that only seemed to be accepted."""
    declines: int = 0
    """Mails refused for good, for what may be our own fault."""
    failures: int = 0
    """Mails refused for now, before the dot."""
    refusals: int = 0
    """Mails refused for good, before the dot."""
    retries: int = 0
    """Times that somebody brings back what was given up."""
    leases: int = 0
    """Times that a lease may pass while somebody sleeps."""
    go: bool = False
    """Whether a Go plugin works beside us."""


@dataclass(frozen=True)
class Scenario:
    timeline: tuple[View, ...]
    """The request's life; workers may be behind it."""
    faults: Faults
    recipients: tuple[str, ...] = ("a@example.com",)
    workers: int = 2
    policies: tuple[Policy, ...] = (POLICY,)
    """What the configuration says; a reload takes one worker to the next."""
    times: tuple[datetime, ...] = (NOW,)
    """The wall clock, for all at once."""
    escalation: tuple[str, ...] = ()


@dataclass(frozen=True)
class Worker:
    number: int
    life: int = 0
    """Grows with each crash: a new process is a new owner."""
    seen: int = 0
    """How far along the timeline this worker's view is."""
    policy: int = 0
    claim: Claim | None = None
    flying: tuple[tuple[Due, str, str], ...] = ()
    """Messages under way, each with its content and its Message-ID as they were taken from the ledger."""
    attempt: Attempt | None = None
    """Issued and not answered yet."""
    unknown: Attempt | None = None
    """Ended without an answer, or its compare failed: to be read."""
    lost: bool = False
    """No longer the owner: only facts may be written."""
    fact: go_plugin.Write | None = None
    sighting: tuple[str, ...] = ()
    sighting_old: bool = False
    writes: int = 0
    knows: frozenset[Due] = frozenset()
    """Delivered by this process, which has heard the server say so."""

    @property
    def owner(self) -> str:
        return f"{self.number}.{self.life}"

    @property
    def idle(self) -> bool:
        return self.claim is None


@dataclass(frozen=True)
class Mail:
    address: str
    kind: Kind
    content: str
    id: str
    time: int = 0
    """How far the clock was when it was accepted."""


@dataclass(frozen=True)
class State:
    now: int
    """Where the request's life stands."""
    data: Mapping[str, str]
    mails: tuple[Mail, ...]
    late: tuple[go_plugin.Write, ...]
    workers: tuple[Worker, ...]
    faults: Faults
    refused: frozenset[tuple[str, Kind]] = frozenset()
    """Refused for good at some time."""
    excused: frozenset[tuple[str, Kind]] = frozenset()
    """Of these, those that nobody has brought back since: they need not be delivered."""
    go: str = "idle"
    go_data: Mapping[str, str] = field(default_factory=dict)
    time: int = 0
    quieted: frozenset[int] = frozenset()
    """Reviews that somebody with ``quiet_reviews`` was done with when nobody had been told of them."""

    @property
    def key(self) -> Any:
        return (
            self.now,
            _frozen(self.data),
            self.mails,
            tuple((_frozen(write.set), _frozen(write.expect)) for write in self.late),
            tuple(_worker_key(worker) for worker in self.workers),
            self.faults,
            self.refused,
            self.excused,
            self.go,
            _frozen(self.go_data),
            self.time,
            self.quieted,
        )


def _frozen(data: Mapping[str, str]) -> Any:
    return tuple(sorted(data.items()))


def _worker_key(worker: Worker) -> Any:
    claim = worker.claim
    known: Any = None
    if claim is not None:
        known = (
            _frozen(claim.data),
            claim.holding,
            claim.ready,
            claim.in_flight,
            claim.fresh,
            claim.deferred,
            tuple(sorted((repr(due), repr(entry)) for due, entry in claim.facts.items())),
        )
    return (
        worker.life,
        worker.seen,
        worker.policy,
        known,
        worker.flying,
        worker.attempt.write_id if worker.attempt else "",
        worker.unknown.write_id if worker.unknown else "",
        worker.lost,
        _frozen(worker.fact.set) if worker.fact else (),
        worker.sighting,
        worker.sighting_old,
        worker.writes,
        worker.knows,
    )


class Model:
    """The steps that are possible from a state. Subclasses take one of the design's rules away."""

    def __init__(self, scenario: Scenario) -> None:
        self.scenario = scenario
        self.audience = Audience(scenario.recipients, escalation=scenario.escalation)

    def start(self) -> State:
        workers = tuple(Worker(number) for number in range(self.scenario.workers))
        return State(0, {}, (), (), workers, self.scenario.faults)

    # The rules that can be taken away --------------------------------------------------------------

    def write_id(self, worker: Worker, data: Mapping[str, str]) -> str:
        return f"{worker.owner}.{worker.writes}"

    def content(self, worker: Worker, ledger: Ledger, due: Due) -> str:
        blob = ledger.blob(due.kind)
        return unpack(blob).text if blob else ""

    def expected(self, write: go_plugin.Write) -> Mapping[str, str]:
        return write.expect

    def read(self, claim: Claim, data: Mapping[str, str]) -> Claim:
        return claim.read(data)

    def brought_back(self, ledger: Ledger) -> Ledger:
        return ledger.brought_back([party.key for party in ledger.parties])

    def declined(self) -> SendOutcome:
        return Declined("550")

    def marked(self, attempt: Attempt, worker: Worker, view: View) -> Attempt:
        return attempt

    def planned(self, plan: Plan) -> Plan:
        return plan

    # Steps ---------------------------------------------------------------------------------------------

    def steps(self, state: State) -> Iterator[tuple[str, State]]:
        faults = state.faults
        if state.now + 1 < len(self.scenario.timeline):
            yield f"the request becomes {self._name(state.now + 1)}", _but(state, now=state.now + 1)
        if state.time + 1 < len(self.scenario.times):
            yield "time passes", _but(state, time=state.time + 1)
        for index, write in enumerate(state.late):
            if self._holds(state.data, write):
                rest = state.late[:index] + state.late[index + 1 :]
                yield "a late write arrives", _but(state, data=_applied(state.data, write), late=rest)
        aging = [worker for worker in state.workers if worker.sighting and not worker.sighting_old]
        if faults.leases and aging and state.go in ("idle", "gone"):
            aged = tuple(dataclasses.replace(worker, sighting_old=True) for worker in state.workers)
            yield "a lease passes", self._spend(_but(state, workers=aged), leases=faults.leases - 1)
        if faults.go:
            yield from self._go_steps(state)
        if faults.retries and state.data.get(LEDGER_KEY):
            yield from self._retry(state)
        for worker in state.workers:
            name = f"worker {worker.number}"
            if worker.seen < state.now:
                yield f"{name} sees the request", self._put(state, worker, seen=state.now)
            if worker.idle and worker.policy + 1 < len(self.scenario.policies):
                yield f"{name} is reloaded", self._reload(state, worker)
            if not worker.idle and faults.crashes:
                fresh = Worker(worker.number, worker.life + 1, worker.seen, worker.policy)
                late = state.late + ((worker.attempt.write,) if worker.attempt else ())
                crashed = self._spend(_but(state, late=late), crashes=faults.crashes - 1)
                yield f"{name} crashes", self._put(crashed, worker, whole=fresh)
            for what, after in self._worker_steps(state, worker):
                yield f"{name} {what}", after

    def _worker_steps(self, state: State, worker: Worker) -> Iterator[tuple[str, State]]:
        if worker.claim is None:
            after = self._look(state, worker)
            if after is not None:
                yield "looks", after
            return
        if worker.attempt is not None:
            yield from self._answers(state, worker, worker.attempt)
        elif worker.unknown is not None:
            yield "reads again", self._read_again(state, worker, worker.unknown)
        elif worker.fact is not None:
            yield from self._fact_answers(state, worker, worker.fact)
        elif worker.lost:
            if not worker.claim.in_flight:
                yield "has ended its sends", self._facts(state, worker)
        else:
            after = self._next(state, worker)
            if after is not None:
                yield "writes", after
        for due, content, message_id in worker.flying:
            yield from self._sends(state, worker, due, content, message_id)

    def _reload(self, state: State, worker: Worker) -> State:
        """The next configuration. With what this one passed, it was done with where nothing is left to do."""
        quieted = state.quieted
        if self.scenario.policies[worker.policy].quiet_reviews:
            claim = self.read(Claim("id", worker.owner), state.data)
            if claim.ledger.parties and self._plan(state, worker, claim).settled:
                told = {mail.kind.number for mail in state.mails if mail.kind.topic is Topic.REVIEW}
                quieted |= set(range(1, len(self._view(worker).request.reviews) + 1)) - told
        return self._put(_but(state, quieted=quieted), worker, policy=worker.policy + 1)

    def _plan(self, state: State, worker: Worker, claim: Claim) -> Plan:
        policy, now = self.scenario.policies[worker.policy], self.scenario.times[state.time]
        return self.planned(claim.plan(self._view(worker), self.audience, policy, now))

    def _look(self, state: State, worker: Worker) -> State | None:
        claim = self.read(Claim("id", worker.owner), state.data)
        plan = self._plan(state, worker, claim)
        if plan.settled or not (plan.next or plan.passes):
            return None
        waiting = claim.rival
        if waiting and not (worker.sighting == waiting and worker.sighting_old):
            if worker.sighting == waiting:
                return None
            return self._put(state, worker, sighting=waiting, sighting_old=False)
        return self._issue(state, worker, claim, plan)

    def _next(self, state: State, worker: Worker) -> State | None:
        assert worker.claim is not None
        plan = self._plan(state, worker, worker.claim)
        after = self._issue(state, worker, worker.claim, plan)
        if after is None and not worker.claim.holding and not worker.claim.in_flight:
            return self._rest(state, worker)
        return after

    def _issue(self, state: State, worker: Worker, claim: Claim, plan: Plan) -> State | None:
        def render(kind: Kind, view: View, ledger: Ledger) -> Content:
            what = f"of {len(view.request.reviews)}"
            if isinstance(view, ReminderView):
                what = f"at {state.time} of {reminded.names(audits_of(view, ledger, kind))}"
            text = f"{kind.code} by {worker.owner}.{worker.writes} {what}"
            return Content("s", text, "", NOW, "b", "f@example.com")

        attempt = claim.next_write(
            self._view(worker),
            plan,
            write_id=self.write_id(worker, state.data),
            nonce="00" * 16,
            domain="example.com",
            now=0.0 if plan.next or claim.facts else 100.0,
            room=8,
            render=render,
        )
        if attempt is None:
            return None
        attempt = self.marked(attempt, worker, self._view(worker))
        if isinstance(view := self._view(worker), ReminderView):
            reminded.check_begun(view, attempt, self.scenario.times[state.time])
        return self._put(
            state, worker, claim=claim.issued(attempt), attempt=attempt, writes=worker.writes + 1
        )

    def _answers(self, state: State, worker: Worker, attempt: Attempt) -> Iterator[tuple[str, State]]:
        claim = worker.claim
        assert claim is not None
        if self._holds(state.data, attempt.write):
            done = _but(state, data=_applied(state.data, attempt.write))
            yield "wrote", self._begin(done, worker, claim.written(attempt))
        else:
            yield "lost the compare", self._put(state, worker, attempt=None, unknown=attempt)
        if state.faults.lost_writes:
            late = self._spend(
                _but(state, late=(*state.late, attempt.write)), lost_writes=state.faults.lost_writes - 1
            )
            yield "has no answer to its write", self._put(late, worker, attempt=None, unknown=attempt)

    def _read_again(self, state: State, worker: Worker, attempt: Attempt) -> State:
        assert worker.claim is not None
        was_holding = worker.claim.holding
        claim = self.read(worker.claim, state.data)
        applied = claim.ledger.write_id == attempt.write_id
        goes_on = claim.holding or (applied and not claim.ledger.owner)
        if not goes_on or (not was_holding and not applied):
            return self._put(
                state,
                worker,
                claim=structs.replace(claim, holding=False, ready=()),
                unknown=None,
                lost=True,
            )
        return self._begin(state, worker, claim)

    def _begin(self, state: State, worker: Worker, claim: Claim) -> State:
        dues, claim = claim.begin()
        for due in dues:
            if due in worker.knows:
                raise Violation(
                    f"worker {worker.number} sends '{due.kind}' again, which it knows to be delivered"
                )
            if not claim.ledger.blob(due.kind):
                raise Violation(f"{due.kind} is begun without a frozen content")
        flying = list(worker.flying)
        for due in dues:
            party = claim.ledger.party(due.address, requester=due.requester)
            assert party is not None
            message_id = claim.ledger.message_id("id", party, due.kind)
            flying.append((due, self.content(worker, claim.ledger, due), message_id))
        return self._put(state, worker, claim=claim, flying=tuple(flying), attempt=None, unknown=None)

    def _sends(
        self, state: State, worker: Worker, due: Due, content: str, message_id: str
    ) -> Iterator[tuple[str, State]]:
        claim = worker.claim
        assert claim is not None
        faults = state.faults
        at = int(self.scenario.times[state.time].timestamp())
        mail = Mail(due.address, due.kind, content, message_id, state.time)
        accepted = _but(state, mails=(*state.mails, mail))
        worker = dataclasses.replace(worker, flying=tuple(one for one in worker.flying if one[0] != due))
        kind = due.kind.code
        knows = worker.knows | {due}
        heard = claim.finish(due, Delivered(), at)
        yield f"delivers {kind}", self._put(accepted, worker, claim=heard, knows=knows)
        if faults.lost_answers:
            unknown = claim.finish(due, Temporary("cut", maybe_accepted=True), at)
            less = {"lost_answers": faults.lost_answers - 1}
            yield (
                f"delivers {kind} unknowingly",
                self._put(self._spend(accepted, **less), worker, claim=unknown),
            )
            yield f"loses {kind} unknowingly", self._put(self._spend(state, **less), worker, claim=unknown)
        if faults.declines:
            declined = self._spend(state, declines=faults.declines - 1)
            outcome = self.declined()
            yield f"is refused {kind}", self._put(declined, worker, claim=claim.finish(due, outcome, at))
        if faults.failures:
            failed = self._spend(state, failures=faults.failures - 1)
            yield (
                f"fails to send {kind}",
                self._put(failed, worker, claim=claim.finish(due, Temporary("451"), at)),
            )
        if faults.refusals:
            what = (due.address, due.kind)
            refused = _but(state, refused=state.refused | {what}, excused=state.excused | {what})
            yield (
                f"is refused {kind}",
                self._put(
                    self._spend(refused, refusals=faults.refusals - 1),
                    worker,
                    claim=claim.finish(due, Refused("550"), at),
                ),
            )
        if worker.lost:
            yield f"withdraws {kind}", self._put(state, worker, claim=claim.finish(due, Withdrawn(), at))

    def _facts(self, state: State, worker: Worker) -> State:
        assert worker.claim is not None
        claim = self.read(worker.claim, state.data)
        write = structs.replace(claim, holding=False).facts_write(self._view(worker))
        if write is None:
            return self._rest(state, worker)
        return self._put(state, worker, claim=claim, fact=write)

    def _fact_answers(
        self, state: State, worker: Worker, write: go_plugin.Write
    ) -> Iterator[tuple[str, State]]:
        if self._holds(state.data, write):
            done = _but(state, data=_applied(state.data, write))
            yield "records what it knows", self._rest(done, worker)
        else:
            yield "loses the compare of its facts", self._put(state, worker, fact=None)
        if state.faults.lost_writes:
            late = self._spend(
                _but(state, late=(*state.late, write)), lost_writes=state.faults.lost_writes - 1
            )
            yield "has no answer to its facts", self._put(late, worker, fact=None)

    # Somebody who brings back what was given up, by one compare-and-swap -----------------------------------

    def _retry(self, state: State) -> Iterator[tuple[str, State]]:
        ledger = go_plugin.read(state.data)
        back = self.brought_back(ledger)
        if back == ledger:
            return
        given_up = {
            (party.address, kind)
            for party in ledger.parties
            for kind, entry in party.entries.items()
            if entry.mark is Mark.GIVEN_UP
        }
        write = go_plugin.write(back, state.data, self.scenario.timeline[state.now].request)
        done = _but(state, data=_applied(state.data, write), excused=state.excused - given_up)
        yield "somebody brings back", self._spend(done, retries=state.faults.retries - 1)

    # The Go plugin: it claims by a compare on its seven keys, then sends, then writes the threads ------

    def _go_steps(self, state: State) -> Iterator[tuple[str, State]]:
        view = self.scenario.timeline[state.now]
        values = go_plugin.go_values(state.data)
        if state.go == "idle":
            if not values["user"] and not view.gone:
                yield "Go reads", _but(state, go="announce", go_data=values)
            elif values["email_threads"] and view.state is not PENDING and not values["resolution"]:
                yield "Go reads", _but(state, go="resolve", go_data=values)
            return
        if state.go in ("announce", "resolve"):
            if values != state.go_data:
                yield "Go loses the compare", _but(state, go="gone")
                return
            new = {"user": "user@example.com", "roles": "dev"}
            if state.go == "resolve":
                new = {"resolution": view.state.value}
                if view.request.reviews:
                    new["reviews_count"] = str(len(view.request.reviews))
            yield "Go claims", _but(state, data={**state.data, **new}, go=f"send {state.go}")
            return
        if state.go == "send announce":
            kind = Kind(Topic.ANNOUNCEMENT)
            mails = tuple(
                Mail(address, kind, GO_CONTENT, f"{GO_CONTENT} to {address}")
                for address in self.scenario.recipients
            )
            yield "Go announces", _but(state, mails=state.mails + mails, go="threads")
        elif state.go == "send resolve":
            told = RequestState(state.data["resolution"])
            counted = range(
                go_plugin.reviews_counted(state.go_data) + 1, go_plugin.reviews_counted(state.data) + 1
            )
            kinds = [Kind(Topic.REVIEW, number) for number in counted] + [Kind(RESOLUTION_TOPICS[told])]
            threads = go_plugin.threads_of(state.go_data)
            mails = tuple(
                Mail(thread.address, kind, GO_CONTENT, f"{GO_CONTENT} {kind.code} to {thread.address}")
                for thread in threads
                for kind in kinds
            )
            yield "Go resolves", _but(state, mails=state.mails + mails, go="gone")
        elif state.go == "threads":
            threads = ",".join(f"{address}/now/go@example.com" for address in self.scenario.recipients)
            yield (
                "Go writes its threads",
                _but(state, data={**state.data, "email_threads": threads}, go="gone"),
            )

    # Small parts --------------------------------------------------------------------------------------------

    def _view(self, worker: Worker) -> View:
        return self.scenario.timeline[worker.seen]

    def _name(self, place: int) -> str:
        view = self.scenario.timeline[place]
        if isinstance(view, ReminderView):
            return reminded.names(view.audits) or "nothing to review"
        return "gone" if view.gone else view.state.value.lower()

    def _holds(self, data: Mapping[str, str], write: go_plugin.Write) -> bool:
        return all(data.get(key, "") == value for key, value in self.expected(write).items())

    def _rest(self, state: State, worker: Worker) -> State:
        rested = dataclasses.replace(worker, claim=None, attempt=None, unknown=None, lost=False, fact=None)
        return self._put(state, worker, whole=rested)

    def _spend(self, state: State, **left: int) -> State:
        return _but(state, faults=dataclasses.replace(state.faults, **left))

    def _put(self, state: State, worker: Worker, *, whole: Worker | None = None, **changes: Any) -> State:
        changed = whole or dataclasses.replace(worker, **changes)
        workers = tuple(changed if one.number == worker.number else one for one in state.workers)
        return _but(state, workers=workers)


def _but(state: State, **changes: Any) -> State:
    changed = dataclasses.replace(state, **changes)
    if changed.late:
        # No value of the ledger ever comes back, so a write that expects another one can arrive no more.
        ledger = changed.data.get(LEDGER_KEY, "")
        late = tuple(write for write in changed.late if write.expect.get(LEDGER_KEY, "") == ledger)
        changed = dataclasses.replace(changed, late=late)
    return changed


def _applied(data: Mapping[str, str], write: go_plugin.Write) -> dict[str, str]:
    merged = {**data, **write.set}
    return {key: value for key, value in merged.items() if value}


# Every state ------------------------------------------------------------------------------------------------


def complete(model: Model, state: State) -> State:
    """Faults have stopped: somebody with a true view works until nothing is left to do."""
    fresh = Worker(9, seen=state.now, policy=len(model.scenario.policies) - 1)
    worked = dataclasses.replace(state, workers=(fresh,), late=(), faults=Faults(), go="gone")
    for _ in range(200):
        worker = worked.workers[0]
        if worker.sighting:
            worked = _but(worked, workers=(dataclasses.replace(worker, sighting_old=True),))
        step = next(iter(model._worker_steps(worked, worked.workers[0])), None)
        if step is None:
            return worked
        worked = step[1]
    raise Violation("the work never comes to an end")


@dataclass
class Explored:
    """What an exploration has seen."""

    states: int = 0
    steps: int = 0
    rests: int = 0
    """States in which nobody was at work, each carried on to its end."""


def explore(model: Model, *, limit: int = 2_000_000) -> Explored:
    """Take every step from every state. Raises :class:`Violation` with the steps that led to it."""
    faults = model.scenario.faults
    reminds = isinstance(model.scenario.timeline[0], ReminderView)
    check_mails = reminded.check_mails if reminds else promise.check_mails
    check_told = reminded.check_told if reminds else promise.check_told
    nothing_fails = not (faults.crashes or faults.lost_writes or faults.lost_answers or faults.leases)
    result = Explored()
    start = model.start()
    parents: dict[Any, tuple[Any, str]] = {start.key: (None, "")}
    checked: set[Any] = set()
    waiting = [start]
    while waiting:
        state = waiting.pop()
        key = state.key
        result.states += 1
        if result.states > limit:
            raise RuntimeError(f"more than {limit} states")
        what = ""
        try:
            check_mails(model.scenario, state, twins=not nothing_fails)
            rest = (
                *(state.now, _frozen(state.data), state.mails, state.refused, state.excused),
                *(state.time, state.quieted),
            )
            if (
                rest not in checked
                and state.go in ("idle", "gone")
                and all(one.idle for one in state.workers)
            ):
                checked.add(rest)
                result.rests += 1
                done = complete(model, state)
                check_mails(model.scenario, done, twins=True)
                check_told(model.scenario, done)
            for what, after in model.steps(state):
                result.steps += 1
                if after.key not in parents:
                    parents[after.key] = (key, what)
                    waiting.append(after)
        except Violation as violation:
            raise Violation(f"{violation}\nafter:\n" + _story(parents, key, what)) from None
    return result


def _story(parents: Mapping[Any, tuple[Any, str]], key: Any, last: str) -> str:
    steps = [last] if last else []
    while key is not None:
        key, what = parents[key]
        steps.append(what)
    return "\n".join(f"  {step}" for step in reversed(steps) if step)
