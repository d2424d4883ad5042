"""What the log says of a pause: a line where it begins, one each quarter of an hour, one where it ends."""

from __future__ import annotations

import asyncio
from typing import Any

import structlog
from virtual_time import clock, in_virtual_time

from teleport_email.core.model import AccountFault, Temporary
from teleport_email.mail.outage import Outage

AWAY = Temporary("mail.example.com:25 refused the connection")


def lines(logs: list[Any]) -> list[tuple[str, str, int]]:
    return [
        (line["log_level"], line["event"], round(line.get("for_seconds", line.get("after_seconds"))))
        for line in logs
    ]


@in_virtual_time
async def test_seven_minutes_are_two_lines() -> None:
    outage = Outage(clock, lambda: 1.0, lambda: 3)
    with structlog.testing.capture_logs() as logs:
        for _ in range(42):  # the probes of seven minutes
            outage.look(AWAY)
            await asyncio.sleep(10)
        outage.look(None)
        await asyncio.sleep(3600)
    assert lines(logs) == [("warning", "sending paused", 0), ("info", "sending again", 420)]
    assert (logs[0]["error"], logs[0]["next_probe_in"], logs[0]["waiting"]) == (AWAY.reason, 1.0, 3)
    assert logs[1]["waited"] == 3


@in_virtual_time
async def test_what_lasts_is_said_again_each_quarter_of_an_hour() -> None:
    outage = Outage(clock, lambda: 1.0, lambda: 3)
    with structlog.testing.capture_logs() as logs:
        outage.look(AccountFault("535 5.7.8 no"))
        for _ in range(200):
            await asyncio.sleep(14.9)
            outage.look(AccountFault("535 5.7.8 no, still"))
        outage.close()
        await asyncio.sleep(3600)
    assert lines(logs) == [("error", "sending paused", 900 * times) for times in range(4)]
    assert logs[1]["error"] == "535 5.7.8 no, still"


@in_virtual_time
async def test_what_becomes_somebody_s_business_is_said_at_once() -> None:
    outage = Outage(clock, lambda: 1.0, lambda: 0)
    with structlog.testing.capture_logs() as logs:
        outage.look(AWAY)
        await asyncio.sleep(60)
        outage.look(AccountFault("535 5.7.8 no"))
        await asyncio.sleep(899)
        outage.look(AWAY)
        await asyncio.sleep(2)
        outage.look(None)
    assert lines(logs) == [
        ("warning", "sending paused", 0),
        ("error", "sending paused", 60),
        ("warning", "sending paused", 960),
        ("info", "sending again", 961),
    ]
