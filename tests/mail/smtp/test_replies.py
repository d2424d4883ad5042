"""What replies mean, and whose fault a policy is."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from teleport_email.core.model import AccountFault, Refused, Temporary
from teleport_email.mail.smtp.replies import PolicyRefusal, Reply, Stage, judge
from teleport_email.mail.smtp.standing import REMEMBERED, Standing

POLICY = PolicyRefusal("550 5.7.1 no")


@pytest.mark.parametrize(
    ("stage", "code", "text", "expected"),
    [
        (Stage.RCPT, 550, "5.7.1 relaying denied", PolicyRefusal),
        (Stage.DOT, 554, "5.7.60 SendAsDenied", PolicyRefusal),
        (Stage.DOT, 550, "5.7.1 spam", PolicyRefusal),
        (Stage.DOT, 550, "spam", Refused),
        (Stage.RCPT, 450, "5.7.1 the first digit rules", Temporary),
        (Stage.RCPT, 550, "4.7.1 the first digit rules", Refused),
        (Stage.RCPT, 550, "5.7.10000 no enhanced code", Refused),
        (Stage.RCPT, 552, "5.5.3 too many recipients", Temporary),
        (Stage.RCPT, 552, "5.2.2 full", Refused),
        (Stage.MAIL, 500, "what?", AccountFault),
        (Stage.MAIL, 550, "5.3.4 too big", Refused),
        (Stage.LOGIN, 454, "4.7.0 later", Temporary),
        (Stage.LOGIN, 432, "4.7.12 transition", AccountFault),
        (Stage.LOGIN, 504, "5.5.4 mechanism unknown", AccountFault),
        (Stage.DATA, 250, "where 354 was expected", Temporary),
        (Stage.DOT, 699, "unheard of", Temporary),
    ],
)
def test_judge(stage, code, text, expected) -> None:
    outcome = judge(stage, Reply(code, text))
    assert type(outcome) is expected
    assert str(code) in outcome.reason


@given(st.sampled_from(Stage), st.integers(-1, 999), st.text(max_size=2000))
def test_whatever_a_server_says_has_a_meaning_and_stays_on_one_short_line(stage, code, text) -> None:
    outcome = judge(stage, Reply(code, text))
    assert len(outcome.reason) < 400
    assert outcome.reason.isprintable()


def test_a_policy_is_the_recipient_s_only_after_others_got_through() -> None:
    standing = Standing()
    assert isinstance(standing.judge("a", POLICY), AccountFault)
    assert isinstance(standing.judge("a", POLICY), AccountFault)
    standing.accepted("b")
    assert isinstance(standing.judge("a", POLICY), Refused)
    # Another recipient, with the account in good standing: once more, then it depends.
    assert isinstance(standing.judge("c", POLICY), Temporary)
    assert isinstance(standing.judge("c", POLICY), AccountFault)
    standing.accepted("b")
    assert isinstance(standing.judge("c", POLICY), Refused)


def test_who_was_accepted_begins_anew() -> None:
    standing = Standing()
    standing.accepted("b")
    assert isinstance(standing.judge("a", POLICY), Temporary)
    standing.accepted("a")
    assert isinstance(standing.judge("a", POLICY), Temporary)


def test_no_more_is_remembered_than_needed() -> None:
    standing = Standing()
    standing.accepted("b")
    standing.judge("first", POLICY)
    for number in range(REMEMBERED):
        standing.judge(f"r{number}", POLICY)
    standing.accepted("b")
    assert isinstance(standing.judge("first", POLICY), Temporary)  # forgotten: one more try
    assert isinstance(standing.judge(f"r{REMEMBERED - 1}", POLICY), Refused)
