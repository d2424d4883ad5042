"""The look-up of users: asked once, remembered, failures too, and quiet where it is not permitted."""

from __future__ import annotations

import asyncio

import pytest
from structlog.testing import capture_logs

from teleport_email.core.errors import Denied, Rejected, Unreachable
from teleport_email.core.model import User
from teleport_email.routing.directory import FAILURE_LIFETIME, LIFETIME, MOST, PATIENCE, Directory


class Cluster:
    """Answers from a dict; an exception in it is raised. Counts what it is asked."""

    def __init__(self, **users: User | Exception | None) -> None:
        self.users = users
        self.asked: list[str] = []
        self.gate = asyncio.Event()
        self.gate.set()

    async def get(self, name: str) -> User | None:
        self.asked.append(name)
        await self.gate.wait()
        answer = self.users.get(name)
        if isinstance(answer, Exception):
            raise answer
        return answer


class Clock:
    now = 1000.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


def with_email(*values: str) -> User:
    return User("bob", traits={"email": values})


async def test_the_address_is_the_first_usable_value_of_the_trait(clock: Clock) -> None:
    cluster = Cluster(bob=with_email("Bob", " bob@EXAMPLE.com ", "b@example.com"), carol=User("carol"))
    directory = Directory(cluster, clock=clock)
    assert await directory.address("bob") == "bob@example.com"
    assert await directory.address("carol") is None
    assert await directory.address("nobody") is None


@pytest.mark.parametrize(
    ("traits", "found"),
    [
        ({"name": ("bob",), "displayName": ("", " Bob Baker ")}, "Bob Baker"),
        ({"http://schemas.microsoft.com/identity/claims/displayname": ("Bob Baker",)}, "Bob Baker"),
        ({"name": ("Bob Baker",), "email": ("bob@example.com",)}, "Bob Baker"),
        ({"logins": ("root",), "email": ("no address", "bob@example.com")}, "bob@example.com"),
        ({"logins": ("root",)}, None),
        ({"givenName": (" ", "Bob"), "familyName": ("Baker",)}, "Bob Baker"),
        ({"given_name": ("Bob",), "family_name": ("Baker",), "email": ("bob@example.com",)}, "Bob Baker"),
        ({"firstName": ("Bob",), "lastName": (" Baker ",)}, "Bob Baker"),
        ({"urn:x/first_name": ("Bob",), "last_name": ("Baker",)}, "Bob Baker"),
        ({"given_name": ("Bob",), "email": ("bob@example.com",)}, "bob@example.com"),
        ({"given_name": ("Bob",), "lastName": ("Baker",)}, None),
        ({"name": ("Bobby",), "givenName": ("Bob",), "familyName": ("Baker",)}, "Bobby"),
    ],
)
async def test_what_people_call_a_user(
    clock: Clock, traits: dict[str, tuple[str, ...]], found: str | None
) -> None:
    cluster = Cluster(bob=User("bob", traits=traits))
    directory = Directory(cluster, clock=clock)
    assert await directory.name("bob") == found
    assert await directory.name("nobody") is None
    assert cluster.asked == ["bob", "nobody"]


async def test_an_answer_is_asked_for_once_in_five_minutes(clock: Clock) -> None:
    cluster = Cluster(bob=with_email("bob@example.com"))
    directory = Directory(cluster, clock=clock)
    for _ in range(3):
        await directory.address("bob")
        await directory.user("bob")
        await directory.user("nobody")
    assert cluster.asked == ["bob", "nobody"]
    clock.now += LIFETIME
    await directory.address("bob")
    assert cluster.asked == ["bob", "nobody", "bob"]


async def test_those_who_ask_at_the_same_time_share_one_call(clock: Clock) -> None:
    cluster = Cluster(bob=with_email("bob@example.com"))
    cluster.gate.clear()
    directory = Directory(cluster, clock=clock)
    async with asyncio.TaskGroup() as group:
        asking = [group.create_task(directory.address("bob")) for _ in range(5)]
        while not cluster.asked:
            await asyncio.sleep(0)
        cluster.gate.set()
    assert [task.result() for task in asking] == ["bob@example.com"] * 5
    assert cluster.asked == ["bob"]


async def test_a_cluster_that_does_not_answer_is_not_taken_for_a_user_without_address(clock: Clock) -> None:
    cluster = Cluster(bob=Unreachable("no answer"))
    directory = Directory(cluster, clock=clock)
    with pytest.raises(Unreachable):
        await directory.address("bob")
    clock.now += PATIENCE / 2
    cluster.users["bob"] = with_email("bob@example.com")
    assert await directory.address("bob") == "bob@example.com"


async def test_after_ten_seconds_of_failures_it_goes_on_without_the_user(clock: Clock) -> None:
    cluster = Cluster(bob=Unreachable("no answer"))
    directory = Directory(cluster, clock=clock)
    with pytest.raises(Unreachable):
        await directory.address("bob")
    clock.now += PATIENCE
    with capture_logs() as lines:
        assert await directory.address("bob") is None
        assert await directory.address("bob") is None
    assert cluster.asked == ["bob", "bob"]
    assert [(line["event"], line["user"]) for line in lines] == [("user not looked up", "bob")]
    clock.now += FAILURE_LIFETIME
    with capture_logs():
        assert await directory.address("bob") is None, "still failing: no new patience"
    clock.now += FAILURE_LIFETIME
    cluster.users["bob"] = with_email("bob@example.com")
    assert await directory.address("bob") == "bob@example.com"


async def test_a_refused_call_is_remembered_and_said_once(clock: Clock) -> None:
    cluster = Cluster(bob=Rejected("bad name"))
    directory = Directory(cluster, clock=clock)
    with capture_logs() as lines:
        assert await directory.address("bob") is None
        assert await directory.address("bob") is None
    assert cluster.asked == ["bob"]
    assert len(lines) == 1


async def test_without_permission_it_says_so_once_and_asks_no_more(clock: Clock) -> None:
    cluster = Cluster(bob=Denied("access denied to read user"))
    directory = Directory(cluster, clock=clock)
    with capture_logs() as lines:
        assert await directory.address("bob") is None
        assert await directory.address("carol") is None
        assert await directory.user("bob") is None
    assert cluster.asked == ["bob"]
    assert [line["event"] for line in lines] == ["users not looked up"]
    assert "user" in lines[0]["hint"]
    assert not directory.permitted


async def test_it_starts_again_when_told_to_forget(clock: Clock) -> None:
    cluster = Cluster(bob=Denied("access denied"))
    directory = Directory(cluster, clock=clock)
    with capture_logs():
        await directory.address("bob")
    cluster.users["bob"] = with_email("bob@example.com")
    directory.forget()
    assert directory.permitted
    assert await directory.address("bob") == "bob@example.com"


async def test_a_missing_permission_is_said_again_only_if_it_was_there_meanwhile(clock: Clock) -> None:
    cluster = Cluster(bob=Denied("access denied"))
    directory = Directory(cluster, clock=clock)
    said = []
    for answer in (Denied("x"), Denied("x"), with_email("bob@example.com"), Denied("x")):
        cluster.users["bob"] = answer
        directory.forget()  # as each connection does
        with capture_logs() as lines:
            await directory.address("bob")
        said.append(len(lines))
    assert said == [1, 0, 0, 1]


async def test_a_cancelled_look_up_leaves_nothing_locked(clock: Clock) -> None:
    cluster = Cluster(bob=with_email("bob@example.com"))
    cluster.gate.clear()
    directory = Directory(cluster, clock=clock)
    async with asyncio.TaskGroup() as group:
        task = group.create_task(directory.address("bob"))
        while not cluster.asked:
            await asyncio.sleep(0)
        task.cancel()
    cluster.gate.set()
    async with asyncio.timeout(60):
        assert await directory.address("bob") == "bob@example.com"


async def test_the_memory_is_bounded(clock: Clock) -> None:
    cluster = Cluster()
    directory = Directory(cluster, clock=clock)
    for number in range(MOST + 1):
        await directory.user(f"user{number}")
    cluster.asked.clear()
    await directory.user("user0")
    await directory.user(f"user{MOST}")
    assert cluster.asked == ["user0"]


async def test_an_empty_name_is_nobody(clock: Clock) -> None:
    cluster = Cluster()
    assert await Directory(cluster, clock=clock).user("") is None
    assert cluster.asked == []
