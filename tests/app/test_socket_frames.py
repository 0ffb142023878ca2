"""Frames as a server takes them apart, whatever way they come."""

from __future__ import annotations

import itertools

import pytest
from websockets.frames import Frame, Opcode

from app.request_json import MAX_BYTES
from app.socket_frames import FrameReader, close_answer, close_frame, text_frame_head
from app.socket_messages import CloseError


def masked(opcode: Opcode, data: bytes, *, fin: bool = True) -> bytes:
    return Frame(opcode, data, fin).serialize(mask=True)


def read_all(reader: FrameReader) -> list[tuple[Opcode, bytes]]:
    found = []
    while (frame := reader.read()) is not None:
        found.append(frame)
    return found


STREAM = b"".join(
    (
        masked(Opcode.TEXT, b"first"),
        masked(Opcode.TEXT, b"a mess", fin=False),
        masked(Opcode.PING, b"within"),
        masked(Opcode.CONT, b"", fin=False),
        masked(Opcode.CONT, b"age"),
        masked(Opcode.BINARY, b"\0" * 300),
        masked(Opcode.TEXT, b"x" * MAX_BYTES),
        masked(Opcode.CLOSE, b"\x03\xe8"),
    )
)
MESSAGES = [
    (Opcode.TEXT, b"first"),
    (Opcode.CONT, b""),
    (Opcode.PING, b"within"),
    (Opcode.CONT, b""),
    (Opcode.TEXT, b"a message"),
    (Opcode.BINARY, b"\0" * 300),
    (Opcode.TEXT, b"x" * MAX_BYTES),
    (Opcode.CLOSE, b"\x03\xe8"),
]


@pytest.mark.parametrize("step", [1, 2, 3, 7, 1_000, len(STREAM)])
def test_frames_are_the_same_however_they_are_cut(step: int) -> None:
    reader, found = FrameReader(), []
    for at in range(0, len(STREAM), step):
        reader.feed(STREAM[at : at + step])
        found += read_all(reader)
    assert found == MESSAGES
    assert reader.is_idle


@pytest.mark.parametrize(
    ("stream", "is_idle"),
    [
        (b"", True),
        (masked(Opcode.TEXT, b"whole"), True),
        (masked(Opcode.TEXT, b"part", fin=False), False),
        (masked(Opcode.TEXT, b"whole")[:-1], False),
        (masked(Opcode.TEXT, b"whole") + b"\x81", False),
    ],
    ids=itertools.count(),
)
def test_reader_may_be_dropped_between_messages_alone(stream: bytes, is_idle: bool) -> None:
    reader = FrameReader()
    reader.feed(stream)
    read_all(reader)
    assert reader.is_idle is is_idle


def with_first_byte(frame: bytes, byte: int) -> bytes:
    return bytes((byte,)) + frame[1:]


@pytest.mark.parametrize(
    ("stream", "code"),
    [
        (Frame(Opcode.TEXT, b"{}").serialize(mask=False), 1002),
        (with_first_byte(masked(Opcode.TEXT, b"{}"), 0xC1), 1002),
        (with_first_byte(masked(Opcode.TEXT, b"{}"), 0x91), 1002),
        (with_first_byte(masked(Opcode.TEXT, b"{}"), 0x83), 1002),
        (with_first_byte(masked(Opcode.TEXT, b"x" * 126), 0x89), 1002),
        (with_first_byte(masked(Opcode.PING, b"x"), 0x09), 1002),
        (masked(Opcode.CONT, b"x"), 1002),
        (masked(Opcode.TEXT, b"x", fin=False) + masked(Opcode.TEXT, b"y"), 1002),
        (b"\x81\xff\xff\xff\xff\xff\xff\xff\xff\xff", 1009),
        (masked(Opcode.TEXT, b"x" * (MAX_BYTES + 1)), 1009),
        (masked(Opcode.TEXT, b"x" * MAX_BYTES, fin=False) + masked(Opcode.CONT, b"y"), 1009),
    ],
    ids=itertools.count(),
)
def test_what_is_no_frame_ends_the_reading(stream: bytes, code: int) -> None:
    reader = FrameReader()
    reader.feed(stream)
    with pytest.raises(CloseError) as refused:
        read_all(reader)
    assert refused.value.code == code


@pytest.mark.parametrize("length", [0, 125, 126, 65_535, 65_536])
def test_heads_of_text_frames(length: int) -> None:
    assert text_frame_head(length) + b"x" * length == Frame(Opcode.TEXT, b"x" * length).serialize(mask=False)


def test_reasons_fit_into_a_close_frame() -> None:
    frame = close_frame(4400, "ü" * 100)
    assert len(frame) <= 2 + 125
    assert frame[4:].decode() == "ü" * 61


@pytest.mark.parametrize(
    ("data", "code"),
    [(b"", 1000), (b"\x03\xe8bye", 1000), (b"\x11\x94", 4500), (b"\x03", 1002), (b"\x03\xed", 1002), (b"\x03\xe8\xff", 1007)],
)
def test_close_frames_are_answered_with_their_own_code(data: bytes, code: int) -> None:
    assert close_answer(data)[2:4] == code.to_bytes(2, "big")
