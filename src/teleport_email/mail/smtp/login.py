"""How to log in: which mechanism, and what to say to the server's challenges (RFC 4954). Pure."""

from __future__ import annotations

import binascii
import hmac
from base64 import b64decode, b64encode
from collections.abc import Callable, Collection, Sequence
from typing import Literal

from msgspec import Struct

__all__ = ["CANNOT_LEAK", "Exchange", "begin", "in_base64", "usable", "wanted"]

_BY_PASSWORD = ("PLAIN", "LOGIN", "CRAM-MD5")
"""In this order: CRAM-MD5 (RFC 2195) only where nothing else is offered, since a server that can check it has
the password in clear, and MD5 is no longer good for much."""

CANNOT_LEAK = frozenset({"CRAM-MD5"})
"""Mechanisms that do not send the secret itself."""


def usable(
    auth: Literal["password", "xoauth2"], offered: Collection[str], *, in_clear: bool = False
) -> Sequence[str]:
    """The mechanisms to log in by, best first. ``offered``: as EHLO gave them, in any case. ``in_clear``:
    others may listen, so only those that do not send the secret.
    """
    ours = ("XOAUTH2",) if auth == "xoauth2" else _BY_PASSWORD
    theirs = {name.upper() for name in offered}
    return [name for name in ours if name in theirs and (name in CANNOT_LEAK or not in_clear)]


def wanted(auth: Literal["password", "xoauth2"]) -> str:
    """What a server has to offer, for people."""
    return "XOAUTH2" if auth == "xoauth2" else "PLAIN, LOGIN or CRAM-MD5"


class Exchange(Struct, frozen=True):
    """One login on its way. ``initial`` goes with the AUTH command; None: the server speaks first."""

    initial: str | None
    answer: Callable[[str], str | None]
    """From the text of a 334 to the answer; None: not to be answered, break off. Neither is in base64 but
    the challenge, which is as the server wrote it."""


def begin(mechanism: str, user: str, secret: str) -> Exchange:
    """An exchange by this mechanism. ``secret``: the password, or the bearer token for XOAUTH2."""
    match mechanism:
        case "PLAIN":
            message = f"\0{user}\0{secret}"  # RFC 4616
            return Exchange(
                message, _once(lambda _: message)
            )  # again for who looks past the initial response
        case "LOGIN":
            return Exchange(None, _Prompts(user, secret))
        case "CRAM-MD5":
            return Exchange(None, _once(lambda challenge: _digest(user, secret, challenge)))
        case "XOAUTH2":
            # Google's and Microsoft's own. A refusal comes as a challenge; the 535 follows an empty answer.
            return Exchange(f"user={user}\x01auth=Bearer {secret}\x01\x01", _once(lambda _: ""))
    raise ValueError(f"no such mechanism: {mechanism}")


def _once(answer: Callable[[str], str | None]) -> Callable[[str], str | None]:
    left = [answer]
    return lambda challenge: left.pop()(challenge) if left else None


class _Prompts:
    """LOGIN (draft-murchison-sasl-login): answers what is asked for, not what would be next. Who takes the
    password for the user name writes it into the log.

    Each is said once. A prompt in words that we do not know asks for the user name first, then the password.
    """

    def __init__(self, user: str, password: str) -> None:
        self._left = {"user": user, "password": password}

    def __call__(self, challenge: str) -> str | None:
        prompt = _decoded(challenge).decode("utf-8", "replace").lower()
        if "pass" in prompt:
            asked = "password"
        elif "user" in prompt or "name" in prompt:
            asked = "user"
        else:
            asked = next(iter(self._left), "")
        return self._left.pop(asked, None)


def _digest(user: str, password: str, challenge: str) -> str:
    digest = hmac.new(password.encode("utf-8", "surrogateescape"), _decoded(challenge), "md5").hexdigest()
    return f"{user} {digest}"


def in_base64(text: str) -> str:
    """As what is said in an exchange goes over the wire."""
    return b64encode(text.encode("utf-8", "surrogateescape")).decode("ascii")


def _decoded(challenge: str) -> bytes:
    """Some servers forget the base64 around their prompts."""
    try:
        return b64decode(challenge, validate=True)
    except (binascii.Error, ValueError):
        return challenge.encode("utf-8", "surrogateescape")
