"""Who waits after a refusal, when the account is in doubt, and what is believed when it is seen again."""

from __future__ import annotations

import random

import pytest

from teleport_email.core.model import Believe, Declined, Refused
from teleport_email.mail import standing as standing_module
from teleport_email.mail.standing import FORGOTTEN_AFTER, SEEN_FOR, TURN, Standing

NO = Declined("550 5.7.1 no")
SEEN = Declined("550 no", Believe.SEEN)
NO_DOMAIN = Declined("550 5.1.2 no such domain", Believe.REPEATED)


@pytest.fixture
def woken() -> list[str]:
    return []


@pytest.fixture
def standing(clock, woken) -> Standing:
    made = Standing(clock=clock, random=random.Random(3))
    made.wake = woken.append
    return made


# Doubt


def test_one_of_several_refused_is_his_own_affair(standing) -> None:
    standing.refused("a", NO, trying=["b"], others=True)
    standing.ended("a")
    assert standing.doubt == ""
    standing.accepted("b")
    assert standing.wait("a", "r1") > 0
    assert standing.wait("c", "r1") == 0


def test_the_only_one_to_try_puts_the_account_in_doubt(standing) -> None:
    standing.refused("a", NO)
    assert standing.doubt == NO.reason


def test_two_refused_and_nobody_accepted(standing) -> None:
    standing.refused("a", NO, others=True)
    assert standing.doubt == ""
    standing.refused("b", NO, others=True)
    assert standing.doubt == NO.reason


def test_those_being_tried_have_their_say_first(standing) -> None:
    standing.refused("a", NO, trying=["b", "c", "d"], others=True)
    standing.refused("b", NO, trying=["c", "d"], others=True)
    standing.ended("b")
    assert standing.doubt == "", "c and d may yet get through"
    standing.refused("c", NO, trying=["d"], others=True)
    standing.ended("c")
    standing.accepted("d")
    standing.ended("d")
    assert standing.doubt == ""
    standing.refused("e", NO, trying=["f"], others=True)
    standing.refused("g", NO, trying=["f", "h"], others=True)
    standing.ended("f")
    standing.ended("h")
    assert standing.doubt == NO.reason


def test_who_was_refused_before_others_got_through_proves_nothing_by_it(standing, clock) -> None:
    for name in "abc":
        standing.refused(name, NO, others=True)
    standing.accepted("x")
    for _ in range(10):
        clock.now += 1000
        for name in "abc":
            standing.refused(name, NO)
    assert standing.doubt == ""
    standing.refused("new", NO)
    assert standing.doubt == NO.reason


def test_in_doubt_the_refused_wait_for_probes_and_take_turns(standing, clock, woken) -> None:
    for name in "abc":
        standing.refused(name, NO, others=True)
        standing.park(f"of {name}", {name: 0})
    assert standing.doubt
    assert all(standing.wait(name, f"of {name}") > 45 for name in "abc")
    order = []
    for _ in range(6):
        assert 0 < standing.next_probe_in <= 45
        standing.turn()
        assert woken == [], "not before it is due"
        clock.now += standing.next_probe_in
        standing.turn()
        [request] = woken
        name = request[-1]
        assert [standing.wait(one, f"of {one}") == 0 for one in "abc"] == [one == name for one in "abc"]
        assert standing.may_try(name)
        standing.refused(name, NO)
        order.append(name)
        woken.clear()
    assert order == ["a", "b", "c"] * 2


def test_whatever_is_accepted_ends_the_doubt_and_lets_all_go(standing, clock, woken) -> None:
    for name in "abc":
        standing.refused(name, NO, others=True)
        standing.park(f"of {name}", {name: 0})
    standing.accepted("x")
    assert standing.doubt == ""
    assert sorted(woken) == ["of a", "of b", "of c"]
    assert [standing.wait(name, f"of {name}") for name in "abc"] == [0, 0, 0]


def test_a_doubt_about_nobody_ends(standing) -> None:
    standing.refused("a", NO)
    standing.park("r1", {"a": 0})
    standing.leave("other")
    assert standing.doubt
    standing.leave("r1")
    assert standing.doubt == ""


def test_a_probe_that_nobody_takes_goes_to_the_next(standing, clock, woken) -> None:
    for name in "ab":
        standing.refused(name, NO, others=True)
        standing.park(f"of {name}", {name: 0})
    for _ in range(4):
        clock.now += standing.next_probe_in
        standing.turn()
    assert woken == ["of a", "of b"] * 2


# Waits


def test_waits_grow_to_a_quarter_of_an_hour(standing, clock) -> None:
    standing.accepted("x")
    waits = []
    for _ in range(15):
        standing.refused("a", NO, others=True)
        waits.append(standing.wait("a", "r1"))
        assert not standing.may_try("a")
        clock.now += waits[-1]
        assert standing.wait("a", "r1") == 0
        assert standing.may_try("a")
    assert waits[0] <= 5
    assert 450 <= max(waits) <= 900
    assert sorted(waits[:6]) == waits[:6]


def test_many_who_are_refused_cost_a_try_each_few_seconds(standing, clock) -> None:
    names = [f"a{number}" for number in range(200)]
    for name in names:
        standing.refused(name, NO, others=True)
    standing.accepted("x")
    for name in names:
        standing.refused(name, NO, others=True)
    tries, minutes = 0, 30
    due = dict.fromkeys(names, clock.now)
    end = clock.now + minutes * 60
    while clock.now < end:
        clock.now += 1
        for name in names:
            if due[name] <= clock.now:
                wait = standing.wait(name, name)
                if wait == 0:
                    tries += 1
                    standing.refused(name, NO)
                    wait = standing.wait(name, name)
                due[name] = clock.now + wait
    assert tries / minutes <= 60 / TURN + 1


def test_a_recipient_of_many_requests_is_tried_by_one_of_them(standing, clock, woken) -> None:
    standing.accepted("x")
    standing.refused("a", NO)
    clock.now += 5
    waits = [standing.wait("a", f"r{number}") for number in range(5)]
    assert waits[0] == 0
    assert all(wait > 0 for wait in waits[1:])
    for number in range(5):
        standing.park(f"r{number}", {"a": 0})
    standing.accepted("a")
    assert sorted(set(woken)) == [f"r{number}" for number in range(5)]
    assert standing.wait("a", "r4") == 0


def test_what_can_be_told_of_those_who_wait(standing, clock) -> None:
    standing.refused("a", NO, others=True)
    standing.accepted("x")
    clock.now += 10
    standing.refused("a", NO)
    standing.refused("forgotten", NO, others=True)
    standing.park("r1", {"a": 0, "x": 0})
    [waiting] = standing.waiting()
    assert (waiting.recipient, waiting.reason, waiting.since, waiting.tries) == ("a", NO.reason, 10, 2)
    assert 0 < waiting.next_try <= 10
    standing.leave("r1")
    assert standing.waiting() == []


def test_many_tries_at_once_count_as_one(standing, clock) -> None:
    outcomes = [standing.refused("a", NO_DOMAIN, others=True) for _ in range(20)]
    assert {type(outcome) for outcome in outcomes} == {Declined}
    standing.accepted("x")
    assert standing.wait("a", "r1") <= 5


# What is seen


def test_the_same_answer_over_a_quarter_of_an_hour_while_others_get_through(standing, clock) -> None:
    assert isinstance(standing.refused("a", SEEN, others=True), Declined)
    standing.accepted("x")
    clock.now += SEEN_FOR / 2
    assert isinstance(standing.refused("a", SEEN), Declined)
    clock.now += SEEN_FOR / 2
    assert isinstance(standing.refused("a", SEEN), Refused)
    assert standing.wait("a", "r1") == 0, "begins anew"


@pytest.mark.parametrize("lacking", ["times", "time", "others", "the same", "no enhanced code"])
def test_nothing_less_is_certain(standing, clock, lacking) -> None:
    refusal = NO if lacking == "no enhanced code" else SEEN
    outcomes = []
    for number in range(2 if lacking == "times" else 5):
        said = Declined(f"550 no {number}", Believe.SEEN) if lacking == "the same" else refusal
        outcomes.append(standing.refused("a", said, others=True))
        if lacking != "others":
            standing.accepted("x")
        clock.now += 1 if lacking == "time" else 600
    assert {type(outcome) for outcome in outcomes} == {Declined}


def test_no_such_domain_is_believed_the_third_time_in_a_row(standing, clock) -> None:
    for said in (NO_DOMAIN, NO_DOMAIN, NO, NO_DOMAIN, NO_DOMAIN):
        assert isinstance(standing.refused("a", said), Declined)
        clock.now += 900
    assert isinstance(standing.refused("a", NO_DOMAIN), Refused)


def test_who_was_accepted_begins_anew(standing, clock) -> None:
    for _ in range(2):
        standing.refused("a", SEEN, others=True)
        clock.now += 600
    standing.accepted("a")
    standing.accepted("x")
    clock.now += 600
    assert isinstance(standing.refused("a", SEEN), Declined)


# Memory


def test_no_more_is_remembered_than_needed(standing, clock, monkeypatch) -> None:
    monkeypatch.setattr(standing_module, "REMEMBERED", 10)
    standing.accepted("x")
    for number in range(20):
        standing.refused(f"a{number}", NO, others=True)
    assert standing.wait("a0", "r") == 0, "forgotten: one more try"
    assert standing.wait("a19", "r") > 0
    clock.now += FORGOTTEN_AFTER + 1
    for number in range(5):
        standing.refused(f"b{number}", NO, others=True)
    assert standing.may_try("a19")


def test_what_was_brought_back_is_tried_at_once(standing, clock, woken) -> None:
    standing.accepted("x")
    for _ in range(5):
        standing.refused("a", NO)
        clock.now += 3600
        standing.wait("a", "r1")
    standing.refused("a", NO)
    standing.park("r1", {"a": 0})
    standing.park("r2", {"a": 2})
    assert standing.wait("a", "r1", 0) > 100
    assert standing.wait("a", "r2", 2) > 100
    assert standing.wait("a", "r3", 7) > 100, "nobody knows since when it is that"
    woken.clear()
    assert standing.wait("a", "r1", 1) == 0
    assert standing.wait("a", "r2", 2) == 0
    assert set(woken) == {"r1", "r2"}
    assert standing.may_try("a")
    standing.accepted("x")
    standing.refused("a", NO, others=True)
    assert standing.wait("a", "r1", 1) < 60, "it begins anew"
