"""What only informs: kept where it makes sense, passed over where not, and never what anything hangs on."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec import structs

from teleport_email.core import informing
from teleport_email.core.claim import MAX_NOTE, Claim
from teleport_email.core.decide import Audience, Due, Policy, View
from teleport_email.core.frozen import unpack
from teleport_email.core.informing import Wait
from teleport_email.core.ledger import Entry, Ledger, Mark, Party
from teleport_email.core.ledger_json import dumps, loads
from teleport_email.core.model import (
    AccessRequest,
    AccountFault,
    Content,
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

NONCE = "0123456789abcdef" * 2
ANNOUNCEMENT = Kind(Topic.ANNOUNCEMENT)
NOW = datetime(2026, 11, 22, 12, 0, tzinfo=UTC)
POLICY = Policy(duty_since=NOW - timedelta(days=1))
PARTY = Party("a@example.com")
DUE = Due("a@example.com", False, ANNOUNCEMENT)

number = st.integers(-(2**64), 2**64) | st.floats(allow_nan=False, allow_infinity=False)
"""Those that JSON has: with others (NaN, 1e999) the whole ledger is none of ours."""
anything = st.recursive(
    st.none() | st.booleans() | number | st.text(max_size=10),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=4), inner, max_size=4),
    max_leaves=12,
)


@given(anything, anything)
def test_whatever_stands_in_its_place_the_ledger_can_be_read(first: Any, second: Any) -> None:
    value = json.loads(dumps(Ledger(nonce=NONCE, parties=(PARTY,))))
    value["i"], value["p"][0]["i"] = first, second
    made = loads(json.dumps(value))
    assert structs.replace(made, info={}).replace_party(PARTY) == Ledger(nonce=NONCE, parties=(PARTY,))
    assert loads(dumps(made)) == made
    informing.waiting(made.parties[0].info)
    informing.last_date(made.info)


def test_what_a_later_version_tells_along_is_kept() -> None:
    value = json.loads(dumps(Ledger(nonce=NONCE, parties=(PARTY,))))
    value["i"] = value["p"][0]["i"] = {"later": ["text", 1]}
    assert json.loads(dumps(loads(json.dumps(value)))) == value


@pytest.mark.parametrize(
    "value",
    [
        [0, 0, 0, ""],
        [5, 4, 1, ""],
        [-1, 4, 1, ""],
        [0, 10**15, 1, ""],
        ["0", 0, 1, ""],
        [0, 0, 1],
        [0, 0, 1, 1],
        "",
        7,
    ],
    ids=str,
)
def test_a_wait_that_makes_no_sense_is_none(value: object) -> None:
    assert informing.waiting({informing.WAITING: value}) is None


@pytest.mark.parametrize("value", [-1, 253_402_300_799, "1", [1]], ids=str)
def test_a_date_that_makes_no_sense_is_none(value: object) -> None:
    assert informing.last_date({informing.LAST_DATE: value}) is None


def render(kind: Kind, view: View, ledger: Ledger) -> Content:
    return Content("s", kind.code, "", NOW, "b", "t@example.com")


def view(state: RequestState = RequestState.PENDING, reviews: int = 0) -> View:
    made = tuple(Review("r@example.com", RequestState.APPROVED) for _ in range(reviews))
    return View(AccessRequest("id", "user@example.com", ("dev",), state, created=NOW, reviews=made))


def step(claim: Claim, seen: View, *, room: int = 8) -> Claim:
    """The next write, confirmed."""
    plan = claim.plan(seen, Audience(("a@example.com",)), POLICY, NOW)
    attempt = claim.next_write(
        seen, plan, write_id=f"{len(claim.data)}", nonce=NONCE, domain="d", now=0.0, room=room, render=render
    )
    assert attempt is not None
    return claim.issued(attempt).written(attempt)


def tried(claim: Claim, *outcomes: tuple[SendOutcome, int]) -> Claim:
    for outcome, at in outcomes:
        claim = structs.replace(claim.begin()[1], deferred=frozenset()).finish(DUE, outcome, at)
    return claim


def wait_in(claim: Claim) -> Wait | None:
    """As the next process reads it."""
    return informing.waiting(loads(claim.data["ledger"]).parties[0].info)


# Why somebody waits ------------------------------------------------------------------------------------


def test_the_release_after_failed_tries_says_why_since_when_and_how_often() -> None:
    claim = tried(step(Claim("id", "me"), view()), (Temporary("451 4.7.1 greylisted"), 100))
    released = step(structs.replace(claim, deferred=frozenset({DUE})), view())
    assert released.ledger.owner == "", "by the write that comes anyhow"
    assert wait_in(released) == Wait(100, 100, 1, "451 4.7.1 greylisted")
    again = tried(
        step(Claim("id", "another").read(released.data), view()), (AccountFault("535 " + "x" * 500), 160)
    )
    released = step(structs.replace(again, deferred=frozenset({DUE})), view())
    wait = wait_in(released)
    assert wait == Wait(100, 160, 2, ("535 " + "x" * 500)[:MAX_NOTE])


@pytest.mark.parametrize("outcome", [Delivered("250"), Refused("550")], ids=["delivered", "given up"])
def test_it_is_taken_away_with_the_record_that_ends_it(outcome: SendOutcome) -> None:
    claim = tried(step(Claim("id", "me"), view()), (Temporary("451"), 100))
    released = step(structs.replace(claim, deferred=frozenset({DUE})), view())
    assert wait_in(released) is not None
    ended = step(tried(step(Claim("id", "me").read(released.data), view()), (outcome, 200)), view())
    assert wait_in(ended) is None


def test_a_message_given_back_is_no_try() -> None:
    claim = tried(step(Claim("id", "me"), view()), (Temporary("451"), 100), (Withdrawn(), 150))
    released = step(structs.replace(claim, deferred=frozenset({DUE})), view())
    assert wait_in(released) == Wait(100, 100, 1, "451")


def test_no_write_is_made_for_it_alone() -> None:
    claim = tried(step(Claim("id", "me"), view()), (Temporary("cut", maybe_accepted=True), 100))
    lost = structs.replace(claim, holding=False, ledger=structs.replace(claim.ledger, owner="other"))
    assert lost.facts_write(view()) is None
    busy = structs.replace(claim, deferred=frozenset({DUE}), in_flight=frozenset({DUE}))
    plan = busy.plan(view(), Audience(), POLICY, NOW)
    assert (
        busy.next_write(view(), plan, write_id="x", nonce=NONCE, domain="d", now=1.0, room=0, render=None)
        is None
    )


# Dates ---------------------------------------------------------------------------------------------------


def dates(claim: Claim) -> dict[str, datetime]:
    return {item.kind.code: unpack(item.blob).date for item in claim.ledger.frozen if item.blob}


def test_a_review_and_the_resolution_that_it_causes_are_a_second_apart() -> None:
    claim = step(Claim("id", "me"), view())
    claim = step(tried(claim, (Delivered(), 1)), view(RequestState.APPROVED, 1))
    assert dates(claim) == {"r1": NOW + timedelta(seconds=1), "A": NOW + timedelta(seconds=2)}


def test_dates_grow_though_the_contents_before_are_gone() -> None:
    claim = tried(step(Claim("id", "me"), view()), (Delivered(), 1))
    claim = step(claim, view())
    assert not claim.ledger.contents
    claim = step(Claim("id", "another").read(claim.data), view(reviews=1))
    assert dates(claim)["r1"] == NOW + timedelta(seconds=1)


def test_dates_grow_where_an_older_program_dropped_what_informs() -> None:
    """As far as contents tell: what is still owed to somebody has a Date of its own."""
    claim = step(Claim("id", "me"), view())
    dropped = structs.replace(claim.ledger, info={}, owner="")
    claim = Claim("id", "me").read({**claim.data, "ledger": dumps(dropped)})
    claim = step(claim, view(reviews=1))
    assert dates(claim)["r1"] == NOW + timedelta(seconds=1)


def test_a_clock_that_went_back_does_not_take_the_dates_along() -> None:
    late = Ledger(nonce=NONCE, info=informing.with_last_date({}, NOW + timedelta(hours=1)))
    party = structs.replace(PARTY, entries={ANNOUNCEMENT: Entry(Mark.DELIVERED, 1)})
    claim = Claim("id", "me").read({"ledger": dumps(late.replace_party(party))})
    claim = step(claim, view(reviews=1))
    assert dates(claim)["r1"] == NOW + timedelta(hours=1, seconds=1)
