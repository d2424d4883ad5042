"""Steering the embedded cluster from another process: ``teleport-email sandbox request|access-list ...``.

A unix socket that only its owner can open carries one JSON object per line each way. Asked
``{"do": "approve", "id": "...", "reason": "..."}``, the server answers ``{"result": ...}`` or
``{"error": "..."}``. Arguments are those of :class:`SandboxCluster`'s methods, times in seconds.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import socket
from collections.abc import Awaitable, Callable, Mapping, Sequence
from datetime import datetime, timedelta
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from teleport_email.core.errors import TeleportEmailError
from teleport_email.core.model import AccessRequest, RequestState, ResourceID, Threshold
from teleport_email.sandbox.cluster.cluster import SandboxCluster
from teleport_email.sandbox.cluster.refusal import Refusal

from .list_control import ListControl

SOCKET_NAME = "control.sock"

_MAX_LINE = 1024 * 1024  # a reason can be long, but not that long
_MAX_PATH = 107  # what Linux allows for the path of a unix socket


class ControlError(TeleportEmailError):
    """The sandbox does not run, or refuses. The message is meant for people."""


class ControlServer:
    """``async with ControlServer(cluster, directory):`` serves on ``directory``/control.sock.

    :raises ControlError: the directory's path is too long for a socket, or another sandbox runs there.
    """

    def __init__(self, cluster: SandboxCluster, directory: Path) -> None:
        self._cluster = cluster
        self.path = directory / SOCKET_NAME
        self._server: asyncio.Server | None = None
        self._connections: set[asyncio.Task[None]] = set()
        self._commands: Mapping[str, Callable[[dict[str, Any]], Awaitable[Any]]] = {
            "create": self._create,
            "review": self._review,
            "approve": self._approve,
            "deny": self._deny,
            "promote": self._promote,
            "delete": self._delete,
            "expire": self._delete,
            "get": self._get,
            "ls": self._ls,
            **ListControl(cluster).commands,
        }

    async def __aenter__(self) -> Self:
        _check_length(self.path)
        if _answers(self.path):
            raise ControlError(f"another sandbox is running in {self.path.parent}; stop it first")
        self.path.unlink(missing_ok=True)
        listening = socket.socket(socket.AF_UNIX)
        try:
            listening.setblocking(False)
            # Between bind() and chmod() only the directory's own mode guards the socket, so narrow the mask.
            mask = os.umask(0o177)
            try:
                listening.bind(str(self.path))
            finally:
                os.umask(mask)
            self._server = await asyncio.start_unix_server(self._serve, sock=listening, limit=_MAX_LINE)
        except BaseException:
            listening.close()
            raise
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        if self._server is not None:
            self._server.close()
        for task in self._connections:
            task.cancel()
        await asyncio.gather(*self._connections, return_exceptions=True)
        self.path.unlink(missing_ok=True)

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        self._connections.add(task)
        try:
            while line := await reader.readline():
                writer.write(json.dumps(await self._answer(line)).encode() + b"\n")
                await writer.drain()
        except (OSError, ValueError, asyncio.CancelledError):
            pass  # the client has gone, sent too much, or we close: asyncio would log the last one
        finally:
            self._connections.discard(task)
            writer.close()

    async def _answer(self, line: bytes) -> dict[str, Any]:
        try:
            asked = json.loads(line)
            do = asked.pop("do")
            command = self._commands[do]
        except (ValueError, KeyError, AttributeError, TypeError, RecursionError):
            return {"error": f"not understood; known are: {', '.join(self._commands)}"}
        try:
            return {"result": await command(asked)}
        except Refusal as refusal:
            return {"error": refusal.details}
        except (KeyError, TypeError, ValueError, OverflowError) as error:
            return {"error": f"{do}: bad or missing argument: {error}"}

    async def _create(self, asked: dict[str, Any]) -> dict[str, Any]:
        options: dict[str, Any] = {}
        if "pending_for" in asked:
            options["pending_for"] = timedelta(seconds=float(asked["pending_for"]))
        if "access_for" in asked:
            options["access_for"] = timedelta(seconds=float(asked["access_for"]))
        if "approvals" in asked or "denials" in asked:
            options["thresholds"] = [
                Threshold("sandbox", "", int(asked.get("approvals", 1)), int(asked.get("denials", 1)))
            ]
        if asked.get("assume_start"):
            options["assume_start"] = datetime.fromisoformat(asked["assume_start"])
        request = await self._cluster.create(
            user=str(asked["user"]),
            roles=_strings(asked.get("roles", ())),
            reason=str(asked.get("reason", "")),
            suggested_reviewers=_strings(asked.get("suggested_reviewers", ())),
            resources=[ResourceID(**resource) for resource in asked.get("resources", ())],
            annotations={key: _strings(values) for key, values in asked.get("annotations", {}).items()},
            **options,
        )
        return request_as_json(request)

    async def _review(self, asked: dict[str, Any]) -> dict[str, Any]:
        state = RequestState(str(asked["state"]).upper())
        request = await self._cluster.review(
            str(asked["id"]), str(asked["author"]), state, str(asked.get("reason", ""))
        )
        return request_as_json(request)

    async def _approve(self, asked: dict[str, Any]) -> dict[str, Any]:
        return request_as_json(await self._cluster.approve(str(asked["id"]), str(asked.get("reason", ""))))

    async def _deny(self, asked: dict[str, Any]) -> dict[str, Any]:
        return request_as_json(await self._cluster.deny(str(asked["id"]), str(asked.get("reason", ""))))

    async def _promote(self, asked: dict[str, Any]) -> dict[str, Any]:
        options = {"author": str(asked["author"])} if "author" in asked else {}
        request = await self._cluster.promote(
            str(asked["id"]), str(asked["access_list"]), str(asked.get("reason", "")), **options
        )
        return request_as_json(request)

    async def _delete(self, asked: dict[str, Any]) -> None:
        await self._cluster.delete(str(asked["id"]))

    async def _get(self, asked: dict[str, Any]) -> dict[str, Any] | None:
        request = self._cluster.get(str(asked["id"]))
        return None if request is None else request_as_json(request)

    async def _ls(self, _asked: dict[str, Any]) -> list[dict[str, Any]]:
        return [request_as_json(request) for request in self._cluster.list()]


def ask(directory: Path, do: str, **arguments: Any) -> Any:
    """Ask the sandbox that runs in ``directory`` to do something; blocks. The result as decoded JSON.

    :raises ControlError: no sandbox runs there, or it refuses.
    """
    path = directory / SOCKET_NAME
    _check_length(path)
    with socket.socket(socket.AF_UNIX) as connection:
        connection.settimeout(10)
        try:
            connection.connect(str(path))
            connection.sendall(json.dumps({"do": do, **arguments}).encode() + b"\n")
            with connection.makefile("rb") as answers:
                line = answers.readline()
        except (FileNotFoundError, ConnectionRefusedError) as error:
            raise ControlError(
                f"no sandbox is running in {directory}; start one there with `teleport-email sandbox`"
            ) from error
        except OSError as error:
            raise ControlError(f"the sandbox in {directory} does not answer: {error}") from error
    if not line:
        raise ControlError(f"the sandbox in {directory} ended before it answered")
    answer = json.loads(line)
    if "error" in answer:
        raise ControlError(answer["error"])
    return answer["result"]


def request_as_json(request: AccessRequest) -> dict[str, Any]:
    """What is worth showing of a request; times in ISO 8601."""
    return {
        "id": request.id,
        "user": request.user,
        "roles": list(request.roles),
        "resources": [str(resource) for resource in request.resources],
        "state": request.state.value,
        "reason": request.request_reason,
        "resolve_reason": request.resolve_reason,
        "suggested_reviewers": list(request.suggested_reviewers),
        "created": _iso(request.created),
        "expires": _iso(request.expires),
        "access_expires": _iso(request.access_expires),
        "reviews": [
            {"author": review.author, "state": review.proposed_state.value, "reason": review.reason}
            for review in request.reviews
        ],
    }


def _iso(time: datetime | None) -> str | None:
    return None if time is None else time.isoformat()


def _strings(values: Any) -> Sequence[str]:
    if isinstance(values, str):
        return [values]
    return [str(value) for value in values]


def _check_length(path: Path) -> None:
    if len(os.fsencode(path)) > _MAX_PATH:
        raise ControlError(
            f"{path} is too long for a socket (over {_MAX_PATH} bytes): choose a shorter directory"
        )


def _answers(path: Path) -> bool:
    with socket.socket(socket.AF_UNIX) as probe, contextlib.suppress(OSError):
        probe.settimeout(1)
        probe.connect(str(path))
        return True
    return False
