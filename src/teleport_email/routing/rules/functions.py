"""The functions and methods of conditions: what they take, what they give, what they do. Pure.

A method is a function whose receiver is its first argument. What Teleport types as ``any`` is ``ANY`` here:
it is checked when there is a value. All arguments are evaluated, also those of ``ifelse`` and ``choose``.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from msgspec import Struct

from teleport_email.core.errors import ConditionError
from teleport_email.core.model import replace
from teleport_email.routing.rules import mailbox, patterns, texts, versions
from teleport_email.routing.rules.kinds import Dict, Instant, Kind, Option, Pair, StringSet, Value, Work


class Function(Struct, frozen=True):
    """``takes`` are the fixed arguments, ``rest`` the kind of any number more. ``run`` gets their values.

    ``run`` raises ``ConditionError`` where there is no result. When ``metered``, its first argument is the
    ``Work`` that it charges, because its result can be much larger than what it was given.
    """

    takes: tuple[Kind, ...]
    gives: Kind
    run: Callable[..., Value]
    rest: Kind | None = None
    metered: bool = False
    pattern: int | None = None
    """Which argument is a regular expression."""
    of_strings: Function | None = None
    """What the name means where an argument is known to be a string."""


def _set(*items: bytes) -> StringSet:
    return frozenset(items)


def _dict(*pairs: Pair) -> Dict:
    # A key that is there twice: the last one counts.
    result: dict[bytes, StringSet] = {}
    for pair in pairs:
        if not isinstance(pair.first, bytes) or not isinstance(pair.second, frozenset):
            raise ConditionError("a dict is made of pairs of a string and a set")
        result[pair.first] = pair.second
    return result


def _union(*sets: StringSet) -> StringSet:
    return frozenset().union(*sets)


def _if_else(condition: bool, first: Value, second: Value) -> Value:
    return first if condition else second


def _choose(*options: Option) -> Value:
    for option in options:
        if option.condition:
            return option.value
    raise ConditionError("choose() has no option whose condition is true")


def _changed(name: str, value: Value, change: Callable[[bytes], bytes]) -> Value:
    """``change`` done to a string or to each item of a set."""
    if isinstance(value, bytes):
        return change(value)
    if isinstance(value, frozenset):
        return frozenset(change(item) for item in value)
    raise ConditionError(f"{name} takes a string or a set")


def _upper(value: Value) -> Value:
    return _changed("strings.upper", value, texts.upper)


def _lower(value: Value) -> Value:
    return _changed("strings.lower", value, texts.lower)


def _replace_all(work: Work, value: Value, old: bytes, new: bytes) -> Value:
    return _changed("strings.replaceall", value, lambda text: texts.replace_all(text, old, new, work))


def _split(work: Work, items: StringSet, separator: bytes) -> StringSet:
    parts = set()
    for item in items:
        pieces = texts.split(item, separator)
        work.charge(len(pieces) * Work.ITEM)
        parts.update(pieces)
    return frozenset(parts)


def _email_local(work: Work, items: StringSet) -> StringSet:
    for item in items:
        work.charge(len(item) * (Work.ITEM + len(item) // 256))  # its reader copies what is left of it
    return frozenset(local for local in map(mailbox.local_part, items) if local)


def _regexp_replace(work: Work, items: StringSet, pattern: bytes, replacement: bytes) -> StringSet:
    return patterns.replace_matching(items, pattern, replacement, work)


def _regexp_match(work: Work, items: StringSet, pattern: bytes) -> bool:
    return patterns.any_matches(items, pattern, work)


def _rfc3339(text: bytes) -> Instant:
    return texts.rfc3339(text)


def _before(time: Instant, other: Instant) -> bool:
    return time.nanoseconds < other.nanoseconds


def _after(time: Instant, other: Instant) -> bool:
    return time.nanoseconds > other.nanoseconds


def _between(time: Instant, *limits: Instant) -> bool:
    if len(limits) != 2:
        raise ConditionError(f"between takes two limits, not {len(limits)}")
    first, last = sorted(limit.nanoseconds for limit in limits)
    return first < time.nanoseconds < last


def _contains(items: StringSet, item: bytes) -> bool:
    return item in items


def _contains_any(work: Work, items: StringSet, wanted: StringSet) -> bool:
    work.charge(min(len(items), len(wanted)))
    return not items.isdisjoint(wanted)


def _contains_all(work: Work, items: StringSet, wanted: StringSet) -> bool:
    work.charge(len(wanted))
    # Of nothing Teleport says no, so that a rule does not match by an empty set.
    return bool(wanted) and wanted <= items


def _is_empty(items: StringSet) -> bool:
    return not items


def _add(items: StringSet, *more: bytes) -> StringSet:
    return items.union(more)


def _remove(holder: StringSet | Dict, *gone: bytes) -> Value:
    if isinstance(holder, frozenset):
        return holder.difference(gone)
    return {key: items for key, items in holder.items() if key not in gone}


def _put(holder: Dict, key: bytes, items: StringSet) -> Dict:
    return {**holder, key: items}


def _add_values(holder: Dict, key: bytes, *more: bytes) -> Dict:
    return {**holder, key: holder.get(key, frozenset()).union(more)}


_BEFORE = Function((Kind.TIME, Kind.TIME), Kind.BOOL, _before)
_AFTER = Function((Kind.TIME, Kind.TIME), Kind.BOOL, _after)
_BETWEEN = Function((Kind.TIME,), Kind.BOOL, _between, rest=Kind.TIME)
_VERSIONS = (Kind.STRING, Kind.STRING)
_BETWEEN_VERSIONS = Function((Kind.STRING,), Kind.BOOL, versions.between, rest=Kind.STRING)
_CONTAINS_ANY = Function((Kind.SET, Kind.SET), Kind.BOOL, _contains_any, metered=True)
_CONTAINS_ALL = Function((Kind.SET, Kind.SET), Kind.BOOL, _contains_all, metered=True)
_IS_EMPTY = Function((Kind.SET,), Kind.BOOL, _is_empty)

FUNCTIONS: Mapping[str, Function] = {
    "set": Function((), Kind.SET, _set, rest=Kind.STRING),
    "dict": Function((), Kind.DICT, _dict, rest=Kind.PAIR),
    "pair": Function((Kind.ANY, Kind.ANY), Kind.PAIR, Pair),
    "union": Function((), Kind.SET, _union, rest=Kind.SET),
    "ifelse": Function((Kind.BOOL, Kind.ANY, Kind.ANY), Kind.ANY, _if_else),
    "choose": Function((), Kind.ANY, _choose, rest=Kind.OPTION),
    "option": Function((Kind.BOOL, Kind.ANY), Kind.OPTION, Option),
    "strings.upper": Function((Kind.ANY,), Kind.ANY, _upper),
    "strings.lower": Function((Kind.ANY,), Kind.ANY, _lower),
    "strings.replaceall": Function(
        (Kind.ANY, Kind.STRING, Kind.STRING), Kind.ANY, _replace_all, metered=True
    ),
    "strings.split": Function((Kind.SET, Kind.STRING), Kind.SET, _split, metered=True),
    "email.local": Function((Kind.SET,), Kind.SET, _email_local, metered=True),
    "regexp.replace": Function(
        (Kind.SET, Kind.STRING, Kind.STRING), Kind.SET, _regexp_replace, metered=True, pattern=1
    ),
    "regexp.match": Function((Kind.SET, Kind.STRING), Kind.BOOL, _regexp_match, metered=True, pattern=1),
    "time.RFC3339": Function((Kind.STRING,), Kind.TIME, _rfc3339),
    "before": _BEFORE,
    "after": _AFTER,
    "between": replace(_BETWEEN, of_strings=_BETWEEN_VERSIONS),
    "newer_than": Function(_VERSIONS, Kind.BOOL, versions.newer),
    "older_than": Function(_VERSIONS, Kind.BOOL, versions.older),
    "contains_any": _CONTAINS_ANY,
    "contains_all": _CONTAINS_ALL,
    "is_empty": _IS_EMPTY,
}

METHODS: Mapping[str, Function] = {
    "add": Function((Kind.SET,), Kind.SET, _add, rest=Kind.STRING),
    "contains": Function((Kind.SET, Kind.STRING), Kind.BOOL, _contains),
    "put": Function((Kind.DICT, Kind.STRING, Kind.SET), Kind.DICT, _put),
    "add_values": Function((Kind.DICT, Kind.STRING), Kind.DICT, _add_values, rest=Kind.STRING),
    "remove": Function((Kind.REMOVER,), Kind.ANY, _remove, rest=Kind.STRING),
    "before": _BEFORE,
    "after": _AFTER,
    "between": _BETWEEN,
    "contains_any": _CONTAINS_ANY,
    "contains_all": _CONTAINS_ALL,
    # The method is called so, the function is called is_empty: Teleport's own unevenness.
    "isempty": _IS_EMPTY,
}


def charge_result(work: Work, value: Any) -> None:
    """Charge for a value that a function made; dicts and sets by all that they hold."""
    match value:
        case bytes():
            work.charge(len(value))
        case frozenset():
            work.charge_items(value)
        case Mapping():
            for key, items in value.items():
                work.charge(len(key) + Work.ITEM)
                work.charge_items(items)
        case _:
            pass


def takes_text(function: Function, name: str, given: Sequence[object]) -> str:
    """What a call with the wrong number of arguments is told."""
    least = len(function.takes)
    more = " or more" if function.rest is not None else ""
    return f"{name} takes {least}{more} argument{'' if least == 1 and not more else 's'}, not {len(given)}"
