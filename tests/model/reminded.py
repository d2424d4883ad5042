"""What must hold of reminders in every state that the model comes to, and once its faults have stopped."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from typing import TYPE_CHECKING

from model.promise import Violation

from teleport_email.core import go_plugin
from teleport_email.core.audits import Audit, step_begin
from teleport_email.core.claim import Attempt
from teleport_email.core.reminding import ReminderView

if TYPE_CHECKING:
    from model.interleavings import Mail, Scenario, State


def names(audits: Iterable[Audit]) -> str:
    """The audits in a text of the model's."""
    return ",".join(f"{one.list_name}/{one.due:%m-%d}" for one in audits)


def _told(mail: Mail) -> tuple[int, frozenset[str]]:
    """How far the clock was when the text was fixed, and what it tells."""
    _, _, rest = mail.content.rpartition(" at ")
    time, _, told = rest.partition(" of ")
    return int(time), frozenset(told.split(","))


def _all(scenario: Scenario) -> dict[str, Audit]:
    views = [view for view in scenario.timeline if isinstance(view, ReminderView)]
    return {names([audit]): audit for view in views for audit in view.audits}


def check_begun(view: ReminderView, attempt: Attempt, now: datetime) -> None:
    """Nothing is begun for lists that were all reviewed, as the worker sees it; nothing new for any of them."""
    open_ = {one.mark for one in view.audits if step_begin(one, now) is not None}
    for due in attempt.start:
        told = attempt.write.ledger.round_of(due.kind)
        if told is None or not told.audits:
            raise Violation(f"{due.kind.code} is begun, and tells nothing")
        if told.audits.isdisjoint(open_):
            raise Violation(f"{due.address} is sent {due.kind.code}, of which all was reviewed")
        if due in attempt.fresh and not told.audits <= open_:
            raise Violation(f"{due.address} is sent {due.kind.code}, of which some was reviewed")


def check_mails(scenario: Scenario, state: State, *, twins: bool) -> None:
    """No id with two contents; of each audit at most one mail in a step, and none before its window opens."""
    audits = _all(scenario)
    first: dict[str, str] = {}
    steps: dict[tuple[str, str, datetime], str] = {}
    for mail in state.mails:
        if mail.id in first:
            if first[mail.id] != mail.content:
                raise Violation(f"{mail.address} has two different messages '{mail.kind.code}'")
            if not twins:
                raise Violation(f"{mail.address} has '{mail.kind.code}' twice, and nothing failed")
            continue
        first[mail.id] = mail.content
        time, told = _told(mail)
        for name in told:
            step = step_begin(audits[name], scenario.times[time])
            if step is None:
                raise Violation(f"{mail.address} is reminded of {name} before its window opens")
            if steps.setdefault((mail.address, name, step), mail.id) != mail.id:
                raise Violation(f"{mail.address} is reminded of {name} twice in a step")


def check_told(scenario: Scenario, done: State) -> None:
    """Nobody to whom something is due stays untold; who was refused is told in the next step."""
    view, now = scenario.timeline[done.now], scenario.times[done.time]
    assert isinstance(view, ReminderView)
    ledger = go_plugin.read(done.data)
    for address in view.recipients:
        mails = [_told(mail) for mail in done.mails if mail.address == address]
        rounds = [one for one in ledger.rounds if (address, one.kind) in done.excused]
        for audit in view.audits:
            step = step_begin(audit, now)
            if step is None:
                continue
            told = any(names([audit]) in what and scenario.times[time] >= step for time, what in mails)
            refused = any(audit.mark in one.audits and one.at >= step.timestamp() for one in rounds)
            if not told and not refused:
                raise Violation(f"{address} is not reminded of {names([audit])}")
