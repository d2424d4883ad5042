"""WebSocket frames: ours carry a mask of zeros, theirs come in every shape."""

from __future__ import annotations

import contextlib
import struct

import pytest
from hypothesis import given
from hypothesis import strategies as st

from teleport_email.teleport.connect.http.frames import Decoder, Frame, FrameFault, Opcode, header


def server_frame(opcode, payload, *, mask=b"", final=True, reserved=0):
    """A frame as RFC 6455, 5.2 draws it, written out apart from the code under test."""
    first = (0x80 if final else 0) | reserved | opcode
    bit = 0x80 if mask else 0
    if len(payload) < 126:
        head = bytes([first, bit | len(payload)])
    elif len(payload) < 65536:
        head = bytes([first, bit | 126]) + struct.pack("!H", len(payload))
    else:
        head = bytes([first, bit | 127]) + struct.pack("!Q", len(payload))
    body = bytes(byte ^ mask[at % 4] for at, byte in enumerate(payload)) if mask else payload
    return head + mask + body


def decode(data, cuts=()):
    decoder, found, last = Decoder(), [], 0
    for cut in [*sorted(cuts), len(data)]:
        found += decoder.feed(data[last:cut])
        last = cut
    return found


def stream(frames):
    return b"".join(frame.payload for frame in frames if frame.opcode is Opcode.BINARY)


@pytest.mark.parametrize(
    ("length", "head"),
    [
        (0, b"\x82\x80"),
        (125, b"\x82\xfd"),
        (126, b"\x82\xfe\x00\x7e"),
        (65535, b"\x82\xfe\xff\xff"),
        (65536, b"\x82\xff\x00\x00\x00\x00\x00\x01\x00\x00"),
    ],
)
def test_our_frames_have_a_mask_of_zeros(length, head):
    assert header(Opcode.BINARY, length) == head + bytes(4)


@given(
    st.lists(
        st.tuples(
            st.sampled_from([0x2, 0x9, 0xA]),
            st.binary(max_size=125)
            | st.integers(126, 70_000).map(lambda size: bytes(range(256)) * (size // 256)),
            st.sampled_from([b"", bytes(4), b"\x01\x02\x03\x04"]) | st.binary(min_size=4, max_size=4),
        ),
        max_size=6,
    ),
    st.data(),
)
def test_any_frames_in_any_pieces(frames, data):
    frames = [(opcode, payload if opcode == 2 else payload[:125], mask) for opcode, payload, mask in frames]
    wire = b"".join(server_frame(opcode, payload, mask=mask) for opcode, payload, mask in frames)
    cuts = data.draw(st.lists(st.integers(0, len(wire)), max_size=10))
    found = decode(wire, cuts)
    assert stream(found) == b"".join(payload for opcode, payload, _ in frames if opcode == 2)
    control = [(frame.opcode, frame.payload) for frame in found if frame.opcode is not Opcode.BINARY]
    assert control == [(opcode, payload) for opcode, payload, _ in frames if opcode != 2]


def test_fragments_with_a_ping_in_between():
    wire = (
        server_frame(2, b"one ", final=False)
        + server_frame(9, b"?")
        + server_frame(0, b"two ", final=False)
        + server_frame(0, b"three")
        + server_frame(2, b"!")
    )
    found = decode(wire)
    assert stream(found) == b"one two three!"
    assert Frame(Opcode.PING, b"?") in found


def test_a_large_frame_is_handed_on_as_it_comes():
    wire = server_frame(2, bytes(1_000_000), mask=b"abcd")
    decoder = Decoder()
    assert sum(len(frame.payload) for frame in decoder.feed(wire[:500_000])) == 500_000 - 14


@pytest.mark.parametrize(
    "wire",
    [
        server_frame(2, b"x", reserved=0x40),
        server_frame(1, b"text"),
        server_frame(3, b"?"),
        server_frame(0, b"no beginning"),
        server_frame(2, b"a", final=False) + server_frame(2, b"b"),
        server_frame(9, b"x" * 126),
        server_frame(8, b"", final=False),
        b"\x82\x7f" + b"\xff" * 8,
    ],
)
def test_what_is_no_frame_here(wire):
    with pytest.raises(FrameFault):
        decode(wire)


@given(st.binary(max_size=300))
def test_arbitrary_bytes(data):
    with contextlib.suppress(FrameFault):
        decode(data)
