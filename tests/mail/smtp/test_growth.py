"""How many connections are opened to servers of several kinds; each is a model of how one answers, in virtual
time, and so is a client that a busy machine lets read late."""

from __future__ import annotations

import heapq
import random
from collections.abc import Callable
from dataclasses import dataclass, field

import pytest

from teleport_email.mail.smtp.growth import GROW_AFTER_AT_MOST, Growth


@dataclass
class Modelled:
    """A server: seconds a message takes, by how many are at it; how many connections it takes; opening one."""

    takes: Callable[[int], float]
    room: int = 1000
    opening: float = 0.2


@dataclass
class Run:
    """What came of a burst."""

    seconds: float = 0.0
    highest: int = 0
    refused: int = 0
    limits: list[int] = field(default_factory=list)


class TenAtOnce(Growth):
    """What there is to be as quick as: ten from the beginning, whatever comes."""

    def __init__(self) -> None:
        super().__init__(10)
        self.limit = 10

    def answered(self, now: float, took: float, *, standing: int, waiting: bool) -> None:
        pass


def burst(
    growth: Growth,
    server: Modelled,
    messages: int,
    *,
    now: float = 0.0,
    late: Callable[[], float] = lambda: 0.0,
) -> Run:
    """As the pool does it: open while there is a limit and work, one message after the other on each.

    ``late``: seconds by which the client wakes too late; what has come by then it reads all at once.
    """
    run = Run()
    events: list[tuple[float, str, float]] = []
    standing = opening = at_work = done = 0
    left = messages
    begun = now

    def fill() -> None:
        nonlocal opening
        if left > 0 and standing:
            growth.stands(standing)
        while left > 0 and standing + opening < growth.limit:
            opening += 1
            heapq.heappush(events, (now + server.opening, "open", 0.0))

    def work() -> None:
        nonlocal at_work, left
        if left > 0:
            left -= 1
            at_work += 1
            heapq.heappush(events, (now + server.takes(at_work), "done", now))

    def read(what: str, since: float) -> None:
        nonlocal standing, opening, at_work, done
        if what == "open":
            opening -= 1
            if standing >= server.room:
                run.refused += 1
                growth.refused(now, standing + opening)
            else:
                standing += 1
                growth.stood()
                work()
        else:
            at_work -= 1
            done += 1
            full = standing + opening >= growth.limit
            growth.answered(now, now - since, standing=standing, waiting=full and left > 0)
            if standing > growth.limit and done % 10 == 0:  # after ten messages a connection is closed anyway
                standing -= 1
            else:
                work()
        run.highest = max(run.highest, standing)
        run.limits.append(growth.limit)
        fill()

    fill()
    while events:
        if left > 0 and growth.grow_at < events[0][0]:
            now = max(now, growth.grow_at)
            growth.waited(now)
            fill()
            continue
        now = max(now, events[0][0]) + late()
        while events and events[0][0] <= now:
            _, what, since = heapq.heappop(events)
            read(what, since)
    run.seconds = now - begun
    return run


# Servers that take all


def test_a_server_that_bears_ten_has_ten_once_the_first_stands() -> None:
    run = burst(Growth(10), Modelled(lambda at_work: 0.06), 1000)
    assert run.highest == 10
    assert run.seconds == pytest.approx(0.2 + 0.2 + 100 * 0.06, abs=0.06)


def test_the_first_stands_before_another_one_is_opened() -> None:
    growth = Growth(10)
    assert growth.limit == 1
    growth.stands(1)
    assert growth.limit == 10


def test_of_many_allowed_no_more_than_ten_for_each_that_stands() -> None:
    growth = Growth(100)
    growth.stands(1)
    assert growth.limit == 10
    growth.stands(3)
    assert growth.limit == 30


def test_never_more_than_its_size() -> None:
    assert burst(Growth(4), Modelled(lambda at_work: 0.01), 500).highest == 4


# A busy machine: we are late, the server is not


def seldom(chance: random.Random) -> float:
    """Two busy processes beside us: every third time others run first."""
    return chance.expovariate(1 / 0.04) if chance.random() < 0.3 else 0.0


def always(chance: random.Random) -> float:
    """Many: nearly each time, and by more than the server takes."""
    return chance.uniform(0.0, 0.2)


def heavy_tail(chance: random.Random) -> float:
    """Mostly a little, sometimes for half a second."""
    return min(0.5, 0.004 * chance.paretovariate(0.8))


def throttled(chance: random.Random) -> float:
    """A container's limit: of each tenth of a second it runs a third."""
    return 0.07 if chance.random() < 0.5 else 0.0


@pytest.mark.parametrize("lateness", [seldom, always, heavy_tail, throttled])
@pytest.mark.parametrize("takes", [0.002, 0.06, 2.0])
def test_our_own_lateness_is_not_taken_for_a_queue(takes: float, lateness) -> None:
    def run(growth: Growth, seed: int) -> Run:
        chance = random.Random(seed)
        server = Modelled(lambda at_work: takes * chance.uniform(1.0, 3.0))
        return burst(growth, server, 1000, late=lambda: lateness(chance))

    grown = [run(Growth(10), seed) for seed in range(10)]
    floor = [run(TenAtOnce(), seed) for seed in range(10)]
    limits = [limit for each in grown for limit in each.limits[10:]]
    assert sum(limits) / len(limits) > 9.8
    assert sum(each.seconds for each in grown) < 1.1 * sum(each.seconds + 0.2 for each in floor)


def test_a_long_scan_of_one_message_changes_nothing() -> None:
    growth = Growth(10)
    times = iter([0.06] * 200 + [5.0] + [0.06] * 1000)
    run = burst(growth, Modelled(lambda at_work: next(times)), 1000)
    assert run.highest == 10
    assert growth.limit == 10


def test_a_slowness_that_is_over_leaves_no_ceiling() -> None:
    growth = Growth(10)
    slow = burst(growth, Modelled(lambda at_work: 0.05 * at_work), 300)
    assert growth.limit == 5
    again = burst(growth, Modelled(lambda at_work: 0.05), 3000, now=slow.seconds)
    assert growth.limit == 10
    assert again.limits.index(10) < 1000  # five rounds of a second


# Servers that queue


@pytest.mark.parametrize("lateness", [lambda chance: 0.0, seldom, heavy_tail, throttled])
@pytest.mark.parametrize(
    ("takes", "few"),
    [
        pytest.param(lambda at_work: 0.05 * at_work, 5, id="one after the other"),
        pytest.param(lambda at_work: 2.0 * at_work, 5, id="30 a minute, what is more waits: Exchange Online"),
        pytest.param(lambda at_work: 0.1 * max(1.0, at_work / 3), 7, id="three at once"),
        pytest.param(lambda at_work: 0.1 + 0.005 * (at_work - 1) ** 2, 7, id="slower with each"),
    ],
)
def test_a_server_that_queues_gets_few(takes: Callable[[int], float], few: int, lateness) -> None:
    chance = random.Random(1)
    server = Modelled(takes)
    run = burst(Growth(10), server, 1000, late=lambda: lateness(chance))
    ten = burst(TenAtOnce(), server, 1000, late=lambda: lateness(chance))
    ended = run.limits.index(few)
    assert min(run.limits[1:]) >= 4
    assert max(run.limits[ended:]) <= few + 1
    assert run.seconds < 1.1 * ten.seconds


# Servers that refuse: Exchange Online bears three, Exim and Postfix's anvil what they are told to


@pytest.mark.parametrize("room", [1, 2, 3, 5])
def test_a_server_with_little_room_is_asked_for_more_now_and_then(room: int) -> None:
    growth = Growth(10)
    run = burst(growth, Modelled(lambda at_work: 0.2, room=room), 600)
    assert run.highest == room
    assert growth.limit <= room + 1
    # Once all ten at first, then one after 5, 10, 20 ... seconds: not a share of the time.
    assert 10 - room <= run.refused <= 10 - room + 5


def test_a_server_that_gets_room_again_is_used() -> None:
    growth = Growth(10)
    burst(growth, Modelled(lambda at_work: 0.2, room=2), 100)
    later = burst(growth, Modelled(lambda at_work: 0.2), 1000, now=1000.0)
    assert later.highest > 2


def test_refusals_are_remembered_over_a_calm() -> None:
    growth = Growth(10)
    first = burst(growth, Modelled(lambda at_work: 0.2, room=3), 20)
    growth.calm()
    assert growth.limit == 1
    again = burst(growth, Modelled(lambda at_work: 0.2, room=3), 20, now=first.seconds + 1)
    assert (first.refused, again.refused) == (7, 0)


def test_without_any_answer_one_more_is_let_in_after_a_while() -> None:
    growth = Growth(10)
    burst(growth, Modelled(lambda at_work: 0.05 * at_work), 300)
    assert growth.limit == 5
    growth.begin_wait(100.0)
    growth.waited(growth.grow_at - 0.1)
    assert growth.limit == 5
    growth.waited(growth.grow_at)
    assert growth.limit == 6


def test_growing_in_vain_waits_longer_and_longer_but_not_for_ever() -> None:
    growth = Growth(2)
    now, waits = 0.0, []
    growth.limit = 2
    growth.refused(now, 1)
    for _ in range(10):
        at = growth.grow_at
        waits.append(at - now)
        now = at
        growth.waited(now)
        growth.refused(now, 1)
    assert waits == sorted(waits)
    assert waits[-1] == GROW_AFTER_AT_MOST
