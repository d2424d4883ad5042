"""Users of the cluster, as far as finding an address needs them: looked up once, remembered for minutes.

In: names. Out: users and their addresses, or ``None``. That there is no such user is remembered as well.
Where the permission is missing, this is said once and nothing is asked again until ``forget``.

Who is told is decided once for each request, so a cluster that does not answer must not look like a user
without an address: :class:`Unreachable` goes up, and the request is looked at again. But not for ever: a
request that nobody hears of is worse than one that a reviewer does not hear of.
"""

from __future__ import annotations

import asyncio
from collections import OrderedDict
from collections.abc import Callable, Iterable
from typing import Final, Protocol

import structlog
from msgspec import Struct

from teleport_email.core.addresses import parse_address
from teleport_email.core.errors import ClusterError, Denied, Unreachable
from teleport_email.core.model import User

log = structlog.get_logger()

LIFETIME: Final = 300.0
"""Seconds that an answer is good for: a new address counts soon, and a burst of requests asks once."""

PATIENCE: Final = 10.0
"""Seconds for which a name's look-up may fail and be tried again: a reconnection takes less."""

FAILURE_LIFETIME: Final = 5.0
"""Seconds until a look-up that failed for longer than that is tried again."""

MOST: Final = 10_000
"""Answers kept; the oldest go first. A few megabytes at most."""

TRAIT: Final = "email"

NAME_TRAITS: Final = ("displayname", "display_name", "fullname", "full_name", "name")
"""Traits with a person's name, the surest first, as identity providers call their claims; compared without
case, and of a claim that is a URI (SAML) only the last part counts."""


NAME_PAIRS: Final = (
    ("givenname", "familyname"),
    ("given_name", "family_name"),
    ("firstname", "lastname"),
    ("first_name", "last_name"),
)
"""Traits with the two parts of a name, where there is none in one."""


class Users(Protocol):
    """Where users come from."""

    async def get(self, name: str) -> User | None:
        """The user; ``None`` when there is none. Raises :class:`ClusterError`."""


class _Answer(Struct, frozen=True):
    user: User | None
    until: float


class Directory:
    """Remembers the users of a cluster. One for the life of the program, over all connections."""

    def __init__(self, users: Users, *, clock: Callable[[], float]) -> None:
        """``users`` follows the connection of the moment; ``clock`` counts seconds."""
        self._users = users
        self._clock = clock
        self._answers: OrderedDict[str, _Answer] = OrderedDict()
        self._asking: dict[str, asyncio.Lock] = {}
        self._failing: dict[str, float] = {}
        """Name -> since when its look-ups fail."""
        self.permitted = True
        """False once the cluster refused: then nothing is looked up."""
        self._said_denied = False

    async def user(self, name: str) -> User | None:
        """The user, or ``None`` when there is none or it may not be read.

        Raises :class:`Unreachable` while the cluster does not answer, ``PATIENCE`` long.
        """
        if (answer := self._remembered(name)) is not None:
            return answer.user
        if not self.permitted or not name:
            return None
        lock = self._asking.setdefault(name, asyncio.Lock())
        try:
            async with lock:  # whoever asks meanwhile waits for this one answer
                if (answer := self._remembered(name)) is not None:
                    return answer.user
                return await self._look_up(name)
        finally:
            if not lock.locked():
                self._asking.pop(name, None)

    async def address(self, name: str) -> str | None:
        """The first usable value of the user's trait ``email``, or ``None``. Raises as ``user`` does."""
        user = await self.user(name)
        for value in user.traits.get(TRAIT, ()) if user else ():
            try:
                return parse_address(value.strip())
            except ValueError:
                continue
        return None

    async def name(self, name: str) -> str | None:
        """What people call the user: a trait with their name, else their address. Raises as ``user`` does."""
        user = await self.user(name)
        traits = (
            {key.rpartition("/")[2].lower(): values for key, values in user.traits.items()} if user else {}
        )
        for trait in NAME_TRAITS:
            if found := _first(traits.get(trait, ())):
                return found
        for given, family in NAME_PAIRS:
            parts = (_first(traits.get(given, ())), _first(traits.get(family, ())))
            if all(parts):
                return " ".join(parts)
        return await self.address(name) if user else None

    def forget(self) -> None:
        """Start again: on a new connection the permissions may be others."""
        self._answers.clear()
        self._failing.clear()
        self.permitted = True

    def _remembered(self, name: str) -> _Answer | None:
        answer = self._answers.get(name)
        return answer if answer is not None and self._clock() < answer.until else None

    async def _look_up(self, name: str) -> User | None:
        if not self.permitted:
            return None
        try:
            user = await self._users.get(name)
        except Denied as error:
            self._say_denied(error)
            return None
        except Unreachable as error:
            if len(self._failing) >= MOST:
                self._failing.clear()
            if self._clock() - self._failing.setdefault(name, self._clock()) < PATIENCE:
                raise
            self._give_up(name, error, FAILURE_LIFETIME)
            return None
        except ClusterError as error:
            self._give_up(name, error, LIFETIME)
            return None
        self._remember(name, user, LIFETIME)
        return user

    def _say_denied(self, error: Denied) -> None:
        self.permitted = False
        # Several may have been asking; and each connection asks anew, which is no news.
        if not self._said_denied:
            self._said_denied = True
            log.warning(
                "users not looked up",
                error=str(error),
                hint="to find names and addresses of users, allow the role: user and user_login_state, read",
            )

    def _give_up(self, name: str, error: ClusterError, lifetime: float) -> None:
        log.warning("user not looked up", user=name, error=str(error))
        since = self._failing.get(name)
        self._remember(name, None, lifetime)
        if since is not None:
            self._failing[name] = since  # still failing: no new patience

    def _remember(self, name: str, user: User | None, lifetime: float) -> None:
        if user is not None:
            self._said_denied = False
        self._failing.pop(name, None)
        self._answers[name] = _Answer(user, self._clock() + lifetime)
        self._answers.move_to_end(name)
        while len(self._answers) > MOST:
            self._answers.popitem(last=False)


def _first(values: Iterable[str]) -> str:
    """The first value that is not empty."""
    return next((value.strip() for value in values if value.strip()), "")
