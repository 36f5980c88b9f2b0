"""Attacks a listener of a running node: attack.py [TLS] CLIENT_HOST:PORT PEER_HOST:PORT PID client|peer|bodies [WORDS]

With words, only with attacks that have them in their names. `bodies` are those that fill the client listener's memory.
TLS is --ca FILE, and --cert FILE --key FILE for the peer port.

Every attacker must be cut off within its bound: GOAWAY, the end of the connection, or the end of its stream. Meanwhile a
process of its own asks both listeners again and again, and has to be answered within a second; and the node's resident memory
may grow by 64 MiB, and by TLS by 16 more.
"""

import asyncio
import functools
import random
import struct
import sys
import zlib

import attacker
import loopback
from loopback import ATTACKER, CROWD
from wire import *

CALM = "GOAWAY ENHANCE_YOUR_CALM"


async def begin(t, *, acknowledged=True, source=ATTACKER, buffer=None):
    connection = await Connection.connect((t.host, t.port), begin=False, source=source, buffer=buffer)
    connection.send(PREFACE + settings() + (frame(SETTINGS, ACK) if acknowledged else b""))
    return connection


async def end(connection, seconds):
    """What the node says last, and that it ends the connection."""
    events = await connection.until("GOAWAY", seconds=seconds)
    connection.close()
    return f"GOAWAY {events[-1][1]}" if events[-1][0] == "GOAWAY" else "CLOSED"


async def pour(t, make, *first, reads=True, seconds=10):
    """As fast as it goes, until the node has had enough."""
    connection = await begin(t)
    connection.send(b"".join(first))
    ended = asyncio.create_task(end(connection, seconds)) if reads else None
    await attacker.pour(connection.writer, make, ended, seconds)
    if ended:
        return await ended
    connection.close()
    return "CLOSED"


async def drip(t, start, make, seconds, pause=0.1, **options):
    """A little now and then."""
    connection = await begin(t, **options)
    connection.send(start)
    ended = asyncio.create_task(connection.until("GOAWAY", "RST_STREAM", seconds=seconds))
    await attacker.trickle(connection.writer, make, ended, pause)
    last = (await ended)[-1]
    connection.close()
    return " ".join([last[0], *map(str, last[2:] if last[0] == "RST_STREAM" else last[1:])])


async def raw(t, octets, seconds, pause=None):
    """Bytes without a preface, all at once or one by one."""
    connection = await Connection.connect((t.host, t.port), begin=False, source=ATTACKER)
    ended = asyncio.create_task(connection.reader.read())
    for piece in [octets] if pause is None else [octets[n : n + 1] for n in range(len(octets))]:
        connection.send(piece)
        await asyncio.wait([ended], timeout=pause or 0)
    async with asyncio.timeout(seconds):
        try:
            answer = await ended
        except ConnectionError:
            answer = b""
    connection.close()
    if not answer:
        return "CLOSED"
    return "ANSWER " + (answer.split(b"\r\n")[0].decode() if answer.startswith(b"HTTP") else "in frames")


def many(make, count):
    return lambda number: b"".join(make(count * number + n) for n in range(count))


def same(octets, count=2_000):
    return lambda number: octets * count


def opened(n):
    return 2 * n + 1


SMALL = fields([(":method", "POST"), (":scheme", "http"), (":path", "/"), (":authority", "a"), ("content-length", "0")])
ENTRY = field("x", "a" * 3_900, 0x40)
BOMB = zlib.compress(bytes(16 << 20), 9)


def shipped(raw_length, body):
    """A RANGE of the peer protocol."""
    message = b"\x07" + struct.pack("<Q", 1) + bytes(8 + 8 + 16 + 4) + struct.pack("<IB", raw_length, 1) + body
    return struct.pack("<I", len(message)) + message


def data(stream, octets, most=16_384):
    return b"".join(frame(DATA, 0, stream, octets[n : n + most]) for n in range(0, len(octets), most))


async def huge_body(t):
    """A request without end, as fast as the windows allow."""
    connection = await begin(t)
    connection.send(t.open(1))
    windows, sent = {}, 0
    async with asyncio.timeout(20):
        while True:
            event = await connection.event()
            if event[0] == "SETTINGS":
                windows = {0: 65_535, 1: event[1]}
            elif event[0] == "WINDOW_UPDATE":
                windows[event[1]] += event[2]
            elif event[0] in ("HEAD", "CLOSED"):
                break
            count = min(windows.values()) if windows else 0
            windows = {stream: window - count for stream, window in windows.items()}
            connection.send(data(1, bytes(count)))
            await connection.writer.drain()
            sent += count
    connection.close()
    return f"STATUS {event[2]}" if event[0] == "HEAD" and sent < 80 << 20 else f"OPEN after {sent >> 20} MiB"


SESSION = ("content-type", "application/vnd.holdfast.frames")


async def half_sent(t, start, left_max, streams=40, size=1_500_000):
    """Many large bodies on one connection, as far as the windows allow, and not the end of any: until so few are open."""
    connection = await begin(t)
    ids = [opened(n) for n in range(streams)]
    connection.send(b"".join(start(stream) for stream in ids))
    windows, left, total = {}, dict.fromkeys(ids, size), 65_535
    async with asyncio.timeout(30):
        while len(left) > left_max:
            event = await connection.event()
            if event[0] == "SETTINGS":
                windows = {stream: event[1] for stream in ids}
            elif event[0] == "WINDOW_UPDATE" and event[1] == 0:
                total += event[2]
            elif event[0] == "WINDOW_UPDATE" and event[1] in windows:
                windows[event[1]] += event[2]
            elif event[0] in ("END", "RST_STREAM"):
                left.pop(event[1], None)
            elif event[0] in ("GOAWAY", "CLOSED"):
                break
            for stream in list(left):
                count = min(windows.get(stream, 0), total, left[stream])
                if count > 0:
                    connection.send(data(stream, bytes(count)))
                    windows[stream], left[stream], total = windows[stream] - count, left[stream] - count, total - count
            await connection.writer.drain()
    connection.close()


async def half_sent_by_many(t, start, left_max=0):
    await asyncio.gather(*[half_sent(t, start, left_max) for _ in range(8)])
    return "ENDED"


def batch(stream):
    """A session, and the beginning of a batch of 7 MiB."""
    block = head("POST", "/v1/records", SESSION, ("holdfast-producer", str(stream)))
    return headers(stream, block, end=False) + frame(DATA, 0, stream, struct.pack("<I", 7 << 20))


async def bomb(t):
    """17 KB that say they are 16 MiB, a hundred times."""
    connection = await begin(t)
    connection.send(headers(1, head("POST", "/peer/v1/replicate", *t.more), end=False))
    for _ in range(100):
        connection.send(data(1, shipped(16 << 20, BOMB)))
    events = await connection.until("RST_STREAM", "GOAWAY", seconds=5)
    connection.close()
    return f"RST_STREAM {events[-1][2]}" if events[-1][0] == "RST_STREAM" else events[-1][0]


async def unread(t, path, tells, seconds=45):
    """Large answers on many streams, and a window that stays shut or a socket that nobody reads."""
    connection = await begin(t, buffer=None if tells else 4_096)
    if tells:
        connection.send(settings((4, 0)))
    else:
        connection.send(settings((4, (1 << 31) - 1)) + window(0, (1 << 31) - 65_536))
    connection.send(b"".join(headers(opened(n), head("GET", path)) for n in range(40)))
    if tells:
        events = await connection.until("RST_STREAM", seconds=seconds)
        connection.close()
        return " ".join(map(str, events[-1][::2]))
    # What it is not given any more, since others leave too much unread, it need not read: then its connection is idle.
    connection.writer.transport.pause_reading()
    is_closed = await attacker.is_taken_by_nobody(connection.writer, ping(), seconds)
    connection.close()
    return "CLOSED" if is_closed else "OPEN"


async def statuses(t, count=20):
    """Asks again and again how the node is, and takes no answer."""
    connection = await begin(t)
    connection.send(settings((4, 0)))
    connection.send(b"".join(headers(opened(n), head("GET", "/peer/v1/status?events_after=0")) for n in range(count)))
    seen = []
    async with asyncio.timeout(10):
        while len(seen) < count:
            event = await connection.event()
            if event[0] in ("HEAD", "END", "CLOSED"):
                seen.append(event[-1])
    events = await connection.until("RST_STREAM", seconds=30)
    connection.close()
    last = " ".join(map(str, events[-1][::2]))
    return f"{seen.count('200')} answers and {seen.count('429')} refusals of {count}, {last}"


async def crowd(t, count):
    """More connections than one address may have."""
    connections = []
    closed = 0
    try:
        for _ in range(count):
            try:
                connections.append(await begin(t, source=CROWD))
            except ConnectionError:
                # By TLS, there is no connection before the node has said something.
                closed += 1
        for connection in connections:
            events = await connection.until("SETTINGS_ACK", seconds=5)
            closed += events[-1] == ("CLOSED",)
    finally:
        for connection in connections:
            connection.close()
    return f"{closed} of {count}"


async def half(t):
    """Says that it is done, in the middle of a request."""
    connection = await begin(t)
    connection.send(t.open(1))
    await connection.until("SETTINGS_ACK")
    connection.writer.write_eof()
    return await end(connection, 3)


async def mute(t):
    """A request that stays open, from somebody who answers no PING."""
    connection = await begin(t)
    if t.name == "client":
        connection.send(headers(1, head("GET", "/v1/records?from=tail&follow=true")))
    else:
        connection.send(headers(1, head("POST", "/peer/v1/pulse", *t.more), end=False))
    return await end(connection, 30)


RESETS = [
    ("rapid reset", lambda n: headers(opened(n), SMALL) + reset(opened(n))),
    ("resets that are provoked: length", lambda n: headers(opened(n), SMALL, end=False) + frame(DATA, 0, opened(n), b"x")),
    ("resets that are provoked: window", lambda n: headers(opened(n), SMALL, end=False) + window(opened(n), (1 << 31) - 1)),
    ("resets that are provoked: fields", lambda n: headers(opened(n), SMALL + field("A", "b"))),
]


def quick(t):
    """(what, what it does, how it has to end)"""
    hold, get = t.open(1), t.ask
    # A stream that stays, and one that has been.
    gone = hold + t.open(3) + reset(3)
    # Many at once are more streams than are allowed, before the first is reset.
    rows = [(what, pour(t, many(make, 20)), f"{CALM} | GOAWAY PROTOCOL_ERROR") for what, make in RESETS]
    rows += [
        ("CONTINUATION without end", pour(t, same(frame(CONTINUATION, 0, 1, b"\x82")), headers(1, b"\x82", flags=0)), CALM),
        ("empty CONTINUATION", pour(t, same(frame(CONTINUATION, 0, 1)), headers(1, b"", flags=0)), CALM),
        ("CONTINUATION behind the end", pour(t, same(frame(CONTINUATION, 4, 1, b"\x82")), hold), "GOAWAY PROTOCOL_ERROR"),
        ("PING", pour(t, same(ping())), CALM),
        ("SETTINGS", pour(t, same(settings((4, 65_535)))), CALM),
        ("table sizes", pour(t, same(settings((1, 0)) + settings((1, 4_096)))), CALM),
        ("many settings in one frame", pour(t, same(settings(*[(9, n) for n in range(1_000)]), 10)), CALM),
        ("empty DATA", pour(t, same(frame(DATA, 0, 1)), hold), CALM),
        ("DATA of padding", pour(t, same(frame(DATA, PADDED, 1, b"\xff" + bytes(255)), 200), hold), CALM),
        ("empty DATA of a stream that is gone", pour(t, same(frame(DATA, 0, 3)), gone), CALM),
        ("DATA of a stream that is gone", pour(t, same(frame(DATA, 0, 3, bytes(100)), 500), gone), CALM),
        ("DATA of padding, of a stream that is gone", pour(
            t, same(frame(DATA, PADDED, 3, b"\xff" + bytes(255)), 200), gone), CALM),
        ("the end of a stream that is gone, again and again", pour(t, same(frame(DATA, END_STREAM, 3)), gone), CALM),
        ("answers to no PING", pour(t, same(frame(PING, ACK, 0, bytes(8))), hold), CALM),
        ("PRIORITY", pour(t, many(lambda n: frame(PRIORITY, 0, opened(n % 10_000), number(0) + b"\x0f"), 1_000)), CALM),
        ("WINDOW_UPDATE", pour(t, same(window(0, 1))), CALM),
        ("window of 0 more", pour(t, same(window(0, 0), 1)), "GOAWAY PROTOCOL_ERROR"),
        ("window over its end", pour(t, same(window(0, (1 << 31) - 1), 1)), "GOAWAY FLOW_CONTROL_ERROR"),
        ("GOAWAY", pour(t, same(frame(GOAWAY, payload=bytes(8 + 10_000)), 10)), CALM),
        ("frames that nobody knows", pour(t, same(frame(0xBE, 0, 0, b"what"))), CALM),
        ("HEADERS of streams that are gone", pour(t, same(t.open(1)), t.open(5) + reset(5)), CALM),
        ("a header list that grows 4,000-fold", pour(t, same(headers(3, SMALL + b"\xbe" * 60_000), 1), headers(1, SMALL + ENTRY)), CALM),
        ("header lists over the limit", pour(
            t, many(lambda n: headers(opened(n), SMALL + field("x", "a" * 40_000)), 20)), CALM),
        ("more streams than are allowed", pour(t, many(lambda n: t.open(opened(n)), 500)), "GOAWAY PROTOCOL_ERROR"),
        ("HTTP/1.1", raw(t, b"GET / HTTP/1.1\r\nHost: a\r\n\r\n", 3), "ANSWER HTTP/1.1 426 Upgrade Required"),
        ("TLS", raw(t, bytes.fromhex("16030100c8010000c40303") + bytes(200), 3), "ANSWER HTTP/1.1 426 Upgrade Required"),
        ("a crowd", crowd(t, (256 if t.name == "client" else 96) + 40), None),
    ]
    if not loopback.security:
        # TLS knows no half-closed connections.
        rows.append(("a half-closed socket", half(t), "CLOSED"))
    if t.name == "client":
        rows.append(("a body without end", huge_body(t), "STATUS 413"))
    else:
        rows.append(("a deflate bomb", bomb(t), "RST_STREAM CANCEL"))
    return rows


def filling(t):
    """The same, of those that take all the memory they are given."""
    # A session may be silent: as many as there is room for stay.
    return [
        ("bodies that are not sent to their ends", half_sent_by_many(t, t.open), "ENDED"),
        ("batches that are not sent to their ends", half_sent_by_many(t, batch, left_max=22), "ENDED"),
    ]


def slow(t):
    """The same, of those who wait; all of them at the same time."""
    large, some = "/peer/v1/segments/first", "/peer/v1/segments/first?length=100000"
    if t.name == "client":
        large, some = "/v1/records?limit=2", "/v1/records?limit=1"
    block = head("GET", t.get)
    only = []
    if t.name == "peer":
        only = [
            ("the status of the node, many times at once", statuses(t), "8 answers and 12 refusals of 20, RST_STREAM CANCEL"),
            ("the status of the node, unread", unread(t, "/peer/v1/status?events_after=0", tells=False), "CLOSED"),
        ]
    floods = [*RESETS, ("PING", lambda n: ping()), ("SETTINGS", lambda n: settings())]
    return [
        *[(what + ", unread", pour(t, many(make, 500), reads=False), "CLOSED") for what, make in floods],
        ("silence", raw(t, b"", 15), "CLOSED"),
        ("part of a preface", raw(t, PREFACE[:9], 15), "CLOSED"),
        ("a preface in drops", raw(t, PREFACE, 15, pause=0.9), "CLOSED"),
        ("a preface and nothing", raw(t, PREFACE, 15), None),
        ("settings unacknowledged", drip(t, b"", lambda n: b"", 15, acknowledged=False), "GOAWAY SETTINGS_TIMEOUT"),
        ("a header block without end", drip(t, headers(1, block, flags=0), lambda n: b"", 15), "GOAWAY PROTOCOL_ERROR"),
        ("a header block in drops", drip(t, headers(1, block)[:20], lambda n: headers(1, block)[20 + n : 21 + n], 15, pause=2), "GOAWAY PROTOCOL_ERROR"),
        ("CONTINUATION in drops", drip(
            t, headers(1, block, flags=0), lambda n: frame(CONTINUATION, 0, 1, b"\x10\x01a\x01b"), 15, pause=2), "GOAWAY PROTOCOL_ERROR"),
        ("a body that stops", drip(t, t.open(1), lambda n: b"", 20), "RST_STREAM CANCEL"),
        ("a body in drops", drip(t, t.open(1), lambda n: frame(DATA, 0, 1, b"\0"), 20), "RST_STREAM CANCEL"),
        ("an answer in drops", drip(
            t, settings((4, 0)) + headers(1, head("GET", some)), lambda n: window(1, 1), 20), "RST_STREAM CANCEL"),
        ("a shut window", unread(t, large, tells=True), "RST_STREAM CANCEL | RST_STREAM ENHANCE_YOUR_CALM"),
        ("a socket that nobody reads", unread(t, large, tells=False), "CLOSED"),
        ("an idle connection", drip(t, b"", lambda n: b"", 25), "GOAWAY NO_ERROR"),
        ("an idle connection with PINGs", drip(t, b"", lambda n: ping(), 25, pause=2), "GOAWAY NO_ERROR"),
        ("a request of somebody who is gone", mute(t), "CLOSED"),
        *only,
    ]


async def ask(listeners, watch, stop):
    """The bystander: asks both listeners on a connection that stays and on fresh ones."""

    async def answered(t, connection, stream):
        connection.send(t.ask(stream))
        events = await connection.until("END", seconds=20)
        if events[-1][0] != "END":
            raise ConnectionError(f"the bystander was cut off: {events}")

    async def fresh(t):
        connection = await Connection.connect((t.host, t.port))
        await answered(t, connection, 1)
        connection.close()

    kept = [await Connection.connect((t.host, t.port)) for t in listeners]
    for connection in kept:
        connection.send(window(0, (1 << 31) - 65_536))
    stream = 1
    while not stop.is_set():
        for t, connection in zip(listeners, kept):
            await watch.time(answered(t, connection, stream))
            await watch.time(fresh(t))
        stream += 2
        await asyncio.sleep(0.02)


async def fill(t):
    """12 MB of records, so that there are large answers."""
    connection = await begin(t)
    for n in range(12):
        connection.send(headers(opened(n), head("POST", "/v1/records"), end=False))
        connection.send(data(opened(n), random.randbytes(1_000_000)) + frame(DATA, END_STREAM, opened(n)))
        await connection.until("END", seconds=10)
    connection.close()


async def attacks(t, groups, words):
    named = [[(f"{t.name}: {what}", *row) for what, *row in attacker.chosen(rows, words)] for rows in groups]
    good = [await attacker.judge(*row) for row in named[0]]
    return good + await asyncio.gather(*[attacker.judge(*row) for row in named[1]])


async def main():
    client, peer, process, kind, *words = loopback.arguments(__doc__)
    if kind not in ("client", "peer", "bodies"):
        sys.exit(f"there is no {kind}: client, peer or bodies")
    listeners = await targets(address(client), address(peer))
    await fill(listeners[0])
    target = listeners[1 if kind == "peer" else 0]
    groups = [filling(target), []] if kind == "bodies" else [quick(target), slow(target)]
    await attacker.attacked(functools.partial(ask, listeners), int(process), attacks(target, groups, " ".join(words)))


asyncio.run(main())
