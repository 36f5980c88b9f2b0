"""HTTP/2 by hand: frames and header blocks as bytes, whether they are right or wrong."""

import asyncio
import struct

import hpack
from hyperframe.frame import Frame

import loopback
from loopback import address

PREFACE = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"
DATA, HEADERS, PRIORITY, RST_STREAM, SETTINGS, PUSH_PROMISE, PING, GOAWAY, WINDOW_UPDATE, CONTINUATION = range(10)
END_STREAM, END_HEADERS, PADDED, PRIORITIZED, ACK = 0x1, 0x4, 0x8, 0x20, 0x1
CODES = (
    "NO_ERROR PROTOCOL_ERROR INTERNAL_ERROR FLOW_CONTROL_ERROR SETTINGS_TIMEOUT STREAM_CLOSED FRAME_SIZE_ERROR"
    " REFUSED_STREAM CANCEL COMPRESSION_ERROR CONNECT_ERROR ENHANCE_YOUR_CALM"
).split()


def frame(kind, flags=0, stream=0, payload=b""):
    return struct.pack(">I", len(payload))[1:] + bytes([kind, flags]) + struct.pack(">I", stream) + payload


def settings(*pairs):
    return frame(SETTINGS, payload=b"".join(struct.pack(">HI", *pair) for pair in pairs))


def number(value):
    return struct.pack(">I", value)


def window(stream, step):
    return frame(WINDOW_UPDATE, stream=stream, payload=number(step))


def reset(stream, code=8):
    return frame(RST_STREAM, stream=stream, payload=number(code))


def ping(payload=b"holdfast"):
    return frame(PING, payload=payload)


def integer(value, bits, first=0):
    """RFC 7541 §5.1."""
    most = (1 << bits) - 1
    if value < most:
        return bytes([first | value])
    out, value = [first | most], value - most
    while value >= 128:
        out.append(value & 127 | 128)
        value >>= 7
    return bytes(out + [value])


def field(name, value, first=0x00):
    """A literal: 0x00 stays out of the table, 0x40 enters it, 0x10 must never enter one."""
    name, value = (text.encode("latin-1") if isinstance(text, str) else text for text in (name, value))
    return bytes([first]) + integer(len(name), 7) + name + integer(len(value), 7) + value


def fields(pairs):
    return b"".join(field(name, value) for name, value in pairs)


def head(method, path, *more):
    basics = [(":method", method), (":scheme", "http"), (":path", path), (":authority", "probe")]
    return fields(basics + list(more))


def headers(stream, block, end=True, flags=END_HEADERS):
    return frame(HEADERS, flags | (END_STREAM if end else 0), stream, block)


class Target:
    """One of a node's listeners, and the requests that it understands."""

    def __init__(self, name, host, port, get, hold, more=()):
        self.name, self.host, self.port = name, host, port
        self.get, self.hold, self.more = get, hold, list(more)

    def ask(self, stream=1, *more, end=True):
        """A request that is answered with 200."""
        return headers(stream, head("GET", self.get, *more), end)

    def open(self, stream=1, *more, end=False):
        """A request that stays unanswered, or whose answer does not end."""
        return headers(stream, head("POST", self.hold, *self.more, *more), end)


async def targets(client, peer):
    """The client listener and the peer listener of one node; the latter with the words of a peer of its cluster."""
    connection = await Connection.connect(client)
    connection.send(headers(1, head("GET", "/v1/cluster")))
    body = b"".join([event[2] for event in await connection.until("END") if event[0] == "BODY"])
    connection.close()
    cluster = body.split(b'"cluster":"')[1][:32].decode()
    start = struct.pack("<IQIQBBQ", 99, 0x9999, 0, 1, 0, 1, 0x7777).hex()
    return [
        Target("client", *client, "/v1/cluster", "/v1/records"),
        Target(
            "peer", *peer, "/peer/v1/identity", "/peer/v1/vote",
            [("holdfast-cluster", cluster), ("holdfast-start", start)],
        ),
    ]


class Connection:
    """A connection that sends what it is told and tells what comes back, as tuples: ("RST_STREAM", 1, "CANCEL")."""

    def __init__(self, reader, writer):
        self.reader, self.writer = reader, writer
        self.decoder = hpack.Decoder()
        self.waiting = []

    @classmethod
    async def connect(cls, address, begin=True, source=loopback.BYSTANDER, buffer=None):
        reader, writer = await loopback.connect(address, source, buffer)
        connection = cls(reader, writer)
        if begin:
            connection.send(PREFACE + settings() + frame(SETTINGS, ACK))
        return connection

    def send(self, data):
        self.writer.write(data)

    def close(self):
        self.writer.close()

    async def event(self):
        """The next one; ("CLOSED",) at the end, however it comes."""
        if self.waiting:
            return self.waiting.pop()
        try:
            start = await self.reader.readexactly(9)
            parsed, length = Frame.parse_frame_header(memoryview(start))
            body = await self.reader.readexactly(length)
        except (asyncio.IncompleteReadError, ConnectionError):
            return ("CLOSED",)
        kind, flags = start[3], start[4]
        stream = parsed.stream_id
        code = struct.unpack(">I", body[-4:])[0] if kind == RST_STREAM else None
        if kind == GOAWAY:
            code = struct.unpack(">I", body[4:8])[0]
        name = CODES[code] if code is not None and code < len(CODES) else code
        if kind == HEADERS:
            pairs = dict(self.decoder.decode(body))
            return ("END" if flags & END_STREAM else "HEAD", stream, pairs.get(":status"))
        if kind == DATA:
            if flags & END_STREAM:
                self.waiting.append(("END", stream, None))
            return ("BODY", stream, body)
        if kind == PING:
            return ("PONG" if flags & ACK else "PING", body)
        if kind == SETTINGS:
            pairs = dict(struct.iter_unpack(">HI", body))
            return ("SETTINGS_ACK",) if flags & ACK else ("SETTINGS", pairs.get(4, 65_535))
        if kind == WINDOW_UPDATE:
            return ("WINDOW_UPDATE", stream, struct.unpack(">I", body)[0])
        if kind == RST_STREAM:
            return ("RST_STREAM", stream, name)
        if kind == GOAWAY:
            return ("GOAWAY", name)
        return (kind, stream)

    async def until(self, *names, seconds=3):
        """All events up to one of these names, or to the end."""
        events = []
        async with asyncio.timeout(seconds):
            while not events or events[-1][0] not in (*names, "CLOSED"):
                events.append(await self.event())
        return events
