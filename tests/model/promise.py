"""What must hold in every state that the model comes to, and once its faults have stopped."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

from teleport_email.core import go_plugin
from teleport_email.core.ledger import ANNOUNCED_TOPICS, ANNOUNCEMENTS, RESOLUTION_TOPICS, RESOLUTIONS, Mark
from teleport_email.core.model import Kind, RequestState, Topic
from teleport_email.core.owing import escalates_at, may_escalate

if TYPE_CHECKING:
    from model.interleavings import Mail, Scenario, State

PENDING = RequestState.PENDING
_AFTER = {Topic.APPROVED: 1, Topic.PROMOTED: 1, Topic.DENIED: 2, Topic.EXPIRED: 3}


def _told_along(kind: Kind) -> int:
    """How many reviews an announcement tells."""
    return kind.number % 100_000 if kind.topic in ANNOUNCEMENTS else 0


def _reviews_of(content: str) -> int:
    """How many reviews the text shows, as the model's texts say; the Go plugin's show none."""
    number = content.rpartition(" of ")[2]
    return int(number) if number.isdigit() else 0


class Violation(AssertionError):
    """A promise was broken; the message has the steps that led there."""


def check_mails(scenario: Scenario, state: State, *, twins: bool) -> None:
    """No id with two contents; one beginning, but for what was refused; no reply before it; order."""
    merging = any(policy.merge_deciding_review for policy in scenario.policies)
    ends: dict[str, int] = {}
    reminded: dict[str, tuple[int, Kind]] = {}
    first: dict[str, str] = {}
    kinds: dict[tuple[str, Kind], str] = {}
    begun: dict[str, Kind] = {}
    furthest: dict[str, int] = {}
    reviewed: dict[str, int] = {}
    for mail in state.mails:
        if mail.id in first:
            if first[mail.id] != mail.content:
                raise Violation(f"{mail.address} has two different messages '{mail.kind}'")
            if not twins:
                raise Violation(f"{mail.address} has '{mail.kind}' twice, and nothing failed")
            continue
        first[mail.id] = mail.content
        again = (mail.address, mail.kind) in state.refused
        if kinds.setdefault((mail.address, mail.kind), mail.id) != mail.id and not again:
            raise Violation(f"{mail.address} has two different messages '{mail.kind}'")
        if mail.kind.topic in ANNOUNCEMENTS:
            before = begun.get(mail.address)
            # What was refused and had arrived all the same: the server has said both.
            if before is not None and (mail.address, before) not in state.refused:
                raise Violation(f"{mail.address} is told of the request twice: {before}, {mail.kind}")
            begun[mail.address] = mail.kind
            late = mail.address not in scenario.recipients and (before is None or mail.kind != before)
            if late and mail.kind.topic is not Topic.ESCALATION and not _was_refused(state, mail.address):
                raise Violation(f"{mail.address}, whom nobody had told before, has '{mail.kind}'")
            continue
        if mail.address not in begun:
            raise Violation(f"{mail.address} has '{mail.kind}' before the announcement")
        if mail.kind.topic is Topic.REVIEW:
            if mail.kind.number < reviewed.get(mail.address, 0) and not again:
                raise Violation(f"{mail.address} has '{mail.kind}' after a later review")
            if mail.kind.number <= _told_along(begun[mail.address]):
                raise Violation(f"{mail.address} has '{mail.kind}' though the announcement told it along")
            if merging and mail.kind.number <= ends.get(mail.address, 0) and not again:
                raise Violation(f"{mail.address} has '{mail.kind}' though the end told it along")
            if mail.kind.number in state.quieted:
                raise Violation(f"{mail.address} has '{mail.kind}', which was passed for good")
            reviewed[mail.address] = max(mail.kind.number, reviewed.get(mail.address, 0))
            continue
        if mail.kind.topic is Topic.REMINDER:
            when, which = reminded.get(mail.address, (-1, mail.kind))
            if when == mail.time and which != mail.kind:
                raise Violation(f"{mail.address} has two reminders at once: {which}, {mail.kind}")
            reminded[mail.address] = (mail.time, mail.kind)
        if mail.kind.topic in RESOLUTIONS:
            ends[mail.address] = max(_reviews_of(mail.content), ends.get(mail.address, 0))
        place = _AFTER.get(mail.kind.topic, 0)
        if place < furthest.get(mail.address, 0) and not again:
            raise Violation(f"{mail.address} has '{mail.kind}' after a later state")
        furthest[mail.address] = max(place, furthest.get(mail.address, 0))


def _was_refused(state: State, address: str) -> bool:
    return any(one == address for one, _ in state.refused)


def _is_end_of(mail: Mail, address: str) -> bool:
    return mail.address == address and mail.kind.topic in RESOLUTIONS


def check_told(scenario: Scenario, done: State) -> None:
    """Nothing is lost once faults have stopped: delivered, or refused with all that there was to tell."""
    view = scenario.timeline[done.now]
    reviews = len(view.request.reviews)
    policy, now = scenario.policies[-1], scenario.times[done.time]
    due = escalates_at(view, policy)
    asked = due is not None and due <= now and may_escalate(view, now)
    ledger = go_plugin.read(done.data)
    expires = view.request.expires
    reminders = [expires - timedelta(seconds=before) for before in policy.reminders] if expires else []
    for address in dict.fromkeys((*scenario.recipients, *scenario.escalation)):
        kinds = {mail.kind for mail in done.mails if mail.address == address}
        excused = {kind for one, kind in done.excused if one == address}
        begun = [kind for kind in kinds if kind.topic in ANNOUNCEMENTS]
        moment = ANNOUNCED_TOPICS.get(view.state, Topic.ANNOUNCEMENT)
        tried = any(kind.topic is moment and _told_along(kind) >= reviews for kind in excused)
        if address not in scenario.recipients:
            if not begun and asked and not any(kind.topic is Topic.ESCALATION for kind in excused):
                raise Violation(f"{address} is never told that nobody decides")
        elif not begun and not view.gone and not tried:
            raise Violation(f"{address} was never told of the request")
        told = {kind.topic for kind in kinds | excused} - {
            Topic.ANNOUNCEMENT,
            Topic.ESCALATION,
            Topic.REVIEW,
            Topic.REMINDER,
        }
        if begun and view.state is not PENDING and not told:
            raise Violation(f"{address} never hears how it ended")
        past = [at for at in reminders if at <= now]
        if begun and past and view.state is PENDING and not view.gone and not excused:
            mails = [mail for mail in done.mails if mail.address == address]
            told_at = [scenario.times[mail.time] for mail in mails if mail.kind.topic is not Topic.REVIEW]
            if max(told_at) < max(past):
                raise Violation(f"{address} is not reminded")
        party = ledger.party(address)
        ends_tell = max(
            (_reviews_of(mail.content) for mail in done.mails if _is_end_of(mail, address)), default=0
        )
        opened = {kind.topic for kind in begun}
        if opened and opened <= {Topic.ANNOUNCEMENT, Topic.ESCALATION} and not view.gone and not tried:
            for number in range(max(_told_along(kind) for kind in begun) + 1, reviews + 1):
                kind = Kind(Topic.REVIEW, number)
                entry = party.entries.get(kind) if party else None
                if entry is not None and entry.mark is Mark.PASSED:
                    own = view.request.reviews[number - 1].author == address
                    right = {"q": True, "o": own, "m": number <= ends_tell}
                    if right.get(entry.note):
                        continue
                if kind not in kinds | excused:
                    raise Violation(f"{address} never hears of review {number}")
        ends = {RESOLUTION_TOPICS.get(view.state), ANNOUNCED_TOPICS.get(view.state)}
        if begun and view.state is RequestState.DENIED and not view.gone and not told & ends:
            raise Violation(f"{address} never hears of the denial")
