"""What the benches are made of: servers in processes of their own, and the daemon as it is really run.

:class:`Remote` runs an object of ``async`` methods in another process; :class:`Daemon` is a
``teleport-email start`` with its log, its memory and its processor time.
"""

from __future__ import annotations

import asyncio
import compileall
import contextlib
import json
import multiprocessing
import multiprocessing.connection
import os
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import teleport_email
from teleport_email.sandbox.command import workspace

PASSWORD = "bench"
READY = b"Plugin is ready"
SETTLE = float(os.environ.get("BENCH_SETTLE", "0.7"))
"""Seconds from ready to the first request; the tests, which time nothing, take less."""
START = 900.0
"""Seconds until the daemon must be ready: 100,000 open requests on a busy machine."""
TICKS = os.sysconf("SC_CLK_TCK")


class Remote:
    """``make(*args)`` in a process of its own; its ``async`` methods are called with :meth:`ask`."""

    def __init__(self, make: Callable[..., Any], *args: Any, **kwargs: Any) -> None:
        context = multiprocessing.get_context("spawn")
        self._pipe, theirs = context.Pipe()
        self.process = context.Process(target=_serve, args=(theirs, make, args, kwargs), daemon=True)
        self.process.start()
        theirs.close()

    def ask(self, method: str, *args: Any, **kwargs: Any) -> Any:
        """Call a method there and wait for what it gives."""
        self.begin(method, *args, **kwargs)
        return self.end()

    def begin(self, method: str, *args: Any, **kwargs: Any) -> None:
        """Call a method there; :meth:`end` waits for it."""
        self._pipe.send((method, args, kwargs))

    def end(self) -> Any:
        """What the call gave that was begun first."""
        good, value = self._pipe.recv()
        if not good:
            raise RuntimeError(value)
        return value

    def close(self) -> None:
        """End the process."""
        with contextlib.suppress(OSError):
            self._pipe.send(None)
        self.process.join(5)
        if self.process.is_alive():
            self.process.terminate()
            self.process.join()


def _serve(
    pipe: multiprocessing.connection.Connection, make: Callable[..., Any], args: Any, kwargs: Any
) -> None:
    async def run() -> None:
        desk = make(*args, **kwargs)
        while (message := await asyncio.to_thread(pipe.recv)) is not None:
            method, positional, named = message
            try:
                pipe.send((True, await getattr(desk, method)(*positional, **named)))
            except Exception as error:
                pipe.send((False, f"{method}: {type(error).__name__}: {error}"))
        if hasattr(desk, "stop"):
            await desk.stop()

    with contextlib.suppress(EOFError, KeyboardInterrupt):
        asyncio.run(run())


@contextlib.contextmanager
def remotes(*parts: Remote) -> Iterator[tuple[Remote, ...]]:
    """End them in the end."""
    try:
        yield parts
    finally:
        for part in parts:
            part.close()


class Daemon:
    """One daemon in a directory of its own."""

    def __init__(
        self,
        cluster: dict[str, Any],
        mail: dict[str, Any],
        roles: dict[str, list[str]],
        *,
        severity: str = "info",
        wrapper: tuple[str, ...] = (),
        program: tuple[str, ...] = ("-m", "teleport_email"),
        **smtp: int,
    ) -> None:
        self.directory = Path(tempfile.mkdtemp(prefix="teleport-email-bench-"))
        self.log = self.directory / "log"
        (self.directory / "identity").touch(0o600)
        (self.directory / "identity").write_bytes(cluster["identity"])
        sections: dict[str, Any] = {
            "teleport": {"addr": cluster["addr"], "identity": str(self.directory / "identity")},
            "smtp": {
                "host": mail["host"],
                "port": mail["port"],
                "tls": "implicit" if mail["ca_pem"] else "none",
            }
            | smtp,
            "delivery": {"sender": "teleport@example.com"},
            "role_to_recipients": roles,
            "log": {"output": "stderr", "severity": severity},
        }
        if mail["ca_pem"]:
            (self.directory / "ca.pem").write_bytes(mail["ca_pem"])
            workspace.write(self.directory / "password", f"{PASSWORD}\n")
            sections["smtp"] |= {
                "ca_file": str(self.directory / "ca.pem"),
                "username": "bench",
                "password_file": str(self.directory / "password"),
            }
        workspace.write(self.directory / "config.toml", workspace.configuration(sections))
        self._wrapper, self._program = wrapper, program
        self.process: subprocess.Popen[bytes] | None = None

    def start(self, *arguments: str, environ: dict[str, str] | None = None) -> float:
        """Start it and wait until it is ready; the seconds that took."""
        command = [
            *self._wrapper,
            sys.executable,
            *self._program,
            "start",
            "-c",
            str(self.directory / "config.toml"),
            *arguments,
        ]
        # As it is installed: with compiled code, wherever this is run from.
        compileall.compile_dir(Path(teleport_email.__file__).parent, quiet=1)
        begun = time.monotonic()
        with self.log.open("ab") as log:
            self.process = subprocess.Popen(command, stdout=log, stderr=log, env=os.environ | (environ or {}))
        with self.log.open("rb") as log:
            text = b""
            while READY not in text:
                if self.process.poll() is not None or time.monotonic() - begun > START:
                    raise RuntimeError(f"the daemon did not come up: {self.log.read_text()[-2000:]}")
                time.sleep(0.002)
                text += log.read()
        return time.monotonic() - begun

    @property
    def pid(self) -> int:
        """The daemon's process."""
        assert self.process is not None
        return self.process.pid

    def cpu(self) -> float:
        """Processor seconds so far."""
        fields = Path(f"/proc/{self.pid}/stat").read_text().rpartition(")")[2].split()
        return (int(fields[11]) + int(fields[12])) / TICKS

    def rss(self) -> float:
        """Resident memory, MB."""
        return self._status("VmRSS") / 1024

    def peak(self) -> float:
        """The most resident memory so far, MB."""
        return self._status("VmHWM") / 1024

    def wakeups(self, *, own: bool = False) -> int:
        """How often its threads (``own``: only the one with the event loop) have gone to sleep so far."""
        total = 0
        tasks = Path(f"/proc/{self.pid}/task")
        for task in [tasks / str(self.pid)] if own else tasks.iterdir():
            with contextlib.suppress(OSError):
                for line in (task / "status").read_text().splitlines():
                    if line.startswith("voluntary_ctxt_switches:"):
                        total += int(line.split()[1])
        return total

    def threads(self) -> int:
        """How many threads it has."""
        return len(list(Path(f"/proc/{self.pid}/task").iterdir()))

    def lines(self, event: str) -> int:
        """How often the log has that event."""
        return self.log.read_text().count(event)

    def stop(self) -> None:
        """SIGTERM, wait, clear up."""
        if self.process is not None and self.process.poll() is None:
            self.process.terminate()
            try:
                self.process.wait(30)
            except subprocess.TimeoutExpired:
                self.process.kill()
                self.process.wait()
        shutil.rmtree(self.directory, ignore_errors=True)

    def _status(self, name: str) -> int:
        for line in Path(f"/proc/{self.pid}/status").read_text().splitlines():
            if line.startswith(f"{name}:"):
                return int(line.split()[1])
        raise KeyError(name)


@contextlib.contextmanager
def running(daemon: Daemon, *arguments: str) -> Iterator[Daemon]:
    """A daemon that is ready and has had a moment to load its templates; stopped in the end."""
    try:
        daemon.start(*arguments)
        time.sleep(SETTLE)
        yield daemon
    finally:
        daemon.stop()


class Report:
    """Prints rows as they come, and keeps them for ``bench/results.json`` with ``--save``."""

    def __init__(self, name: str, columns: str, save: str = "") -> None:
        self.name, self.columns, self.path = name, columns.split("|"), save
        self.rows: list[list[Any]] = []
        print(f"\n{name}\n" + "  ".join(f"{column:>14}" for column in self.columns), flush=True)

    def row(self, *values: Any) -> None:
        """One line."""
        self.rows.append(list(values))
        texts = [f"{value:.3g}" if isinstance(value, float) else str(value) for value in values]
        print("  ".join(f"{text:>14}" for text in texts), flush=True)

    def done(self) -> None:
        """Add them to the file."""
        if not self.path:
            return
        path = Path(self.path)
        kept = json.loads(path.read_text()) if path.exists() else {}
        kept[self.name] = {"columns": self.columns, "rows": self.rows}
        path.write_text(json.dumps(kept, indent=1, ensure_ascii=False) + "\n")
