"""Telling systemd how we are: sd_notify(3), without its library. Does nothing where nobody listens."""

from __future__ import annotations

import os
import socket
import time
from collections.abc import Callable, Mapping


class Notifier:
    """Sends state to ``$NOTIFY_SOCKET``, one datagram each. Never blocks, never raises."""

    def __init__(
        self,
        environ: Mapping[str, str],
        *,
        monotonic_ns: Callable[[], int] = lambda: time.clock_gettime_ns(time.CLOCK_MONOTONIC),
    ) -> None:
        address = environ.get("NOTIFY_SOCKET", "")
        # A leading @ stands for the null byte of the abstract namespace; other families (vsock) are for VMs.
        self._address = "\0" + address[1:] if address.startswith("@") else address
        self._wanted = address[:1] in ("@", "/")
        self._monotonic_ns = monotonic_ns
        self._watchdog = _watchdog_seconds(environ)
        self._socket: socket.socket | None = None

    @property
    def watchdog_interval(self) -> float | None:
        """Seconds between two calls of :meth:`watchdog`: half of what systemd allows; ``None``: unwanted."""
        return self._watchdog / 2 if self._wanted and self._watchdog else None

    def ready(self, status: str = "") -> None:
        """Started, or done with reloading (also when that failed: systemd waits for it)."""
        self._send("READY=1", status=status)

    def status(self, text: str) -> None:
        """One line for ``systemctl status``."""
        self._send(status=text)

    def reloading(self) -> None:
        """A reload has begun; :meth:`ready` must follow."""
        self._send("RELOADING=1", f"MONOTONIC_USEC={self._monotonic_ns() // 1000}")

    def stopping(self, status: str = "") -> None:
        """Shutting down."""
        self._send("STOPPING=1", status=status)

    def watchdog(self) -> None:
        """Still alive."""
        self._send("WATCHDOG=1")

    def close(self) -> None:
        """Let go of the socket."""
        if self._socket is not None:
            self._socket.close()
            self._socket = None

    def _send(self, *lines: str, status: str = "") -> None:
        if not self._wanted:
            return
        if status:
            lines += (f"STATUS={' '.join(status.split())}",)
        try:
            if self._socket is None:
                self._socket = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM | socket.SOCK_CLOEXEC)
                self._socket.setblocking(False)
            self._socket.sendto("\n".join(lines).encode("utf-8", "replace"), self._address)
        except OSError:
            pass  # systemd restarting, or a full queue: the next message will do


def _watchdog_seconds(environ: Mapping[str, str]) -> float | None:
    """``$WATCHDOG_USEC`` in seconds, if it is meant for this process (``$WATCHDOG_PID``)."""
    if environ.get("WATCHDOG_PID", str(os.getpid())) != str(os.getpid()):
        return None
    text = environ.get("WATCHDOG_USEC", "")
    return int(text) / 1e6 if text.isascii() and text.isdigit() and int(text) > 0 else None
