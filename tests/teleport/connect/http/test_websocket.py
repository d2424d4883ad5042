"""The WebSocket transport between two protocols, without any network."""

from __future__ import annotations

import asyncio

import pytest

from teleport_email.teleport.connect.http.websocket import WebSocketTransport


class Lower(asyncio.Transport):
    """Records what is written, and whether reading is paused."""

    def __init__(self):
        super().__init__()
        self.written = bytearray()
        self.closed = self.aborted = False
        self.reading = False

    def set_protocol(self, protocol):
        self.protocol = protocol

    def write(self, data):
        self.written += data

    def close(self):
        self.closed = True

    def abort(self):
        self.aborted = True

    def pause_reading(self):
        self.reading = False

    def resume_reading(self):
        self.reading = True

    def is_reading(self):
        return self.reading


class Upper(asyncio.Protocol):
    def __init__(self):
        self.data = b""
        self.lost = []
        self.paused = False

    def data_received(self, data):
        self.data += data

    def connection_lost(self, exc):
        self.lost.append(exc)

    def pause_writing(self):
        self.paused = True

    def resume_writing(self):
        self.paused = False


@pytest.fixture
def pair():
    lower, upper = Lower(), Upper()
    transport = WebSocketTransport(lower)
    transport.set_protocol(upper)
    transport.resume_reading()
    return lower, upper, transport


def test_what_came_with_the_answer_waits_for_its_reader():
    lower, upper = Lower(), Upper()
    transport = WebSocketTransport(lower, b"\x82\x02hi\x82\x01!")
    transport.set_protocol(upper)
    assert upper.data == b""
    transport.resume_reading()
    assert upper.data == b"hi!"
    assert lower.reading
    transport.resume_reading()
    assert upper.data == b"hi!"


def test_a_ping_is_answered_with_its_own_payload(pair):
    lower, upper, _ = pair
    lower.protocol.data_received(b"\x89\x03abc")
    assert lower.written == b"\x8a\x83\0\0\0\0abc"
    assert upper.data == b""


def test_a_pong_is_nothing(pair):
    lower, upper, _ = pair
    lower.protocol.data_received(b"\x8a\x03abc")
    assert (lower.written, upper.data, upper.lost) == (b"", b"", [])


@pytest.mark.parametrize(
    ("wire", "code", "words"),
    [
        (b"\x88\x02\x03\xe9", 1000, r"closed the WebSocket \(code 1001\)"),
        (b"\x88\x05\x03\xeaa\nb", 1000, r"code 1002, 'ab'"),
        (b"\x88\x00", 1000, "code 1005"),
        (b"\x81\x02hi", 1002, "no WebSocket: a text frame"),
    ],
)
async def test_the_end_is_told_at_once_and_only_once(pair, wire, code, words):
    lower, upper, transport = pair
    lower.protocol.data_received(wire + b"\x82\x02xx")
    await asyncio.sleep(0)
    assert lower.closed
    assert lower.written == b"\x88\x82\0\0\0\0" + code.to_bytes(2, "big")
    (reason,) = upper.lost
    with pytest.raises(ConnectionError, match=words):
        raise reason
    lower.protocol.connection_lost(None)
    assert len(upper.lost) == 1
    assert upper.data == b""
    transport.write(b"too late")
    assert lower.written.endswith(code.to_bytes(2, "big"))


async def test_an_end_without_a_close_frame(pair):
    lower, upper, _ = pair
    lower.protocol.eof_received()
    await asyncio.sleep(0)
    assert lower.written == b""
    assert isinstance(upper.lost[0], ConnectionResetError)


def test_back_pressure_goes_through_both_ways(pair):
    lower, upper, transport = pair
    lower.protocol.pause_writing()
    assert upper.paused
    lower.protocol.resume_writing()
    assert not upper.paused
    transport.pause_reading()
    assert not lower.reading


def test_closing_says_so(pair):
    lower, _, transport = pair
    transport.close()
    transport.close()
    assert lower.written == b"\x88\x82\0\0\0\0\x03\xe8"
    assert lower.closed
    assert transport.is_closing()


def test_of_pings_that_cannot_be_answered_only_the_newest_is(pair):
    """A peer that pings and does not read costs one pong, not all the memory there is."""
    lower, upper, _ = pair
    lower.protocol.pause_writing()
    for number in range(1000):
        lower.protocol.data_received(b"\x89\x04" + b"%04d" % number)
    assert lower.written == b""
    assert upper.paused
    lower.protocol.resume_writing()
    assert lower.written == b"\x8a\x84\0\0\0\0" + b"0999"
    assert not upper.paused
    lower.protocol.resume_writing()
    assert lower.written.endswith(b"0999")
    assert len(lower.written) == 10
