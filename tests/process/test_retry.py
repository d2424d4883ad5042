"""``retry`` and ``ls`` as their users run them, beside daemons that are at work."""

from __future__ import annotations

import asyncio
import json
import signal
import sys
from typing import Any

from teleport_email.core import go_plugin
from teleport_email.core.ledger import Mark
from teleport_email.core.model import Kind
from teleport_email.sandbox.mail.smtp_faults import Reply

R0, R1 = "r0@example.com", "r1@example.com"
UNKNOWN = Reply(550, "5.1.1 no such user here")


async def run(place: Any, *arguments: str) -> tuple[int, str, str]:
    """Exit code, standard output, standard error."""
    command, *more = arguments
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "teleport_email", command, "-c", str(place.sandbox.configuration), *more,
        stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.PIPE,
    )  # fmt: skip
    async with asyncio.timeout(90):
        out, err = await process.communicate()
    assert process.returncode is not None
    return process.returncode, out.decode(), err.decode()


def mark(place: Any, request_id: str, code: str, address: str) -> Mark | None:
    party = go_plugin.read(place.cluster.plugin_data(request_id)).party(address)
    return party.mark(Kind.parse(code)) if party else None


async def refused(place: Any, *addresses: str) -> tuple[Any, list[Any]]:
    """A request whose announcement was given up for these, and the rules of the server."""
    rules = [place.inbox.faults.on("RCPT", UNKNOWN, recipient=address) for address in addresses]
    request = await place.cluster.create(roles=["dev"], reason="a fix")
    await place.cluster.wait_for(
        lambda: all(mark(place, request.id, "a", address) is Mark.GIVEN_UP for address in addresses), 60
    )
    await place.told(request.id)
    return request, rules


async def test_retry_brings_back_what_was_given_up_and_says_what_became_of_it(place: Any) -> None:
    await place.start()
    request, rules = await refused(place, R0, R1)
    before = go_plugin.read(place.cluster.plugin_data(request.id))
    rules[0].remove()
    code, out, err = await run(place, "retry", "--to", R0.upper(), request.id)
    assert (code, err) == (0, ""), out
    assert f"{R0}: announcement delivered" in out
    assert f"all of it was delivered: {R0}" in out
    assert len(place.inbox.to(R0)) == 1
    ledger = go_plugin.read(place.cluster.plugin_data(request.id))
    party = ledger.party(R0)
    assert party is not None
    assert party.turn == 1
    message_id = ledger.message_id(request.id, party, Kind.parse("a"))
    assert place.inbox.to(R0)[0].message_id == message_id
    refused_party = before.party(R0)
    assert refused_party is not None
    assert message_id != before.message_id(request.id, refused_party, Kind.parse("a")), "another message"
    assert json.loads(place.cluster.plugin_data(request.id)["ledger"])["v"] == 2
    assert mark(place, request.id, "a", R1) is Mark.GIVEN_UP, "only whom was asked for"

    code, out, err = await run(place, "retry", request.id)
    assert code == 1
    assert "message refused" in err
    assert f"given up again: {R1}: announcement: " in out
    assert "no such user here" in out

    await place.cluster.approve(request.id, "go on")
    await place.cluster.wait_for(lambda: mark(place, request.id, "A", R0) is Mark.DELIVERED, 60)
    await place.told(request.id)
    assert [mail.message_id[:2] for mail in place.inbox.to(R0)] == ["a.", "A."], "the daemon carries it on"


async def test_retry_where_there_is_nothing_to_bring_back(place: Any) -> None:
    await place.start()
    request = await place.cluster.create(roles=["dev"])
    await place.told(request.id)
    assert await run(place, "retry", request.id) == (1, "nothing was given up, and nobody waits\n", "")
    code, _, err = await run(place, "retry", "--to", "nobody@example.com", request.id)
    assert code == 1
    assert f"nobody@example.com is not told of this request; who is: {R0}, {R1}" in err
    code, _, err = await run(place, "retry", "no-such-request")
    assert code == 1
    assert "the cluster has no request no-such-request" in err
    assert '"v":1,' in place.cluster.plugin_data(request.id)["ledger"]


async def test_who_waits_after_a_refusal_is_tried_at_once(place: Any) -> None:
    daemon = await place.start()
    relay = place.inbox.faults.on("RCPT", Reply(554, "5.7.1 Relay access denied"), recipient=R0)
    request = await place.cluster.create(roles=["dev"])
    await place.inbox.wait_for(4, timeout=60)
    await place.inbox.until(lambda _: relay.used >= 2, timeout=60)
    daemon.process.send_signal(signal.SIGTERM)  # it would do so by itself, after a while
    assert await daemon.ended() == 0
    relay.remove()
    code, out, err = await run(place, "retry", "--to", R0, request.id)
    assert (code, err) == (0, ""), out
    assert f"all of it was delivered: {R0}" in out
    assert '"v":1,' in place.cluster.plugin_data(request.id)["ledger"], "nothing was given up"
    assert place.is_told(request.id)
    assert place.counts().total() == 5
    assert place.twins() == 0


async def test_what_fails_for_now_is_told_and_waits(place: Any) -> None:
    await place.start()
    request, rules = await refused(place, R0)
    rules[0].remove()
    later = place.inbox.faults.on("RCPT", Reply(451, "4.7.1 come back later"), recipient=R0)
    code, out, _ = await run(place, "retry", request.id)
    assert code == 1
    assert f"waits: {R0}: announcement; one try since " in out
    assert "come back later" in out
    code, out, _ = await run(place, "ls", "--failed")
    assert f"  waits     {R0}: announcement; one try since " in out
    code, out, _ = await run(place, "show", "--json", request.id)
    waits = json.loads(out)["waiting"]
    assert [(one["recipient"], one["message"], one["tries"]) for one in waits] == [(R0, "announcement", 1)]
    assert "come back later" in waits[0]["reason"]
    later.remove()


async def test_ls_says_who_was_told_and_who_was_given_up(place: Any) -> None:
    await place.start()
    fine = await place.cluster.create(roles=["dev"])
    await place.told(fine.id)
    request, _ = await refused(place, R1)
    code, out, err = await run(place, "ls")
    assert (code, err) == (0, "")
    assert out.index(fine.id) < out.index(request.id), "the oldest first"
    assert f"{request.id}: PENDING request of" in out
    told = [line for line in out.splitlines() if line.startswith("  told")]
    assert [R1 in line for line in told] == [True, False]
    assert f"  given up  {R1}: announcement at " in out
    code, out, _ = await run(place, "ls", "--failed", "--json")
    listed = json.loads(out)["requests"]
    assert [one["request"] for one in listed] == [request.id]
    assert [one["recipient"] for one in listed[0]["given_up"]] == [R1]
    assert "no such user here" in listed[0]["given_up"][0]["note"]
    assert R0 in listed[0]["told"]
