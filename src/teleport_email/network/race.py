"""Several ways to one thing: the next is begun beside one that takes long, and the first to succeed wins.

asyncio has the same inside ``create_connection``, but there a socket that has just been connected is closed
by nobody where a time limit strikes before the race is declared over.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable, Coroutine, Iterable
from typing import Any, Generic, TypeVar

__all__ = ["NoneSucceeded", "first"]

T = TypeVar("T")
E = TypeVar("E", bound=Exception)


class NoneSucceeded(Exception, Generic[E]):
    """``errors``: those of all attempts, in the order in which they failed."""

    def __init__(self, errors: list[E]) -> None:
        super().__init__(errors)
        self.errors = errors


async def first(
    attempts: Iterable[Callable[[], Coroutine[Any, Any, T]]],
    stagger: float,
    failure: type[E],
    discard: Callable[[T], object],
) -> T:
    """What the first attempt that succeeds gives. Each has a head start of ``stagger`` seconds over the next.

    ``failure``: what an attempt raises that failed; all else goes through. ``discard`` is given what others
    bring a moment too late, also where this is cancelled. :raises NoneSucceeded:
    """
    waiting = deque(attempts)
    running: set[asyncio.Task[T]] = set()
    errors: list[E] = []
    try:
        while waiting or running:
            if waiting:
                running.add(asyncio.create_task(waiting.popleft()()))
            done, _ = await asyncio.wait(
                running, timeout=stagger if waiting else None, return_when=asyncio.FIRST_COMPLETED
            )
            for task in done:
                running.discard(task)
                try:
                    return task.result()
                except failure as error:
                    errors.append(error)
    finally:
        for task in running:
            task.cancel()
        for result in await asyncio.gather(*running, return_exceptions=True):
            if not isinstance(result, BaseException):
                discard(result)
    raise NoneSucceeded(errors)
