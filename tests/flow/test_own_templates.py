"""Own templates in a running daemon: a language, a fault at start, a fault by a reload. Every message is sent."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from teleport_email.config.settings import LogSettings
from teleport_email.core.model import RequestState

pytestmark = pytest.mark.usefixtures("hasty")

GERMAN = Path(__file__).parents[2] / "examples" / "templates-de"
GOOD = '{% extends "builtin/announcement.txt" %}\n{% block lead %}\nAsk in #access first.\n{% endblock %}\n'
BROKEN = '{% extends "builtin/announcement.txt" %}\n{% block lead %}\n{{ request.usr }}\n{% endblock %}\n'
NO_JINJA = '{% extends "builtin/announcement.txt" %}\n{% block lead %}\n{{ request.user }\n{% endblock %}\n'
BUILTIN = "You have a new Role Request:"


def leads(world: Any) -> list[str]:
    """The first line of each mail, in order."""
    return [mail.text.splitlines()[0] for mail in world.inbox.messages]


@pytest.mark.parametrize("source", [BROKEN, NO_JINJA], ids=["unknown name", "no Jinja"])
async def test_a_fault_is_found_at_start_and_the_message_is_sent(
    world: Any, tmp_path: Path, source: str
) -> None:
    templates = tmp_path / "templates"
    templates.mkdir()
    (templates / "announcement.txt").write_text(source)
    await world.start(delivery={"templates": templates})
    found = world.said("template does not work")
    assert found, "before any request"
    assert all("error" in line.lower() and f"{templates}/announcement.txt:3" in line for line in found)
    request = await world.cluster.create(reason="all the same")
    await world.told(request.id, mails=1)
    assert leads(world) == [BUILTIN]
    assert "Reason: all the same" in world.inbox.messages[0].text
    assert "all the same" in world.inbox.messages[0].html


async def test_templates_change_with_a_reload_and_a_fault_in_them_too(world: Any, tmp_path: Path) -> None:
    templates = tmp_path / "templates"
    templates.mkdir()
    own = templates / "announcement.txt"
    own.write_text(GOOD)
    log = LogSettings(output=str(world.log_file))
    running = await world.start(delivery={"templates": templates}, log=log)
    for number, (source, lead) in enumerate(
        [(GOOD, "Ask in #access first."), (BROKEN, BUILTIN), (GOOD, "Ask in #access first.")]
    ):
        own.write_text(source)
        running.signals.reload()
        await running.until(lambda number=number: len(world.said("configuration reloaded")) == number + 1)
        request = await world.cluster.create(reason=f"number {number}")
        await world.told(request.id, mails=number + 1)
        assert leads(world)[-1] == lead
        assert bool(world.said("template does not work")) == (number > 0)


async def test_a_file_that_is_being_edited_reaches_nobody_before_the_reload(
    world: Any, tmp_path: Path
) -> None:
    templates = tmp_path / "templates"
    templates.mkdir()
    (templates / "announcement.txt").write_text(GOOD)
    await world.start(delivery={"templates": templates})
    (templates / "announcement.txt").write_text(BROKEN)
    request = await world.cluster.create()
    await world.told(request.id, mails=1)
    assert leads(world) == ["Ask in #access first."]
    assert world.said("template does not work") == []


async def test_the_german_set(world: Any) -> None:
    await world.start(
        delivery={
            "templates": GERMAN,
            "timezone": "Europe/Berlin",
            "notify_requester": frozenset({"received", "denied"}),
            "remind_before_expiry": (3598.0,),
        }
    )
    request = await world.cluster.create(user="zoe@example.com", reason="Störung")
    await world.told(request.id, mails=3)
    await world.cluster.review(request.id, "bob@example.com", RequestState.DENIED, "nein")
    await world.told(request.id, mails=6)
    assert world.said("template does not work") == []
    for mail in world.inbox.messages:
        assert '<html lang="de"' in mail.html
        assert "Role Request" in mail.subject, "the subject keeps the thread together"
        for english in ("You get this mail", "asks for", "Role Request:", " ago)", "Decide by", "Reviews:"):
            assert english not in mail.text
    reviewer, requester = world.inbox.to("all@example.com"), world.inbox.to("zoe@example.com")
    assert [mail.message_id.partition(".")[0] for mail in reviewer] == ["a", "m", "r1", "D"]
    assert len(requester) == 2
    assert "\nReason: Störung\n" in reviewer[0].text
    assert "\nStatus: ❌ DENIED (nein)\n" in reviewer[-1].text
