"""What replies mean: the table of tests/data, and what holds for any that somebody may think of."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from teleport_email.core.model import AccountFault, Believe, Declined, Refused, Temporary
from teleport_email.mail.advice import advice
from teleport_email.mail.smtp.replies import Reply, Stage, judge

REPLIES = json.loads((Path(__file__).parents[2] / "data" / "smtp-replies.json").read_text())["replies"]
STAGES = {
    "AUTH": Stage.LOGIN,
    "MAIL": Stage.MAIL,
    "RCPT": Stage.RCPT,
    "DATA": Stage.DATA,
    "DOT": Stage.DOT,
}
VERDICTS = {
    "given up": Refused,
    "perhaps ours": Declined,
    "account": AccountFault,
    "temporary": Temporary,
}
BELIEVED = {
    "no enhanced code: what is seen": Believe.SEEN,
    "no such domain: the third time": Believe.REPEATED,
}
SENDER, RECIPIENT = "teleport@example.com", "bob@example.net"
CERTAIN = ("5.1.1", "5.1.3", "5.1.6", "5.1.10", "5.2.1")


def judged(stage: Stage, code: int, text: str) -> Temporary | Refused | Declined | AccountFault:
    return judge(stage, Reply(code, text), sender=SENDER, recipient=RECIPIENT)


@pytest.mark.parametrize(
    "row", [row for row in REPLIES if row["step"] in STAGES], ids=lambda row: row["reply"][:40]
)
def test_the_table(row) -> None:
    outcome = judged(STAGES[row["step"]], int(row["reply"][:3]), row["reply"][4:])
    assert type(outcome) is VERDICTS[row["verdict"]], row["rule"]
    if isinstance(outcome, Declined):
        assert outcome.believe is BELIEVED.get(row["rule"], Believe.NEVER)
    if isinstance(outcome, AccountFault):
        assert outcome.login == (row["rule"] == "login")
    if row["fault"].startswith("ours"):
        assert not isinstance(outcome, Refused)


@pytest.mark.parametrize("code", CERTAIN)
@pytest.mark.parametrize(
    "text", ["{}", "{} no such user", "no (#{})", "[x] {}: no", "a\nb {}.\nc", "SMTP-{};"]
)
@pytest.mark.parametrize("stage", [Stage.RCPT, Stage.DATA, Stage.DOT])
def test_a_code_of_the_mailbox_is_certain_wherever_it_stands(code, text, stage) -> None:
    assert isinstance(judged(stage, 550, text.format(code)), Refused)


@pytest.mark.parametrize("code", CERTAIN)
@pytest.mark.parametrize(
    "text", ["{}0", "{}.1", "1{}", "1.{}", "v{}", "<{}@example.net>: no", "x.{}@a.example no"]
)
def test_what_only_looks_like_one_is_not(code, text) -> None:
    said = text.format(code)
    if said != "5.1.10":  # 5.1.1 and a nought
        assert isinstance(judged(Stage.RCPT, 550, said), Declined)


@given(st.integers(0, 999), st.integers(0, 999), st.sampled_from([Stage.RCPT, Stage.DATA, Stage.DOT]))
def test_no_other_code_is_certain(subject, detail, stage) -> None:
    code = f"5.{subject}.{detail}"
    outcome = judged(stage, 550, f"{code} no")
    assert isinstance(outcome, Refused) == (code in CERTAIN)
    if isinstance(outcome, Declined):
        assert outcome.believe is (Believe.REPEATED if code == "5.1.2" else Believe.NEVER)


@pytest.mark.parametrize(
    "text",
    [
        f"5.1.1 <{SENDER}>: no such user",
        "5.1.1 sender address: no such user",
        "5.1.7 bad address: 550 5.1.1 no such user",
        "MAIL FROM: 550 5.1.1 no such user",
    ],
)
def test_a_code_of_the_sender_s_mailbox_is_not_the_recipient_s(text) -> None:
    assert isinstance(judged(Stage.RCPT, 550, text), Declined)


def test_who_writes_to_himself_may_be_unknown() -> None:
    outcome = judge(Stage.RCPT, Reply(550, f"5.1.1 <{SENDER}>: unknown"), sender=SENDER, recipient=SENDER)
    assert isinstance(outcome, Refused)


@pytest.mark.parametrize(
    ("stage", "code", "text", "expected"),
    [
        (Stage.RCPT, 450, "5.1.1 the first digit rules", Temporary),
        (Stage.RCPT, 552, "5.5.3 too many recipients", Temporary),
        (Stage.MAIL, 500, "what?", AccountFault),
        (Stage.MAIL, 550, "5.3.4 too big", Declined),
        (Stage.LOGIN, 432, "4.7.12 transition", AccountFault),
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
    assert len(outcome.reason) < 600
    assert outcome.reason.isprintable()


@pytest.mark.parametrize(
    ("reply", "help_"),
    [
        ("SendAsDenied", "right to send as"),
        ("5.7.60", "right to send as"),
        ("verified Sender Identity", "verify the address"),
        ("5.7.139", "SMTP AUTH"),
        ("5.7.57", "smtp.username"),
        ("Daily user sending limit", "ends by itself"),
        ("5.1.90", "ends by itself"),
        ("too much mail", "ends by itself"),
        ("5.7.26", "SPF or DKIM"),
        ("relay not permitted", "allow this host or login to relay"),
        ("Relay access denied", "allow this host or login to relay"),
        ("Helo command rejected", "smtp.helo_hostname"),
        ("5.1.7", "set delivery.sender"),
        ("5.1.8", "set delivery.sender"),
        ("Sender verify failed", "set delivery.sender"),
        ("not owned by user", "set delivery.sender"),
        ("List software", "List-Id"),
        ("Content rejected", "exempt delivery.sender"),
        ("AuthenticatedForGroup", "group takes mail"),
        ("5.3.4", "larger than the server takes"),
        ("over quota", "mailbox is full"),
        ("Concurrent connections", "smtp.max_connections"),
    ],
)
def test_words_that_help(reply, help_) -> None:
    rows = [row for row in REPLIES if reply in row["reply"]]
    assert rows
    for row in rows:
        assert help_ in advice(row["reply"][4:], int(row["reply"][:3]))


def test_no_advice_where_none_is_true() -> None:
    for row in REPLIES:
        if row["rule"] == "names the mailbox":
            assert advice(row["reply"][4:], int(row["reply"][:3])) == ""
    assert advice("no <relay.helo@spam.example>") == "", "what people are called says nothing"
