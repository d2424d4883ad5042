"""Steering the cluster through its socket, as a second terminal does."""

from __future__ import annotations

import asyncio
import contextlib
import json
import socket
from pathlib import Path

import pytest

from teleport_email.sandbox.command.control import ControlError, ControlServer, ask


@pytest.fixture
async def control(cluster, tmp_path):
    async with ControlServer(cluster, tmp_path):

        async def ask_it(do: str, **arguments):
            return await asyncio.to_thread(ask, tmp_path, do, **arguments)

        yield ask_it


async def test_a_request_from_its_making_to_its_end(cluster, control):
    made = await control(
        "create",
        user="alice",
        roles=["dev", "dba"],
        reason="a\nfix",
        suggested_reviewers=["bob@example.com"],
        approvals=2,
        pending_for=3600,
        access_for=7200.5,
        annotations={"team": ["blue"]},
        resources=[{"cluster": "c", "kind": "node", "name": "n"}],
        assume_start="2026-01-01T10:00:00+00:00",
    )
    request = cluster.get(made["id"])
    assert (request.roles, request.request_reason) == (("dev", "dba"), "a\nfix")
    assert (request.access_expires - request.created).total_seconds() == 7200.5
    assert request.system_annotations == {"team": ("blue",)}
    assert made["state"] == "PENDING"

    reviewed = await control("review", id=made["id"], author="bob", state="approved", reason="ok")
    assert reviewed["reviews"] == [{"author": "bob", "state": "APPROVED", "reason": "ok"}]
    assert reviewed["state"] == "PENDING"
    assert (await control("approve", id=made["id"], reason="fine"))["resolve_reason"] == "fine"
    assert (await control("deny", id=made["id"]))["state"] == "DENIED"
    assert [one["id"] for one in await control("ls")] == [made["id"]]
    assert (await control("get", id=made["id"]))["user"] == "alice"
    assert await control("delete", id=made["id"]) is None
    assert await control("ls") == []
    assert await control("get", id=made["id"]) is None


async def test_promotion(control):
    made = await control("create", user="alice", roles="dev")
    promoted = await control("promote", id=made["id"], access_list="dba", author="admin")
    assert (promoted["state"], promoted["reviews"][0]["author"]) == ("PROMOTED", "admin")


@pytest.mark.parametrize(
    ("do", "arguments", "error"),
    [
        ("approve", {"id": "nothing"}, 'no access request matching "nothing"'),
        ("approve", {}, "approve: bad or missing argument: 'id'"),
        ("review", {"id": "x", "author": "a", "state": "maybe"}, "review: bad or missing argument"),
        ("create", {"user": "a", "roles": ["r"], "pending_for": "soon"}, "create: bad or missing argument"),
        ("create", {"user": "a", "roles": ["r"], "pending_for": 1e300}, "create: bad or missing argument"),
        ("dance", {}, "not understood; known are: create"),
    ],
)
async def test_refusals_are_told_in_words(control, do, arguments, error):
    with pytest.raises(ControlError) as refused:
        await control(do, **arguments)
    assert str(refused.value).startswith(error)


@pytest.mark.parametrize("line", [b"", b"{", b"[]", b"null", b'{"do": ["x"]}', b"\xff\xfe", b"[" * 5000])
async def test_nonsense_is_answered_and_the_next_line_still_served(cluster, tmp_path, line):
    async with ControlServer(cluster, tmp_path) as server:
        reader, writer = await asyncio.open_unix_connection(server.path)
        writer.write(line + b'\n{"do": "ls"}\n')
        assert "not understood" in json.loads(await reader.readline())["error"]
        assert json.loads(await reader.readline()) == {"result": []}
        writer.close()
        await writer.wait_closed()


async def test_a_line_without_end_ends_the_connection_not_the_server(cluster, control, tmp_path):
    reader, writer = await asyncio.open_unix_connection(tmp_path / "control.sock")
    writer.write(b"x" * (2 * 1024 * 1024))
    with contextlib.suppress(ConnectionError):
        assert await reader.read() == b""
    writer.transport.abort()
    assert await control("ls") == []


async def test_only_the_owner_can_open_the_socket(cluster, tmp_path):
    async with ControlServer(cluster, tmp_path) as server:
        assert server.path.stat().st_mode & 0o777 == 0o600
    assert not server.path.exists()


async def test_nobody_there(tmp_path):
    with pytest.raises(ControlError, match="no sandbox is running"):
        ask(tmp_path, "ls")


async def test_a_socket_left_behind_is_replaced_and_a_living_one_is_not(cluster, tmp_path):
    left = socket.socket(socket.AF_UNIX)
    left.bind(str(tmp_path / "control.sock"))
    left.close()
    with pytest.raises(ControlError, match="no sandbox is running"):
        ask(tmp_path, "ls")
    async with ControlServer(cluster, tmp_path):
        with pytest.raises(ControlError, match="another sandbox is running"):
            async with ControlServer(cluster, tmp_path):
                pass
        assert await asyncio.to_thread(ask, tmp_path, "ls") == []


async def test_a_path_too_long_for_a_socket_is_said_so(cluster):
    directory = Path("/tmp") / ("d" * 100)
    with pytest.raises(ControlError, match="choose a shorter directory"):
        async with ControlServer(cluster, directory):
            pass
