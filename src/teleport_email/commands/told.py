"""What a ledger tells of people: who has what, who waits and why, and what was given up. Pure.

For ``show``, ``ls`` and ``retry``. Text of servers is made harmless for a terminal.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import UTC, datetime

from msgspec import Struct

from teleport_email.commands.cells import cell
from teleport_email.config.settings import Settings
from teleport_email.core import informing
from teleport_email.core.claim import Claim
from teleport_email.core.decide import Audience, View, not_told
from teleport_email.core.ledger import MERGED, OWN, QUIET, Entry, Ledger, Mark, Party
from teleport_email.core.model import AccessRequest, Kind
from teleport_email.core.owing import escalates_at
from teleport_email.routing.escalation import escalation
from teleport_email.routing.policy import policy

_STATUS = {
    Mark.ATTEMPTED: "perhaps sent",
    Mark.DELIVERED: "delivered",
    Mark.GIVEN_UP: "given up",
    Mark.PASSED: "not sent",
}
_PASSED = {
    QUIET: "delivery.quiet_reviews",
    MERGED: "delivery.merge_deciding_review: told with the end",
    OWN: "delivery.skip_own_review: the recipient wrote it",
}


class Told(Struct, frozen=True):
    """One message to one recipient."""

    recipient: str
    message: str
    status: str
    at: datetime | None
    note: str
    message_id: str

    def as_json(self) -> dict[str, str | None]:
        """For ``--json``; times in UTC."""
        return {
            "recipient": self.recipient,
            "message": self.message,
            "status": self.status,
            "at": self.at.isoformat() if self.at else None,
            "note": self.note,
            "message_id": self.message_id,
        }


class Waiting(Struct, frozen=True):
    """Somebody who is owed a message, and why they do not have it."""

    recipient: str
    message: str
    tries: int
    """Failed tries in a row, as far as was written down; 0: none."""
    since: datetime | None = None
    last: datetime | None = None
    """Time of the last of them."""
    reason: str = ""

    def as_json(self) -> dict[str, str | int | None]:
        """For ``--json``; times in UTC."""
        return {
            "recipient": self.recipient,
            "message": self.message,
            "tries": self.tries,
            "since": self.since.isoformat() if self.since else None,
            "last_try": self.last.isoformat() if self.last else None,
            "reason": self.reason,
        }

    def __str__(self) -> str:
        if not self.tries:
            return f"{self.recipient}: {self.message}; no failed try is recorded"
        tries = "one try" if self.tries == 1 else f"{self.tries} tries"
        last = f", the last at {self.last:%Y-%m-%d %H:%M:%S} UTC" if self.tries > 1 else ""
        since = f"{self.since:%Y-%m-%d %H:%M:%S} UTC"
        return f"{self.recipient}: {self.message}; {tries} since {since}{last}: {self.reason}"


def table(request_id: str, ledger: Ledger) -> Iterator[Told]:
    """Every message of the ledger, by recipient, in the order in which they became due."""
    for party in ledger.parties:
        for kind in party.entries:
            yield _told(request_id, ledger, party, kind)


def given_up(request_id: str, ledger: Ledger) -> list[Told]:
    """The messages that were given up and that nothing has made good since."""
    return [_told(request_id, ledger, party, kind) for party in ledger.parties for kind in party.given_up]


def waiting(request_id: str, data: Mapping[str, str], view: View, settings: Settings) -> list[Waiting]:
    """Everybody who is owed a message now. Raises :class:`~teleport_email.core.errors.LedgerUnreadable`."""
    claim = Claim(request_id, "").read(data)
    found = []
    plan = claim.plan(view, _audience(view.request, settings), policy(settings), datetime.now(UTC))
    for due in plan.next:
        party = claim.ledger.party(due.address, requester=due.requester) or Party(due.address)
        wait = informing.waiting(party.info)
        if wait is None:
            found.append(Waiting(name_of(party), str(due.kind), 0))
        else:
            since, last = datetime.fromtimestamp(wait.since, UTC), datetime.fromtimestamp(wait.at, UTC)
            found.append(Waiting(name_of(party), str(due.kind), wait.tries, since, last, cell(wait.reason)))
    return found


class Escalation(Struct, frozen=True):
    """What will happen if nobody decides."""

    at: datetime
    to: tuple[str, ...]

    def as_json(self) -> dict[str, str | list[str]]:
        """For ``--json``; the time in UTC."""
        return {"at": self.at.isoformat(), "to": list(self.to)}

    def __str__(self) -> str:
        return f"{self.at:%Y-%m-%d %H:%M:%S} UTC, if nobody has decided: {', '.join(map(cell, self.to))}"


def escalating(view: View, ledger: Ledger, settings: Settings) -> Escalation | None:
    """Who will be told by ``[escalation]`` though they were not yet, and when; None: nobody will."""
    at = escalates_at(view, policy(settings))
    to = not_told(ledger, _audience(view.request, settings))
    if at is None or not to or at <= datetime.now(UTC):
        return None
    return Escalation(at, tuple(party.address for party in to))


def _audience(request: AccessRequest, settings: Settings) -> Audience:
    route = escalation(request, settings)
    return Audience(escalation=route.recipients, spelled=route.spelled)


def view_of(request_id: str, request: AccessRequest | None) -> View:
    """The request as the cluster has it; None: it is gone."""
    return View(request or AccessRequest(request_id, ""), gone=request is None)


def headline(request_id: str, request: AccessRequest | None) -> str:
    """The request in a line."""
    if request is None:
        return f"{cell(request_id)}: no longer in the cluster (deleted or expired)"
    user, roles = cell(request.user), cell(",".join(request.roles))
    return f"{cell(request_id)}: {request.state} request of {user} for {roles}"


def name_of(party: Party) -> str:
    """The recipient, for people."""
    address = cell(party.address)
    return f"{address} (requester)" if party.requester else address


def _told(request_id: str, ledger: Ledger, party: Party, kind: Kind) -> Told:
    entry = party.entries[kind]
    message_id = ledger.message_id(request_id, party, kind) if ledger.exists else ""
    at = datetime.fromtimestamp(entry.at, UTC) if entry.at else None
    return Told(name_of(party), str(kind), _STATUS[entry.mark], at, _note(entry), message_id)


def _note(entry: Entry) -> str:
    if entry.mark is Mark.PASSED:
        return _PASSED.get(entry.note, "")
    return "by the Go plugin" if entry.note == "go" else cell(entry.note)
