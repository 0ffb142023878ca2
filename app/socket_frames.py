"""WebSocket frames as a server reads and writes them (RFC 6455, section 5).

What comes in is taken apart by `websockets`; what goes out is put together here, since a server's frames are not masked and
the same payload goes to many sockets.
"""

from __future__ import annotations

from collections.abc import Generator
from functools import lru_cache

from websockets.exceptions import PayloadTooBig, ProtocolError
from websockets.frames import Close, Frame, Opcode
from websockets.streams import StreamReader

from app.request_json import MAX_BYTES
from app.socket_messages import CloseCode, CloseError

PING = b"\x89\x00"
_NORMAL = b"\x88\x02\x03\xe8"
_MAX_REASON_BYTES = 123
_SHORT, _LONG = 126, 65_536


class FrameReader:
    """Takes bytes and gives frames. Lives only while a frame or a message is incomplete: an idle socket has none."""

    __slots__ = ("_frame", "_message", "_opcode", "_stream")

    def __init__(self) -> None:
        self._stream = StreamReader()
        self._frame: Generator[None, None, Frame] | None = None
        self._message: bytearray | None = None
        self._opcode = Opcode.CONT

    @property
    def is_idle(self) -> bool:
        """Whether nothing is lost when this reader is dropped."""
        return self._frame is None and self._message is None and not self._stream.buffer

    @property
    def buffered_bytes(self) -> int:
        """What has been fed and is not read yet."""
        return len(self._stream.buffer)

    def feed(self, data: bytes) -> None:
        """Takes what has come."""
        self._stream.feed_data(data)

    def read(self) -> tuple[Opcode, bytes] | None:
        """The next frame: a whole message (TEXT, BINARY), a control frame, or CONT for a part of a message that goes on.

        None until more has been fed. Raises CloseError; nothing can be read behind it.
        """
        if self._frame is None:
            if not self._stream.buffer:
                return None
            left = MAX_BYTES - len(self._message or b"")
            self._frame = Frame.parse(self._stream.read_exact, mask=True, max_size=left)
        try:
            next(self._frame)
        except StopIteration as done:
            self._frame = None
            return self._take(done.value)
        except PayloadTooBig:
            raise CloseError(CloseCode.TOO_LARGE, "the message is too large") from None
        except ProtocolError as problem:
            raise CloseError(CloseCode.PROTOCOL_ERROR, str(problem)) from None
        return None

    def _take(self, frame: Frame) -> tuple[Opcode, bytes]:
        data = bytes(frame.data)
        if frame.opcode in (Opcode.TEXT, Opcode.BINARY):
            if self._message is not None:
                raise CloseError(CloseCode.PROTOCOL_ERROR, "a message began within another")
            if frame.fin:
                return frame.opcode, data
            self._message, self._opcode = bytearray(data), frame.opcode
        elif frame.opcode is Opcode.CONT:
            if self._message is None:
                raise CloseError(CloseCode.PROTOCOL_ERROR, "nothing is there to be continued")
            self._message += data
            if frame.fin:
                data, self._message = bytes(self._message), None
                return self._opcode, data
        else:
            return frame.opcode, data
        return Opcode.CONT, b""


def text_frame_head(length: int) -> bytes:
    """What precedes a text message of so many bytes."""
    if length < _SHORT:
        return bytes((0x81, length))
    if length < _LONG:
        return b"\x81\x7e" + length.to_bytes(2, "big")
    return b"\x81\x7f" + length.to_bytes(8, "big")


def pong_frame(data: bytes) -> bytes:
    """The answer to a ping with that data."""
    return Frame(Opcode.PONG, data).serialize(mask=False)


@lru_cache(maxsize=64)
def close_frame(code: int, reason: str) -> bytes:
    """A close frame; a reason that is too long for one is cut."""
    cut = reason.encode()[:_MAX_REASON_BYTES].decode(errors="ignore")
    return Frame(Opcode.CLOSE, Close(code, cut).serialize()).serialize(mask=False)


def close_answer(data: bytes) -> bytes:
    """The close frame that answers a client's: its own code, or 1002 or 1007 where it is none (RFC 6455, section 5.5.1)."""
    if not data:
        return _NORMAL
    try:
        close = Close.parse(data)
        close.check()
    except ProtocolError:
        return close_frame(CloseCode.PROTOCOL_ERROR, "that is no close code")
    except UnicodeDecodeError:
        return close_frame(CloseCode.INVALID_TEXT, "the reason is not UTF-8")
    return close_frame(close.code, "")
