"""The ledger as one compact JSON value, and back. Pure.

Versions run beside each other, and people go back to an older one. So there are two ways for something new
to be written down:

- *It only informs*: under ``"i"``, of the ledger or of a party (:mod:`informing`). An older program passes
  it over and drops it with its next write; ``decide`` is right without it.
- *It changes who is owed what*: :func:`version` says so, and an older program leaves the whole request alone.
  It is written only where the option or the command that wants it is used.

Hundreds of recipients with many reviews each would fill the cluster's store (DynamoDB takes 400 KB for one
request) with marks. Where a ledger has become large, those of old reviews are *merged*: from which to which
number, without time and note. Nothing that is decided hangs on these. Older programs would tell such reviews
again, so that a merged ledger has a version of its own; as long as it is not large, all of them read it.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator
from typing import Any

from teleport_email.core.audits import MARK
from teleport_email.core.errors import LedgerTooNew, LedgerUnreadable
from teleport_email.core.foreign import json_bytes, json_value
from teleport_email.core.informing import understood
from teleport_email.core.ledger import ANNOUNCEMENTS, Entry, Frozen, Ledger, Mark, Party, Round
from teleport_email.core.model import REMINDING, Kind, RequestState, Topic

VERSION = 3
"""The newest version that this program understands."""
MERGED = 3
"""The version of merged marks."""
LARGE = 100_000
"""Characters from which on marks are merged: a quarter of what DynamoDB takes, with room for the Go plugin's
keys; a hundred recipients with thirty reviews are below."""
MOST_MERGED = 200_000
"""Merged marks in one ledger, and the last number of one: 500 recipients with 400 reviews. A few bytes can
stand for as many as they like."""
MOST_ROUNDS = 10_000
"""Rounds in one ledger: hostile ones could have a hundred thousand; those of two weeks are some dozens."""
MOST_NUMBER = 10_000_000
"""Of a round: it is part of the Message-ID, whose length is limited."""
MOST_AUDITS = 75_000
"""In all rounds of a ledger: more than the cluster's store takes."""
_MARKS = re.compile(r"[A-Za-z0-9_-]*")
MAX_QUOTE = 100
"""Characters of what cannot be read that an error quotes: all of it could fill a log."""


TOLD_ALONG = "told with the announcement"
"""Note of a review that an announcement of a pending request covers. The first programs of version 1 know no
such announcement, and take the review for given up: it is not told again, by whichever program."""
MAX_COVERED = 1000
"""Reviews that are marked so; no request has as many."""


def version(ledger: Ledger) -> int:
    """The oldest version whose programs do right by this ledger.

    2: something was brought back by ``retry`` (a program of version 1 would lose the turn, and with it what
    tells a late "given up" from before, and ids, apart); or an option was used that such a program does not
    know: a review was passed, somebody was escalated to, user names are kept, or reminders are several.
    """
    return 2 if any(map(_is_newer, ledger.parties)) or any(map(_is_newer_kind, ledger.contents)) else 1


def _is_newer(party: Party) -> bool:
    if party.turn or party.escalated or party.names:
        return True
    return any(entry.mark is Mark.PASSED or _is_newer_kind(kind) for kind, entry in party.entries.items())


def _is_newer_kind(kind: Kind) -> bool:
    """One of several reminders, or an announcement in the place of any but the first."""
    return kind.number > 0 if kind.topic is Topic.REMINDER else kind.number >= 2 * REMINDING


def dumps(ledger: Ledger) -> str:
    """The ledger as one compact JSON value."""
    plain = _dump(ledger, version(ledger), _plain)
    if len(plain) <= LARGE or sum(len(party.entries) for party in ledger.parties) > MOST_MERGED:
        return plain
    merged = _dump(ledger, MERGED, _merged)
    # Large by its contents: those go when all have them, and older programs can go on with it.
    return merged if len(merged) < len(plain) / 2 else plain


def _dump(ledger: Ledger, written: int, marks: Callable[[Party], dict[str, Any]]) -> str:
    value: dict[str, Any] = {"v": written, "n": ledger.nonce, "d": ledger.domain}
    if ledger.expires:
        value["e"] = ledger.expires
    if ledger.owner:
        value["o"] = ledger.owner
    value["w"] = ledger.write_id
    value["s"] = ledger.state.value
    if ledger.reviews:
        value["c"] = ledger.reviews
    value["k"] = [[item.kind.code, item.blob] for item in ledger.frozen]
    value["p"] = [_dump_party(party, marks(party)) for party in ledger.parties]
    value["g"] = {key: text for key, text in ledger.shadow.items() if text}
    if ledger.info:
        value["i"] = dict(ledger.info)
    if ledger.rounds:
        value["l"] = [[one.number, one.at, one.day, "".join(sorted(one.audits))] for one in ledger.rounds]
    return json_bytes(value).decode("utf-8", "surrogatepass")


def _dump_party(party: Party, marks: dict[str, Any]) -> dict[str, Any]:
    value: dict[str, Any] = {"a": party.address}
    if party.requester:
        value["q"] = 1
    if party.root:
        value["r"] = party.root
    value |= marks
    if party.turn:
        value["t"] = party.turn
    if party.escalated:
        value["e"] = 1
    if party.names:
        value["u"] = list(party.names)
    if party.info:
        value["i"] = dict(party.info)
    return value


def _plain(party: Party) -> dict[str, Any]:
    """Each mark by itself."""
    marks = {kind.code: _dump_entry(entry) for kind, entry in party.entries.items()}
    begun = party.announcement
    if begun is not None and begun.topic is Topic.ANNOUNCEMENT:
        for number in range(1, min(begun.covers, MAX_COVERED) + 1):
            marks.setdefault(Kind(Topic.REVIEW, number).code, [int(Mark.GIVEN_UP), 0, TOLD_ALONG])
    return {"m": marks}


def _merged(party: Party) -> dict[str, Any]:
    """Those of old reviews as ``[mark, turn, first, last, first, last ...]``.

    Left out is what no decision looks at: announcements that were given up before a later one of their kind.
    """
    done = [
        kind
        for kind, entry in party.entries.items()
        if kind.topic is Topic.REVIEW and entry.mark is not Mark.ATTEMPTED and 0 < kind.number <= MOST_MERGED
    ]
    latest = max(done, key=lambda kind: kind.number, default=None)  # its time and note are worth their bytes
    old = sorted((kind for kind in done if kind is not latest), key=lambda kind: kind.number)
    runs: dict[tuple[int, int], list[int]] = {}
    for kind in old:
        entry = party.entries[kind]
        run = runs.setdefault((int(entry.mark), entry.turn), [])
        if run and run[-1] == kind.number - 1:
            run[-1] = kind.number
        else:
            run += [kind.number, kind.number]
    gone = {*old, *_superseded(party)}
    marks = {kind.code: _dump_entry(entry) for kind, entry in party.entries.items() if kind not in gone}
    value: dict[str, Any] = {"m": marks}
    if runs:
        value["h"] = [[mark, turn, *run] for (mark, turn), run in runs.items()]
    return value


def _superseded(party: Party) -> Iterator[Kind]:
    furthest: dict[Topic, int] = {}
    for kind in party.entries:
        furthest[kind.topic] = max(kind.number, furthest.get(kind.topic, 0))
    for kind, entry in party.entries.items():
        refused = kind.topic in ANNOUNCEMENTS and entry.mark is Mark.GIVEN_UP
        if refused and kind.number < furthest[kind.topic] and kind != party.announcement:
            yield kind


def _dump_entry(entry: Entry) -> list[int | str]:
    if entry.turn:
        return [int(entry.mark), entry.at, entry.note, entry.turn]
    return [int(entry.mark), entry.at, entry.note] if entry.note else [int(entry.mark), entry.at]


def loads(text: str) -> Ledger:
    """The ledger of a JSON value. Raises :class:`LedgerUnreadable`, :class:`LedgerTooNew`."""
    try:
        value = json_value(text)
        if not isinstance(value, dict):
            raise LedgerUnreadable("it is no JSON object")
        written = value.get("v")
        if not isinstance(written, int) or isinstance(written, bool) or written < 1:
            raise LedgerUnreadable(f"its version is {str(written)[:MAX_QUOTE]!r}, no positive number")
        if written > VERSION:
            raise LedgerTooNew(
                f"it has version {str(written)[:MAX_QUOTE]}, this program knows up to {VERSION}"
            )
        nonce = value["n"]
        if len(bytes.fromhex(nonce)) < 16:
            raise LedgerUnreadable("its nonce is too short")
        shadow = value["g"]
        if not isinstance(shadow, dict) or not all(isinstance(item, str) for item in shadow.values()):
            raise LedgerUnreadable("its shadow of the Go plugin's keys is no map of strings")
        room = _Room(MOST_MERGED)
        parties = tuple(_load_party(item, room) for item in value["p"])
        if len({party.key for party in parties}) < len(parties):
            raise LedgerUnreadable("somebody is in it twice")  # and would be told twice
        return Ledger(
            nonce=nonce,
            domain=_text(value["d"]),
            expires=_number(value.get("e", 0)),
            owner=_text(value.get("o", "")),
            write_id=_text(value["w"]),
            state=RequestState(value["s"]),
            reviews=_number(value.get("c", 0)),
            frozen=tuple(Frozen(_kind(code), _text(blob)) for code, blob in value["k"]),
            parties=parties,
            shadow=shadow,
            info=understood(value.get("i")),
            rounds=_load_rounds(value.get("l", [])),
        )
    except LedgerUnreadable:
        raise
    except KeyError as error:
        raise LedgerUnreadable(f"it lacks the field {error}") from error
    except (ValueError, TypeError, AttributeError, RecursionError) as error:
        raise LedgerUnreadable(f"it cannot be read: {str(error)[:MAX_QUOTE]}") from error


class _Room:
    """How many merged marks more there may be."""

    def __init__(self, left: int) -> None:
        self._left = left
        self._kinds: list[Kind] = []

    def reviews(self, first: int, last: int) -> Iterable[Kind]:
        """The kinds of these; the same for all parties, as there are so many. Raises ``LedgerUnreadable``."""
        self._left -= max(0, last - first + 1)
        if not 0 < first <= last <= MOST_MERGED or self._left < 0:
            raise LedgerUnreadable("its merged marks are none")
        self._kinds += [Kind(Topic.REVIEW, number + 1) for number in range(len(self._kinds), last)]
        return self._kinds[first - 1 : last]


def _load_party(value: dict[str, Any], room: _Room) -> Party:
    merged: dict[Kind, Entry] = {}
    for mark, turn, *run in value.get("h", ()):
        entry = Entry(Mark(mark), turn=_number(turn))
        for first, last in zip(run[::2], run[1::2], strict=True):
            merged |= dict.fromkeys(room.reviews(_number(first), _number(last)), entry)
    entries: dict[Kind, Entry] = {}
    for code, (mark, at, *more) in value["m"].items():
        note = _text(more[0]) if more else ""
        if note != TOLD_ALONG:
            turn = _number(more[1]) if len(more) > 1 else 0
            kind = _kind(code)
            if merged and kind.topic is Topic.REVIEW:
                entries, merged = {**entries, **merged}, {}  # they stand in their order
            entries[kind] = Entry(Mark(mark), _number(at), note, turn)
    return Party(
        _text(value["a"]),
        bool(value.get("q")),
        _text(value.get("r", "")),
        {**entries, **{kind: entry for kind, entry in merged.items() if kind not in entries}},
        understood(value.get("i")),
        _number(value.get("t", 0)),
        bool(value.get("e")),
        _texts(value.get("u", [])),
    )


def _kind(code: str) -> Kind:
    kind = Kind.parse(code)
    if kind.topic is Topic.AUDIT and kind.number >= MOST_NUMBER:
        raise LedgerUnreadable("the number of a round is none")
    return kind


def _load_rounds(value: Any) -> tuple[Round, ...]:
    """Of reminders. Raises ``LedgerUnreadable``, ``TypeError`` or ``ValueError``."""
    if not isinstance(value, list) or len(value) > MOST_ROUNDS:
        raise LedgerUnreadable("its rounds are none")
    rounds = []
    for number, at, day, marks in value:
        audits = [_text(marks)[place : place + MARK] for place in range(0, len(marks), MARK)]
        if len(marks) % MARK or not _MARKS.fullmatch(marks) or len(set(audits)) < len(audits):
            raise LedgerUnreadable("what a round tells is no list of audits")
        rounds.append(Round(_number(number), _number(at), _number(day), frozenset(audits)))
    numbers = [one.number for one in rounds]
    if numbers != sorted(set(numbers)) or not all(0 < number < MOST_NUMBER for number in numbers):
        raise LedgerUnreadable("its rounds are not in order")  # an id might be that of another message
    if sum(len(one.audits) for one in rounds) > MOST_AUDITS:
        raise LedgerUnreadable("its rounds tell too much")
    return tuple(rounds)


def _text(value: Any) -> str:
    if not isinstance(value, str):
        raise TypeError(f"{value!r} is no text")
    return value


def _texts(value: Any) -> tuple[str, ...]:
    if not isinstance(value, list):
        raise TypeError(f"{value!r} is no list")
    return tuple(map(_text, value))


_END_OF_TIME = 253_402_300_799
"""Unix time of the last second that ``datetime`` knows; no count of ours comes near either."""


def _number(value: Any) -> int:
    if not isinstance(value, int) or isinstance(value, bool) or not 0 <= value <= _END_OF_TIME:
        raise TypeError(f"{value!r} is no number")
    return value
