"""The commands, one module each; ``cli`` imports only the one that is asked for.

In: parsed arguments. Out: words and an exit code. May know all but the sandbox; nothing knows it.
"""

from __future__ import annotations

import argparse
import contextlib
import os
from collections.abc import Iterator

TYPE_CHECKING = False  # without `typing`, as in `cli`
if TYPE_CHECKING:
    from teleport_email.config.settings import Settings
    from teleport_email.teleport.session import Session

DEFAULT_CONFIG = "/etc/teleport-email.toml"


def add_config_options(parser: argparse.ArgumentParser, *, debug: bool = True) -> None:
    """``-c/--config`` (and ``-d/--debug``) behind the command; in front of it they mean the same.

    ``args.config`` and ``args.debug`` are always there: the main parser has the defaults.
    """
    parser.add_argument(
        "-c", "--config", metavar="FILE", default=argparse.SUPPRESS, help="configuration file (TOML)"
    )
    if debug:
        parser.add_argument(
            "-d", "--debug", action="store_true", default=argparse.SUPPRESS, help="log at level debug"
        )
        parser.add_argument(
            "--no-debug",
            dest="debug",
            action="store_false",
            default=argparse.SUPPRESS,
            help="do not (the default)",
        )


@contextlib.contextmanager
def quiet_log(*, debug: bool) -> Iterator[None]:
    """For commands whose output is their own: the log goes to stderr, errors only (all with ``--debug``)."""
    from teleport_email.config.settings import LogSettings
    from teleport_email.telemetry import log

    lines = log.set_up(LogSettings(output="stderr", severity="debug" if debug else "error"))
    try:
        yield
    finally:
        lines.close()


def cluster_session(settings: Settings) -> Session:
    """The way into the cluster, the same for every command as for the daemon. Brings grpcio with it."""
    from teleport_email.daemon.clocks import clock_set, wall_clock
    from teleport_email.teleport.session import Session

    return Session(
        settings.teleport, settings.plugin_name, environ=os.environ, now=wall_clock, clock_set=clock_set
    )
