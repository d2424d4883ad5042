"""The connection of the moment: calls go over it, without one they fail at once, and a late end harms no successor."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import pytest

from teleport_email.core.errors import Unreachable
from teleport_email.core.model import ClusterInfo, ResourceID, User
from teleport_email.watching.link import Link

NODE = ResourceID("c", "node", "n")


class Connection:
    """Answers everything with its own name."""

    def __init__(self, name: str) -> None:
        self.cluster = ClusterInfo(name, server_version=f"version of {name}")
        self.way = f"way of {name}"
        self.plugin_data = self.users = self.resources = self
        self.written: list[tuple[str, Mapping[str, str], Mapping[str, str]]] = []

    async def read(self, request_id: str) -> Mapping[str, str]:
        return {"read by": self.cluster.name, "of": request_id}

    async def read_all(self) -> Mapping[str, Mapping[str, str]]:
        return {}

    async def compare_and_swap(
        self,
        request_id: str,
        set: Mapping[str, str],  # noqa: A002 - the name on the wire
        expect: Mapping[str, str],
    ) -> None:
        self.written.append((request_id, set, expect))

    async def get(self, name: str) -> User | None:
        return User(f"{name} of {self.cluster.name}")

    async def names(self, ids: Sequence[ResourceID]) -> Mapping[ResourceID, str]:
        return dict.fromkeys(ids, self.cluster.name)

    async def labels(self, ids: Sequence[ResourceID]) -> Sequence[Mapping[str, str]] | None:
        return [{"cluster": self.cluster.name} for _ in ids]


async def every_call(link: Link) -> list[Any]:
    await link.compare_and_swap("id", set={"a": "1"}, expect={"a": ""})
    return [await link.read("id"), await link.get("bob"), await link.names([NODE]), await link.labels([NODE])]


async def test_calls_go_over_the_connection_that_stands() -> None:
    link, connection = Link(), Connection("one")
    link.set(connection)
    assert await every_call(link) == [
        {"read by": "one", "of": "id"},
        User("bob of one"),
        {NODE: "one"},
        [{"cluster": "one"}],
    ]
    assert connection.written == [("id", {"a": "1"}, {"a": ""})]


@pytest.mark.parametrize("call", ["read", "get", "names", "labels"])
async def test_without_a_connection_calls_fail_at_once(call: str) -> None:
    link = Link()
    with pytest.raises(Unreachable, match="not connected"):
        await getattr(link, call)("id" if call in ("read", "get") else [NODE])
    with pytest.raises(Unreachable):
        await link.compare_and_swap("id", set={}, expect={})


def test_how_things_stand() -> None:
    link = Link()
    assert link.status.problem == "still connecting"
    told = []
    link.connected = lambda: told.append(link.cluster.name)
    connection = Connection("one")
    link.set(connection)
    status = link.status
    assert (status.cluster, status.server_version, status.way) == ("one", "version of one", "way of one")
    assert (status.problem, status.connections) == ("", 1)
    link.unset(connection, "the cluster ended the stream")
    assert status.problem == "the cluster ended the stream"
    assert link.cluster.name == "one", "its name is still known"
    link.set(Connection("two"))
    assert (status.problem, status.connections) == ("", 2)
    assert told == ["one", "two"], "whoever remembers answers is told of each new connection"


async def test_the_late_end_of_a_connection_does_not_take_its_successor_away() -> None:
    link, old, new = Link(), Connection("old"), Connection("new")
    link.set(old)
    link.set(new)
    link.unset(old, "renewed")
    assert link.status.problem == ""
    assert await link.get("bob") == User("bob of new")


def test_what_the_last_ping_told_is_kept_after_the_end() -> None:
    link, connection = Link(), Connection("one")
    link.set(connection)
    connection.cluster = ClusterInfo("one", proxy_public_addr="moved.example.com:443")
    link.unset(connection, "gone")
    assert link.cluster.proxy_public_addr == "moved.example.com:443"
