"""Names that DNS does not have."""

import socket

import pytest

from teleport_email.network.unresolved import unresolved


def no_name(said: str, *, again: bool = False) -> socket.gaierror:
    return socket.gaierror(socket.EAI_AGAIN if again else socket.EAI_NONAME, said)


def test_what_names_it_is_said() -> None:
    said = unresolved("mx.corp", "smtp.host", no_name("Name or service not known"))
    assert said == "the name mx.corp is not known: check smtp.host and DNS (Name or service not known)"


def test_no_answer_for_now_is_another_thing() -> None:
    said = unresolved("mx.corp", "smtp.host", no_name("try again", again=True))
    assert "DNS gives no answer just now; smtp.host names it" in said


@pytest.mark.parametrize(
    "host", ["smtp.example.com", "teleport.example.com.", "example.org", "a.Example.NET", "x.example"]
)
@pytest.mark.parametrize("again", [False, True])
def test_the_names_of_examples(host: str, again: bool) -> None:
    said = unresolved(host, "smtp.host", no_name("?", again=again))
    assert "it is an example's, put yours into smtp.host" in said


@pytest.mark.parametrize("host", ["myexample.com", "example.com.evil.org", "example.de", "examples"])
def test_other_names(host: str) -> None:
    assert "example's" not in unresolved(host, "smtp.host", no_name("?"))
