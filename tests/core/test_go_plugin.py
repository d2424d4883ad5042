"""The Go plugin's keys, read from what it really left and written so that it can carry on."""

from __future__ import annotations

import json
import re
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec import structs

from teleport_email.core import go_plugin
from teleport_email.core.claim import Claim
from teleport_email.core.decide import Audience, Plan, Policy, View, decide
from teleport_email.core.ledger import ALL_KEYS, GO_KEYS, LEDGER_KEY, Entry, Ledger, Mark, Party
from teleport_email.core.ledger_json import dumps
from teleport_email.core.model import AccessRequest, Kind, RequestState, Review, Topic

RECORDED = {
    entry["state"]: (entry["request"], entry["data"])
    for entry in json.loads(
        (Path(__file__).parents[1] / "data" / "vectors" / "go-plugin-data.json").read_text()
    )["entries"]
}
NOW = datetime(2026, 11, 22, 16, 30, tzinfo=UTC)
POLICY = Policy(duty_since=NOW - timedelta(days=1))
STRANGER = Audience(("new@example.com",))
"""Who would be told of a new request: not those whom the Go plugin told."""
PENDING, APPROVED, DENIED = RequestState.PENDING, RequestState.APPROVED, RequestState.DENIED
ANNOUNCEMENT = Kind(Topic.ANNOUNCEMENT)
NONCE = "0123456789abcdef" * 2
DONE = Mark.DELIVERED


def request(state: RequestState = PENDING, reviews: int = 0, **more: str) -> AccessRequest:
    made = tuple(Review(f"r{number}@example.com", state) for number in range(reviews))
    values = {
        "id": "id",
        "user": "myuser@example.com",
        "roles": ("editor",),
        "created": NOW - timedelta(minutes=5),
    }
    return AccessRequest(**(values | more), state=state, reviews=made)  # type: ignore[arg-type]


def due(data: dict[str, str], seen: AccessRequest, *, gone: bool = False) -> Plan:
    """What is due after the Go plugin alone was at work: nobody else is told of the request anew."""
    known = go_plugin.read(data)
    return decide(View(seen, gone), known, Audience(), POLICY, NOW)


def codes(plan: Plan) -> dict[str, str]:
    return {one.address: one.kind.code for one in plan.next}


# Reading what it left -----------------------------------------------------------------------------------

TWO = ("all@example.com", "alice@example.com")
FIVE = tuple(f"d{number}@example.com" for number in range(1, 6))
ALL = ("all@example.com",)

STAGES = [
    ("A announced to two recipients", TWO, request(), False),
    ("A: one review sent", TWO, request(reviews=1), False),
    ("A: approved, resolution sent", TWO, request(APPROVED, 2), False),
    ("B: created and denied at once", FIVE, request(DENIED, 1), False),
    ("C announced", ALL, request(), False),
    ("C expired (request gone)", ALL, request(), True),
    ("D: approved without reviews", ALL, request(APPROVED), False),
]


def test_every_recorded_stage_is_tested() -> None:
    assert {stage for stage, *_ in STAGES} == set(RECORDED)


@pytest.mark.parametrize(("stage", "told", "seen", "gone"), STAGES, ids=[stage for stage, *_ in STAGES])
def test_nothing_is_due_that_it_told(
    stage: str, told: tuple[str, ...], seen: AccessRequest, gone: bool
) -> None:
    request_id, data = RECORDED[stage]
    known = go_plugin.read(data)
    assert tuple(one.address for one in known.parties) == told
    roots = re.findall(r"/([^/,]+@vm)(?:,|$)", data["email_threads"])
    assert [one.root for one in known.parties] == roots, "its message begins the thread"
    assert due(data, structs.replace(seen, id=request_id), gone=gone).settled
    assert not go_plugin.is_claiming(data)


@pytest.mark.parametrize(
    ("stage", "seen", "gone", "code"),
    [
        ("A announced to two recipients", request(reviews=1), False, "r1"),
        ("A announced to two recipients", request(APPROVED), False, "A"),
        ("A announced to two recipients", request(), True, "X"),
        ("A: one review sent", request(reviews=2), False, "r2"),
        ("A: one review sent", request(APPROVED, 1), False, "A"),
        ("A: one review sent", request(DENIED, 3), False, "r2"),
        ("A: approved, resolution sent", request(APPROVED, 3), False, "r3"),
        ("A: approved, resolution sent", request(DENIED, 2), False, "D"),
        ("B: created and denied at once", request(DENIED, 2), False, "r2"),
        ("C announced", request(), True, "X"),
    ],
)
def test_what_it_did_not_tell_is_due_to_those_it_told_before(
    stage: str, seen: AccessRequest, gone: bool, code: str
) -> None:
    _, data = RECORDED[stage]
    made = due(data, seen, gone=gone)
    assert codes(made) == {one.address: code for one in go_plugin.threads_of(data)}
    known = go_plugin.read(data)
    for one in known.parties:
        assert known.thread_root("id", one) == one.root, "it goes into the thread that the Go plugin began"


def test_somebody_it_did_not_tell_is_announced_to() -> None:
    _, data = RECORDED["A announced to two recipients"]
    made = decide(View(request()), go_plugin.read(data), STRANGER, POLICY, NOW)
    assert codes(made) == {"new@example.com": "a"}


def test_its_older_keys_are_one_thread_without_an_id() -> None:
    data = {"user": "u", "email": "old@example.com", "timestamp": "2020-01-01"}
    known = go_plugin.read(data)
    assert [(one.address, one.root) for one in known.parties] == [("old@example.com", "")]
    assert known.parties[0].mark(ANNOUNCEMENT) is DONE
    assert codes(due(data, request(APPROVED))) == {"old@example.com": "A"}
    assert not go_plugin.is_claiming(data)
    assert go_plugin.read({"user": "u", "email": "no address"}).parties == ()


def test_a_claim_in_progress() -> None:
    assert go_plugin.is_claiming({"user": "u", "roles": "dev"})
    assert not go_plugin.is_claiming({})
    assert not go_plugin.is_claiming({"user": "u", "email_threads": "a@x.example/now/id@vm"})
    assert not go_plugin.is_claiming({"user": "u", LEDGER_KEY: "{}"})


@pytest.mark.parametrize(
    ("text", "root"),
    [
        ("abc.def@vm", "abc.def@vm"),
        ("<abc@mailgun.example>", "abc@mailgun.example"),
        ("", ""),
        ("a b@vm", ""),
        ("a\r\nBcc: x@vm", ""),
        ("ü@vm", ""),
        ("<<a@vm>>", ""),
        ("x" * 201, ""),
    ],
)
def test_only_an_id_that_may_stand_in_a_header_is_a_root(text: str, root: str) -> None:
    """With Mailgun it keeps the id together with its brackets."""
    assert go_plugin.root_of(go_plugin.Thread("a@x.example", "now", text)) == root


@pytest.mark.parametrize(
    ("text", "number"),
    [("", 0), ("0", 0), ("12", 12), ("-1", 0), ("1.5", 0), ("٣", 0), ("²", 0), ("1000000", 0), ("x", 0)],
)
def test_a_count_that_is_none_is_nought(text: str, number: int) -> None:
    assert go_plugin.reviews_counted({"reviews_count": text}) == number


@given(st.dictionaries(st.sampled_from([*GO_KEYS, "email", "timestamp"]), st.text(max_size=40)))
def test_whatever_stands_in_its_keys_is_read(data: dict[str, str]) -> None:
    known = go_plugin.read(data)
    assert {one.mark(ANNOUNCEMENT) for one in known.parties} <= {DONE}
    made = go_plugin.write(structs.replace(known, nonce=NONCE), data, request())
    assert go_plugin.read(made.after) == made.ledger, "and what we write over it is read back as it was"


# The shadow: what is its doing, and what ours ------------------------------------------------------------


def claimed(*parties: Party, state: RequestState = PENDING, reviews: int = 0) -> dict[str, str]:
    """Our own eight keys."""
    known = Ledger(nonce=NONCE, domain="example.com", state=state, reviews=reviews, parties=parties)
    return go_plugin.write(known, {}, request()).after


def party(address: str, **marks: Mark) -> Party:
    return Party(
        address, entries={Kind.parse(code): Entry(mark, 1_795_363_200) for code, mark in marks.items()}
    )


def test_our_own_claim_is_not_read_back_as_progress() -> None:
    """It is written before anything is sent: after a crash, all of it is still due."""
    data = claimed(party("a@x.example", a=DONE, r1=Mark.ATTEMPTED), state=APPROVED, reviews=1)
    assert (data["reviews_count"], data["resolution"]) == ("1", "APPROVED")
    known = go_plugin.read(data)
    assert known.parties[0].mark(Kind(Topic.REVIEW, 1)) is Mark.ATTEMPTED
    assert known.parties[0].mark(Kind(Topic.APPROVED)) is None


def test_what_it_resolved_beside_us_is_told_to_those_in_its_threads_alone() -> None:
    data = claimed(party("a@x.example", a=DONE), party("b@x.example"))
    assert [one.address for one in go_plugin.threads_of(data)] == ["a@x.example"]
    beside = data | {"resolution": "APPROVED", "reviews_count": "2"}
    known = go_plugin.read(beside)
    assert (known.state, known.reviews) == (APPROVED, 2)
    alice, bob = known.parties
    assert {kind.code for kind in alice.entries} == {"a", "r1", "r2", "A"}
    assert all(entry.note == "go" for kind, entry in alice.entries.items() if kind != ANNOUNCEMENT)
    assert bob.entries == {}
    made = decide(View(request(APPROVED, 2)), known, Audience(), POLICY, NOW)
    assert codes(made) == {"b@x.example": "aA2"}


def test_only_what_it_counted_further_is_its_doing() -> None:
    data = claimed(party("a@x.example", a=DONE, r1=Mark.ATTEMPTED), reviews=1)
    known = go_plugin.read(data | {"reviews_count": "2"})
    assert known.parties[0].mark(Kind(Topic.REVIEW, 1)) is Mark.ATTEMPTED, "that one was ours"
    assert known.parties[0].mark(Kind(Topic.REVIEW, 2)) is DONE


def test_what_it_tells_does_not_undo_what_we_gave_up_or_delivered() -> None:
    data = claimed(party("a@x.example", a=DONE, A=Mark.GIVEN_UP))
    known = go_plugin.read(data | {"resolution": "APPROVED"})
    assert known.parties[0].mark(Kind(Topic.APPROVED)) is Mark.GIVEN_UP


def test_a_thread_that_it_began_beside_us_settles_our_attempt() -> None:
    data = claimed(party("a@x.example", a=Mark.ATTEMPTED))
    known = go_plugin.read(data | {"email_threads": "a@x.example/now/go@vm,c@x.example/now/go2@vm"})
    assert [(one.address, one.mark(ANNOUNCEMENT), one.root) for one in known.parties] == [
        ("a@x.example", DONE, ""),  # ours may have been sent too: the thread stays the one we began
        ("c@x.example", DONE, "go2@vm"),
    ]


def test_a_resolution_that_it_does_not_know_changes_nothing() -> None:
    known = go_plugin.read(claimed(party("a@x.example", a=DONE)) | {"resolution": "WHATEVER"})
    assert known.state is PENDING
    assert set(known.parties[0].entries) == {ANNOUNCEMENT}


# Writing so that it can carry on --------------------------------------------------------------------------


def test_every_write_compares_all_eight_keys_as_they_were_read() -> None:
    made = go_plugin.write(Ledger(nonce=NONCE), {"user": "u", "another": "key"}, request())
    assert set(made.expect) == set(ALL_KEYS)
    assert made.expect["user"] == "u"
    assert made.expect["roles"] == "", "absent: expected to be absent"
    assert "another" not in made.set, "keys of others are left alone"


def test_encoded_as_the_go_plugin_does_it() -> None:
    """Or its compare never matches: it compares the values that it would write itself."""
    _, recorded = RECORDED["A announced to two recipients"]
    seen = request(request_reason=recorded["request_reason"])
    known = Ledger(
        nonce=NONCE, domain="example.com", parties=(party("a@x.example"), party("b@x.example", a=DONE))
    )
    made = go_plugin.write(known, {}, seen)
    assert {key: value for key, value in made.after.items() if key not in ("email_threads", LEDGER_KEY)} == {
        key: value for key, value in recorded.items() if key != "email_threads"
    }
    assert "reviews_count" not in made.set, "empty for 0 reviews"
    address, when, message_id = made.set["email_threads"].split("/")
    assert (address, when) == ("b@x.example", "2026-11-22 16:00:00 +0000 UTC")
    assert message_id == known.thread_root("id", known.parties[1])


def test_the_claim_tells_what_is_claimed_and_the_threads_what_was_delivered() -> None:
    known = Ledger(
        nonce=NONCE,
        domain="x.example",
        state=DENIED,
        reviews=2,
        parties=(party("a@x.example", a=Mark.ATTEMPTED),),
    )
    made = go_plugin.write(known, {}, request(DENIED, 2, resolve_reason="not today"))
    assert (made.set["reviews_count"], made.set["resolution"], made.set["resolve_reason"]) == (
        "2",
        "DENIED",
        "not today",
    )
    assert "email_threads" not in made.set
    delivered = structs.replace(made.ledger, parties=(party("a@x.example", a=DONE),))
    assert go_plugin.write(delivered, made.after, request()).set.keys() == {"email_threads", LEDGER_KEY}


def test_threads_that_it_began_stay_as_they_are() -> None:
    _, data = RECORDED["A announced to two recipients"]
    known = structs.replace(go_plugin.read(data), nonce=NONCE, domain="x.example")
    known = known.replace_party(party("new@x.example", a=DONE))
    made = go_plugin.write(known, data, request())
    assert made.set["email_threads"].startswith(data["email_threads"] + ",new@x.example/")
    assert len(go_plugin.parse_threads(made.set["email_threads"])) == 3
    assert made.expect["user"] == data["user"]
    assert "user" not in made.set


@pytest.mark.parametrize("address", ["a/b@x.example", '"a,b"@x.example'])
def test_what_would_corrupt_its_data_is_not_written(address: str) -> None:
    known = Ledger(
        nonce=NONCE, domain="x.example", parties=(party(address, a=DONE), party("c@x.example", a=DONE))
    )
    made = go_plugin.write(known, {}, request())
    assert [one.address for one in go_plugin.parse_threads(made.set["email_threads"])] == ["c@x.example"]
    assert made.ledger.parties == known.parties, "our own ledger knows all the same"


def test_requesters_have_no_thread_of_the_go_plugins() -> None:
    known = Ledger(
        nonce=NONCE,
        domain="x.example",
        parties=(Party("u@x.example", requester=True, entries={Kind(Topic.RECEIVED): Entry(DONE, 1)}),),
    )
    assert "email_threads" not in go_plugin.write(known, {}, request()).set
    beside = go_plugin.write(known, {}, request()).after | {
        "email_threads": "u@x.example/now/go@vm",
        "resolution": "APPROVED",
    }
    requester, reviewer = go_plugin.read(beside).parties
    assert set(requester.entries) == {Kind(Topic.RECEIVED)}, "they get what we owe them"
    assert {kind.code for kind in reviewer.entries} == {"a", "A"}


def test_the_shadow_is_what_was_written_last() -> None:
    known = Ledger(nonce=NONCE, domain="x.example", reviews=1, parties=(party("a@x.example", a=DONE),))
    made = go_plugin.write(known, {"resolve_reason": "theirs"}, request())
    assert made.ledger.shadow == {key: made.after[key] for key in GO_KEYS if key in made.after}
    assert json.loads(made.after[LEDGER_KEY])["g"] == dict(made.ledger.shadow)
    assert made.after[LEDGER_KEY] == dumps(made.ledger)


@given(
    st.text(max_size=20),
    st.lists(st.text(max_size=10), max_size=3),
    st.text(max_size=40),
    st.sampled_from([PENDING, APPROVED, DENIED, RequestState.PROMOTED]),
    st.integers(0, 30),
)
def test_what_we_wrote_alone_is_no_doing_of_the_go_plugins(
    user: str, roles: list[str], reason: str, state: RequestState, reviews: int
) -> None:
    """Whatever the request says: else our own claim would be taken for its progress."""
    seen = AccessRequest("id", user, tuple(roles), state, request_reason=reason, resolve_reason=reason)
    known = Ledger(
        nonce=NONCE,
        domain="x.example",
        state=state,
        reviews=reviews,
        parties=(party("a@x.example", a=DONE), party("b@x.example", a=Mark.ATTEMPTED)),
    )
    made = go_plugin.write(known, {}, seen)
    assert go_plugin.read(made.after) == made.ledger
    again = go_plugin.write(made.ledger, made.after, seen)
    assert again.set == {}, "writing the same again changes nothing"


# What somebody writes into its keys costs little -----------------------------------------------------------


def test_its_count_is_not_believed_beyond_the_reviews_of_the_request() -> None:
    data = claimed(party("a@x.example", a=DONE)) | {"reviews_count": "50000"}
    data["email_threads"] = "a@x.example/now/go@vm"
    claim = Claim("id", "me").read(data)
    seen = View(request(reviews=2))
    plan = claim.plan(seen, STRANGER, POLICY, NOW)
    assert plan.settled, "both reviews are its doing"
    grown = claim.plan(View(request(reviews=3)), STRANGER, POLICY, NOW)
    assert grown.settled, "and so is the next, once it is there"
    known = go_plugin.with_reviews(claim.ledger, data, 2)
    assert known.reviews == 2
    assert len(known.parties[0].entries) == 3


def test_a_review_that_it_told_and_we_did_not_see_yet_is_still_its_own_after_our_write() -> None:
    data = claimed(party("a@x.example", a=DONE)) | {"reviews_count": "3"}
    data["email_threads"] = "a@x.example/now/go@vm"
    ours = go_plugin.read(data, reviews=2)
    after = go_plugin.write(ours, data, request(reviews=2)).after
    assert after["reviews_count"] == "3"
    again = go_plugin.read(after, reviews=3)
    assert again.parties[0].mark(Kind(Topic.REVIEW, 3)) is DONE


@pytest.mark.parametrize("known", [{}, claimed(party("a@x.example", a=DONE))], ids=["alone", "beside us"])
def test_many_threads_and_a_large_count_are_taken_in_at_once(known, monkeypatch) -> None:
    """Linear: every thread is looked at a fixed number of times, whatever the count says."""
    looks = []
    message_id = go_plugin.root_of
    monkeypatch.setattr(go_plugin, "root_of", lambda thread: looks.append(1) or message_id(thread))
    built = []
    add = Ledger.replace_party
    monkeypatch.setattr(Ledger, "replace_party", lambda self, *some: built.append(1) or add(self, *some))
    threads = ",".join(f"u{number}@x.example/now/{number}@vm" for number in range(8000))
    data = {**known, "user": "u", "email_threads": threads, "reviews_count": "999999"}
    ledger = go_plugin.read(data, reviews=2)
    assert len(looks) == 8000
    assert built == []
    assert len(ledger.parties) == 8000 + bool(known)
    assert max(len(one.entries) for one in ledger.parties) == 3
    assert max(len(one.entries) for one in go_plugin.read(data).parties) == go_plugin.MOST_REVIEWS + 1
