"""Failure count -> seconds to wait: exponential, capped, jittered. Pure; the randomness comes in."""

from __future__ import annotations

import random

from msgspec import Struct


class Backoff(Struct, frozen=True):
    """``first`` seconds after the first failure, doubled with each further one up to ``cap``.

    Jitter takes up to half of it away, so that many who failed together do not come back together.
    """

    first: float
    cap: float

    def delay(self, failures: int, rng: random.Random) -> float:
        """Seconds to wait after the ``failures``-th failure in a row (1 for the first)."""
        exponent = min(max(failures, 1) - 1, 32)  # 2**32 is beyond any cap, and floats stay finite
        return min(self.cap, self.first * 2.0**exponent) * (1.0 - rng.random() / 2)


MAIL = Backoff(first=5.0, cap=300.0)
"""A request whose mail was put off. Greylisting lets the second or third try through within minutes."""
CLUSTER = Backoff(first=0.5, cap=30.0)
"""Reconnecting, and calls that failed: the cluster's own clients go up to half a minute."""
CONTENTION = Backoff(first=0.3, cap=5.0)
"""Lost a compare-and-swap: somebody else is at work on the request, look again soon."""
REFUSED = Backoff(first=5.0, cap=900.0)
"""A recipient who was refused for what may be our fault: soon at first, since much is repaired while somebody
looks; four times an hour in the end."""
PROBES = Backoff(first=5.0, cap=45.0)
"""Probes of an account that nobody gets through with: all are told within a minute of its repair."""
