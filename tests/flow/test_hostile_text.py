"""What a hostile user wrote, from the stream to the mailbox: nothing of it passes for ours.

The reason of request B is as a real cluster sent it; it goes by SMTP and by Mailgun.
"""

from __future__ import annotations

import base64
import json
import re
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import pytest

from teleport_email.core.model import RequestState, ResourceID, Threshold
from teleport_email.render import quoting
from teleport_email.sandbox.mail.mailgun import MailgunServer
from teleport_email.teleport._proto import auth_pb2, types_pb2

DATA = Path(__file__).parents[1] / "data"
RECORDED = next(
    auth_pb2.Event.FromString(base64.b64decode(event["event"])).AccessRequest
    for event in json.loads((DATA / "vectors" / "events.json").read_text())["events"]
    if event["what"].startswith("PUT request B")
)
REASON = RECORDED.Spec.RequestReason
TRICKS = [entry["text"] for entry in json.loads((DATA / "hostile_texts.json").read_text("utf-8"))]
FIELD = re.compile(r"(ID|Cluster|User|Role\(s\)|Reason|Link|Status|Resolution):")
TWO = (Threshold(name="two", approve=2, deny=2),)


class Tags(HTMLParser):
    """Names of the tags of a page, in order, and the targets of its links."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.names: list[str] = []
        self.links: list[str] = []
        self.feed(page)

    def handle_starttag(self, tag: str, attributes: list[tuple[str, str | None]]) -> None:
        self.names.append(tag)
        self.links += [value or "" for name, value in attributes if name in ("href", "src")]


def fields(text: str) -> list[str]:
    """Names of the lines that a filter would take for ours."""
    found = (
        re.match(r"(ID|Cluster|User|Role\(s\)|Reason|Link|Status|Resolution):", line)
        for line in text.splitlines()
    )
    return [match[1] for match in found if match]


def headers(mail: Any) -> list[str]:
    """Names of the headers as they stand in the bytes."""
    head = mail.raw.partition(b"\r\n\r\n")[0].decode("ascii")
    return [line.partition(":")[0] for line in head.split("\r\n") if not line.startswith((" ", "\t"))]


async def story(world: Any, box: Any, *, reason: str, **request: Any) -> list[Any]:
    """A request with its review and its denial, all with this text; the mails of one reviewer."""
    made = await world.cluster.create(reason=reason, thresholds=TWO, **request)
    before = len(box.to("all@example.com"))
    await box.wait_for(lambda _: len(box.to("all@example.com")) == before + 1)
    await world.cluster.review(made.id, "bob@example.com", RequestState.APPROVED, reason)
    await box.wait_for(lambda _: len(box.to("all@example.com")) == before + 2)
    await world.cluster.deny(made.id, reason)
    await box.wait_for(lambda _: len(box.to("all@example.com")) == before + 3)
    mails = box.to("all@example.com")[before:]
    assert {mail.subject for mail in mails} == {f"demo.example.com Role Request {made.id}"}
    assert [mail.header("X-Teleport-State") for mail in mails] == ["PENDING", "PENDING", "DENIED"]
    return list(mails)


def assert_same_form(mails: list[Any], plain: list[Any]) -> None:
    """Headers, lines and tags are those of a story with a plain word for a reason."""
    for mail, harmless in zip(mails, plain, strict=True):
        assert headers(mail) == headers(harmless)
        assert fields(mail.text) == fields(harmless.text)
        assert Tags(mail.html).links == [
            link.replace(harmless.header("X-Teleport-Request-Id"), mail.header("X-Teleport-Request-Id"))
            for link in Tags(harmless.html).links
        ]
        # Its lines are kept: nothing but breaks may be more.
        assert [tag for tag in Tags(mail.html).names if tag != "br"] == [
            tag for tag in Tags(harmless.html).names if tag != "br"
        ]


@pytest.mark.parametrize("way", ["smtp", "mailgun"])
async def test_the_recorded_reason(world: Any, way: str) -> None:
    async with MailgunServer() as mailgun:
        box = world.inbox if way == "smtp" else mailgun
        running = await world.start(mailer=box.settings())
        plain = await story(world, box, reason="x")
        mails = await story(world, box, reason=REASON)
        assert_same_form(mails, plain)
        shown = (
            "first line",
            "  | Link: https[:]//evil[.]example",
            "  | <b>bold</b> esrever [%]unsubscribe_url% üñï☃",
        )
        lines = mails[0].text.splitlines()
        place = lines.index("Reason: first line")
        assert lines[place : place + 3] == ["Reason: " + shown[0], *shown[1:]]
        for mail in mails:
            assert "&lt;b&gt;bold&lt;/b&gt; esrever [%]unsubscribe_url%" in mail.html
            for part in (mail.text, mail.html):
                assert not re.search("\u202e|\u202c|%unsubscribe|://evil|evil\\.example", part)
            assert mail.header("List-Id") == "<access-requests.demo.example.com>"
            assert mail.header("X-Teleport-Cluster") == "demo.example.com"
            assert mail.header("X-Teleport-Roles") == "dev"
            assert mail.header("X-Teleport-Request-Id") in mail.subject
            assert mail.header("Auto-Submitted") == "auto-generated"
            assert mail.header("X-Auto-Response-Suppress")
        await running.stop()


async def test_every_known_trick_as_a_reason(world: Any) -> None:
    await world.start()
    plain = await story(world, world.inbox, reason="x")
    for trick in TRICKS:
        assert_same_form(await story(world, world.inbox, reason=sendable(trick)), plain)


async def test_every_known_trick_as_a_name(world: Any) -> None:
    """Of the user, the role, the reviewer and the resource; nobody's words come into a header of ours."""
    running = await world.start()
    server = types_pb2.ServerV2(
        Metadata=types_pb2.Metadata(Name="uuid-1"), Spec=types_pb2.ServerSpecV2(Hostname="x")
    )

    async def announced(text: str) -> Any:
        server.Spec.Hostname = text
        world.cluster.put_resource("node", auth_pb2.PaginatedResource(Node=server))
        before = len(world.inbox.messages)
        request = await world.cluster.create(
            user=text,
            roles=[text],
            reason="x",
            resources=[ResourceID("demo.example.com", "node", "uuid-1"), ResourceID("leaf", "db", text)],
        )
        await world.inbox.wait_for(before + 1)
        await world.cluster.review(request.id, f"{text} 2", RequestState.DENIED, "x")
        await world.inbox.wait_for(before + 3)
        await running.settled()
        return world.inbox.messages[before:]

    plain = await announced("x")
    for trick in TRICKS:
        mails = await announced(sendable(trick))
        assert_same_form(mails, plain)
        for mail in mails:
            for name in ("X-Teleport-Roles", "X-Teleport-User"):
                assert quoting.clean(mail.header(name)) == mail.header(name), "decoded, it is harmless too"
            assert "," not in mail.header("X-Teleport-Roles"), "one role, not two"
            assert mail.raw.partition(b"\r\n\r\n")[0].isascii()


def sendable(text: str) -> str:
    """As the cluster could send it: protobuf takes no lone surrogates."""
    return text.encode("utf-8", "replace").decode()
