"""Who is reminded of an Access List: names that are addresses, users' addresses, limits, and nobody."""

from __future__ import annotations

from typing import Any

import pytest

from teleport_email.config.settings import DeliverySettings, Settings, SmtpSettings, TeleportSettings
from teleport_email.core.audits import ListOwner
from teleport_email.core.errors import Unreachable
from teleport_email.core.model import User
from teleport_email.routing import audience, owners
from teleport_email.routing.directory import Directory
from teleport_email.routing.route import Route


def of(*names: str) -> tuple[ListOwner, ...]:
    return tuple(ListOwner(name) for name in names)


def reminded(
    owned_by: tuple[ListOwner, ...], addresses: dict[str, str | None] | None = None, **delivery: Any
) -> Route:
    settings = DeliverySettings(sender="teleport@example.com", **delivery)
    return owners.reminded(owned_by, settings, addresses or {})


def skipped(route: Route) -> dict[str, str]:
    return {each.candidate: each.why for each in route.skipped}


def test_a_name_that_is_an_address_is_one_and_others_are_looked_up() -> None:
    owned_by = of("ann@example.com", "bob", " bob ", "")
    assert owners.names_to_look_up(owned_by) == ("bob",)
    found = reminded(owned_by, {"bob": "bob@example.com"})
    assert found.recipients == ("ann@example.com", "bob@example.com")
    assert {each.address: each.why for each in found.reasons} == {
        "ann@example.com": "owner",
        "bob@example.com": "owner, user bob",
    }
    assert (found.problem, found.skipped) == ("", ())


def test_of_tens_of_thousands_of_owners_the_first_are_looked_at_and_the_others_said() -> None:
    owned_by = of(*(f"p{number}@example.com" for number in range(owners.MOST)), "bob", "carol")
    assert owners.names_to_look_up(owned_by) == ()
    found = reminded(owned_by, max_recipients=100_000)
    assert len(found.recipients) == owners.MOST
    assert skipped(found) == {"2 more": f"owner: beyond the first {owners.MOST} owners of the list"}
    assert skipped(reminded(owned_by[: owners.MOST], max_recipients=100_000)) == {}


def test_the_same_address_counts_once_and_keeps_how_it_was_written() -> None:
    found = reminded(of("Ann@EXAMPLE.com", "ann2", "Ann@example.com"), {"ann2": "Ann@Example.COM"})
    assert found.recipients == ("Ann@example.com",)
    assert found.spelled == {"Ann@example.com": "Ann@EXAMPLE.com"}


def test_why_an_owner_is_not_told() -> None:
    found = reminded(
        (*of("far@other.example", "gone", "odd", "away", "bob@example.com"), ListOwner("team", is_list=True)),
        {"gone": None, "odd": "no address", "away": "away@other.example"},
        allowed_domains=("example.com",),
    )
    assert found.recipients == ("bob@example.com",)
    reasons = skipped(found)
    assert "delivery.allowed_domains" in reasons["far@other.example"]
    assert 'no address (trait "email")' in reasons["gone"]
    assert "is not an email address" in reasons["odd"]
    assert "the domain of the user's address" in reasons["away"]
    assert "did not name" in reasons["team"]


def test_users_who_may_not_be_looked_up() -> None:
    assert "could not be looked up" in skipped(reminded(of("bob"), {}))["bob"]


def test_too_many_owners_of_a_list() -> None:
    found = reminded(of("a@example.com", "b@example.com", "c@example.com"), max_recipients=2)
    assert (found.recipients, found.dropped) == (("a@example.com", "b@example.com"), 1)
    assert "delivery.max_recipients" in skipped(found)["c@example.com"]


def test_without_an_owner_who_can_be_told_the_fallback_is() -> None:
    found = reminded(of("gone"), {"gone": None}, fallback_recipient="security@example.com")
    assert (found.recipients, found.fallback) == (("security@example.com",), True)
    assert found.problem == "no owner has a usable address"
    assert reminded(()).recipients == ()
    assert reminded(()).problem.endswith("no delivery.fallback_recipient is set")


class Users:
    def __init__(self) -> None:
        self.asked: list[str] = []
        self.error: Exception | None = None

    async def get(self, name: str) -> User | None:
        self.asked.append(name)
        if self.error:
            raise self.error
        return User(name, traits={"email": (f"{name}@example.com",)})


async def test_users_are_looked_up_once_and_an_outage_is_not_taken_for_no_address() -> None:
    users = Users()
    directory = Directory(users, clock=lambda: 0.0)
    settings = Settings(
        teleport=TeleportSettings(),
        mailer=SmtpSettings(host="mail.example.com"),
        delivery=DeliverySettings(sender="teleport@example.com"),
        role_to_recipients={"*": ()},
    )
    for _ in range(2):
        found = await audience.reminded(of("bob", "ann@example.com"), settings, directory)
        assert found.recipients == ("bob@example.com", "ann@example.com")
    assert users.asked == ["bob"]
    users.error = Unreachable("away")
    with pytest.raises(Unreachable):
        await audience.reminded(of("eve"), settings, directory)
    directory.permitted = False
    assert (await audience.reminded(of("zoe"), settings, directory)).recipients == ()
