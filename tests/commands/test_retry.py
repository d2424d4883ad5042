"""``retry`` beside somebody who holds the claim: whoever may be of an older version is let finish first."""

from __future__ import annotations

from typing import Any

import pytest
from in_memory import PluginData, request
from msgspec import structs
from virtual_time import clock, in_virtual_time

from teleport_email.commands import retry
from teleport_email.core import go_plugin
from teleport_email.core.claim import LEASE
from teleport_email.core.ledger import Entry, Ledger, Mark, Party
from teleport_email.core.model import Kind

ANNOUNCEMENT = Kind.parse("a")
GONE, HERE = "gone@example.com", "here@example.com"


def given_up(*, owner: str = "", turn: int = 0) -> Ledger:
    return Ledger(
        nonce="00" * 16,
        domain="example.com",
        owner=owner,
        write_id="w" if owner else "",
        parties=(
            Party(GONE, entries={ANNOUNCEMENT: Entry(Mark.GIVEN_UP, 7, "550 5.1.1", turn)}, turn=turn),
            Party(HERE, entries={ANNOUNCEMENT: Entry(Mark.DELIVERED, 7)}),
        ),
    )


class Cluster(PluginData):
    """Whose claim ends by itself after some seconds of virtual time."""

    def __init__(self, ledger: Ledger, *, ends_after: float = float("inf")) -> None:
        super().__init__()
        self.ends_at = clock() + ends_after
        self.keep(ledger)

    def keep(self, ledger: Ledger) -> None:
        self.data["id"] = dict(go_plugin.write(ledger, {}, request()).after)

    async def read(self, request_id: str) -> Any:
        if clock() >= self.ends_at:
            self.keep(structs.replace(go_plugin.read(self.data["id"]), owner=""))
        return await super().read(request_id)


@pytest.fixture(autouse=True)
def _in_virtual_time(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(retry.time, "monotonic", clock)


async def brought_back(cluster: Cluster) -> float:
    """Seconds until the one who was given up is brought back."""
    begun = clock()
    keys = await retry._bring_back(cluster, request(), "")  # type: ignore[arg-type]
    assert keys == {(GONE, False)}
    party = go_plugin.read(cluster.data["id"]).party(GONE)
    assert party is not None
    assert (party.mark(ANNOUNCEMENT), party.turn > 0) == (None, True)
    return clock() - begun


@in_virtual_time
async def test_a_claim_that_an_older_replica_may_hold_is_let_come_to_its_end() -> None:
    assert await brought_back(Cluster(given_up())) < 1
    cluster = Cluster(given_up(owner="other"), ends_after=20)
    assert 20 <= await brought_back(cluster) < 22


@in_virtual_time
async def test_but_not_for_longer_than_two_leases_and_the_claim_is_left_alone() -> None:
    cluster = Cluster(given_up(owner="other"))
    assert 2 * LEASE <= await brought_back(cluster) < 2 * LEASE + 2
    ledger = go_plugin.read(cluster.data["id"])
    assert (ledger.owner, ledger.write_id) == ("other", "w")


@in_virtual_time
async def test_whoever_wrote_a_newer_ledger_needs_no_waiting_for() -> None:
    assert await brought_back(Cluster(given_up(owner="other", turn=1))) < 1
