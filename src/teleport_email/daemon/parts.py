"""The parts of the daemon that reminders of Access Lists share with requests."""

from __future__ import annotations

import random
from collections.abc import Callable
from datetime import datetime

from msgspec import Struct

from teleport_email.config.settings import Settings
from teleport_email.mail.mailer import Mailer
from teleport_email.reconciling.hold import Observer
from teleport_email.reconciling.workqueue import WorkQueue
from teleport_email.render import Renderer
from teleport_email.routing.directory import Directory
from teleport_email.watching.link import Link


class Parts(Struct, frozen=True, kw_only=True):
    """What a reload may replace comes as a function."""

    link: Link
    queue: WorkQueue
    directory: Directory
    settings: Callable[[], Settings]
    mailer: Callable[[], Mailer]
    renderer: Callable[[], Renderer]
    observer: Observer
    clock: Callable[[], float]
    wall: Callable[[], datetime]
    rng: random.Random
