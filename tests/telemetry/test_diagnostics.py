"""The pages over HTTP, of a real daemon on a real cluster; and where they may be listened for."""

from __future__ import annotations

import asyncio
import contextlib
import errno
import html.parser
import re
import socket
import subprocess
import sys
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import httpx
import pytest
from structlog.testing import capture_logs

from teleport_email.config.settings import (
    DeliverySettings,
    DiagnosticsSettings,
    LogSettings,
    Settings,
    TeleportSettings,
)
from teleport_email.core.errors import ConfigError
from teleport_email.core.informing import Wait
from teleport_email.core.model import AccessRequest, RequestState, Review
from teleport_email.daemon.service import Daemon
from teleport_email.daemon.systemd import Notifier
from teleport_email.sandbox.cluster.cluster import SandboxCluster
from teleport_email.sandbox.mail.inbox import Inbox
from teleport_email.telemetry import statusz
from teleport_email.telemetry.diagnostics import CannotListen, Diagnostics, Faults
from teleport_email.telemetry.health import Backlog, Reviews, Snapshot
from teleport_email.telemetry.log import Log
from teleport_email.telemetry.problems import Problems
from teleport_email.telemetry.tally import Tally
from teleport_email.watching.link import Status
from teleport_email.watching.store import Store

NOW = datetime(2026, 11, 22, 12, 0, tzinfo=UTC)
ON = DiagnosticsSettings(addr="127.0.0.1:0")
ANYWHERE = "127.0.0.1:0"


class Pages:
    """Diagnostics over a snapshot that the test sets."""

    def __init__(self) -> None:
        self.now = Snapshot(at=NOW)
        self.store = Store()
        self.tally = Tally(lambda: NOW)
        self.problems = Problems(lambda: NOW)
        self.clock = 0.0
        self.waits: dict[str, tuple[Wait, ...]] = {}
        self.diagnostics = Diagnostics(
            look=lambda: self.now,
            store=self.store,
            backlog=Backlog(self.store.unsettled, lambda: self.clock),
            tally=self.tally,
            problems=self.problems,
            waits=lambda request_id: self.waits.get(request_id, ()),
        )

    async def get(self, path: str, **options: Any) -> httpx.Response:
        return await get(self.diagnostics.url + path, **options)


async def get(url: str, **options: Any) -> httpx.Response:
    async with httpx.AsyncClient(trust_env=False) as client:
        return await client.get(url, **options)


@pytest.fixture
async def pages() -> AsyncIterator[Pages]:
    pages = Pages()
    await pages.diagnostics.start(ON)
    yield pages
    await pages.diagnostics.close()


def connected(**changes: Any) -> Status:
    return Status(
        **{
            "cluster": "demo.example.com",
            "server_version": "17.0.0",
            "way": "TLS",
            "problem": "",
            "listed": True,
            "identity_user": "access-plugin",
            "identity_ends": NOW + timedelta(hours=30),
        }
        | changes
    )


# What the pages say -----------------------------------------------------------------------------------


async def test_ready_says_ok_and_not_ready_says_every_reason(pages: Pages) -> None:
    pages.now = Snapshot(at=NOW, link=connected())
    answer = await pages.get("/readyz")
    assert (answer.status_code, answer.text) == (200, "ok\n")
    pages.now = Snapshot(at=NOW, link=connected(problem="gone\naway"), paused="535 no")
    answer = await pages.get("/readyz")
    assert answer.status_code == 503
    assert answer.text == "not connected to the cluster: gone away\nsending is paused: 535 no\n"
    assert answer.headers["content-type"] == "text/plain; charset=utf-8"


async def test_alive_is_not_the_same_as_ready(pages: Pages) -> None:
    pages.now = Snapshot(at=NOW, link=connected(problem="no route"), paused="535 no", stopping=True)
    assert (await pages.get("/healthz")).status_code == 200
    pages.now = Snapshot(at=NOW, link=connected(), dead=("watch",))
    answer = await pages.get("/healthz")
    assert (answer.status_code, answer.text) == (503, "the task 'watch' has ended\n")


async def test_metrics_in_both_formats(pages: Pages) -> None:
    answer = await pages.get("/metrics")
    assert answer.headers["content-type"].startswith("text/plain; version=")
    assert "teleport_email_build_info{" in answer.text
    answer = await pages.get("/metrics", headers={"Accept": "application/openmetrics-text; version=1.0.0"})
    assert answer.headers["content-type"].startswith("application/openmetrics-text")
    assert answer.text.endswith("# EOF\n")


async def test_other_paths_name_the_pages_and_other_methods_are_refused(pages: Pages) -> None:
    assert (await pages.get("/")).status_code == 200
    answer = await pages.get("/status")
    assert answer.status_code == 404
    assert "/statusz" in answer.text
    async with httpx.AsyncClient(trust_env=False) as client:
        assert (await client.post(f"{pages.diagnostics.url}/healthz")).status_code == 405


async def test_the_status_page_tells_the_state(pages: Pages) -> None:
    pages.now = Snapshot(
        at=NOW, link=connected(), mailer="SMTP mx.example.com:25", seen=9, open=2, ready=1, oldest_waiting=75
    )
    pages.store.put(
        AccessRequest(id="r-1", user="ann", expires=NOW + timedelta(hours=2), reviews=(Review("x", RequestState.APPROVED),))
    )  # fmt: skip
    pages.store.put(AccessRequest(id="r-2", user="ann"))
    pages.store.settle("r-2", 1)
    pages.store.put(AccessRequest(id="r-3", user="ann"))
    pages.store.remove("r-3")
    pages.diagnostics._backlog.look()
    pages.clock = 75.0
    pages.waits = {"r-1": (Wait(1, 9, 3, "451 <bob@x.example>: greylisted"), Wait(1, 2, 1, "421 busy"))}
    pages.problems(
        None, "", {"level": "error", "event": "message refused", "error": "550 no", "request": "r-2"}
    )
    answer = await pages.get("/statusz")
    assert answer.headers["content-type"] == "text/html; charset=utf-8"
    text = text_of(answer.text)
    for part in (
        "Ready",
        "demo.example.com (Teleport 17.0.0)",
        "up, TLS",
        "access-plugin, expires in 1 d 6 h (2026-11-23 18:00:00 UTC)",
        "SMTP mx.example.com:25, up",
        "Longest wait 1 min 15 s",
        "r-1 PENDING 1 2026-11-22 14:00:00 UTC waiting for 1 min 15 s; 2 people; 3 tries, the last: 451",
        "<…@x.example>: greylisted",
        "r-2 PENDING 0 told",
        "error message refused 550 no r-2",
    ):
        assert part in text, f"{part!r} is not in {text!r}"
    assert "r-3" not in text


async def test_reviews_of_access_lists_are_told_where_their_owners_are_reminded(pages: Pages) -> None:
    pages.now = Snapshot(at=NOW, link=connected())
    assert "Access List" not in text_of((await pages.get("/statusz")).text)
    assert "\nteleport_email_access_list" not in (await pages.get("/metrics")).text
    pages.now = Snapshot(at=NOW, link=connected(), reviews=Reviews(open=7, overdue=2))
    assert "Access List reviews Open 7 Overdue 2 Looked through not yet" in text_of(
        (await pages.get("/statusz")).text
    )
    polled = NOW - timedelta(hours=1)
    pages.now = Snapshot(at=NOW, link=connected(), reviews=Reviews(open=7, overdue=2, polled_at=polled))
    assert "Looked through 1 h ago" in text_of((await pages.get("/statusz")).text)
    text = (await pages.get("/metrics")).text
    assert "\nteleport_email_access_list_reviews_open 7.0\n" in text
    assert "\nteleport_email_access_list_reviews_overdue 2.0\n" in text
    found = re.search(r"^teleport_email_access_lists_polled_timestamp_seconds (\S+)$", text, re.MULTILINE)
    assert found is not None
    assert float(found[1]) == polled.timestamp()


async def test_nothing_that_came_from_outside_is_markup(pages: Pages) -> None:
    evil = "<script src=//evil.example>\"'&"
    pages.now = Snapshot(
        at=NOW,
        link=connected(cluster=evil, way=evil, problem=evil, identity_user=evil),
        paused=evil,
        mailer=evil,
    )
    pages.store.put(AccessRequest(id=evil, user=evil, request_reason=evil))
    pages.problems(None, "", {"level": "error", "event": evil, "error": evil, "request": evil})
    answer = await pages.get("/statusz")
    assert "<script" not in answer.text
    assert text_of(answer.text).count("<script src=//evil.example>") >= 8  # shown as what it is
    policy = answer.headers["content-security-policy"]
    assert "default-src 'none'" in policy
    assert answer.headers["cache-control"] == "no-store"


async def test_many_requests_make_no_endless_page(pages: Pages) -> None:
    for number in range(statusz.LISTED + 10):
        pages.store.put(AccessRequest(id=f"request-{number}", user="u"))
    pages.now = Snapshot(at=NOW, link=connected(), open=pages.store.open)
    text = text_of((await pages.get("/statusz")).text)
    assert len(re.findall(r"request-\d+", text)) == statusz.LISTED
    assert "and 10 more" in text


@pytest.mark.parametrize(
    ("seconds", "text"),
    [(-3, "0 s"), (0.4, "0 s"), (59.6, "1 min"), (3600, "1 h"), (90061, "1 d 1 h"), (172800, "2 d")],
)
def test_spans(seconds: float, text: str) -> None:
    assert statusz.span(seconds) == text


class _Text(html.parser.HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.parts: list[str] = []

    def handle_data(self, data: str) -> None:
        self.parts.append(data.strip())


def text_of(page: str) -> str:
    parser = _Text()
    parser.feed(page)
    return " ".join(part for part in parser.parts if part)


# Where it listens ---------------------------------------------------------------------------------------


@contextlib.contextmanager
def taken_port() -> Any:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        yield listener.getsockname()[1]


def free_port() -> int:
    with taken_port() as port:
        return int(port)


async def test_off_means_that_nothing_listens() -> None:
    pages = Pages()
    await pages.diagnostics.start(DiagnosticsSettings())
    assert pages.diagnostics.url == ""
    await pages.diagnostics.close()


async def test_a_taken_port_is_told_plainly() -> None:
    with taken_port() as port, pytest.raises(CannotListen, match="another process listens there") as caught:
        await Pages().diagnostics.start(DiagnosticsSettings(addr=f"127.0.0.1:{port}"))
    assert f"127.0.0.1:{port}" in str(caught.value)


async def test_a_port_that_it_will_never_have_is_the_configuration_s_fault(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    async def denied(*asked: object, **options: object) -> None:
        raise PermissionError(errno.EACCES, "Permission denied")

    monkeypatch.setattr(asyncio, "start_server", denied)
    monkeypatch.setattr(asyncio.get_running_loop(), "create_server", denied)
    with pytest.raises(ConfigError, match=r"diagnostics\.addr: cannot listen on 127\.0\.0\.1:80"):
        await Pages().diagnostics.start(DiagnosticsSettings(addr="127.0.0.1:80"))


async def test_an_address_of_another_machine_is_told_plainly() -> None:
    with pytest.raises(CannotListen, match="no such address"):
        await Pages().diagnostics.start(DiagnosticsSettings(addr="192.0.2.1:8080", allow_remote=True))


async def test_moving_and_switching_on_and_off(pages: Pages) -> None:
    first = pages.diagnostics.url
    async with pages.diagnostics.moving(DiagnosticsSettings(addr=f"127.0.0.1:{free_port()}")):
        assert (await get(f"{first}/")).status_code == 200  # the old one until all is well
    second = pages.diagnostics.url
    assert first != second
    assert (await get(f"{second}/")).status_code == 200
    with pytest.raises(httpx.ConnectError):
        await get(f"{first}/")
    async with pages.diagnostics.moving(DiagnosticsSettings()):
        pass
    assert pages.diagnostics.url == ""
    with pytest.raises(httpx.ConnectError):
        await get(f"{second}/")
    async with pages.diagnostics.moving(ON):
        pass
    assert (await pages.get("/")).status_code == 200


async def test_without_a_change_of_address_connections_stay(pages: Pages) -> None:
    async with httpx.AsyncClient(trust_env=False) as client:
        await client.get(f"{pages.diagnostics.url}/")
        before = pages.diagnostics.url
        async with pages.diagnostics.moving(DiagnosticsSettings(addr=ON.addr, allow_remote=True)):
            pass
        assert pages.diagnostics.url == before
        assert (await client.get(f"{before}/")).status_code == 200


async def test_a_move_that_fails_changes_nothing(pages: Pages) -> None:
    before = pages.diagnostics.url
    with taken_port() as port, pytest.raises(ConfigError, match=r"diagnostics\.addr: .*another process"):
        async with pages.diagnostics.moving(DiagnosticsSettings(addr=f"127.0.0.1:{port}")):
            pytest.fail("the block must not begin")
    assert (await get(f"{before}/")).status_code == 200


async def test_a_move_is_taken_back_when_the_rest_of_the_configuration_is_refused(pages: Pages) -> None:
    before, wanted = pages.diagnostics.url, free_port()
    with pytest.raises(RuntimeError):
        async with pages.diagnostics.moving(DiagnosticsSettings(addr=f"127.0.0.1:{wanted}")):
            raise RuntimeError
    assert pages.diagnostics.url == before
    assert (await get(f"{before}/")).status_code == 200
    with pytest.raises(httpx.ConnectError):
        await get(f"http://127.0.0.1:{wanted}/")


async def test_the_same_port_on_more_addresses_and_back_when_that_fails() -> None:
    pages = Pages()
    port = free_port()
    await pages.diagnostics.start(DiagnosticsSettings(addr=f"127.0.0.1:{port}"))
    wider = DiagnosticsSettings(addr=f"0.0.0.0:{port}", allow_remote=True)
    with pytest.raises(RuntimeError):
        async with pages.diagnostics.moving(wider):
            raise RuntimeError
    assert pages.diagnostics.url == f"http://127.0.0.1:{port}"
    assert (await pages.get("/")).status_code == 200
    async with pages.diagnostics.moving(wider):
        pass
    assert pages.diagnostics.url == f"http://0.0.0.0:{port}"
    assert (await get(f"http://127.0.0.1:{port}/")).status_code == 200
    await pages.diagnostics.close()


# In the daemon ------------------------------------------------------------------------------------------


class ManualSignals:
    asked_to_stop = "SIGTERM"

    def listen(self, *, stop: Any, reload: Any) -> None:
        self.stop, self.reload = stop, reload


class Live:
    """A daemon with its pages on."""

    def __init__(self, settings: Settings, log: Log) -> None:
        self.settings = settings
        self.signals = ManualSignals()
        self.daemon = Daemon(
            settings, reread=lambda: self.settings, notifier=Notifier({}), log=log, environ={}
        )
        self.task = asyncio.create_task(self.daemon.run(self.signals))  # type: ignore[arg-type]

    async def page(self, path: str) -> httpx.Response:
        return await get(self.daemon.diagnostics.url + path)

    async def until(self, condition: Any) -> None:
        async with asyncio.timeout(60):
            while not condition():
                if self.task.done():
                    self.task.result()
                await asyncio.sleep(0.005)

    async def number(self, sample: str) -> float:
        found = re.search(rf"^{re.escape(sample)} (\S+)$", (await self.page("/metrics")).text, re.MULTILINE)
        assert found, sample
        return float(found[1])


@pytest.fixture
async def world(tmp_path: Path) -> AsyncIterator[Any]:
    log = Log(LogSettings(output=str(tmp_path / "daemon.log")))
    lives: list[Live] = []
    async with SandboxCluster() as cluster, Inbox() as inbox:

        def live(**changes: Any) -> Live:
            values: dict[str, Any] = {
                "teleport": TeleportSettings(addr=cluster.addr, identity=cluster.write_identity(tmp_path)),
                "mailer": inbox.settings(),
                "delivery": DeliverySettings(sender="teleport@example.com"),
                "role_to_recipients": {"*": ("all@example.com",)},
                "diagnostics": ON,
            }
            lives.append(Live(Settings(**(values | changes)), log))
            return lives[-1]

        live.cluster, live.inbox = cluster, inbox  # type: ignore[attr-defined]
        yield live
        for one in lives:
            if not one.task.done():
                one.signals.stop()
                await one.task
    log.close()


async def test_a_daemon_at_work_shows_what_it_does(world: Any) -> None:
    live = world()
    await live.until(lambda: live.daemon.link.status.listed)
    assert (await live.page("/readyz")).status_code == 200
    assert (await live.page("/healthz")).status_code == 200
    request = await world.cluster.create(user="ann", roles=["dba"], reason="secret words")
    await world.inbox.wait_for(1, timeout=60)
    await live.until(lambda: not live.daemon.store.unsettled())
    delivered = 'teleport_email_messages_total{kind="announcement",outcome="delivered"}'
    assert await live.number(delivered) == 1
    assert await live.number("teleport_email_requests_seen_total") == 1
    assert await live.number("teleport_email_open_requests") == 1
    assert await live.number("teleport_email_oldest_waiting_seconds") == 0
    assert await live.number("teleport_email_send_seconds_count") == 1
    assert await live.number("teleport_email_connected") == 1
    ends = live.daemon.link.status.identity_ends
    assert await live.number("teleport_email_identity_expiry_timestamp_seconds") == ends.timestamp()
    page = (await live.page("/statusz")).text
    assert request.id in page
    for hidden in ("all@example.com", "secret words", "ann<", "teleport@example.com"):
        assert hidden not in page


async def test_a_refused_login_shows_everywhere_and_the_password_nowhere(world: Any) -> None:
    async with Inbox(passwords={"postman": "hunter2"}) as inbox:
        inbox.faults.refuse_login = True
        live = world(mailer=inbox.settings())
        await _refused(world, live)
        live.signals.stop()
        await live.task


async def _refused(world: Any, live: Live) -> None:
    await live.until(lambda: live.daemon.link.status.listed)
    await world.cluster.create(user="ann", roles=["dba"])
    await live.until(lambda: live.daemon.mailer.paused)
    answer = await live.page("/readyz")
    assert answer.status_code == 503
    assert "sending is paused" in answer.text
    assert await live.number("teleport_email_mailer_paused") == 1
    assert await live.number("teleport_email_oldest_waiting_seconds") > 0
    page = (await live.page("/statusz")).text
    assert "paused:" in page
    assert "hunter2" not in page + answer.text
    assert (await live.page("/healthz")).status_code == 200


async def test_an_unreachable_cluster_is_no_reason_to_restart(world: Any) -> None:
    live = world(
        teleport=TeleportSettings(
            addr=f"127.0.0.1:{free_port()}", identity=world().settings.teleport.identity
        )
    )
    await live.until(lambda: live.daemon.diagnostics.url)
    assert (await live.page("/healthz")).status_code == 200
    answer = await live.page("/readyz")
    assert answer.status_code == 503
    assert "not connected to the cluster" in answer.text


async def test_reload_moves_the_pages_and_keeps_the_numbers(world: Any) -> None:
    live = world()
    await live.until(lambda: live.daemon.link.status.listed)
    await world.cluster.create(user="ann", roles=["dba"])
    await world.inbox.wait_for(1, timeout=60)
    before = live.daemon.diagnostics.url
    live.settings = _with(live.settings, diagnostics=DiagnosticsSettings(addr=f"127.0.0.1:{free_port()}"))
    live.signals.reload()
    await live.until(lambda: live.daemon.observer.reloads[True])
    assert live.daemon.diagnostics.url != before
    assert await live.number('teleport_email_reloads_total{result="good"}') == 1
    assert await live.number("teleport_email_requests_seen_total") == 1
    with taken_port() as port:
        live.settings = _with(live.settings, diagnostics=DiagnosticsSettings(addr=f"127.0.0.1:{port}"))
        live.signals.reload()
        await live.until(lambda: live.daemon.observer.reloads[False])
    assert await live.number("teleport_email_last_reload_successful") == 0
    page = (await live.page("/statusz")).text
    assert "refused, the old configuration stays in use" in page
    assert "another process listens there already" in page


async def test_a_port_in_use_at_the_start_ends_the_daemon_before_it_is_ready(world: Any) -> None:
    with taken_port() as port:
        live = world(diagnostics=DiagnosticsSettings(addr=f"127.0.0.1:{port}"))
        with pytest.raises(CannotListen):
            await live.task
    assert live.daemon._endless == ()  # nothing else had begun
    assert not world.cluster.calls


async def test_once_stopped_it_is_neither_ready_nor_there(world: Any) -> None:
    live = world()
    await live.until(lambda: live.daemon.link.status.listed)
    url = live.daemon.diagnostics.url
    live.signals.stop()
    await live.task
    assert live.daemon.look().obstacles()[0] == "stopping"
    assert live.daemon.look().dead == ()
    with pytest.raises(httpx.ConnectError):
        await get(f"{url}/healthz")


def _with(settings: Settings, **changes: Any) -> Settings:
    from msgspec import structs

    return structs.replace(settings, **changes)


def test_without_diagnostics_neither_server_nor_metrics_library_is_loaded() -> None:
    code = (
        "import sys, teleport_email.daemon.service;"
        "print([name for name in ('prometheus_client', 'teleport_email.telemetry.httpd') if name in sys.modules])"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, timeout=60, check=True
    )
    assert done.stdout == "[]\n"


def test_the_command_says_why_it_cannot_listen_and_may_be_started_again(tmp_path: Path) -> None:
    file = tmp_path / "teleport-email.toml"
    file.write_text(
        '[teleport]\nidentity = "/nowhere"\n[smtp]\nhost = "mx.example.com"\n[delivery]\nsender = "a@example.com"\n'
        '[role_to_recipients]\n"*" = "b@example.com"\n'
    )
    with taken_port() as port:
        done = subprocess.run(
            [
                sys.executable,
                "-m",
                "teleport_email",
                "start",
                "-c",
                str(file),
                "--diag-addr",
                f"127.0.0.1:{port}",
            ],
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )
    assert done.returncode == 1
    assert done.stderr.splitlines()[-1] == (
        f"teleport-email: cannot listen on 127.0.0.1:{port} for diagnostics: another process listens there already; "
        "choose another port or end that process"
    )


# What somebody who may ask can cost ---------------------------------------------------------------------

ODD_ACCEPTS = [
    "application/openmetrics-text;version=x",
    "application/openmetrics-text;version=",
    "application/openmetrics-text; version=1.0.0.0.0; escaping=nonsense",
    "text/plain;version=9e999;escaping=;;=",
    "," * 4000,
    "\xff;\xfe",
]


@pytest.mark.parametrize("accept", ODD_ACCEPTS, ids=range(len(ODD_ACCEPTS)))
async def test_metrics_are_given_whatever_is_accepted(pages: Pages, accept: str) -> None:
    answer = await pages.get("/metrics", headers={"Accept": accept.encode("latin-1")})
    assert answer.status_code == 200
    assert "teleport_email_build_info{" in answer.text


@pytest.mark.parametrize("page", ["/healthz", "/readyz", "/metrics", "/statusz"])
async def test_a_fault_of_a_page_is_one_short_line_a_minute(pages: Pages, page: str) -> None:
    def look() -> Snapshot:
        raise RuntimeError("x" * 100_000)

    pages.diagnostics._look = look  # type: ignore[assignment]
    pages.diagnostics._metrics._look = look  # type: ignore[union-attr]
    with capture_logs() as lines:
        for _ in range(5):
            answer = await pages.get(page)
            assert (answer.status_code, answer.text) == (500, "internal error\n")
        (line,) = lines
        assert line["event"] == "http request failed"
        assert len(str(line)) < 1000
        assert "exc_info" not in line


def test_after_a_minute_it_is_said_again_with_what_was_not_said() -> None:
    now = 0.0
    faults = Faults(lambda: now)
    with capture_logs() as lines:
        for _ in range(100):
            faults.say("/statusz", ValueError("no"))
        now = 60.0
        faults.say("/statusz", ValueError("no"))
    assert [line["unsaid"] for line in lines] == [0, 99]


@pytest.mark.parametrize(
    ("host", "status"),
    [
        ("evil.example", 403),
        ("evil.example:8080", 403),
        ("127.0.0.1.evil.example", 403),
        ("localhost.evil.example", 403),
        ("192.168.1.5", 403),
        ("[2001:db8::1]:80", 403),
        ("localhost", 200),
        ("LOCALHOST.:81", 200),
        ("127.0.0.1:9", 200),
        ("127.9.9.9", 200),
        ("[::1]:80", 200),
        ("[::1]", 200),
    ],
)
async def test_a_page_elsewhere_cannot_read_ours_by_a_name_of_its_own(
    pages: Pages, host: str, status: int
) -> None:
    """DNS rebinding: the browser is on this machine, the name that it was given is not ours."""
    for page in ("/statusz", "/metrics", "/readyz"):
        assert (await pages.get(page, headers={"Host": host})).status_code in {status, 503}
    assert (await pages.get("/statusz", headers={"Host": host})).status_code == status
