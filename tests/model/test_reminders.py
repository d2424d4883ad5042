"""The rules of reminding hold in every interleaving, and each is needed: without it something breaks.

By the machine of :mod:`model.interleavings`; what is the request's life there is here that of an owner's lists,
or of a list's owners.
"""

from __future__ import annotations

import functools
from datetime import UTC, datetime
from typing import Any

import pytest
from model.interleavings import Faults, Model, Scenario, State, Worker, explore
from model.promise import Violation
from msgspec import structs

from teleport_email.core import go_plugin, ledger_json, reminding
from teleport_email.core.audits import DAY, WEEK, Audit
from teleport_email.core.claim import Attempt
from teleport_email.core.decide import Due, Plan
from teleport_email.core.ledger import Ledger, Mark, Party, Round
from teleport_email.core.reminding import ReminderView, view_of

ANN, BOB, EVE = "ann@example.com", "bob@example.com", "eve@example.com"
OPENS = datetime(2026, 12, 1, tzinfo=UTC)
DATE = OPENS + 2 * WEEK
ONE, TWO = Audit("one", DATE, OPENS), Audit("two", DATE, OPENS)
LATER = Audit("later", DATE + 3 * DAY, OPENS + 3 * DAY)
"""Its window opens within a step of the others."""
ONCE, WEEKLY, DAILY = (OPENS,), (OPENS, OPENS + WEEK), (DATE, DATE + DAY)
MEANWHILE = (OPENS, OPENS + 3 * DAY)


def lists(*audits: Audit, to: tuple[str, ...] = (ANN,)) -> ReminderView:
    return view_of("id", to, audits)


@pytest.fixture(autouse=True)
def remembered(monkeypatch: pytest.MonkeyPatch) -> None:
    """The same ledgers are read again and again; they are immutable, so each is parsed once."""
    monkeypatch.setattr(go_plugin, "loads", functools.lru_cache(8192)(ledger_json.loads))


def scenario(
    *timeline: ReminderView, times: tuple[datetime, ...] = ONCE, workers: int = 2, **faults: int
) -> Scenario:
    return Scenario(timeline, Faults(**faults), workers=workers, times=times)


HOLDS = [
    pytest.param(scenario(lists(ONE), times=WEEKLY, crashes=1), 3_000, id="two steps and a crash"),
    pytest.param(
        scenario(lists(ONE), times=DAILY, leases=1), 3_000, id="two days and a pause longer than the lease"
    ),
    pytest.param(scenario(lists(ONE), lost_writes=1), 800, id="a write without an answer"),
    pytest.param(
        scenario(lists(ONE, TWO), lists(TWO), lost_answers=1),
        3_000,
        id="perhaps sent, and one of two lists reviewed",
    ),
    pytest.param(scenario(lists(ONE), lists(), lost_answers=1), 5_000, id="perhaps sent, and all reviewed"),
    pytest.param(
        scenario(lists(ONE, TWO), lists(TWO), failures=1),
        1_000,
        id="not sent, and one of two lists reviewed",
    ),
    pytest.param(scenario(lists(ONE), times=WEEKLY, refusals=1), 1_000, id="refused in one step"),
    pytest.param(
        scenario(lists(ONE), times=WEEKLY, lost_answers=1, refusals=1, workers=1),
        100,
        id="refused though it may have arrived",
    ),
    pytest.param(
        scenario(lists(ONE), times=WEEKLY, refusals=1, retries=1, workers=1),
        80,
        id="refused and brought back",
    ),
    pytest.param(
        scenario(lists(ONE, LATER), times=MEANWHILE, lost_writes=1, crashes=1, workers=1),
        500,
        id="a window that opens meanwhile, and a late write",
    ),
    pytest.param(
        scenario(lists(ONE), lists(LATER), lists(ONE, LATER), times=MEANWHILE, lost_answers=1, workers=1),
        1_000,
        id="a list that one answer lacks",
    ),
    pytest.param(
        scenario(
            lists(ONE, LATER),
            lists(LATER),
            times=(*MEANWHILE, OPENS + WEEK),
            failures=1,
            crashes=1,
            workers=1,
        ),
        5_000,
        id="steps that begin one after the other, not sent, a crash and a review",
    ),
    pytest.param(
        scenario(lists(ONE, to=(ANN, BOB)), lists(ONE, to=(ANN, EVE)), failures=1, workers=1),
        400,
        id="two owners of one list, one not reached, and a third",
    ),
    pytest.param(
        scenario(lists(ONE, to=(ANN, BOB)), times=WEEKLY, refusals=1, crashes=1, workers=1),
        3_000,
        id="two owners of one list, one refused, and a crash",
    ),
    pytest.param(
        scenario(lists(ONE, to=(ANN,)), lists(ONE, to=(ANN, BOB)), lost_answers=1, crashes=1, workers=1),
        800,
        id="another owner joins while one was perhaps reached",
    ),
]


@pytest.mark.parametrize(("scenario", "at_least"), HOLDS)
def test_every_interleaving_keeps_the_promise(scenario: Scenario, at_least: int) -> None:
    seen = explore(Model(scenario))
    assert seen.states >= at_least, "the exploration ended early: it proves less than it says"
    assert seen.rests > 1


class NothingFrozen(Model):
    """Contents are rendered anew by whoever sends."""

    def content(self, worker: Worker, ledger: Ledger, due: Due) -> str:
        fixed = super().content(worker, ledger, due)
        return fixed.replace(" at ", f", again by {worker.owner} after {worker.writes} at ")


class GoesOnAfterALoss(Model):
    """A lost claim does not stop its former owner."""

    def _read_again(self, state: State, worker: Worker, attempt: Attempt) -> State:
        assert worker.claim is not None
        claim = structs.replace(self.read(worker.claim, state.data), holding=True)
        return self._begin(state, worker, claim)


class NeverRenewed(Model):
    """What reached nobody goes out as it was."""

    def planned(self, plan: Plan) -> Plan:
        is_first = plan.round is None or (plan.round.number == 1 and plan.add)
        return plan if is_first else structs.replace(plan, renew=(), freeze=())


class PerhapsIsNot(Model):
    """What was perhaps sent counts for nothing: it is told by another message."""


class SentThoughReviewed(Model):
    """What was perhaps sent goes out again, whatever was reviewed."""


class ContentsDropped(Model):
    """What was perhaps sent is dropped as soon as its lists are not in view."""


class OnlyTheLastRound(Model):
    """Of the rounds only the latest is kept."""


class ListsAlone(Model):
    """Of what was told the name of the list is kept, and not which of its audits."""


class RefusedForGood(Model):
    """Who was refused once is not reminded again."""


class DeliveredAlone(Model):
    """Giving up counts for nothing."""


class OneNumber(Model):
    """All rounds have the same number."""


class ToldAsFixed(Model):
    """Whoever joins gets the latest content, of whatever step and whichever lists."""


class NoSteps(Model):
    """Whoever was told of an audit is not told again."""


def only_the_last(self: Ledger, new: Round) -> Ledger:
    return structs.replace(self, rounds=(new,))


def contents_alone(ledger: Ledger, party: Party) -> list[Round]:
    return []


def told_for_ever(ledger: Ledger, party: Party, now: datetime) -> list[Round]:
    known = [one for one in ledger.rounds if party.mark(one.kind) is not None]
    return [structs.replace(one, at=2**40) for one in known if party.mark(one.kind) is not Mark.ATTEMPTED]


def refused_for_ever(ledger: Ledger, party: Party, now: datetime) -> list[Round]:
    told = [one for one in ledger.rounds if party.mark(one.kind) is Mark.DELIVERED]
    refused = [one for one in ledger.rounds if party.mark(one.kind) is Mark.GIVEN_UP]
    return [*told, *(structs.replace(one, at=2**40) for one in refused)]


def delivered_alone(ledger: Ledger, party: Party, now: datetime) -> list[Round]:
    return [one for one in ledger.rounds if party.mark(one.kind) is Mark.DELIVERED]


WITHOUT: dict[type[Model], tuple[Any, str, Any]] = {
    PerhapsIsNot: (reminding, "_perhaps_sent", contents_alone),
    SentThoughReviewed: (reminding, "_is_open", lambda one, steps: True),
    OnlyTheLastRound: (Ledger, "with_round", only_the_last),
    ListsAlone: (Audit, "mark", property(lambda self: f"{self.list_name:_<12}"[:12])),
    RefusedForGood: (reminding, "_told", refused_for_ever),
    DeliveredAlone: (reminding, "_told", delivered_alone),
    OneNumber: (reminding, "_next_number", lambda ledger: 1),
    ToldAsFixed: (reminding, "_tells", lambda ledger, last, due, steps: True),
    NoSteps: (reminding, "_told", told_for_ever),
}
"""What is another in the program itself, where the rule is not a step of the model's."""

AGAIN = Audit("one", DATE + 2 * WEEK, OPENS)
"""The next audit of the first list, with a window that is open when the first is reviewed."""

NEEDED = [
    pytest.param(
        NothingFrozen,
        scenario(lists(ONE), crashes=1, leases=1),
        "two different messages",
        id="freezing",
    ),
    pytest.param(GoesOnAfterALoss, scenario(lists(ONE)), "twice, and nothing failed", id="stop on a loss"),
    pytest.param(
        NeverRenewed,
        scenario(lists(ONE, TWO), lists(TWO), failures=1, workers=1),
        "of which some was reviewed",
        id="what reached nobody is written anew",
    ),
    pytest.param(
        PerhapsIsNot,
        scenario(lists(ONE), lost_answers=1, workers=1),
        "twice in a step|never comes to an end",
        id="what was perhaps sent is the same message",
    ),
    pytest.param(
        SentThoughReviewed,
        scenario(lists(ONE), lists(), lost_answers=1, workers=1),
        "all was reviewed",
        id="what was perhaps sent is dropped when all was reviewed",
    ),
    pytest.param(
        OnlyTheLastRound,
        scenario(lists(ONE, LATER), times=MEANWHILE, workers=1),
        "twice in a step|never comes to an end",
        id="rounds are kept while they matter",
    ),
    pytest.param(
        ListsAlone,
        scenario(lists(ONE), lists(AGAIN), workers=1),
        "is not reminded",
        id="an audit is a list and a date",
    ),
    pytest.param(
        RefusedForGood,
        scenario(lists(ONE), times=WEEKLY, refusals=1, workers=1),
        "is not reminded",
        id="giving up ends a step alone",
    ),
    pytest.param(
        DeliveredAlone,
        scenario(lists(ONE), lost_answers=1, refusals=1, workers=1),
        "twice in a step|never comes to an end",
        id="giving up ends a step",
    ),
    pytest.param(
        OneNumber,
        scenario(lists(ONE), times=WEEKLY, workers=1),
        "is not reminded|two different messages|never comes to an end|tells nothing",
        id="each round has a number of its own",
    ),
    pytest.param(
        ToldAsFixed,
        scenario(lists(ONE, to=(ANN, BOB)), times=WEEKLY, failures=1, workers=1),
        "is not reminded|never comes to an end|without a frozen content",
        id="a content is of its step",
    ),
    pytest.param(NoSteps, scenario(lists(ONE), times=WEEKLY, workers=1), "is not reminded", id="steps"),
]


@pytest.mark.parametrize(("mutant", "scenario", "broken"), NEEDED)
def test_without_a_rule_something_breaks(
    mutant: type[Model], scenario: Scenario, broken: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    if mutant in WITHOUT:
        monkeypatch.setattr(*WITHOUT[mutant])
    with pytest.raises(Violation, match=broken) as found:
        explore(mutant(scenario))
    assert "after:" in str(found.value), "a counterexample tells its steps"


@pytest.mark.parametrize("scenario", [pytest.param(param.values[1], id=param.id) for param in NEEDED])
def test_with_all_rules_the_same_scenario_holds(scenario: Scenario) -> None:
    """So it is the missing rule that breaks it."""
    explore(Model(scenario))
