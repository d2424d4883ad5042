"""The ledger as text and back, Message-IDs, frozen contents, and what strangers may have written there."""

from __future__ import annotations

import base64
import json
import re
import secrets
import zlib
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec import structs

from teleport_email.core import go_plugin, ledger, ledger_json
from teleport_email.core.decide import Audience, Policy, View, decide
from teleport_email.core.errors import LedgerTooNew, LedgerUnreadable
from teleport_email.core.frozen import freeze, pack, thaw, unpack
from teleport_email.core.ledger import (
    Entry,
    Frozen,
    Ledger,
    Mark,
    Party,
    Round,
    id_domain,
)
from teleport_email.core.ledger_json import dumps, loads
from teleport_email.core.model import AccessRequest, Content, Kind, RequestState, Review, Topic

WHEN = datetime(2026, 11, 22, 12, 0, tzinfo=UTC)
NONCE = "0123456789abcdef" * 2
ANNOUNCEMENT = Kind(Topic.ANNOUNCEMENT)

text = st.text(st.characters(exclude_categories=["Cs"]), max_size=30)
addresses = st.from_regex(r"[a-z0-9._+-]{1,20}@[a-z0-9-]{1,15}\.example", fullmatch=True)
numbered = st.sampled_from([Topic.REVIEW, Topic.ANNOUNCED_APPROVED, Topic.ANNOUNCED_DENIED])
kinds = st.one_of(
    st.builds(Kind, st.sampled_from(list(Topic))),
    st.builds(Kind, numbered, st.integers(1, 999_999)),
)
entries = st.builds(Entry, st.sampled_from(list(Mark)), st.integers(0, 2**33), text, st.integers(0, 3))
plain = st.integers() | text
info = st.dictionaries(
    text.filter(lambda key: len(key) < 10), plain | st.lists(plain, max_size=4), max_size=3
)
parties = st.builds(
    Party,
    addresses,
    st.booleans(),
    text,
    st.dictionaries(kinds, entries, max_size=4),
    info=info,
    turn=st.integers(0, 3),
)
rounds = st.dictionaries(
    st.integers(1, 999_999),
    st.tuples(
        st.integers(0, 2**33),
        st.integers(0, 99_999),
        st.frozensets(st.from_regex(r"[A-Za-z0-9_-]{12}", fullmatch=True), max_size=3),
    ),
    max_size=3,
).map(lambda found: tuple(Round(number, *found[number]) for number in sorted(found)))
ledgers = st.builds(
    Ledger,
    nonce=st.binary(min_size=16, max_size=16).map(bytes.hex),
    domain=st.just("example.com"),
    expires=st.integers(0, 2**33),
    owner=text,
    write_id=text,
    state=st.sampled_from(list(RequestState)),
    reviews=st.integers(0, 999_999),
    frozen=st.lists(st.builds(Frozen, kinds, text), max_size=3, unique_by=lambda item: item.kind).map(tuple),
    parties=st.lists(parties, max_size=3, unique_by=lambda one: one.key).map(tuple),
    shadow=st.dictionaries(st.sampled_from(ledger.GO_KEYS), text.filter(bool)),
    info=info,
    rounds=rounds,
)
contents = st.builds(
    Content,
    subject=text,
    text=text,
    html=text,
    date=st.integers(0, 2**33).map(lambda at: datetime.fromtimestamp(at, UTC)),
    boundary=text,
    sender=text,
    reply_to=text,
    headers=st.lists(st.tuples(text, text), max_size=3).map(tuple),
)


@given(ledgers)
def test_what_is_written_is_read_back(made: Ledger) -> None:
    assert loads(dumps(made)) == made


@given(contents)
def test_a_frozen_message_comes_back_as_it_was(content: Content) -> None:
    assert unpack(pack(content)) == content


@given(st.text(), st.text(), st.datetimes(timezones=st.just(UTC)), st.booleans())
def test_what_is_remembered_of_a_content_is_what_its_blob_says(text, name, date, begun):
    headers = (("X-Teleport-User", name),)
    content = Content(name, text, text, date, "b", name, headers=headers, plain_subject=name * begun)
    assert thaw(freeze(content)) == unpack(pack(content))


def test_the_order_of_frozen_kinds_and_parties_is_kept() -> None:
    """It is the order of sending."""
    kinds_in_order = [Kind.parse(code) for code in ("a", "A", "r2", "r1")]
    made = Ledger(nonce=NONCE, parties=(Party("b@x.example"), Party("a@x.example")))
    for kind in kinds_in_order:
        made = made.freeze(kind, "x")
    again = loads(dumps(made))
    assert [item.kind for item in again.frozen] == kinds_in_order
    assert [one.address for one in again.parties] == ["b@x.example", "a@x.example"]


# Merged marks -------------------------------------------------------------------------------------------

reviewing = st.builds(Kind, st.just(Topic.REVIEW), st.integers(1, 12))
announcing = st.builds(Kind, st.sampled_from(sorted(ledger.ANNOUNCEMENTS)), st.integers(0, 12))
busy = st.builds(
    Party,
    addresses,
    st.booleans(),
    entries=st.dictionaries(reviewing | announcing | kinds, entries, max_size=20),
    turn=st.integers(0, 2),
)
busy_ledgers = st.builds(
    Ledger,
    nonce=st.just(NONCE),
    domain=st.just("example.com"),
    state=st.sampled_from(list(RequestState)),
    reviews=st.integers(0, 12),
    frozen=st.lists(
        st.builds(Frozen, reviewing | announcing | kinds, st.sampled_from(["", "x"])),
        max_size=12,
        unique_by=lambda item: item.kind,
    ).map(tuple),
    parties=st.lists(busy, max_size=3, unique_by=lambda one: one.key).map(tuple),
)
views = st.builds(
    lambda state, reviews, gone: View(
        AccessRequest(
            "id",
            "u",
            ("dev",),
            state,
            created=WHEN,
            expires=WHEN + timedelta(hours=1),
            reviews=tuple(Review("r@x.example", RequestState.APPROVED) for _ in range(reviews)),
        ),
        gone,
    ),
    st.sampled_from(list(RequestState)),
    st.integers(0, 14),
    st.booleans(),
)
policies = st.builds(
    Policy,
    reminders=st.sampled_from([(), (7200.0,), (7200.0, 3660.0)]),
    merge_deciding_review=st.booleans(),
    quiet_reviews=st.booleans(),
    requester=st.sampled_from([frozenset(), frozenset({"received", "approved", "ended"})]),
)


def merged(made: Ledger) -> str:
    return ledger_json._dump(made, ledger_json.MERGED, ledger_json._merged)


@settings(max_examples=200)
@given(busy_ledgers, views, policies)
def test_merging_marks_changes_no_decision(made: Ledger, view: View, policy: Policy) -> None:
    again = loads(merged(made))
    assert decide(view, again, Audience(), policy, WHEN) == decide(view, made, Audience(), policy, WHEN)
    for before, after in zip(made.parties, again.parties, strict=True):
        assert after.announcement == before.announcement
        gone = {kind: entry for kind, entry in before.entries.items() if kind not in after.entries}
        assert all(
            kind.topic in ledger.ANNOUNCEMENTS and entry.mark is Mark.GIVEN_UP for kind, entry in gone.items()
        )
        for kind, entry in after.entries.items():
            assert (entry.mark, entry.turn) == (before.mark(kind), before.turn_of(kind)), (
                "its Message-ID with it"
            )
        assert set(after.given_up) == set(before.given_up)
        assert after.brought_back().entries.keys() == before.brought_back().entries.keys() - gone.keys()
    assert loads(merged(again)) == again


@given(busy_ledgers, views)
def test_what_is_written_after_merging_is_what_would_have_been(made: Ledger, view: View) -> None:
    """The Go plugin's keys among it."""
    data = {ledger.LEDGER_KEY: dumps(made)}
    one, other = (go_plugin.write(each, data, view.request).after for each in (made, loads(merged(made))))
    assert {key: value for key, value in one.items() if key != ledger.LEDGER_KEY} == {
        key: value for key, value in other.items() if key != ledger.LEDGER_KEY
    }


@pytest.mark.parametrize(
    "runs",
    [
        [[2, 0, 1, 10**9]],
        [[2, 0, 10**9, 10**9]],
        [[2, 0, 1, 200_000], [3, 0, 1, 1]],
        [[2, 0, 0, 1]],
        [[2, 0, 2, 1]],
        [[2, 0, 1]],
        [[2, 0, -1, 1]],
        [[5, 0, 1, 1]],
        [[2, 0, "1", 1]],
        [[2]],
        [2],
        2,
        {"1": 2},
    ],
    ids=range(13),
)
def test_merged_marks_that_are_none_are_refused_and_cost_little(runs: Any) -> None:
    value = json.loads(merged(full(1, 3)))
    value["p"][0]["h"] = runs
    with pytest.raises(LedgerUnreadable):
        loads(json.dumps(value))


def test_a_mark_that_stands_by_itself_counts_before_one_that_is_merged() -> None:
    value = json.loads(merged(full(1, 3)))
    value["p"][0]["h"] = [[2, 0, 1, 3]]
    assert loads(json.dumps(value)).parties[0].mark(Kind.parse("r3")) is Mark.ATTEMPTED


# What strangers wrote -----------------------------------------------------------------------------------

json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.just(10**15) | st.floats() | st.text(max_size=10),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=4), inner, max_size=4),
    max_leaves=12,
)


def read_or_refuse(value: str) -> None:
    """Whatever can be read can be worked with; all else is refused with the one error."""
    try:
        made = loads(value)
    except LedgerUnreadable:
        return
    request = AccessRequest("id", "user")
    for one in made.parties:
        made.thread_root("id", one)
        for kind in one.entries:
            made.message_id("id", one, kind)
    assert loads(dumps(made)) == made
    go_plugin.write(made, {ledger.LEDGER_KEY: value}, request)


@given(st.text())
def test_any_text_is_read_or_refused(value: str) -> None:
    read_or_refuse(value)


@given(json_values)
def test_any_json_is_read_or_refused(value: Any) -> None:
    read_or_refuse(json.dumps(value))


@settings(max_examples=400)
@given(ledgers, st.data())
def test_a_ledger_with_any_one_value_replaced_is_read_or_refused(made: Ledger, data: st.DataObject) -> None:
    made = made.replace_party(Party("x@y.example", entries={ANNOUNCEMENT: Entry(Mark.DELIVERED, 5)}))
    value = json.loads(
        dumps(made.freeze(Kind(Topic.REMINDER), "x") if not made.blob(Kind(Topic.REMINDER)) else made)
    )
    places: list[tuple[Any, Any]] = []

    def walk(node: Any) -> None:
        for key in list(node) if isinstance(node, dict) else range(len(node)):
            places.append((node, key))
            if isinstance(node[key], dict | list):
                walk(node[key])

    walk(value)
    node, key = data.draw(st.sampled_from(places))
    node[key] = data.draw(json_values)
    read_or_refuse(json.dumps(value))


@pytest.mark.parametrize(
    "value",
    [
        "",
        "[]",
        "{}",
        "null",
        "[" * 100_000,
        '{"v":0}',
        '{"v":true}',
        '{"v":"1"}',
        '{"v":1}',
        json.dumps({"v": 1, "n": "", "d": "", "w": "", "s": "PENDING", "k": [], "p": [], "g": {}}),
        json.dumps({"v": 1, "n": NONCE, "d": "", "w": "", "s": "OPEN", "k": [], "p": [], "g": {}}),
        json.dumps(
            {"v": 1, "n": NONCE, "d": "", "w": "", "s": "PENDING", "k": [], "p": [], "g": {"user": 1}}
        ),
        json.dumps(
            {"v": 1, "n": NONCE, "d": "", "w": "", "e": 10**12, "s": "PENDING", "k": [], "p": [], "g": {}}
        ),
    ],
    ids=range(13),
)
def test_what_is_no_ledger_of_ours_is_refused(value: str) -> None:
    with pytest.raises(LedgerUnreadable):
        loads(value)


@pytest.mark.parametrize("field", ["v", "n", "d", "e", "s", "c", "k", "p", "g"])
def test_an_error_does_not_quote_all_that_cannot_be_read(field: str) -> None:
    value = json.loads(dumps(Ledger(nonce=NONCE))) | {field: ["x" * 100_000]}
    with pytest.raises(LedgerUnreadable) as found:
        loads(json.dumps(value))
    assert len(str(found.value)) < 300


@pytest.mark.parametrize(
    "written",
    [
        None,
        {},
        "x",
        [1],
        [[]],
        [[1, 2, 3]],
        [[1, 2, 3, "A" * 12, 5]],
        [[1, 2, 3, 4]],
        [[1, 2, 3, ["A" * 12]]],
        [[1, 2, 3, "A" * 11]],
        [[1, 2, 3, "A" * 11 + "\n"]],
        [[1, 2, 3, "A" * 11 + "é"]],
        [[1, 2, 3, "A" * 24]],
        [["1", 2, 3, "A" * 12]],
        [[1, -2, 3, "A" * 12]],
        [[1, 2, 1.5, "A" * 12]],
        [[True, 2, 3, "A" * 12]],
        [[0, 2, 3, "A" * 12]],
        [[10**7, 2, 3, "A" * 12]],
        [[1, 10**12, 3, "A" * 12]],
        [[2, 2, 3, "A" * 12], [1, 2, 3, "B" * 12]],
        [[1, 2, 3, "A" * 12], [1, 2, 3, "B" * 12]],
        [[n + 1, 2, 3, "A" * 12] for n in range(10_001)],
        [[n + 1, 2, 3, "".join(f"{m:012}" for m in range(40_000))] for n in range(2)],
    ],
)
def test_rounds_that_are_none_are_no_ledger_of_ours(written: object) -> None:
    value = json.loads(dumps(Ledger(nonce=NONCE))) | {"l": written}
    with pytest.raises(LedgerUnreadable) as found:
        loads(json.dumps(value))
    assert len(str(found.value)) < 300


@pytest.mark.parametrize("field", ["k", "p"])
def test_the_number_of_a_round_fits_into_an_id_wherever_it_stands(field: str) -> None:
    written = {"k": [[f"l{10**7}", ""]], "p": [{"a": "a@x.example", "m": {f"l{10**7}": [2, 0]}}]}
    value = json.loads(dumps(Ledger(nonce=NONCE))) | {field: written[field]}
    with pytest.raises(LedgerUnreadable, match="round"):
        loads(json.dumps(value))


def test_a_ledger_without_rounds_is_written_as_ever() -> None:
    assert "l" not in json.loads(dumps(Ledger(nonce=NONCE)))


def test_somebody_twice_is_no_ledger_of_ours() -> None:
    """Each would be told twice."""
    value = json.loads(dumps(Ledger(nonce=NONCE, parties=(Party("a@x.example"),))))
    value["p"] *= 2
    with pytest.raises(LedgerUnreadable, match="twice"):
        loads(json.dumps(value))


def test_a_newer_version_is_told_apart() -> None:
    with pytest.raises(LedgerTooNew, match="version 4, this program knows up to 3"):
        loads('{"v": 4, "new": "fields"}')


def test_an_unknown_field_of_the_same_version_is_passed_over() -> None:
    value = json.loads(dumps(Ledger(nonce=NONCE)))
    assert loads(json.dumps(value | {"later": 1})) == loads(json.dumps(value))


@given(
    st.binary()
    | st.binary().map(zlib.compress)
    | json_values.map(lambda v: zlib.compress(json.dumps(v).encode()))
)
def test_any_bytes_are_unpacked_or_refused(raw: bytes) -> None:
    try:
        unpack(base64.b64encode(raw).decode())
    except LedgerUnreadable:
        return
    raise AssertionError("bytes by chance are no message")  # eight fields of the right types


@given(st.text())
def test_any_text_is_unpacked_or_refused(blob: str) -> None:
    with pytest.raises(LedgerUnreadable):
        unpack(blob)


def test_a_bomb_stays_small() -> None:
    with pytest.raises(LedgerUnreadable, match="too large"):
        unpack(base64.b64encode(zlib.compress(b" " * (64 << 20))).decode())


@pytest.mark.parametrize("place", range(8))
def test_a_frozen_message_with_a_field_of_the_wrong_type_is_refused(place: int) -> None:
    fields: list[Any] = ["s", "t", "h", 0, "b", "f", "r", []]
    fields[place] = {"x": 1}
    with pytest.raises(LedgerUnreadable):
        unpack(base64.b64encode(zlib.compress(json.dumps(fields).encode())).decode())


def test_nothing_secret_is_printed() -> None:
    assert "blob" not in repr(Frozen(ANNOUNCEMENT, "the packed content"))


# Message-IDs ----------------------------------------------------------------------------------------------

domains = st.one_of(
    addresses,
    st.from_regex(r"a@([a-z0-9-]{1,63}\.){0,6}[a-z0-9]{1,63}", fullmatch=True),
    st.just(""),
    st.just("a"),
)


@given(domains, kinds, addresses, st.text(max_size=50))
def test_message_ids_are_short_visible_and_stable(
    sender: str, kind: Kind, address: str, request: str
) -> None:
    made = Ledger(nonce=NONCE, domain=id_domain(sender))
    for one in (Party(address), Party(address, requester=True)):
        message_id = made.message_id(request, one, kind)
        assert len(message_id) <= ledger.MAX_MESSAGE_ID
        assert re.fullmatch(r"[A-Za-z0-9.]+@[A-Za-z0-9.-]+", message_id)
        assert message_id == loads(dumps(made)).message_id(request, one, kind)
        assert len(made.thread_root(request, one)) <= ledger.MAX_MESSAGE_ID


@given(st.lists(st.tuples(kinds, addresses, st.sampled_from(["id-1", "id-2"])), unique=True, max_size=20))
def test_each_recipient_kind_and_request_has_an_id_of_its_own(many: list[tuple[Kind, str, str]]) -> None:
    made = Ledger(nonce=NONCE, domain="example.com")
    ids = {made.message_id(request, Party(address), kind) for kind, address, request in many}
    assert len(ids) == len(many)


def test_without_the_nonce_nobody_can_tell_an_id() -> None:
    one = Party("a@x.example")
    ids = {
        Ledger(nonce=secrets.token_hex(16), domain="x.example").message_id("id", one, ANNOUNCEMENT)
        for _ in range(100)
    }
    assert len(ids) == 100
    assert not any("id" in message_id.split("@")[0] for message_id in ids)


def test_reviewers_share_a_thread_and_the_requester_has_another() -> None:
    made = Ledger(nonce=NONCE, domain="x.example")
    alice, bob = Party("alice@x.example"), Party("bob@x.example")
    requester = Party("alice@x.example", requester=True)
    assert made.thread_root("id", alice) == made.thread_root("id", bob)
    assert made.thread_root("id", alice) != made.thread_root("id", requester)
    assert made.thread_root("id", Party("alice@x.example", root="go@vm")) == "go@vm"


@pytest.mark.parametrize(
    ("sender", "domain"),
    [
        ("teleport@example.com", "example.com"),
        ("Teleport <teleport@example.com>", "example.com"),
        ("t@notifications.engineering.department.example.co.uk", "engineering.department.example.co.uk"),
        ("t@" + "x" * 63 + ".example", "example"),
        ("t@" + "x" * 60, "x" * 30),
        ("t@localhost", "localhost"),
        ("", "localhost"),
    ],
)
def test_the_right_side_of_the_ids(sender: str, domain: str) -> None:
    assert id_domain(sender) == domain


# Changing a ledger ----------------------------------------------------------------------------------------


def test_freezing_moves_the_ledger_to_what_the_message_tells() -> None:
    made = Ledger(nonce=NONCE)
    for code, state, reviews in (
        ("a", "PENDING", 0),
        ("r1", "PENDING", 1),
        ("m", "PENDING", 1),
        ("A", "APPROVED", 1),
        ("qA", "APPROVED", 1),
        ("r3", "APPROVED", 3),
        ("aD5", "DENIED", 5),
        ("P", "DENIED", 5),
        ("qE", "DENIED", 5),
        ("X", "EXPIRED", 5),
    ):
        made = made.freeze(Kind.parse(code), "x")
        assert (made.state.value, made.reviews) == (state, reviews), code


def test_what_is_fixed_is_not_fixed_again_unless_nobody_was_owed_it() -> None:
    made = Ledger(nonce=NONCE).freeze(ANNOUNCEMENT, "one")
    with pytest.raises(ValueError, match="fixed already"):
        made.freeze(ANNOUNCEMENT, "two")
    dropped = made.freeze(Kind(Topic.APPROVED), "x").keep_blobs([Kind(Topic.APPROVED)])
    assert dropped.blob(ANNOUNCEMENT) == ""
    again = dropped.freeze(ANNOUNCEMENT, "two")
    assert [item.kind.code for item in again.frozen] == ["a", "A"], "in its old place"
    assert again.blob(ANNOUNCEMENT) == "two"


def test_marks_are_set_and_cleared() -> None:
    one = Party("a@x.example").with_entry(ANNOUNCEMENT, Entry(Mark.ATTEMPTED))
    assert one.mark(ANNOUNCEMENT) is Mark.ATTEMPTED
    assert one.announcement == ANNOUNCEMENT
    assert one.with_entry(ANNOUNCEMENT, None) == Party("a@x.example")
    assert one.with_entry(Kind(Topic.REVIEW, 1), None) == one
    assert Party("a@x.example").announcement is None


# How large it gets ----------------------------------------------------------------------------------------


def test_a_hundred_recipients_and_twenty_reviews_fit_by_far() -> None:
    """The cluster keeps at most 1,000,000 bytes for one request, over all plugins."""
    reason = " ".join(f"line {number}: {secrets.token_hex(20)}" for number in range(60))
    body = "\n".join(f"{number}: {secrets.token_hex(16)}" for number in range(100))
    content = Content("demo.example.com Role Request x", body, body * 3, WHEN, "=_" + NONCE, "t@example.com")
    request = AccessRequest(
        "01a20409-a917-7e7d-afeb-161626b7d3de",
        "user@example.com",
        ("editor",) * 10,
        RequestState.APPROVED,
        request_reason=reason,
        resolve_reason=reason,
        reviews=tuple(Review(f"r{number}@example.com", RequestState.APPROVED) for number in range(20)),
    )
    made = Ledger(nonce=NONCE, domain="example.com", owner="0" * 16, write_id="0" * 16)
    codes = ["a", *(f"r{number}" for number in range(1, 21)), "A"]
    for code in codes:  # the worst case: every content is still owed to somebody
        made = made.freeze(Kind.parse(code), pack(content))
    for number in range(100):
        marks = {Kind.parse(code): Entry(Mark.DELIVERED, 1_795_000_000) for code in codes[:-1]}
        marks[Kind.parse("A")] = Entry(Mark.GIVEN_UP, 1_795_000_000, "5" * 200)
        made = made.replace_party(Party(f"reviewer-number-{number}@department.example.com", entries=marks))
    write = go_plugin.write(made, {}, request)
    size = sum(len(key.encode()) + len(value.encode()) for key, value in write.after.items())
    assert size < 500_000, "a Go plugin and others want room as well"
    settled = go_plugin.write(structs.replace(made, owner="").keep_blobs([]), write.after, request)
    assert len(settled.after[ledger.LEDGER_KEY]) < 150_000


def full(recipients: int, reviews: int, mark: Mark = Mark.DELIVERED) -> Ledger:
    """All have all reviews but the last, as after a long and busy day."""
    note = (
        "the mail server answered 550 5.1.1 no such user here, or so it says" if mark is Mark.GIVEN_UP else ""
    )
    codes = ["a", *(f"r{number}" for number in range(1, reviews + 1))]
    frozen = tuple(Frozen(Kind.parse(code), "x" * 2500 if code == codes[-1] else "") for code in codes)
    told = {Kind.parse(code): Entry(mark, 1_795_000_000, note) for code in codes[1:-1]}
    told = {
        Kind.parse("a"): Entry(Mark.DELIVERED, 1_795_000_000),
        **told,
        Kind.parse(codes[-1]): Entry(Mark.ATTEMPTED),
    }
    parties = tuple(
        Party(f"reviewer-number-{n}@department.example.com", entries=told) for n in range(recipients)
    )
    return Ledger(NONCE, "example.com", owner="0" * 16, write_id="0" * 16, frozen=frozen, parties=parties)


@pytest.mark.parametrize("mark", [Mark.DELIVERED, Mark.GIVEN_UP])
def test_five_hundred_recipients_and_a_hundred_reviews_stay_far_below_what_dynamodb_takes(mark: Mark) -> None:
    """It takes 400 KB for all that the cluster keeps of one request, the Go plugin's keys among it."""
    made = full(500, 100, mark)
    write = go_plugin.write(
        made, {}, AccessRequest("01a20409-a917-7e7d-afeb-161626b7d3de", "user@example.com")
    )
    assert sum(len(key.encode()) + len(value.encode()) for key, value in write.after.items()) < 300_000
    assert write.after[ledger.LEDGER_KEY].startswith('{"v":3,')


def test_what_older_programs_can_read_they_are_given_as_long_as_it_is_not_large() -> None:
    assert json.loads(dumps(full(100, 30)))["v"] == 1
    assert json.loads(dumps(full(5, 100)))["v"] == 1
    contents = full(2, 80)
    for item in contents.frozen[:-1]:
        contents = contents.freeze(item.kind, secrets.token_hex(1000))
    assert len(dumps(contents)) > ledger_json.LARGE
    assert json.loads(dumps(contents))["v"] == 1, "merging marks would not help"


def test_what_was_merged_is_written_in_the_same_way_again() -> None:
    once = dumps(full(300, 100))
    assert dumps(loads(once)) == once
