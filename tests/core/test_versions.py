"""Versions beside each other: what the first programs make of ledgers that the present one writes, and back."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from teleport_email.core import go_plugin, informing
from teleport_email.core.claim import Claim
from teleport_email.core.decide import Audience, Policy, View
from teleport_email.core.errors import LedgerUnreadable
from teleport_email.core.informing import Wait
from teleport_email.core.ledger import Entry, Ledger, Mark, Party
from teleport_email.core.ledger_json import TOLD_ALONG, dumps, loads, version
from teleport_email.core.model import AccessRequest, Kind, RequestState, Review, Topic

sys.path.insert(0, str(Path(__file__).parents[2] / "bench"))

from previous import FIRST, unpack

A, B = "a@example.com", "b@example.com"
NONCE = "0123456789abcdef" * 2
LOOK = """
import json, sys
from datetime import UTC, datetime
from teleport_email.core.claim import Claim
from teleport_email.core.decide import Audience, Policy, View
from teleport_email.core.model import AccessRequest, Content, RequestState, Review

now = datetime(2026, 11, 22, 12, tzinfo=UTC)
answers = []
for case in json.load(sys.stdin):
    made = tuple(Review("r@example.com", RequestState.APPROVED) for _ in range(case["reviews"]))
    view = View(AccessRequest("id", "user", ("dev",), RequestState(case["state"]), created=now, reviews=made))
    claim = Claim("id", "old").read(case["data"])
    plan = claim.plan(view, Audience(), Policy(duty_since=now), now)
    attempt = claim.next_write(
        view, plan, write_id="w", nonce="00" * 16, domain="d", now=0.0, room=8,
        render=lambda kind, view, ledger: Content("s", kind.code, "", now, "b", "t@example.com"),
    )
    answers.append({
        "due": {due.address: due.kind.code for due in plan.next},
        "ids": {due.address: claim.ledger.message_id("id", claim.ledger.party(due.address), due.kind)
                for due in plan.next},
        "after": dict(attempt.write.after) if attempt else case["data"],
    })
json.dump(answers, sys.stdout)
"""


@pytest.fixture(scope="module")
def first_version(tmp_path_factory: pytest.TempPathFactory) -> Path:
    source = unpack(FIRST, tmp_path_factory.mktemp("first"))
    if source is None:
        pytest.skip("no git history here that has the earlier revision")
    return source


def ask(source: Path, cases: list[dict[str, Any]]) -> list[dict[str, Any]]:
    done = subprocess.run(
        [sys.executable, "-c", LOOK],
        input=json.dumps(cases),
        env=os.environ | {"PYTHONPATH": str(source)},
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )
    assert done.returncode == 0, done.stderr
    answers = json.loads(done.stdout)
    assert isinstance(answers, list)
    return answers


def refused(**marks: int) -> Ledger:
    """One who was refused (marks of what was tried, the latest first), and one who has all that there is."""
    entries = {Kind.parse(code): Entry(Mark(mark), 1) for code, mark in marks.items()}
    made = Ledger(nonce=NONCE, domain="example.com", info=informing.with_last_date({}, go_time()))
    for kind in entries:
        made = made.freeze(kind, "blob")
    party = Party(A, entries=entries, info=informing.with_waiting({}, Wait(1, 2, 3, "451 later")))
    return made.replace_party(party).keep_blobs(
        [kind for kind, entry in entries.items() if entry.mark is Mark.ATTEMPTED]
    )


def go_time() -> datetime:
    return datetime(2026, 11, 22, 12, tzinfo=UTC)


CASES: list[tuple[dict[str, int], str, int, str, str]] = [
    # marks, state, reviews, what is due by this program, what by the first ones
    ({"a": 3}, "PENDING", 0, "", ""),
    ({"a": 3}, "PENDING", 2, "a2", ""),
    ({"a": 3}, "APPROVED", 0, "aA", ""),
    ({"a2": 1, "a": 3}, "PENDING", 2, "a2", "a2"),
    ({"a2": 1, "a": 3}, "PENDING", 3, "a2", "a2"),
    ({"a2": 2, "a": 3}, "PENDING", 2, "", ""),
    ({"a2": 2, "a": 3}, "PENDING", 3, "r3", "r3"),
    ({"a2": 2, "a": 3}, "APPROVED", 2, "A", "A"),
    ({"a2": 3, "a": 3}, "APPROVED", 2, "aA2", ""),
    ({"aA1": 1, "a": 3}, "APPROVED", 1, "aA1", "aA1"),
    ({"aA1": 2, "a": 3}, "APPROVED", 1, "", ""),
    ({"aA1": 2, "a": 3}, "DENIED", 1, "D", "D"),
    ({"a100001": 1, "a": 3}, "PENDING", 1, "a100001", "a100001"),
    ({"a100001": 2, "a": 3}, "PENDING", 2, "r2", "r2"),
]


def test_the_first_programs_do_right_by_what_they_understand_and_leave_the_rest(first_version: Path) -> None:
    """Nobody is told anything by them that this program would not tell; what it began they carry on."""
    cases = [
        {"data": {"ledger": dumps(refused(**marks)), "user": "user"}, "state": state, "reviews": reviews}
        for marks, state, reviews, _, _ in CASES
    ]
    for case, answer, (marks, state, reviews, new, old) in zip(
        cases, ask(first_version, cases), CASES, strict=True
    ):
        ledger = loads(case["data"]["ledger"])
        assert version(ledger) == 1
        made = tuple(Review("r@example.com", RequestState.APPROVED) for _ in range(reviews))
        view = View(AccessRequest("id", "user", ("dev",), RequestState(state), reviews=made))
        plan = Claim("id", "new").read(case["data"]).plan(view, Audience(), _policy(), go_time())
        assert {due.address: due.kind.code for due in plan.next} == ({A: new} if new else {}), marks
        assert answer["due"] == ({A: old} if old else {}), marks
        party = ledger.party(A)
        assert party is not None
        for address, message_id in answer["ids"].items():
            assert address == A
            assert message_id == ledger.message_id("id", party, Kind.parse(old)), "the same message"
        # What it writes is read here as it was, but for what only informs.
        after = go_plugin.read(answer["after"])
        again = after.party(A)
        assert again is not None
        assert again.announcement == party.announcement
        assert [kind for kind in again.entries if kind in party.entries] == list(party.entries)
        if old:
            assert again.info == {}, "dropped"
            assert after.info == {}
            assert after.blob(Kind.parse(old)), "what it carries on it keeps"


def _policy() -> Policy:
    return Policy(duty_since=go_time())


def test_what_was_brought_back_is_left_alone_by_the_first_programs(first_version: Path) -> None:
    back = refused(a=3).brought_back([(A, False)])
    assert version(back) == 2
    assert left_alone(first_version, dumps(back)) == "it has version 2, this program knows up to 1"


def test_a_ledger_in_which_marks_are_merged_is_left_alone_by_the_first_programs(first_version: Path) -> None:
    """They would tell all these reviews again."""
    told = {Kind(Topic.REVIEW, number): Entry(Mark.DELIVERED, 1_795_000_000) for number in range(1, 100)}
    begun = {Kind.parse("a"): Entry(Mark.DELIVERED, 1_795_000_000)}
    many = tuple(Party(f"r{number}@example.com", entries=begun | told) for number in range(100))
    written = dumps(Ledger(nonce=NONCE, domain="example.com", parties=many))
    assert left_alone(first_version, written) == "it has version 3, this program knows up to 1"
    written = dumps(Ledger(nonce=NONCE, domain="example.com", parties=many[:20], frozen=()))
    assert json.loads(written)["v"] == 1
    case = {"data": {"ledger": written, "user": "user"}, "state": "PENDING", "reviews": 99}
    assert ask(first_version, [case])[0]["due"] == {}, "what is not large they go on with"


def left_alone(source: Path, ledger: str) -> str:
    """What these programs say of a ledger that they take for too new."""
    done = subprocess.run(
        [
            sys.executable,
            "-c",
            "import sys; from teleport_email.core.ledger import loads; loads(sys.stdin.read())",
        ],
        input=ledger,
        env=os.environ | {"PYTHONPATH": str(source)},
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )
    return done.stderr.strip().rpartition("LedgerTooNew: ")[2]


OPTIONS = {
    "passed": refused(a=2).passed([((A, False), Kind.parse("r1"), "q")]),
    "escalated": Ledger(nonce=NONCE, parties=(Party(A, escalated=True),)),
    "names": Ledger(nonce=NONCE, parties=(Party(A, names=("ann",)),)),
    "several reminders": refused(a=2, m240=2),
    "one of several frozen": refused(a=2).freeze(Kind.parse("m60"), "blob"),
    "in the place of the second reminder": refused(a200001=1, a100001=3, a=3),
}


@pytest.mark.parametrize("option", OPTIONS)
def test_what_an_option_has_written_is_of_version_2_and_read_back(option: str) -> None:
    made = OPTIONS[option]
    assert json.loads(dumps(made))["v"] == 2
    assert loads(dumps(made)) == made


@pytest.mark.parametrize("names", ["ann", {"ann": 1}, [1], 1])
def test_names_that_are_none_are_refused(names: Any) -> None:
    value = json.loads(dumps(OPTIONS["names"]))
    value["p"][0]["u"] = names
    with pytest.raises(LedgerUnreadable, match="cannot be read"):
        loads(json.dumps(value))


@pytest.mark.parametrize(
    "marks", [{"a": 2, "m": 2}, {"a100001": 1, "a": 3}, {"a": 2, "r1": 2, "A": 2}], ids=str
)
def test_without_the_options_it_is_of_version_1(marks: dict[str, int]) -> None:
    assert json.loads(dumps(refused(**marks)))["v"] == 1


def test_as_long_as_nothing_is_brought_back_a_ledger_is_of_version_1() -> None:
    assert json.loads(dumps(refused(a2=1, a=3)))["v"] == 1
    nothing = refused(a2=2)
    assert nothing.brought_back([(A, False)]) == nothing
    assert json.loads(dumps(refused(a2=3).brought_back([(B, False)])))["v"] == 1


def test_reviews_that_were_told_along_are_marked_for_older_programs_alone() -> None:
    value = json.loads(dumps(refused(a2=2, a=3)))
    assert value["p"][0]["m"]["r1"] == [int(Mark.GIVEN_UP), 0, TOLD_ALONG]
    assert list(value["p"][0]["m"]) == ["a2", "a", "r1", "r2"]
    again = loads(json.dumps(value))
    assert again == refused(a2=2, a=3)


def test_the_latest_announcement_stands_in_front() -> None:
    """Where the first programs look for the one that began the thread."""
    party = Party(A, entries={Kind.parse("a"): Entry(Mark.GIVEN_UP, 1)})
    party = party.with_entry(Kind.parse("a2"), Entry(Mark.ATTEMPTED)).with_entry(
        Kind.parse("r3"), Entry(Mark.ATTEMPTED)
    )
    assert [kind.code for kind in party.entries] == ["a2", "a", "r3"]
    party = party.with_entry(Kind.parse("a2"), Entry(Mark.DELIVERED, 2))
    assert [kind.code for kind in party.entries] == ["a2", "a", "r3"]
    assert party.announcement == Kind.parse("a2")
    arrived = party.with_entry(Kind.parse("a"), Entry(Mark.DELIVERED, 3)).with_entry(
        Kind.parse("a2"), Entry(Mark.GIVEN_UP, 3)
    )
    assert arrived.announcement == Kind.parse("a"), "what did arrive, though it seemed refused"
