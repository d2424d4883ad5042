"""What a ledger tells of people: who has what, who waits and why, and what was given up. Pure.

For ``show``, ``ls`` and ``retry``. Text of servers is made harmless for a terminal.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime

from teleport_email.commands.cells import cell
from teleport_email.config.settings import Settings
from teleport_email.core import informing
from teleport_email.core.claim import Claim
from teleport_email.core.decide import Audience, Policy, View
from teleport_email.core.ledger import Entry, Ledger, Mark, Party
from teleport_email.core.model import AccessRequest, Kind

_STATUS = {Mark.ATTEMPTED: "perhaps sent", Mark.DELIVERED: "delivered", Mark.GIVEN_UP: "given up"}


@dataclass(frozen=True, slots=True)
class Told:
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


@dataclass(frozen=True, slots=True)
class Waiting:
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
    delivery = settings.delivery
    policy = Policy(remind_before=delivery.remind_before_expiry, requester=delivery.notify_requester)
    found = []
    for due in claim.plan(view, Audience(), policy, datetime.now(UTC)).next:
        party = claim.ledger.party(due.address, requester=due.requester)
        wait = informing.waiting(party.info) if party is not None else None
        if party is None:
            continue
        if wait is None:
            found.append(Waiting(name_of(party), str(due.kind), 0))
        else:
            since, last = datetime.fromtimestamp(wait.since, UTC), datetime.fromtimestamp(wait.at, UTC)
            found.append(Waiting(name_of(party), str(due.kind), wait.tries, since, last, cell(wait.reason)))
    return found


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
    return "by the Go plugin" if entry.note == "go" else cell(entry.note)
