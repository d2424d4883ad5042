"""What is known of the audits: per owner or per list, what a poll changes, and what one that was cut short does not."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

from teleport_email.core.audits import Audit, owner_id
from teleport_email.reconciling.keys import ACCESS_LIST
from teleport_email.watching.audits import AuditBoard, Held

NOW = datetime(2026, 11, 22, 12, 0, tzinfo=UTC)
DAY = timedelta(days=1)
ANN, BOB = ACCESS_LIST + owner_id("ann@example.com"), ACCESS_LIST + owner_id("bob@example.com")


def held(name: str, *owners: str, due: datetime = NOW + DAY, **spelled: str) -> Held:
    audit = Audit(list_name=name, due=due, opens=due - 14 * DAY, title=name.upper())
    addresses = tuple(f"{owner}@example.com" for owner in owners)
    return Held(audit, addresses, {f"{owner}@example.com": text for owner, text in spelled.items()})


def board_of(*lists: Held) -> AuditBoard:
    board = AuditBoard()
    board.replace({each.audit.list_name: each for each in lists})
    return board


def seen(board: AuditBoard, key: str) -> tuple[tuple[str, ...], list[str]] | None:
    view = board.view(key)
    return view and (view.recipients, [audit.list_name for audit in view.audits])


def test_an_owner_s_view_has_all_lists_of_theirs_by_date() -> None:
    board = board_of(held("b", "ann", "bob"), held("a", "ann"), held("early", "ann", due=NOW))
    assert set(board.all_keys()) == {ANN, BOB}
    assert seen(board, ANN) == (("ann@example.com",), ["early", "a", "b"])
    assert seen(board, BOB) == (("bob@example.com",), ["b"])
    assert board.names(ANN) == ("early", "a", "b")
    view = board.view(ANN)
    assert view is not None
    assert (view.request.id, view.request.user, view.gone) == (ANN, "", False)
    assert "ann" not in ANN, "the key tells nobody the address"
    assert (board.about(ANN), board.about("id")) == ({"owner": "ann@example.com"}, {"request": "id"})
    assert (board.view("access_list/other"), board.names("access_list/other")) == (None, ())


def test_how_an_address_was_written_first_is_kept() -> None:
    board = board_of(held("b", "ann", ann="ANN@b"), held("a", "ann", ann="ANN@a"), held("c", "ann"))
    view = board.view(ANN)
    assert view is not None
    assert view.spelled == {"ann@example.com": "ANN@a"}


def test_a_list_without_anybody_to_tell_counts_and_is_nobody_s() -> None:
    board = board_of(held("a", due=NOW), held("b", "ann", due=NOW + DAY), held("c", due=NOW + 20 * DAY))
    assert board.counts(NOW) == (2, 1), "one is not open yet"
    assert board.counts(NOW + DAY) == (2, 2)
    assert board.all_keys() == (ANN,)


def test_only_what_changed_gets_a_new_version() -> None:
    board = board_of(held("a", "ann"), held("b", "bob"))
    versions: dict[str, Any] = {key: board.version(key) for key in (ANN, BOB)}
    board.replace({"a": held("a", "ann"), "b": held("b", "bob", due=NOW + 2 * DAY)})
    assert board.version(ANN) == versions[ANN]
    assert board.version(BOB) > versions[BOB]
    assert (
        board.update({"b": held("b", "bob", due=NOW + 2 * DAY), "never there": None, "c": held("c", "ann")})
        == ()
    )
    assert board.update({"b": held("b", "ann", "bob")}) == (ANN, BOB)
    assert seen(board, ANN) == (("ann@example.com",), ["a", "b"])


def test_whose_lists_were_all_reviewed_is_forgotten_once_looked_at() -> None:
    board = board_of(held("a", "ann"), held("b", "bob"))
    version = board.version(ANN)
    assert board.update({"a": None}) == (ANN,)
    assert seen(board, ANN) == (("ann@example.com",), []), "a claim may be there to be released"
    board.settle(ANN, version)
    assert board.is_remembered(ANN), "that look was from before"
    board.settle(ANN, board.version(ANN))
    assert (board.is_remembered(ANN), board.version(ANN), board.view(ANN)) == (False, 0, None)
    board.settle(ANN, 7)
    board.settle(BOB, board.version(BOB))
    assert board.is_remembered(BOB), "time alone makes the next step due"
    assert not board.is_new(BOB)


def test_per_list_a_key_has_all_owners_of_one() -> None:
    board = board_of(held("a", "ann", "bob"), held("b", "ann"), held("c"))
    assert set(board.keep_per_list()) == {f"{ACCESS_LIST}{name}" for name in "abc"}
    assert seen(board, f"{ACCESS_LIST}a") == (("ann@example.com", "bob@example.com"), ["a"])
    assert board.view(ANN) is None
    assert board.about(f"{ACCESS_LIST}a") == {"access_list": "a"}
    assert board.update({"a": held("a", "bob")}) == (f"{ACCESS_LIST}a",)
    assert seen(board, f"{ACCESS_LIST}a") == (("bob@example.com",), ["a"])
