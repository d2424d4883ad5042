"""The ledger's rules hold in every interleaving, and each rule is needed: without it something breaks."""

from __future__ import annotations

import functools
from collections.abc import Mapping
from datetime import timedelta
from typing import Any

import pytest
from model.interleavings import (
    APPROVED,
    DENIED,
    EXPIRES,
    NOW,
    PENDING,
    POLICY,
    Faults,
    Model,
    Scenario,
    State,
    Worker,
    explore,
    request,
)
from model.promise import Violation
from msgspec import structs

from teleport_email.core import claim, decide, go_plugin, ledger_json, owing
from teleport_email.core.claim import Attempt, Claim
from teleport_email.core.decide import Due, Plan, View
from teleport_email.core.go_plugin import Write
from teleport_email.core.ledger import ANNOUNCEMENTS, LEDGER_KEY, Ledger, Mark, Party
from teleport_email.core.model import Kind, Refused, SendOutcome, Topic

MADE = View(request(PENDING))
REVIEWED = View(request(PENDING, 1))
GRANTED = View(request(APPROVED))
GRANTED_BY_REVIEW = View(request(APPROVED, 1))
REFUSED = View(request(DENIED, 1))
TWO = ("a@example.com", "b@example.com")
EXPIRED = View(request(PENDING), gone=True)
MERGE = structs.replace(POLICY, merge_deciding_review=True)
QUIET = structs.replace(POLICY, quiet_reviews=True)
OWN = structs.replace(POLICY, skip_own_review=True)
ESCALATING = structs.replace(POLICY, escalate_after=2 * 3600.0)
REMINDING = structs.replace(POLICY, reminders=(4 * 3600.0, 3600.0))
ONE_REMINDER = structs.replace(POLICY, reminders=(3600.0,))
LATER = (NOW, NOW + timedelta(hours=2))
LEAD = ("lead@example.com", "a@example.com")
"""The latter was told at first."""
REMINDED = (NOW, EXPIRES - timedelta(hours=4), EXPIRES - timedelta(hours=1))
OFF_ON = (QUIET, POLICY)


@pytest.fixture(autouse=True)
def remembered(monkeypatch: pytest.MonkeyPatch) -> None:
    """The same ledgers are read again and again; they are immutable, so each is parsed once."""
    monkeypatch.setattr(go_plugin, "loads", functools.lru_cache(8192)(ledger_json.loads))


HOLDS = [
    pytest.param(Scenario((MADE, REVIEWED, GRANTED_BY_REVIEW), Faults()), 10_000, id="review and approval"),
    pytest.param(Scenario((MADE, GRANTED, REFUSED), Faults()), 10_000, id="approval, then denial"),
    pytest.param(Scenario((MADE, GRANTED), Faults(crashes=1)), 5_000, id="crash"),
    pytest.param(Scenario((MADE, EXPIRED), Faults(crashes=1)), 5_000, id="crash and expiry"),
    pytest.param(Scenario((MADE, GRANTED), Faults(leases=1)), 5_000, id="pause longer than the lease"),
    pytest.param(Scenario((MADE,), Faults(crashes=1, leases=1)), 2_000, id="crash and takeover"),
    pytest.param(Scenario((MADE,), Faults(lost_writes=2)), 2_000, id="two writes without an answer"),
    pytest.param(Scenario((MADE, GRANTED), Faults(lost_writes=1)), 20_000, id="late write"),
    pytest.param(Scenario((MADE, EXPIRED), Faults(lost_answers=1)), 20_000, id="mail without an answer"),
    pytest.param(Scenario((MADE, GRANTED), Faults(go=True)), 5_000, id="a Go plugin beside us"),
    pytest.param(Scenario((MADE,), Faults(lost_writes=1), TWO), 2_000, id="two recipients, late write"),
    pytest.param(
        Scenario((MADE,), Faults(declines=1, lost_answers=1)),
        10_000,
        id="refused for what may be our fault, before or after a mail without an answer",
    ),
    pytest.param(
        Scenario((MADE, GRANTED), Faults(declines=2, lost_answers=1), workers=1),
        500,
        id="refused more than once while the request moves on",
    ),
    pytest.param(Scenario((MADE, GRANTED), Faults(declines=1, crashes=1)), 5_000, id="refused, and a crash"),
    pytest.param(
        Scenario((MADE, GRANTED), Faults(failures=1), TWO, workers=1),
        500,
        id="two recipients, one fails for now",
    ),
    pytest.param(
        Scenario((MADE, REVIEWED, GRANTED_BY_REVIEW), Faults(refusals=2), workers=1), 100, id="refused twice"
    ),
    pytest.param(Scenario((MADE, REVIEWED), Faults(refusals=1)), 1_000, id="refused, then a review"),
    pytest.param(
        Scenario((MADE, GRANTED, REFUSED), Faults(refusals=2, crashes=1), workers=1),
        1_000,
        id="refused, then approval and denial",
    ),
    pytest.param(Scenario((MADE, EXPIRED), Faults(refusals=1)), 1_000, id="refused, then expiry"),
    pytest.param(
        Scenario((MADE, REVIEWED), Faults(refusals=1, lost_answers=1), workers=1),
        100,
        id="refused though it may have arrived",
    ),
    pytest.param(Scenario((MADE,), Faults(refusals=1, retries=1)), 500, id="refused and brought back"),
    pytest.param(
        Scenario((MADE,), Faults(refusals=2, retries=1, leases=1)),
        1_000,
        id="refused by both of two workers, and brought back between",
    ),
    pytest.param(
        Scenario((MADE,), Faults(refusals=1, lost_writes=1, retries=1), workers=1),
        100,
        id="brought back while a write is late",
    ),
    pytest.param(
        Scenario((MADE, REVIEWED), Faults(refusals=1, retries=1), TWO, workers=1),
        100,
        id="two recipients, one refused and brought back",
    ),
    pytest.param(
        Scenario((MADE, GRANTED_BY_REVIEW), Faults(crashes=1), policies=(MERGE,)),
        1_000,
        id="a review merged with the end, and a crash",
    ),
    pytest.param(
        Scenario((MADE, GRANTED, REFUSED), Faults(lost_writes=1), policies=(MERGE,), workers=1),
        100,
        id="a review merged with the second end, and a late write",
    ),
    pytest.param(
        Scenario((MADE, GRANTED_BY_REVIEW), Faults(), policies=(MERGE, POLICY)),
        1_000,
        id="merged by one of two workers alone",
    ),
    pytest.param(
        Scenario((MADE, REVIEWED), Faults(), policies=OFF_ON),
        1_000,
        id="a quiet review, and a reload of one after the other",
    ),
    pytest.param(
        Scenario((MADE, REVIEWED), Faults(lost_writes=1, refusals=1), policies=OFF_ON, workers=1),
        100,
        id="a quiet review, a late write and a refusal",
    ),
    pytest.param(
        Scenario((MADE, REVIEWED), Faults(crashes=1), (*TWO[:1], "r0@example.com"), 1, (OWN, POLICY)),
        100,
        id="an own review, and a crash",
    ),
    pytest.param(
        Scenario((MADE,), Faults(), policies=(ESCALATING,), times=LATER, escalation=LEAD),
        1_000,
        id="escalation by two workers",
    ),
    pytest.param(
        Scenario((MADE, GRANTED), Faults(lost_writes=1), TWO[:1], 1, (ESCALATING,), LATER, LEAD),
        100,
        id="escalation beside an approval, and a late write",
    ),
    pytest.param(
        Scenario((MADE, REVIEWED), Faults(crashes=1), TWO[:1], 1, (ESCALATING,), LATER, LEAD),
        100,
        id="escalation, a review and a crash",
    ),
    pytest.param(
        Scenario((MADE, GRANTED_BY_REVIEW), Faults(refusals=1), TWO[:1], 1, (ESCALATING,), LATER, LEAD),
        100,
        id="escalation refused",
    ),
    pytest.param(
        Scenario((MADE, GRANTED), Faults(failures=1), TWO[:1], 1, (POLICY, ESCALATING), LATER, LEAD),
        100,
        id="escalation switched on, and put off",
    ),
    pytest.param(
        Scenario(
            (MADE,), Faults(lost_answers=1), TWO[:1], 1, (ONE_REMINDER, REMINDING, ONE_REMINDER), REMINDED
        ),
        50,
        id="one reminder, several, and one again",
    ),
    pytest.param(
        Scenario((MADE, GRANTED), Faults(crashes=1, refusals=1), TWO[:1], 1, (REMINDING,), REMINDED),
        100,
        id="several reminders, a refusal and a crash",
    ),
]


@pytest.mark.parametrize(("scenario", "at_least"), HOLDS)
def test_every_interleaving_keeps_the_promise(scenario: Scenario, at_least: int) -> None:
    seen = explore(Model(scenario))
    assert seen.states >= at_least, "the exploration ended early: it proves less than it says"
    assert seen.rests > 1


class RefusedIsGivenUp(Model):
    """Whatever is refused for good is taken for the recipient's fault."""

    def declined(self) -> SendOutcome:
        return Refused("550")


def test_giving_up_what_may_be_our_own_fault_loses_mail() -> None:
    with pytest.raises(Violation, match="never told of the request"):
        explore(RefusedIsGivenUp(Scenario((MADE,), Faults(declines=1))))


class NothingFrozen(Model):
    """Contents are rendered anew by whoever sends."""

    def content(self, worker: Worker, ledger: Ledger, due: Due) -> str:
        return f"{due.kind.code} rendered by {worker.owner} after {worker.writes}"


class NoMarks(Model):
    """The claim does not say what is about to be sent."""

    def marked(self, attempt: Attempt, worker: Worker, view: View) -> Attempt:
        bare = attempt.write.ledger
        for due in attempt.fresh:
            party = bare.party(due.address, requester=due.requester)
            assert party is not None
            bare = bare.replace_party(party.with_entry(due.kind, None))
        data = {key: value for key, value in attempt.write.expect.items() if value}
        return structs.replace(attempt, write=go_plugin.write(bare, data, view.request))


class CountedWrites(Model):
    """Write ids are the value read plus one."""

    def write_id(self, worker: Worker, data: Mapping[str, str]) -> str:
        known = (
            worker.claim.ledger if worker.claim else ledger_json.loads(data[LEDGER_KEY]) if data else Ledger()
        )
        return str(int(known.write_id or 0) + 1)


class LedgerComparedAlone(Model):
    """Only our own key is compared, not the Go plugin's seven."""

    def expected(self, write: Write) -> Mapping[str, str]:
        return {LEDGER_KEY: write.expect[LEDGER_KEY]}


class NoShadow(Model):
    """What we wrote into the Go plugin's keys is read back as its doing."""

    def read(self, claim: Claim, data: Mapping[str, str]) -> Claim:
        if data.get(LEDGER_KEY):
            forgotten = structs.replace(ledger_json.loads(data[LEDGER_KEY]), shadow={})
            data = {**data, LEDGER_KEY: ledger_json.dumps(forgotten)}
        return super().read(claim, data)


class GoesOnAfterALoss(Model):
    """A lost claim does not stop its former owner."""

    def _read_again(self, state: State, worker: Worker, attempt: Attempt) -> State:
        assert worker.claim is not None
        claim = structs.replace(self.read(worker.claim, state.data), holding=True)
        return self._begin(state, worker, claim)


class TakesTheClaim(Model):
    """To bring back what was given up releases the claim."""

    def brought_back(self, ledger: Ledger) -> Ledger:
        return structs.replace(super().brought_back(ledger), owner="")


class RefusedForGood(Model):
    """A giving-up of the announcement ends the thread."""


class ToldOnceMore(Model):
    """An announcement that comes later tells no reviews along."""


class TheSameId(Model):
    """A later announcement has the id of the one that was refused."""


class NoTurnInIds(Model):
    """What was brought back has the id that it had before."""


class NoTurnCompared(Model):
    """A fact counts, of whatever turn it is."""


class NothingPassed(Model):
    """Which reviews are not told by themselves is not written down."""

    def planned(self, plan: Plan) -> Plan:
        return structs.replace(plan, passes=())


class EscalatedToAll(Model):
    """Who was told at first is escalated to like everybody."""


class EscalatedUnmarked(Model):
    """Those who are escalated to are parties like the others."""


class AllPassed(Model):
    """Merged are also reviews that no end tells along."""


class RemindersAlike(Model):
    """Reminders are not told apart."""


def escalated_to_all(ledger: Ledger, audience: decide.Audience, _: Any) -> tuple[Party, ...]:
    known = {party.address for party in ledger.parties if party.escalated}
    to = audience.escalation if ledger.parties else ()
    return tuple(Party(address, escalated=True) for address in to if address not in known)


def escalated_unmarked(
    ledger: Ledger, audience: decide.Audience, add: Any, _real: Any = decide.not_told
) -> tuple[Party, ...]:
    return tuple(Party(party.address) for party in _real(ledger, audience, add))


def all_passed(self: owing.Owing, party: Party, kinds: Any) -> Any:
    return ((kind, "m") for kind in kinds if kind.topic is Topic.REVIEW and party.mark(kind) is None)


def beginning(self: owing.Owing, party: Party, _real: Any = owing.Owing._beginning) -> Kind | None:
    return None if party.announcement else _real(self, party)


def first_id(self: Ledger, request_id: str, party: Party, kind: Kind, _real: Any = Ledger.message_id) -> str:
    first = Kind(Topic.ANNOUNCEMENT) if kind.topic in ANNOUNCEMENTS else kind
    return str(_real(self, request_id, party, first))


def id_without_turn(
    self: Ledger, request_id: str, party: Party, kind: Kind, _real: Any = Ledger.message_id
) -> str:
    return str(_real(self, request_id, Party(party.address, party.requester), kind))


WITHOUT: dict[type[Model], tuple[Any, str, Any]] = {
    RefusedForGood: (owing.Owing, "_beginning", beginning),
    ToldOnceMore: (Kind, "covers", 0),
    TheSameId: (Ledger, "message_id", first_id),
    NoTurnInIds: (Ledger, "message_id", id_without_turn),
    NoTurnCompared: (claim, "_is_outdated", lambda party, due: False),
    EscalatedToAll: (decide, "not_told", escalated_to_all),
    EscalatedUnmarked: (decide, "not_told", escalated_unmarked),
    AllPassed: (owing.Owing, "passes", all_passed),
    RemindersAlike: (owing.Policy, "reminder", lambda self, seconds: Kind(Topic.REMINDER)),
}
"""What is another in the program itself, where the rule is not a step of the model's."""

BOTH_REFUSED = Scenario((MADE,), Faults(refusals=2, retries=1, leases=1))

NEEDED = [
    pytest.param(
        NothingFrozen, Scenario((MADE,), Faults(crashes=1, leases=1)), "two different messages", id="freezing"
    ),
    pytest.param(
        NoMarks,
        Scenario((MADE, GRANTED), Faults(crashes=1, leases=1)),
        "told of the request twice|two different messages",
        id="marks",
    ),
    pytest.param(
        CountedWrites,
        Scenario((MADE,), Faults(lost_writes=1), TWO, workers=1),
        "knows to be delivered",
        id="random write ids",
    ),
    pytest.param(
        LedgerComparedAlone, Scenario((MADE,), Faults(go=True)), "two different messages", id="all eight keys"
    ),
    pytest.param(NoShadow, Scenario((MADE, GRANTED), Faults(crashes=1, leases=1)), "never", id="shadow"),
    pytest.param(
        GoesOnAfterALoss, Scenario((MADE,), Faults()), "twice, and nothing failed", id="stop on a loss"
    ),
    pytest.param(
        RefusedForGood,
        Scenario((MADE, REVIEWED), Faults(refusals=1), workers=1),
        "never told",
        id="giving up ends a message alone",
    ),
    pytest.param(
        ToldOnceMore,
        Scenario((MADE, REVIEWED), Faults(refusals=1), workers=1),
        "told it along|told of the request twice|never comes to an end",
        id="a later announcement covers",
    ),
    pytest.param(
        TheSameId,
        Scenario((MADE, REVIEWED), Faults(refusals=1, lost_answers=1), workers=1),
        "two different messages",
        id="a later announcement has an id of its own",
    ),
    pytest.param(
        NoTurnInIds,
        Scenario((MADE,), Faults(refusals=1, lost_answers=1, retries=1), workers=1),
        "two different messages",
        id="the turn is part of the id",
    ),
    pytest.param(NoTurnCompared, BOTH_REFUSED, "never told", id="the turn is compared with facts"),
    pytest.param(
        TakesTheClaim,
        Scenario((MADE,), Faults(refusals=1, retries=1), TWO),
        "twice, and nothing failed",
        id="bringing back leaves the claim alone",
    ),
    pytest.param(
        NothingPassed,
        Scenario((MADE, REVIEWED), Faults(), policies=OFF_ON, workers=1),
        "passed for good",
        id="quiet reviews are written down",
    ),
    pytest.param(
        NothingPassed,
        Scenario((MADE, GRANTED_BY_REVIEW), Faults(), policies=(MERGE,), workers=1),
        "though the end told it along",
        id="merged reviews are written down",
    ),
    pytest.param(
        AllPassed,
        Scenario((MADE, REVIEWED), Faults(), policies=(MERGE,), workers=1),
        "never hears of review 1",
        id="merged are reviews that an end tells",
    ),
    pytest.param(
        EscalatedToAll,
        Scenario((MADE,), Faults(), TWO[:1], 1, (ESCALATING,), LATER, LEAD),
        "told of the request twice",
        id="escalated only to who was not told",
    ),
    pytest.param(
        EscalatedUnmarked,
        Scenario((MADE, GRANTED), Faults(failures=1), TWO[:1], 1, (ESCALATING,), LATER, LEAD),
        "whom nobody had told before",
        id="escalated parties are marked",
    ),
    pytest.param(
        ToldOnceMore,
        Scenario((MADE, REVIEWED), Faults(), TWO[:1], 1, (ESCALATING,), LATER, LEAD),
        "told it along|told of the request twice|never comes to an end",
        id="an escalation covers",
    ),
    pytest.param(
        RemindersAlike,
        Scenario((MADE,), Faults(), TWO[:1], 1, (REMINDING,), REMINDED),
        "is not reminded",
        id="reminders are told apart",
    ),
]


@pytest.mark.parametrize(("mutant", "scenario", "broken"), NEEDED)
def test_without_a_rule_something_breaks(
    mutant: type[Model], scenario: Scenario, broken: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    def is_open(known: Ledger, due: Due) -> bool:
        party = known.party(due.address, requester=due.requester)
        return party is not None and party.mark(due.kind) in (None, Mark.ATTEMPTED)

    if mutant in WITHOUT:
        monkeypatch.setattr(*WITHOUT[mutant])
    if mutant is NoMarks:
        monkeypatch.setattr(claim, "_is_open", is_open)
    with pytest.raises(Violation, match=broken) as found:
        explore(mutant(scenario))
    assert "after:" in str(found.value), "a counterexample tells its steps"


@pytest.mark.parametrize("scenario", [pytest.param(param.values[1], id=param.id) for param in NEEDED])
def test_with_all_rules_the_same_scenario_holds(scenario: Scenario) -> None:
    """So it is the missing rule that breaks it."""
    explore(Model(scenario))
