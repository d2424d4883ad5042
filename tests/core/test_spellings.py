"""One address, written in many ways: by the Go plugin, by the configuration, by those who suggest reviewers.

Compared, and in Message-IDs, it has one form; in ``To`` and ``email_threads`` it stays as it was written.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from msgspec import structs

from teleport_email.core import go_plugin, informing
from teleport_email.core.claim import Claim
from teleport_email.core.decide import Audience, Plan, Policy, View, decide
from teleport_email.core.ledger import LEDGER_KEY, Entry, Frozen, Ledger, Mark, Party
from teleport_email.core.ledger_json import dumps, loads
from teleport_email.core.model import AccessRequest, Content, Kind, RequestState, Review, Topic

NOW = datetime(2026, 11, 26, 18, 0, tzinfo=UTC)
POLICY = Policy(duty_since=NOW - timedelta(days=1))
TIME = "2026-11-22 16:14:31.845332342 +0000 UTC m=+2.258623637"
NONCE = "0123456789abcdef" * 2
ANNOUNCEMENT, APPROVED = Kind(Topic.ANNOUNCEMENT), Kind(Topic.APPROVED)
REQUEST = AccessRequest("id", "alice", ("dev",), created=NOW - timedelta(minutes=5))
REVIEWED = structs.replace(
    REQUEST, state=RequestState.APPROVED, reviews=(Review("r@example.com", RequestState.APPROVED),)
)

SPELLINGS = [
    ("Boss@Example.ORG", "Boss@example.org"),
    ("boss@example.org", "boss@example.org"),
    ("boss@bücher.example", "boss@xn--bcher-kva.example"),
    ("boss@XN--BCHER-KVA.example", "boss@xn--bcher-kva.example"),
    ('"boss"@example.org', "boss@example.org"),
    ('"a boss"@Example.org', '"a boss"@example.org'),
    (" boss@example.org ", "boss@example.org"),
    ("a/b@Example.com", "a/b@example.com"),
    ("jörg@Example.com", "jörg@example.com"),
    ("boss@[IPv6:2001:DB8::1]", "boss@[IPv6:2001:db8::1]"),
]
EACH = pytest.mark.parametrize(("written", "form"), SPELLINGS, ids=[written for written, _ in SPELLINGS])


def left_by_go(*threads: str, **more: str) -> dict[str, str]:
    return {"user": "alice", "roles": "dev", "email_threads": ",".join(threads), **more}


def plan(data: dict[str, str], seen: AccessRequest, *told: str) -> Plan:
    return decide(View(seen), go_plugin.read(data), Audience(told), POLICY, NOW)


def codes(plan: Plan) -> dict[str, str]:
    return {one.address: one.kind.code for one in plan.next}


# From the Go plugin -------------------------------------------------------------------------------------


@EACH
def test_nobody_is_announced_to_again(written: str, form: str) -> None:
    data = left_by_go(f"{written}/{TIME}/DN1.2@vm")
    [party] = go_plugin.read(data).parties
    assert (party.address, party.root) == (form, "DN1.2@vm")
    assert plan(data, REQUEST, form).settled
    assert codes(plan(data, REVIEWED, form)) == {form: "r1"}, "each later message once, in that thread"


@EACH
def test_what_it_told_since_counts_for_the_ledger_s_form(written: str, form: str) -> None:
    """Beside each other: it tells in its thread, whatever form of the address our ledger has."""
    party = Party(form, entries={ANNOUNCEMENT: Entry(Mark.ATTEMPTED)})
    mine = go_plugin.write(Ledger(nonce=NONCE, domain="x.example", parties=(party,)), {}, REQUEST)
    data = mine.after | {"email_threads": f"{written}/{TIME}/DN1.2@vm", "reviews_count": "1"}
    [now] = go_plugin.read(data).parties
    assert now.mark(ANNOUNCEMENT) is Mark.DELIVERED
    assert now.mark(Kind(Topic.REVIEW, 1)) is Mark.DELIVERED
    assert codes(plan(data, REVIEWED)) == {form: "A"}


def test_two_spellings_at_work_are_one_reader() -> None:
    data = left_by_go(f"Boss@Example.ORG/{TIME}/1@vm", f"Boss@example.org/{TIME}/2@vm")
    [party] = go_plugin.read(data).parties
    assert (party.address, party.root) == ("Boss@example.org", "1@vm")
    assert codes(plan(data, REVIEWED, "Boss@example.org")) == {"Boss@example.org": "r1"}


def test_local_parts_that_differ_in_case_are_two() -> None:
    data = left_by_go(f"sec@example.com/{TIME}/1@vm", f"Sec@example.com/{TIME}/2@vm")
    assert [party.address for party in go_plugin.read(data).parties] == ["sec@example.com", "Sec@example.com"]


@pytest.mark.parametrize(
    ("entry", "read"),
    [
        (f"a/b@example.com/{TIME}/ID@vm", ("a/b@example.com", TIME, "ID@vm")),
        (f"a/b/c@example.com/{TIME}/ID@vm", ("a/b/c@example.com", TIME, "ID@vm")),
        (f"a@example.com/{TIME}/x/y@vm", ("a@example.com", TIME, "x/y@vm")),
        ("a/b@example.com/some time/ID@vm", ("a/b@example.com", "some time", "ID@vm")),
        (f"a@example.com/{TIME}/", ("a@example.com", TIME, "")),
        ("a@example.com//ID@vm", ("a@example.com", "", "ID@vm")),
        ("a@example.com", None),
        (f"a@example.com/{TIME}", None),
        ("", None),
        ("//", None),
    ],
)
def test_each_entry_is_read_from_the_right(entry: str, read: tuple[str, str, str] | None) -> None:
    threads = go_plugin.parse_threads(entry)
    assert [(one.address, one.timestamp, one.message_id) for one in threads] == ([read] if read else [])


def test_a_thread_without_an_id_is_one() -> None:
    data = left_by_go(f"a@example.com/{TIME}/")
    [party] = go_plugin.read(data).parties
    assert (party.root, party.mark(ANNOUNCEMENT)) == ("", Mark.DELIVERED)
    assert plan(data, REQUEST, "a@example.com").settled
    assert not go_plugin.is_claiming(data)


def test_the_older_keys_count_beside_the_threads() -> None:
    data = left_by_go(f"a@example.com/{TIME}/1@vm", email="Old@Example.com", timestamp="2020-01-01")
    assert [party.address for party in go_plugin.read(data).parties] == ["a@example.com", "Old@example.com"]
    assert plan(data, REQUEST, "a@example.com", "Old@example.com").settled
    again = left_by_go(f"Old@example.com/{TIME}/", email="Old@Example.com", timestamp="2020-01-01")
    assert len(go_plugin.read(again).parties) == 1, "written anew, it is the same thread"


@pytest.mark.parametrize(("text", "count"), [("2", 2), ("+2", 2), ("02", 2), ("", 0), ("-2", 0), ("two", 0)])
def test_counts_are_read_as_go_reads_them(text: str, count: int) -> None:
    data = left_by_go(f"a@example.com/{TIME}/1@vm", reviews_count=text)
    assert go_plugin.reviews_counted(data) == count
    known = structs.replace(go_plugin.read(data), nonce=NONCE, domain="x.example")
    assert "reviews_count" not in go_plugin.write(known, data, REQUEST).set, "what it wrote stays"


# Back to it ---------------------------------------------------------------------------------------------


def announced(written: str, form: str, told: tuple[str, ...] = ()) -> tuple[Claim, dict[str, str]]:
    """Our claim after we announced to somebody whose address was written like that; and the data."""
    audience = Audience((form, *told), spelled={form: written} if written != form else {})
    claim, view = Claim("id", "me"), View(REQUEST)
    made = claim.plan(view, audience, POLICY, NOW)
    attempt = claim.next_write(
        view,
        made,
        write_id="w",
        nonce=NONCE,
        domain="x.example",
        now=0.0,
        room=9,
        render=lambda *_: Content("s", "t", "h", NOW, "b", "t@example.com"),
    )
    assert attempt is not None
    claim = claim.issued(attempt).written(attempt)
    _, claim = claim.begin()
    return claim, attempt.write.after


@EACH
def test_the_spelling_is_kept_for_to_and_threads_and_nothing_else(written: str, form: str) -> None:
    claim, _ = announced(written.strip(), form)
    [due] = claim.in_flight
    mail = claim.mails([due])[due]
    assert due.address == form
    assert mail.recipient == (written.strip() if written.isascii() else form)
    plain = Ledger(nonce=NONCE, domain="x.example")
    assert mail.message_id == plain.message_id("id", Party(form), ANNOUNCEMENT), "the one form is in the id"
    known = claim.ledger.replace_party(
        claim.ledger.parties[0].with_entry(ANNOUNCEMENT, Entry(Mark.DELIVERED, 1_800_000_000))
    )
    threads = go_plugin.parse_threads(
        go_plugin.write(known, claim.data, REQUEST).after.get("email_threads", "")
    )
    # It could not read one with a slash in it back, and would be stuck with it.
    assert [thread.address for thread in threads] == ([] if "/" in written else [written.strip()])


@EACH
def test_there_and_back_adds_no_second_thread(written: str, form: str) -> None:
    data = left_by_go(f"{written}/{TIME}/DN1.2@vm")
    known = structs.replace(go_plugin.read(data), nonce=NONCE, domain="x.example")
    made = go_plugin.write(known, data, REQUEST)
    assert "email_threads" not in made.set
    assert go_plugin.read(made.after) == made.ledger
    assert [informing.spelling(party.info) or party.address for party in made.ledger.parties] == [
        written.strip()
    ]


def test_a_ledger_without_spellings_goes_on_as_it_is() -> None:
    """An older program drops them with its next write: nothing that is owed hangs on them."""
    claim, data = announced("Boss@Example.ORG", "Boss@example.org")
    [due] = claim.in_flight
    with_it, ledger = claim.mails([due])[due], loads(data[LEDGER_KEY])
    older = structs.replace(
        ledger, parties=tuple(structs.replace(party, info={}) for party in ledger.parties)
    )
    claim = Claim("id", "me", ledger=go_plugin.read({**data, LEDGER_KEY: dumps(older)}))
    without = claim.mails([due])[due]
    assert with_it.recipient == "Boss@Example.ORG"
    assert without == structs.replace(with_it, recipient="Boss@example.org")


def test_a_ledger_from_before_keeps_the_address_that_its_ids_are_made_of() -> None:
    """It named the Go plugin's readers as that wrote them: what is attempted must not become another message."""
    party = Party("Boss@Example.ORG", root="1@vm", entries={ANNOUNCEMENT: Entry(Mark.DELIVERED, 0, "go")})
    party = party.with_entry(APPROVED, Entry(Mark.ATTEMPTED))
    known = Ledger(
        nonce=NONCE,
        domain="x.example",
        parties=(party,),
        frozen=(Frozen(APPROVED, "blob"),),
        state=RequestState.APPROVED,
        shadow={"user": "alice", "email_threads": f"Boss@Example.ORG/{TIME}/1@vm"},
    )
    data = {"user": "alice", "email_threads": f"Boss@Example.ORG/{TIME}/1@vm", LEDGER_KEY: dumps(known)}
    assert go_plugin.read(data) == known
    told = data | {
        "reviews_count": "1",
        "email_threads": f"{data['email_threads']},boss@x.example/{TIME}/2@vm",
    }
    first, second = go_plugin.read(told).parties
    assert first.address == "Boss@Example.ORG"
    assert first.mark(Kind(Topic.REVIEW, 1)) is Mark.DELIVERED
    assert second.address == "boss@x.example"
