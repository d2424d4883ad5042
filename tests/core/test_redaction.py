"""Secrets in foreign words: in whatever form they come back, they do not get out."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
import string
from collections.abc import Callable
from urllib.parse import quote, quote_plus

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from teleport_email.core import redaction
from teleport_email.core.redaction import LONGEST, MARK, Redactor

ALPHABET = string.ascii_letters + string.digits + string.punctuation + " äé€"


def b64(text: str) -> str:
    return base64.b64encode(text.encode()).decode()


ENCODINGS: dict[str, Callable[[str], str]] = {
    "plain": lambda secret: secret,
    "percent": lambda secret: quote(secret, safe=""),
    "percent, all": lambda secret: "".join(f"%{byte:02x}" for byte in secret.encode()),
    "form": quote_plus,
    "json": lambda secret: json.dumps(secret)[1:-1],
    "base64": b64,
    "base64 without padding": lambda secret: b64(secret).rstrip("="),
    "base64 for URLs": lambda secret: base64.urlsafe_b64encode(secret.encode()).decode(),
    "PLAIN": lambda secret: b64(f"\0bob@example.com\0{secret}"),
    "PLAIN with identity": lambda secret: b64(f"bob@example.com\0bob@example.com\0{secret}"),
    "PLAIN with another identity": lambda secret: b64(f"id\0bob@example.com\0{secret}"),
    "XOAUTH2": lambda secret: b64(f"user=bob@example.com\x01auth=Bearer {secret}\x01\x01"),
    "Basic": lambda secret: b64(f"api:{secret}"),
    "percent of base64": lambda secret: quote(b64(secret), safe=""),
}
AROUND: dict[str, Callable[[str], str]] = {
    "alone": lambda text: text,
    "in a sentence": lambda text: f"5.7.8 bad credentials ({text}) for you",
    "in lines": lambda text: (
        "5.7.8 you said\n" + "\n".join(text[at : at + 5] for at in range(0, len(text), 5))
    ),
    "in replies": lambda text: "\r\n535-".join(text[at : at + 7] for at in range(0, len(text), 7)),
    "cut off": lambda text: f"you said {text[: len(text) * 2 // 3]}",
    "cut off with a sign": lambda text: f"you said {text[: len(text) * 2 // 3]}… (900 characters)",
    "cut at the front": lambda text: f"{text[len(text) // 3 :]} is wrong",
}


def leaks(shown: str, written: str) -> list[str]:
    """Pieces of what was written, six characters long, that still stand there."""
    squeezed = "".join(shown.split())
    written = "".join(written.split())
    return [written[at : at + 6] for at in range(len(written) - 5) if written[at : at + 6] in squeezed]


@pytest.mark.parametrize("around", AROUND)
@pytest.mark.parametrize("encoding", ENCODINGS)
def test_a_secret_does_not_come_back(encoding: str, around: str) -> None:
    secret = "kJ8#x/Q?v z+W%9&mT2ä"
    written = ENCODINGS[encoding](secret)
    shown = Redactor([secret]).hide(AROUND[around](written))
    assert MARK in shown
    # Of base64 around it the user's name may stay; what holds the secret may not.
    inner = written[-16:] if "PLAIN" in encoding or encoding == "XOAUTH2" else written
    if not around.startswith("cut off") or inner is written:
        assert leaks(shown, inner) == []


@given(
    st.text(ALPHABET, min_size=8, max_size=40).filter(lambda text: len("".join(text.split())) >= 8),
    st.sampled_from(sorted(ENCODINGS)),
    st.sampled_from(["alone", "in a sentence", "in lines", "in replies"]),
)
@settings(deadline=None, max_examples=300)
def test_any_secret_in_any_form(secret: str, encoding: str, around: str) -> None:
    written = ENCODINGS[encoding](secret)
    shown = Redactor([secret]).hide(AROUND[around](written))
    assert MARK in shown
    squeezed = "".join(shown.split())
    assert "".join(secret.split()) not in squeezed
    assert written not in squeezed


def test_the_answer_to_a_challenge_is_known_once_it_was_sent() -> None:
    digest = hmac.digest(b"password", b"<1.2@x>", hashlib.md5).hex()
    redactor = Redactor()
    redactor.know(b64(f"bob {digest}"), passing=True)
    assert digest[:20] not in redactor.hide(f"535 {b64(f'bob {digest}')}")


def test_tokens_come_and_go_and_passwords_stay() -> None:
    redactor = Redactor(["password-of-the-file"])
    for number in range(1000):
        redactor.know(f"token-number-{number:06}", passing=True)
    assert redactor.hide("password-of-the-file token-number-000999") == f"{MARK} {MARK}"


@pytest.mark.parametrize(
    "text",
    [
        "250 2.0.0 Ok: queued as 4F2A",
        "535 5.7.8 Error: authentication failed: UGFzc3dvcmQ6",
        "550 5.1.1 <bob@example.com>: Recipient address rejected",
        "100% of %s + &amp; \\ …",
        "",
    ],
)
def test_honest_words_stay(text: str) -> None:
    assert Redactor(["kJ8#x/Q?vzW9mT2"]).hide(text) == text


def test_a_short_secret_is_found_as_a_word() -> None:
    redactor = Redactor(["pw"])
    assert redactor.hide("you said pw") == f"you said {MARK}"
    assert redactor.hide("spwn") == "spwn"
    assert Redactor(["mail"], shortest=8).hide("the mail server") == "the mail server"


@given(st.text(), st.text(min_size=1))
@settings(deadline=None)
def test_any_text_is_answered(text: str, secret: str) -> None:
    Redactor([secret]).hide(text)


@pytest.mark.parametrize("kept", [0, 1, 8, 15])
def test_of_a_long_answer_the_beginning_is_looked_at_and_a_secret_that_the_cut_tears_stays_hidden(
    monkeypatch: pytest.MonkeyPatch, kept: int
) -> None:
    secret = "kJ8#x/Q?vzW9mT2"
    monkeypatch.setattr(redaction, "_KNOWN", Redactor([secret]))
    begin = f"said {secret} once, "
    answer = begin + "." * (LONGEST - len(begin) - kept) + secret + "." * 1_000_000
    shown = redaction.hide(answer)
    assert len(shown) < LONGEST + 20
    assert MARK in shown
    assert secret[:8] not in shown
