"""``teleport-email start``: reads the configuration, sets up the log, hands over to the service."""

from __future__ import annotations

import argparse
import asyncio
import os
from pathlib import Path

import structlog

from teleport_email import __version__, config
from teleport_email.commands import add_config_options
from teleport_email.config.settings import Settings
from teleport_email.core.errors import TeleportEmailError
from teleport_email.daemon import heap
from teleport_email.daemon.signals import Signals
from teleport_email.daemon.systemd import Notifier
from teleport_email.telemetry import log


def add_parser(subparsers: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """``start [-c FILE] [-d] [--diag-addr HOST:PORT]``."""
    parser = subparsers.add_parser("start", help="run the daemon", allow_abbrev=False)
    add_config_options(parser)
    parser.add_argument(
        "--diag-addr", metavar="HOST:PORT", default="", help="serve health, metrics and status there"
    )
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    """Run until told to stop. Raises :class:`ConfigError` and :class:`IdentityError` as they come."""
    with Signals() as signals:

        def read() -> Settings:
            settings = config.load(Path(args.config), os.environ)
            return config.with_flags(settings, debug=args.debug, diag_addr=args.diag_addr)

        settings = read()
        lines = log.set_up(settings.log)
        notifier = Notifier(os.environ)
        try:
            structlog.get_logger().info("Starting Teleport Access Email Plugin", version=__version__)
            for warning in settings.warnings:
                structlog.get_logger().warning("configuration", hint=warning)
            from teleport_email.daemon.service import (
                run as serve,  # after the first line: it brings grpcio along
            )

            heap.spare()
            asyncio.run(
                serve(
                    settings, reread=read, signals=signals, notifier=notifier, log=lines, environ=os.environ
                )
            )
        except TeleportEmailError as error:
            # stderr gets it from whoever called; a log file, or a collector of JSON, only from here.
            if settings.log.output != "stderr" or settings.log.format == "json":
                structlog.get_logger().error("cannot go on", error=str(error))
            raise
        finally:
            notifier.close()
            lines.close()
    return 0
