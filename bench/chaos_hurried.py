"""The daemon with shorter waits: ``python bench/chaos_hurried.py SCALE start -c FILE``.

A short run of the chaos harness would see hardly any takeover with a lease of 30 s. With SCALE 0.2 every
length of time that depends on the lease, and every pause between tries, is a fifth of what it is. Long runs
use the daemon as it is, with SCALE 1, but for one thing: Access Lists are asked for every few seconds, not
every three hours, and who got many reminders waits for a moment.
"""

from __future__ import annotations

import sys
from datetime import timedelta
from typing import Any

from teleport_email.daemon.signals import ignore_hangup

ignore_hangup()

from msgspec.structs import force_setattr  # noqa: E402

from teleport_email.__main__ import main  # noqa: E402
from teleport_email.core import backoff, claim, reminding  # noqa: E402
from teleport_email.mail import pause, standing  # noqa: E402
from teleport_email.mail.smtp import growth  # noqa: E402
from teleport_email.reconciling import hold, look, reconcile  # noqa: E402
from teleport_email.teleport.calls import plugin_data  # noqa: E402
from teleport_email.watching import audit_poll, resync, store  # noqa: E402

LENGTHS: tuple[tuple[Any, tuple[str, ...]], ...] = (
    (claim, ("LEASE", "RENEW_AFTER", "BEGIN_UNTIL", "FINISH_UNTIL")),
    (hold, ("RENEW_AFTER", "BEGIN_UNTIL", "FINISH_UNTIL")),
    (look, ("LEASE",)),
    (reconcile, ("LOOK_AGAIN", "STALE_LOOK", "HOLD_LIMIT")),
    (resync, ("LIST_SPACING", "FOLLOW_UPS", "SECOND_LOOK", "LONG_OUTAGE")),
    (store, ("SECOND_LOOK", "EXPIRED_LOOK")),
    (standing, ("TURN", "TAKEN_FOR")),
    (growth, ("GROW_AFTER", "GROW_AFTER_AT_MOST")),
    (plugin_data, ("WRITE_DEADLINE",)),
)


def hurry_polls() -> None:
    """Look at Access Lists as often as dates pass in a run."""
    lengths = {"FIRST": 1.0, "EVERY": 4.0, "SPACING": 1.0, "SPREAD": 1.0, "FRESH": 1.0}
    for name, seconds in {**lengths, "RETRY": backoff.Backoff(first=0.5, cap=4.0)}.items():
        setattr(audit_poll, name, seconds)
    reminding.GATHER = timedelta(seconds=5)


def hurry(scale: float) -> None:
    """Multiply every such length by ``scale``."""
    for module, names in LENGTHS:
        for name in names:
            length = getattr(module, name)
            shorter = tuple(part * scale for part in length) if isinstance(length, tuple) else length * scale
            setattr(module, name, shorter)
    for delays in (
        backoff.MAIL,
        backoff.CLUSTER,
        backoff.CONTENTION,
        backoff.REFUSED,
        backoff.PROBES,
    ):
        for name in ("first", "cap"):
            # Frozen, and the default of other classes' fields: changed in place, so that all see it.
            force_setattr(delays, name, getattr(delays, name) * scale)
    for table in (pause.FIRST_PROBE, pause.LONGEST):
        for fault in table:
            table[fault] *= scale


if __name__ == "__main__":
    hurry(float(sys.argv.pop(1)))
    hurry_polls()
    sys.exit(main())
