"""One session at a PostgreSQL server, for asking it often: the frontend/backend protocol 3.0 with `trust`, and no more of it.

https://www.postgresql.org/docs/15/protocol-message-formats.html
"""

import socket
import struct

_VERSION = 3 << 16
_MESSAGE_BYTES_MAX = 1 << 20


class Session:
    """Raises OSError when the server is not there or has gone, ValueError when it refuses: the session is of no use then."""

    def __init__(self, host: str, port: int, *, user: str, database: str, seconds: float = 5) -> None:
        self._socket = socket.create_connection((host, port), timeout=seconds)
        self._file = self._socket.makefile("rb")
        try:
            parameters = b"".join(
                word.encode() + b"\0" for word in ("user", user, "database", database, "application_name", "bench"))
            self._send(b"", struct.pack("!i", _VERSION) + parameters + b"\0")
            self._answer()
        except BaseException:
            self.close()
            raise

    def ask(self, question: str) -> str | None:
        """Runs statements; the first column of the last row, None when there is no row, or it is null."""
        self._send(b"Q", question.encode() + b"\0")
        return self._answer()

    def close(self) -> None:
        self._file.close()
        self._socket.close()

    def _send(self, kind: bytes, body: bytes) -> None:
        self._socket.sendall(kind + struct.pack("!i", len(body) + 4) + body)

    def _answer(self) -> str | None:
        value = None
        while True:
            kind, body = self._next()
            match kind:
                case b"Z":
                    return value
                case b"E":
                    raise ValueError(_message(body))
                case b"R" if struct.unpack("!i", body[:4]) != (0,):
                    raise ValueError("the server asks for a password")
                case b"D":
                    value = _first_column(body)

    def _next(self) -> tuple[bytes, bytes]:
        kind = self._read(1)
        length = struct.unpack("!i", self._read(4))[0] - 4
        if not 0 <= length <= _MESSAGE_BYTES_MAX:
            raise ValueError(f"a message of {length} bytes")
        return kind, self._read(length)

    def _read(self, count: int) -> bytes:
        found = self._file.read(count)
        if len(found) < count:
            raise ConnectionError("the server closed the session")
        return found


def _first_column(row: bytes) -> str | None:
    """`i16 columns | i32 length, -1 for null | bytes ...`"""
    count, = struct.unpack("!h", row[:2])
    if count == 0:
        return None
    length, = struct.unpack("!i", row[2:6])
    return None if length < 0 else row[6:6 + length].decode()


def _message(fields: bytes) -> str:
    """Of an error, which has fields that begin with a letter and end with a zero: that of `M`."""
    words = [field[1:].decode(errors="replace") for field in fields.split(b"\0") if field.startswith(b"M")]
    return words[0] if words else "an error without a message"
