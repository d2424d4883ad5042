"""Forms: the same bytes out as in, and nothing but ValueError on anything else."""

from __future__ import annotations

import contextlib

import httpx
import pytest
from hypothesis import given
from hypothesis import strategies as st

from teleport_email.sandbox.mail.multipart import Part, parse_form


@given(value=st.text(alphabet=st.characters(exclude_categories=["Cs"])), content=st.binary())
def test_what_a_client_sends_comes_out_again(value, content):
    request = httpx.Request("POST", "http://x", data={"to": value}, files={"message": ("m.eml", content)})
    parts = parse_form(request.headers["content-type"], request.read())
    assert parts[0] == Part("to", value.encode())
    assert (parts[1].name, parts[1].filename, parts[1].content) == ("message", "m.eml", content)


@given(head=st.text(max_size=40), body=st.binary(max_size=200))
def test_anything_else_is_a_value_error(head, body):
    for content_type in (head, f"multipart/form-data; boundary={head}", "multipart/form-data; boundary=b"):
        for data in (body, b"--b" + body + b"--b--"):
            with contextlib.suppress(ValueError):
                parse_form(content_type, data)


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b'--b\r\nContent-Disposition: form-data; name="a"\r\n\r\nx',
        b'--b\r\nContent-Disposition: form-data; name="a"\r\n\r\nx\r\n--b',
        b"--b\r\nContent-Disposition: form-data\r\n\r\nx\r\n--b--",
        b"--b\r\nnonsense\r\n\r\nx\r\n--b--",
        b"--b\r\nx\r\n--b--",
    ],
)
def test_incomplete_forms(body):
    with pytest.raises(ValueError):
        parse_form("multipart/form-data; boundary=b", body)


def test_too_many_parts():
    part = b'--b\r\nContent-Disposition: form-data; name="a"\r\n\r\nx\r\n'
    assert len(parse_form("multipart/form-data; boundary=b", part * 199 + b"--b--")) == 199
    with pytest.raises(ValueError):
        parse_form("multipart/form-data; boundary=b", part * 201 + b"--b--")
