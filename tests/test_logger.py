"""What is said reaches whoever listens at the moment, and nobody else."""

import pytest

from teleport_email import logger
from teleport_email.logger import Logger


def test_events_have_their_level_and_the_facts_of_their_logger() -> None:
    heard: list[logger.Event] = []
    bound = Logger(request="r-1").bind(kind="review", request="r-2")
    bound.info("said to nobody")
    logger.listen(heard.append)
    bound.info("delivered", answer="250", event="a fact cannot be the event")
    bound.debug("why")
    assert heard == [
        {"request": "r-2", "kind": "review", "answer": "250", "event": "delivered", "level": "info"},
        {"request": "r-2", "kind": "review", "event": "why", "level": "debug"},
    ]


def test_what_is_changed_in_an_event_is_not_changed_in_the_logger() -> None:
    said = Logger(request="r-1")
    logger.listen(dict.clear)
    said.warning("odd")
    heard: list[logger.Event] = []
    logger.listen(heard.append)
    said.warning("odd")
    assert heard == [{"request": "r-1", "event": "odd", "level": "warning"}]


@pytest.mark.parametrize(
    ("least", "heard"),
    [
        ("debug", ["debug", "info", "warning", "error", "error", "warning"]),
        ("info", ["info", "warning", "error", "error", "warning"]),
        ("warning", ["warning", "error", "error", "warning"]),
        ("error", ["error", "error"]),
    ],
)
def test_below_a_level_nothing_is_heard(least: str, heard: list[str]) -> None:
    events: list[logger.Event] = []
    logger.listen(events.append, least)
    log = Logger()
    for say in (log.debug, log.info, log.warning, log.error, log.exception):
        say("something")
    log.log("warning", "something")
    assert [event["level"] for event in events] == heard
    assert [event for event in events if "exc_info" in event] == [events[-1 - (least != "error")]]
