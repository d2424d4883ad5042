"""The ledger as one compact JSON value, and back. Pure.

Versions run beside each other, and people go back to an older one. So there are two ways for something new
to be written down:

- *It only informs*: under ``"i"``, of the ledger or of a party (:mod:`informing`). An older program passes
  it over and drops it with its next write; ``decide`` is right without it.
- *It changes who is owed what*: :func:`version` says so, and an older program leaves the whole request alone.
  It is written only where the option or the command that wants it is used.
"""

from __future__ import annotations

import json
from typing import Any

from teleport_email.core.errors import LedgerTooNew, LedgerUnreadable
from teleport_email.core.foreign import json_value
from teleport_email.core.informing import understood
from teleport_email.core.ledger import Entry, Frozen, Ledger, Mark, Party
from teleport_email.core.model import Kind, RequestState, Topic

VERSION = 2
"""The newest version that this program understands."""
MAX_QUOTE = 100
"""Characters of what cannot be read that an error quotes: all of it could fill a log."""


TOLD_ALONG = "told with the announcement"
"""Note of a review that an announcement of a pending request covers. The first programs of version 1 know no
such announcement, and take the review for given up: it is not told again, by whichever program."""
MAX_COVERED = 1000
"""Reviews that are marked so; no request has as many."""


def version(ledger: Ledger) -> int:
    """The oldest version whose programs do right by this ledger.

    2: something was brought back by ``retry``. A program of version 1 would lose the turn, and with it what
    tells a late "given up" from before, and ids, apart.
    """
    return 2 if any(party.turn for party in ledger.parties) else 1


def dumps(ledger: Ledger) -> str:
    """The ledger as one compact JSON value."""
    value: dict[str, Any] = {"v": version(ledger), "n": ledger.nonce, "d": ledger.domain}
    if ledger.expires:
        value["e"] = ledger.expires
    if ledger.owner:
        value["o"] = ledger.owner
    value["w"] = ledger.write_id
    value["s"] = ledger.state.value
    if ledger.reviews:
        value["c"] = ledger.reviews
    value["k"] = [[item.kind.code, item.blob] for item in ledger.frozen]
    value["p"] = [_dump_party(party) for party in ledger.parties]
    value["g"] = {key: text for key, text in ledger.shadow.items() if text}
    if ledger.info:
        value["i"] = dict(ledger.info)
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"))


def _dump_party(party: Party) -> dict[str, Any]:
    value: dict[str, Any] = {"a": party.address}
    if party.requester:
        value["q"] = 1
    if party.root:
        value["r"] = party.root
    marks = {kind.code: _dump_entry(entry) for kind, entry in party.entries.items()}
    begun = party.announcement
    if begun is not None and begun.topic is Topic.ANNOUNCEMENT:
        for number in range(1, min(begun.covers, MAX_COVERED) + 1):
            marks.setdefault(Kind(Topic.REVIEW, number).code, [int(Mark.GIVEN_UP), 0, TOLD_ALONG])
    value["m"] = marks
    if party.turn:
        value["t"] = party.turn
    if party.info:
        value["i"] = dict(party.info)
    return value


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
        parties = tuple(_load_party(item) for item in value["p"])
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
            frozen=tuple(Frozen(Kind.parse(code), _text(blob)) for code, blob in value["k"]),
            parties=parties,
            shadow=shadow,
            info=understood(value.get("i")),
        )
    except LedgerUnreadable:
        raise
    except KeyError as error:
        raise LedgerUnreadable(f"it lacks the field {error}") from error
    except (ValueError, TypeError, AttributeError, RecursionError) as error:
        raise LedgerUnreadable(f"it cannot be read: {str(error)[:MAX_QUOTE]}") from error


def _load_party(value: dict[str, Any]) -> Party:
    entries: dict[Kind, Entry] = {}
    for code, (mark, at, *more) in value["m"].items():
        note = _text(more[0]) if more else ""
        if note != TOLD_ALONG:
            turn = _number(more[1]) if len(more) > 1 else 0
            entries[Kind.parse(code)] = Entry(Mark(mark), _number(at), note, turn)
    return Party(
        _text(value["a"]),
        bool(value.get("q")),
        _text(value.get("r", "")),
        entries,
        understood(value.get("i")),
        _number(value.get("t", 0)),
    )


def _text(value: Any) -> str:
    if not isinstance(value, str):
        raise TypeError(f"{value!r} is no text")
    return value


_END_OF_TIME = 253_402_300_799
"""Unix time of the last second that ``datetime`` knows; no count of ours comes near either."""


def _number(value: Any) -> int:
    if not isinstance(value, int) or isinstance(value, bool) or not 0 <= value <= _END_OF_TIME:
        raise TypeError(f"{value!r} is no number")
    return value
