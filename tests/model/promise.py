"""What must hold in every state that the model comes to, and once its faults have stopped."""

from __future__ import annotations

from typing import TYPE_CHECKING

from teleport_email.core.ledger import ANNOUNCED_TOPICS, ANNOUNCEMENTS, RESOLUTION_TOPICS
from teleport_email.core.model import Kind, RequestState, Topic

if TYPE_CHECKING:
    from model.interleavings import Scenario, State

PENDING = RequestState.PENDING
_AFTER = {Topic.APPROVED: 1, Topic.PROMOTED: 1, Topic.DENIED: 2, Topic.EXPIRED: 3}


def _told_along(kind: Kind) -> int:
    """How many reviews an announcement tells."""
    return kind.number % 100_000 if kind.topic in ANNOUNCEMENTS else 0


class Violation(AssertionError):
    """A promise was broken; the message has the steps that led there."""


def check_mails(state: State, *, twins: bool) -> None:
    """No id with two contents; one beginning, but for what was refused; no reply before it; order."""
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
            continue
        if mail.address not in begun:
            raise Violation(f"{mail.address} has '{mail.kind}' before the announcement")
        if mail.kind.topic is Topic.REVIEW:
            if mail.kind.number < reviewed.get(mail.address, 0) and not again:
                raise Violation(f"{mail.address} has '{mail.kind}' after a later review")
            if mail.kind.number <= _told_along(begun[mail.address]):
                raise Violation(f"{mail.address} has '{mail.kind}' though the announcement told it along")
            reviewed[mail.address] = max(mail.kind.number, reviewed.get(mail.address, 0))
            continue
        place = _AFTER.get(mail.kind.topic, 0)
        if place < furthest.get(mail.address, 0) and not again:
            raise Violation(f"{mail.address} has '{mail.kind}' after a later state")
        furthest[mail.address] = max(place, furthest.get(mail.address, 0))


def check_told(scenario: Scenario, done: State) -> None:
    """Nothing is lost once faults have stopped: delivered, or refused with all that there was to tell."""
    view = scenario.timeline[done.now]
    reviews = len(view.request.reviews)
    for address in scenario.recipients:
        kinds = {mail.kind for mail in done.mails if mail.address == address}
        excused = {kind for one, kind in done.excused if one == address}
        begun = [kind for kind in kinds if kind.topic in ANNOUNCEMENTS]
        moment = ANNOUNCED_TOPICS.get(view.state, Topic.ANNOUNCEMENT)
        tried = any(kind.topic is moment and _told_along(kind) >= reviews for kind in excused)
        if not begun and not view.gone and not tried:
            raise Violation(f"{address} was never told of the request")
        told = {kind.topic for kind in kinds | excused} - {Topic.ANNOUNCEMENT, Topic.REVIEW}
        if begun and view.state is not PENDING and not told:
            raise Violation(f"{address} never hears how it ended")
        if {kind.topic for kind in begun} == {Topic.ANNOUNCEMENT} and not view.gone and not tried:
            for number in range(max(_told_along(kind) for kind in begun) + 1, reviews + 1):
                if Kind(Topic.REVIEW, number) not in kinds | excused:
                    raise Violation(f"{address} never hears of review {number}")
        ends = {RESOLUTION_TOPICS.get(view.state), ANNOUNCED_TOPICS.get(view.state)}
        if begun and view.state is RequestState.DENIED and not view.gone and not told & ends:
            raise Violation(f"{address} never hears of the denial")
