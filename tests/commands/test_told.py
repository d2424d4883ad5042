"""What ``show`` and ``ls`` tell of a ledger: what was passed, who was escalated to, and who will be."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from msgspec import structs

from teleport_email.commands.told import escalating, table, waiting
from teleport_email.config.settings import (
    DeliverySettings,
    EscalationSettings,
    Settings,
    SmtpSettings,
    TeleportSettings,
)
from teleport_email.core import go_plugin
from teleport_email.core.decide import View
from teleport_email.core.ledger import Entry, Ledger, Mark, Party
from teleport_email.core.model import AccessRequest, Kind, RequestState, Review

NOW = datetime.now(UTC)
TOLD = {Kind.parse("a"): Entry(Mark.DELIVERED, int(NOW.timestamp()))}
LEDGER = Ledger(nonce="00" * 16, domain="example.com", parties=(Party("a@example.com", entries=TOLD),))
REQUEST = AccessRequest(
    "id", "u", ("dba",), created=NOW - timedelta(minutes=10), expires=NOW + timedelta(hours=8)
)


def settings(minutes: float) -> Settings:
    roles = {"dba": ("a@example.com", "lead@example.com")}
    return Settings(
        teleport=TeleportSettings(),
        mailer=SmtpSettings(host="h"),
        delivery=DeliverySettings(sender="t@example.com"),
        role_to_recipients={"*": ("a@example.com",)},
        escalation=EscalationSettings(after=minutes * 60, role_to_recipients=roles),
    )


def test_what_was_passed_is_told_with_the_option_that_wanted_it() -> None:
    key = ("a@example.com", False)
    passed = [(key, Kind.parse(f"r{number}"), note) for number, note in enumerate("qmo", 1)]
    rows = [row for row in table("id", LEDGER.passed(passed)) if row.message.startswith("review")]
    assert {row.status for row in rows} == {"not sent"}
    assert [row.note for row in rows] == [
        "delivery.quiet_reviews",
        "delivery.merge_deciding_review: told with the end",
        "delivery.skip_own_review: the recipient wrote it",
    ]


def test_who_will_be_told_if_nobody_decides() -> None:
    found = escalating(View(REQUEST), LEDGER, settings(30))
    assert found is not None
    assert found.to == ("lead@example.com",)
    assert found.at == NOW + timedelta(minutes=20)
    assert str(found) == f"{found.at:%Y-%m-%d %H:%M:%S} UTC, if nobody has decided: lead@example.com"
    denied = structs.replace(REQUEST, reviews=(Review("r", RequestState.DENIED),))
    for view, after in (
        (View(denied), 30),
        (View(structs.replace(REQUEST, state=RequestState.APPROVED)), 30),
        (View(REQUEST, gone=True), 30),
        (View(REQUEST), 0),
        (View(REQUEST), 5),  # due already
        (View(REQUEST), 60 * 9),  # longer than it lives
    ):
        assert escalating(view, LEDGER, settings(after)) is None


def test_who_is_due_to_be_escalated_to_waits() -> None:
    data = go_plugin.write(LEDGER, {}, REQUEST).after
    [one] = waiting("id", data, View(REQUEST), settings(5))
    assert (one.recipient, one.message) == ("lead@example.com", "escalation")
    assert waiting("id", data, View(REQUEST), settings(30)) == []
