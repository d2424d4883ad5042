"""How far approvals have come: by threshold, and by role where roles need different ones. Pure."""

from __future__ import annotations

from collections.abc import Sequence

from msgspec import Struct

from teleport_email.core.model import AccessRequest, RequestState, Review, Threshold
from teleport_email.render import names

_THRESHOLDS_SHOWN = 5
_ROLES_SHOWN = 10


class Approvals(Struct, frozen=True):
    """One way to approval: a threshold and how far the reviews have come."""

    name: str
    needed: int
    given: int
    denials_needed: int

    @property
    def missing(self) -> int:
        """Approvals still to come."""
        return max(0, self.needed - self.given)


class RoleApprovals(Struct, frozen=True):
    """What one role needs: the approvals of the threshold that is nearest, and how many it has."""

    role: str
    needed: int
    given: int

    @property
    def missing(self) -> int:
        """Approvals still to come."""
        return max(0, self.needed - self.given)


class Progress(Struct, frozen=True):
    """``ways``: thresholds, one of which must be met. ``roles``: where that is not all there is to it."""

    ways: tuple[Approvals, ...] = ()
    roles: tuple[RoleApprovals, ...] = ()
    roles_more: int = 0
    missing: int = 0
    """The fewest approvals that could still be enough."""


def progress(request: AccessRequest, reviews: Sequence[Review]) -> Progress:
    """How far ``reviews`` have brought a pending request. A review counts where Teleport found it to match.

    Of every set of a role's thresholds one must be met. Where all roles have the same single set, its
    thresholds are alternatives, and nothing has to be told by role; so they are where Teleport does not say
    (servers of before 12 or so).
    """
    given = [_given(reviews, index) for index in range(len(request.thresholds))]
    known = range(len(given))
    needs = {
        role: tuple(tuple(index for index in one if index in known) for one in sets)
        for role, sets in request.role_thresholds.items()
    }
    distinct = set(needs.values())
    by_role = len(distinct) > 1 or any(len(sets) > 1 for sets in distinct)
    alternatives = known if by_role or not distinct else sorted({i for one in distinct.pop() for i in one})
    ways = tuple(_way(request.thresholds[index], given[index]) for index in alternatives or known)
    if not by_role:
        return Progress(ways[:_THRESHOLDS_SHOWN], missing=min((way.missing for way in ways), default=0))
    roles = [_role(role, sets, request.thresholds, given) for role, sets in needs.items()]
    order = {role: number for number, role in enumerate(request.roles)}
    roles.sort(key=lambda each: (order.get(each[0], len(order)), each[0]))
    found = [RoleApprovals(names.confirmed_item(role), needed, count) for role, needed, count in roles]
    return Progress(
        ways[:_THRESHOLDS_SHOWN],
        tuple(found[:_ROLES_SHOWN]),
        max(0, len(found) - _ROLES_SHOWN),
        max((each.missing for each in found), default=0),
    )


def _given(reviews: Sequence[Review], index: int) -> int:
    approving = (review for review in reviews if review.proposed_state is RequestState.APPROVED)
    return sum(not review.threshold_indexes or index in review.threshold_indexes for review in approving)


def _way(threshold: Threshold, given: int) -> Approvals:
    return Approvals(
        name=names.confirmed(threshold.name, 60),
        needed=_needed(threshold),
        given=given,
        denials_needed=max(1, threshold.deny),
    )


def _role(
    role: str, sets: tuple[tuple[int, ...], ...], thresholds: Sequence[Threshold], given: Sequence[int]
) -> tuple[str, int, int]:
    """Role, needed, given: of the set that lacks most, the threshold that lacks least."""
    nearest = [
        min(((_needed(thresholds[index]), given[index]) for index in one), key=_missing)
        for one in sets
        if one
    ]
    needed, count = max(nearest, key=_missing, default=(0, 0))
    return role, needed, count


def _missing(of: tuple[int, int]) -> int:
    needed, given = of
    return max(0, needed - given)


def _needed(threshold: Threshold) -> int:
    return max(1, threshold.approve)
