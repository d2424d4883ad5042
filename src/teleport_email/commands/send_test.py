"""``teleport-email send-test``: does mail get through?"""

from __future__ import annotations

import argparse
import asyncio
import html
import os
import platform
import random
import re
import secrets
import time
from datetime import UTC, datetime
from pathlib import Path

from teleport_email import __version__, config
from teleport_email.commands import add_config_options, quiet_log
from teleport_email.commands.cells import cell
from teleport_email.config.settings import Settings, SmtpSettings
from teleport_email.core.addresses import parse_address
from teleport_email.core.ledger import id_domain
from teleport_email.core.model import AccountFault, Content, Declined, Delivered, Mail, Refused, SendOutcome
from teleport_email.mail.factory import make_mailer
from teleport_email.mail.mailer import OpenGate

_TO_THE_MESSAGE = re.compile(r" to (DATA|the message)(;|$)")
"""In a reason: the refusal came where `check`, which sends nothing, never gets."""
SUBJECT = "Test mail from teleport-email"


def add_parser(subparsers: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """``send-test [-c FILE] --to ADDRESS``."""
    parser = subparsers.add_parser(
        "send-test",
        help="send a test mail and say what the server answered",
        description="Sends one mail through the configured mail server. Exit code 0: the server took it.",
        allow_abbrev=False,
    )
    add_config_options(parser)
    parser.add_argument("--to", metavar="ADDRESS", required=True, type=_address, help="whom to send it to")
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    """Send it; 0 if the server took it, 1 if not."""
    settings = config.load(Path(args.config), os.environ)
    with quiet_log(debug=args.debug):
        mail = test_mail(settings, args.to)
        print(f"sending to {cell(args.to)} by {_way(settings)} ...", flush=True)
        outcome = asyncio.run(_send(settings, mail))
    said, code = describe(outcome)
    print(said)
    if code == 0:
        print(f"Message-ID: <{mail.message_id}>; what becomes of it now is the mail servers' business")
    return code


def test_mail(settings: Settings, to: str) -> Mail:
    """The mail: says what it is and where it comes from."""
    sender = settings.delivery.sender
    host = platform.node()
    text = (
        f"This is a test. teleport-email {__version__} on {host} can send mail as {sender}.\n\n"
        "Somebody ran `teleport-email send-test`. Nothing is to be done.\n"
    )
    paragraphs = "".join(f"<p>{html.escape(part)}</p>" for part in text.strip().split("\n\n"))
    content = Content(
        subject=SUBJECT,
        text=text,
        html=f'<!doctype html><html lang="en"><body>{paragraphs}</body></html>\n',
        date=datetime.now(UTC).replace(microsecond=0),
        boundary=secrets.token_hex(16),
        sender=sender,
        reply_to=settings.delivery.reply_to,
    )
    message_id = f"test.{secrets.token_hex(12)}@{id_domain(sender)}"
    return Mail(recipient=to, message_id=message_id, thread_root=message_id, content=content)


def describe(outcome: SendOutcome) -> tuple[str, int]:
    """The outcome in words, and the exit code."""
    if isinstance(outcome, Delivered):
        answer = cell(outcome.answer)
        return f"accepted: {answer or 'without a word'}", 0
    reason = cell(outcome.reason)
    if isinstance(outcome, Refused):
        return f"refused for this recipient: {reason}", 1
    if isinstance(outcome, AccountFault | Declined):
        more = "" if _TO_THE_MESSAGE.search(reason) else "\n(`teleport-email check` may tell more)"
        return f"refused: {reason}{more}", 1
    return f"not sent this time (the daemon would try again): {reason}", 1


async def _send(settings: Settings, mail: Mail) -> SendOutcome:
    mailer = make_mailer(settings.mailer, clock=time.monotonic, random=random.SystemRandom())
    try:
        return await mailer.send(mail, OpenGate())
    finally:
        await mailer.close()


def _way(settings: Settings) -> str:
    mailer = settings.mailer
    return f"{mailer.host}:{mailer.port}" if isinstance(mailer, SmtpSettings) else mailer.api_base


def _address(text: str) -> str:
    try:
        return parse_address(text)
    except ValueError as error:
        raise argparse.ArgumentTypeError(f"the address {error}") from None
