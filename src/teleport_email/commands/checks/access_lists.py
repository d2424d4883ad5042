"""Access Lists, where owners are reminded: how many reviews are open, and how it is kept who was told."""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import datetime

from teleport_email.commands.checks.line import Line, note, ok, warning
from teleport_email.config.settings import AccessListSettings
from teleport_email.core.audits import OWNER, step_begin
from teleport_email.core.errors import ClusterError, Conflict, Denied, NotFound
from teleport_email.teleport.session import Connection

AREA = "access lists"
# A hash that no address has, as far as anybody will ever find out.
NOBODY = OWNER + "0" * 32


async def inspect(connection: Connection, settings: AccessListSettings, now: datetime) -> AsyncIterator[Line]:
    """For a cluster that has Access Lists, which we may list. Nothing is changed there."""
    open_ = overdue = total = empty = 0
    try:
        async for page in connection.access_lists.pages():
            for audit in (owned.audit for owned in page):
                total += 1
                if settings.skip_without_members and audit.is_empty:
                    empty += 1
                elif step_begin(audit, now) is not None:
                    open_ += 1
                    overdue += now >= audit.due
    except ClusterError as error:
        yield warning(AREA, f"could not be looked through: {error}")
        return
    without = f"; {empty} without members, which are left out" if empty else ""
    yield ok(
        AREA, f"{total} have a date of review; of {open_} it is open, {overdue} of them overdue{without}"
    )
    try:
        # Found out by trying, as for requests: it changes nothing, whatever the answer.
        await connection.access_list_data.compare_and_swap(NOBODY, {"ledger": ""}, {"ledger": "never there"})
    except NotFound:
        yield note(AREA, "this cluster keeps plugin data for lists alone: an owner gets a mail for each list")
    except (Conflict, Denied):
        pass  # it may be written, or it was said above that it may not
    except ClusterError as error:
        yield warning(AREA, f"could not find out whether it can be kept who was told: {error}")
