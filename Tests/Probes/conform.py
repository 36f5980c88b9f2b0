"""Holds both HTTP/2 listeners of a running node to RFC 9113 and RFC 7541: conform.py [--ca FILE --cert FILE --key FILE] CLIENT_HOST:PORT PEER_HOST:PORT

Each row: where it is said, what is sent, and what has to come back. The answers:

    FINE            nothing but the answer to the PING behind it
    GOAWAY code     that, and the end of the connection
    RST_STREAM code that, and the connection goes on
    STATUS code     the answer to a request
    CLOSED          the end of the connection

`|` stands between answers that are as good. Where the RFC wants another one than nghttp2 gives, the row says so in its words
with "deviation"; the article Hardening says why we leave it.
"""

import asyncio
import sys

import loopback
from wire import *

GOOD = [(":method", "GET"), (":scheme", "http"), (":path", "/"), (":authority", "probe")]


def bad(*pairs, without=(), first=()):
    """A request that has something wrong about it."""
    basics = [pair for pair in GOOD if pair[0] not in without]
    return headers(1, fields([*first, *basics, *pairs]))


def block(octets):
    """A header block that ends in these octets."""
    return headers(1, fields(GOOD) + octets)


def body(t, length, *pieces):
    """A request that says how long its body is, and the body."""
    frames = b"".join(
        frame(DATA, END_STREAM if piece is pieces[-1] else 0, 1, piece) for piece in pieces
    )
    return t.open(1, ("content-length", length)) + frames


def setting(name, value):
    return settings((name, value))


PROTOCOL, FLOW, CLOSED, SIZE, COMPRESSION = (
    f"GOAWAY {CODES[code]}" for code in (1, 3, 5, 6, 9)
)
RESET, RESET_FLOW, RESET_CLOSED, RESET_SIZE = (f"RST_STREAM {CODES[code]}" for code in (1, 3, 5, 6))
MAX = 256 * 1024

RAW = [
    ("3.4", "something else", b"hello, is there anybody?\r\n", "CLOSED"),
    ("3.4", "a preface with a wrong end", PREFACE[:-4] + b"XX\r\n", "CLOSED"),
    ("3.4", "a TLS hello", bytes.fromhex("16030100c8010000c40303") + bytes(200), "CLOSED"),
    ("3.4", "PING before SETTINGS", PREFACE + ping(), PROTOCOL),
    ("3.4", "HEADERS before SETTINGS", PREFACE + headers(1, fields(GOOD)), PROTOCOL),
    ("3.4", "an acknowledgement before SETTINGS", PREFACE + frame(SETTINGS, ACK), PROTOCOL),
]

CASES = [
    ("4.1", "a frame of unknown type", lambda t: frame(0xBE, 0xFF, 0, b"what"), "FINE"),
    ("4.1", "a frame of unknown type on a stream", lambda t: t.open() + frame(0xBE, 0, 1, b"what"), "FINE"),
    ("4.1", "flags that PING does not have", lambda t: frame(PING, 0xFE, 0, bytes(8)), "FINE"),
    ("4.1", "the reserved bit of a stream", lambda t: frame(PING, 0, 1 << 31, bytes(8)), "FINE"),
    ("4.2", "DATA over the largest frame", lambda t: t.open() + frame(DATA, 0, 1, bytes(MAX + 1)), SIZE),
    ("4.2", "HEADERS over the largest frame", lambda t: frame(HEADERS, 5, 1, bytes(MAX + 1)), SIZE),
    ("4.2", "SETTINGS over the largest frame", lambda t: frame(SETTINGS, payload=bytes(MAX + 2)), SIZE),
    ("4.2", "an unknown frame over the largest", lambda t: frame(0xBE, payload=bytes(MAX + 1)), SIZE),
    ("4.3", "a header block that is cut", lambda t: headers(1, fields(GOOD)[:-2]), COMPRESSION),
    ("4.3", "PING in a header block", lambda t: headers(1, b"\x82", flags=0) + ping(), PROTOCOL),
    ("4.3", "HEADERS of another stream in one", lambda t: headers(1, b"\x82", flags=0) + t.ask(3), PROTOCOL),
    ("4.3", "CONTINUATION of another stream", lambda t: headers(1, b"\x82", flags=0) + frame(9, 4, 3), PROTOCOL),
    ("4.3, 5.5", "an unknown frame in a header block", lambda t: headers(1, b"\x82", flags=0) + frame(0xBE), PROTOCOL),
    ("5.1", "idle: DATA", lambda t: frame(DATA, 0, 1, b"x"), PROTOCOL),
    ("5.1", "idle: RST_STREAM", lambda t: reset(1), PROTOCOL),
    ("5.1", "idle: WINDOW_UPDATE", lambda t: window(1, 1), PROTOCOL),
    ("5.1", "idle: PRIORITY", lambda t: frame(PRIORITY, 0, 1, bytes(4) + b"\x0f"), "FINE"),
    ("5.1", "half-closed: DATA", lambda t: t.open(end=True) + frame(DATA, 0, 1, b"x"), f"{CLOSED} | {RESET_CLOSED}"),
    ("5.1", "half-closed: HEADERS", lambda t: t.open(end=True) + t.open(), f"{CLOSED} | {RESET_CLOSED}"),
    ("5.1", "half-closed: CONTINUATION", lambda t: t.open(end=True) + frame(CONTINUATION, 4, 1), PROTOCOL),
    ("5.1", "half-closed: WINDOW_UPDATE", lambda t: t.open(end=True) + window(1, 1), "FINE"),
    ("5.1", "half-closed: PRIORITY", lambda t: t.open(end=True) + frame(PRIORITY, 0, 1, bytes(4) + b"\x0f"), "FINE"),
    ("5.1", "half-closed: RST_STREAM", lambda t: t.open(end=True) + reset(1), "FINE"),
    ("5.1", "closed: DATA (deviation: passed over)", lambda t: t.open() + reset(1) + frame(DATA, 0, 1, b"x"), "FINE"),
    ("5.1", "closed: HEADERS (deviation: passed over)", lambda t: t.open() + reset(1) + t.open(), "FINE"),
    ("5.1", "closed: CONTINUATION", lambda t: t.open() + reset(1) + frame(CONTINUATION, 4, 1), PROTOCOL),
    ("5.1", "closed: WINDOW_UPDATE", lambda t: t.open() + reset(1) + window(1, 1), "FINE"),
    ("5.1", "closed: PRIORITY", lambda t: t.open() + reset(1) + frame(PRIORITY, 0, 1, bytes(4) + b"\x0f"), "FINE"),
    ("5.1", "closed: RST_STREAM", lambda t: t.open() + reset(1) + reset(1), "FINE"),
    ("5.1.1", "a stream with an even number", lambda t: t.ask(2), PROTOCOL),
    ("5.1.1", "a number below an earlier one (deviation: passed over)", lambda t: t.open(5) + t.open(3), "FINE"),
    ("5.1.1", "skipped numbers", lambda t: t.ask(101), "STATUS 200"),
    ("5.1.2", "more streams than are allowed", lambda t: b"".join(t.open(2 * n + 1) for n in range(600)),
     f"RST_STREAM REFUSED_STREAM | {PROTOCOL}"),
    ("5.3", "PRIORITY that depends on itself (deviation: an error, as RFC 7540 has it)",
     lambda t: frame(PRIORITY, 0, 1, number(1) + b"\x0f"), f"{PROTOCOL} | {RESET} | FINE"),
    ("5.3", "HEADERS that depend on themselves (deviation: an error, as RFC 7540 has it)",
     lambda t: frame(HEADERS, 0x25, 1, number(1) + b"\x0f" + fields(GOOD)), f"{PROTOCOL} | {RESET}"),
    ("5.4.1", "nothing is answered behind an error", lambda t: reset(0) + t.ask(), PROTOCOL),
    ("5.4.2", "an error of one stream is none of another", lambda t: bad(("X", "y")) + t.ask(3), "STATUS 200"),
    ("6.1", "DATA on stream 0", lambda t: frame(DATA, 0, 0, b"x"), PROTOCOL),
    ("6.1", "padding as long as the frame", lambda t: t.open() + frame(DATA, 8, 1, b"\x03ab"), PROTOCOL),
    ("6.1", "padding where there is no room for its length", lambda t: t.open() + frame(DATA, 8, 1), f"{SIZE} | {PROTOCOL}"),
    ("6.1", "padded DATA", lambda t: t.open() + frame(DATA, 8, 1, b"\x02x\0\0"), "FINE"),
    ("6.2", "HEADERS on stream 0", lambda t: headers(0, fields(GOOD)), PROTOCOL),
    ("6.2", "HEADERS with too much padding", lambda t: frame(HEADERS, 0xD, 1, b"\x7f\x82"), PROTOCOL),
    ("6.2", "HEADERS too short for their priority", lambda t: frame(HEADERS, 0x25, 1, bytes(4)), f"{SIZE} | {PROTOCOL}"),
    ("6.2", "padded HEADERS", lambda t: frame(HEADERS, 0xD, 1, b"\x02" + head("GET", t.get) + b"\0\0"), "STATUS 200"),
    ("6.2", "HEADERS with a priority", lambda t: frame(HEADERS, 0x25, 1, bytes(5) + head("GET", t.get)), "STATUS 200"),
    ("6.3", "PRIORITY on stream 0", lambda t: frame(PRIORITY, 0, 0, bytes(5)), PROTOCOL),
    ("6.3", "PRIORITY of 4 octets", lambda t: t.open() + frame(PRIORITY, 0, 1, bytes(4)), f"{SIZE} | {RESET_SIZE}"),
    ("6.4", "RST_STREAM on stream 0", lambda t: reset(0), PROTOCOL),
    ("6.4", "RST_STREAM of 3 octets", lambda t: t.open() + frame(RST_STREAM, 0, 1, bytes(3)), SIZE),
    ("6.5", "SETTINGS are acknowledged", lambda t: settings(), "SETTINGS_ACK"),
    ("6.5", "an acknowledgement that says something", lambda t: frame(SETTINGS, ACK, 0, bytes(6)), SIZE),
    ("6.5", "SETTINGS on a stream", lambda t: frame(SETTINGS, 0, 1), PROTOCOL),
    ("6.5", "SETTINGS of 5 octets", lambda t: frame(SETTINGS, payload=bytes(5)), SIZE),
    ("6.5.2", "ENABLE_PUSH of 2", lambda t: setting(2, 2), PROTOCOL),
    ("6.5.2", "INITIAL_WINDOW_SIZE over 2^31 - 1", lambda t: setting(4, 1 << 31), FLOW),
    ("6.5.2", "MAX_FRAME_SIZE under 2^14", lambda t: setting(5, 16383), PROTOCOL),
    ("6.5.2", "MAX_FRAME_SIZE over 2^24 - 1", lambda t: setting(5, 1 << 24), PROTOCOL),
    ("6.5.2", "a setting that nobody knows", lambda t: setting(0xBEEF, 7), "FINE"),
    ("6.5.2", "HEADER_TABLE_SIZE of 0", lambda t: setting(1, 0) + t.ask(), "STATUS 200"),
    ("6.5.2", "HEADER_TABLE_SIZE of 2^32 - 1", lambda t: setting(1, (1 << 32) - 1) + t.ask(), "STATUS 200"),
    ("6.5.3", "values take effect in order", lambda t: settings((4, 1 << 16), (4, 1), (4, 1 << 16)) + t.ask(), "STATUS 200"),
    ("6.6", "PUSH_PROMISE of a client", lambda t: frame(PUSH_PROMISE, 4, 1, number(2) + b"\x82"), PROTOCOL),
    ("6.7", "PING on a stream", lambda t: frame(PING, 0, 1, bytes(8)), PROTOCOL),
    ("6.7", "PING of 7 octets", lambda t: frame(PING, payload=bytes(7)), SIZE),
    ("6.7", "PING of 9 octets", lambda t: frame(PING, payload=bytes(9)), SIZE),
    ("6.7", "an answer that nobody asked for", lambda t: frame(PING, ACK, 0, b"unasked!"), "FINE"),
    ("6.8", "GOAWAY on a stream", lambda t: frame(GOAWAY, 0, 1, bytes(8)), PROTOCOL),
    ("6.8", "GOAWAY of 7 octets", lambda t: frame(GOAWAY, payload=bytes(7)), SIZE),
    ("6.8", "GOAWAY leaves what is under way", lambda t: t.ask() + frame(GOAWAY, payload=bytes(8)), "STATUS 200"),
    ("6.9", "WINDOW_UPDATE of 3 octets", lambda t: frame(WINDOW_UPDATE, payload=bytes(3)), SIZE),
    ("6.9", "a window that grows by 0", lambda t: window(0, 0), PROTOCOL),
    ("6.9", "a stream's window that grows by 0 (deviation: ends the connection)",
     lambda t: t.open() + window(1, 0), f"{PROTOCOL} | {RESET}"),
    ("6.9.1", "a connection's window over 2^31 - 1", lambda t: window(0, (1 << 31) - 1), FLOW),
    ("6.9.1", "a stream's window over 2^31 - 1", lambda t: t.open() + window(1, (1 << 31) - 1), RESET_FLOW),
    ("6.9.2", "INITIAL_WINDOW_SIZE that makes one overflow",
     lambda t: t.open() + window(1, (1 << 31) - 65536) + setting(4, 65537), f"{FLOW} | {RESET_FLOW}"),
    ("6.9.2", "no body goes out while the window is 0", lambda t: setting(4, 0) + t.ask(), "STATUS 200"),
    ("6.10", "CONTINUATION out of nowhere", lambda t: frame(CONTINUATION, 4, 1, b"\x82"), PROTOCOL),
    ("6.10", "CONTINUATION on stream 0", lambda t: headers(1, b"\x82", flags=0) + frame(9, 4, 0), PROTOCOL),
    ("6.10", "CONTINUATION behind END_HEADERS", lambda t: t.open() + frame(CONTINUATION, 4, 1), PROTOCOL),
    ("6.10", "a block in pieces", lambda t: headers(1, head("GET", t.get)[:5], flags=0)
     + frame(9, 0, 1, head("GET", t.get)[5:9]) + frame(9, 0, 1) + frame(9, 4, 1, head("GET", t.get)[9:]), "STATUS 200"),
    ("7", "RST_STREAM with a code that nobody knows", lambda t: t.open() + reset(1, 0xBEEF), "FINE"),
    ("7", "GOAWAY with a code that nobody knows", lambda t: frame(GOAWAY, payload=number(0) + number(0xBEEF)), "FINE | CLOSED"),
    ("8.1", "a second HEADERS that is no end", lambda t: t.open() + headers(1, field("a", "b"), end=False), RESET),
    ("8.1", "trailers", lambda t: t.open() + frame(DATA, 0, 1, b"x") + headers(1, field("a", "b")), "FINE"),
    ("8.1", "a pseudo-header in trailers", lambda t: t.open() + headers(1, field(":path", "/")), RESET),
    ("8.1.1", "more body than the head says", lambda t: body(t, "1", b"xy"), RESET),
    ("8.1.1", "less body than the head says", lambda t: body(t, "3", b"xy"), RESET),
    ("8.1.1", "less body in several frames", lambda t: body(t, "9", b"xy", b"z", b"w"), RESET),
    ("8.1.1", "a length without a body", lambda t: t.open(1, ("content-length", "1"), end=True), RESET),
    ("8.1.1", "a length that is no number", lambda t: t.open(1, ("content-length", "one")), RESET),
    ("8.1.1", "a length below 0", lambda t: t.open(1, ("content-length", "-1")), RESET),
    ("8.1.1", "two lengths", lambda t: t.open(1, ("content-length", "1"), ("content-length", "2")), RESET),
    ("8.2", "an upper-case name", lambda t: bad(("X", "y")), RESET),
    ("8.2.1", "a name with a space", lambda t: bad(("a b", "y")), RESET),
    ("8.2.1", "a name with a colon", lambda t: bad(("a:b", "y")), RESET),
    ("8.2.1", "a name with a line break", lambda t: bad(("a\r\nb", "y")), RESET),
    ("8.2.1", "an empty name", lambda t: bad(("", "y")), RESET),
    ("8.2.1", "a value with CR LF and a request", lambda t: bad(("a", "y\r\n\r\nGET / HTTP/1.1")), RESET),
    ("8.2.1", "a value with NUL", lambda t: bad(("a", "y\0z")), RESET),
    ("8.2.1", "a value that begins with a space", lambda t: bad(("a", " y")), RESET),
    ("8.2.1", "a value that ends with a tab", lambda t: bad(("a", "y\t")), RESET),
    ("8.2.2", "Connection", lambda t: bad(("connection", "close")), RESET),
    ("8.2.2", "Keep-Alive", lambda t: bad(("keep-alive", "timeout=5")), RESET),
    ("8.2.2", "Proxy-Connection", lambda t: bad(("proxy-connection", "keep-alive")), RESET),
    ("8.2.2", "Transfer-Encoding", lambda t: bad(("transfer-encoding", "chunked")), RESET),
    ("8.2.2", "Upgrade", lambda t: bad(("upgrade", "h2c")), RESET),
    ("8.2.2", "TE: gzip", lambda t: bad(("te", "gzip")), RESET),
    ("8.2.2", "TE: trailers", lambda t: t.ask(1, ("te", "trailers")), "STATUS 200"),
    ("8.3", "a pseudo-header behind a field", lambda t: bad(first=[("a", "b")]), RESET),
    ("8.3", "a pseudo-header that nobody knows", lambda t: bad((":colour", "red")), RESET),
    ("8.3", "a pseudo-header of answers", lambda t: bad((":status", "200")), RESET),
    ("8.3.1", "no :method", lambda t: bad(without=[":method"]), RESET),
    ("8.3.1", "no :scheme", lambda t: bad(without=[":scheme"]), RESET),
    ("8.3.1", "no :path", lambda t: bad(without=[":path"]), RESET),
    ("8.3.1", "an empty :path", lambda t: bad(without=[":path"], first=[(":path", "")]), RESET),
    ("8.3.1", "a :path that does not begin with /", lambda t: bad(without=[":path"], first=[(":path", "x")]), RESET),
    ("8.3.1", "GET *", lambda t: bad(without=[":path"], first=[(":path", "*")]), RESET),
    ("8.3.1", "two :method", lambda t: bad(first=[(":method", "GET")]), RESET),
    ("8.3.1", "two :path", lambda t: bad(first=[(":path", "/")]), RESET),
    ("8.3.1", "two :authority", lambda t: bad(first=[(":authority", "a")]), RESET),
    ("8.3.1", "a :path with a space", lambda t: bad(without=[":path"], first=[(":path", "/a b")]), RESET),
    ("8.3.1", "an :authority with a line break", lambda t: bad(without=[":authority"], first=[(":authority", "a\r\nb")]), RESET),
    ("8.3.1", "an :authority with a name and a password (deviation: taken)",
     lambda t: headers(1, fields(
         [(":method", "GET"), (":scheme", "http"), (":path", t.get), (":authority", "me:secret@n1")])), "STATUS 200"),
    ("8.3.1", "a :method with a space", lambda t: bad(without=[":method"], first=[(":method", "GET /")]), RESET),
    ("8.5", "CONNECT with a :path", lambda t: bad(without=[":method"], first=[(":method", "CONNECT")]), RESET),
    ("8.5", "CONNECT", lambda t: headers(1, fields([(":method", "CONNECT"), (":authority", "a:1")]), end=False), "STATUS 400"),
    ("8.6", "the preface of another connection", lambda t: PREFACE, f"{SIZE} | {PROTOCOL}"),
    ("7541 2.3.3", "index 0", lambda t: block(b"\x80"), COMPRESSION),
    ("7541 2.3.3", "an index that the table does not have", lambda t: block(b"\xc6"), COMPRESSION),
    ("7541 2.3.3", "an entry of the table", lambda t: headers(1, fields(GOOD) + field("a", "b", 0x40) + b"\xbe"), "STATUS 404"),
    ("7541 2.3.3", "a literal whose name is out of the table", lambda t: block(b"\x7f\x00\x01a"), COMPRESSION),
    ("7541 4.2", "a table larger than was allowed", lambda t: headers(1, b"\x3f\xe2\x1f" + fields(GOOD)), COMPRESSION),
    ("7541 4.2", "a smaller table", lambda t: headers(1, b"\x20" + head("GET", t.get)), "STATUS 200"),
    ("7541 4.2", "a change of the table behind a field", lambda t: block(b"\x20"), COMPRESSION),
    ("7541 4.3", "an entry that a smaller table has lost",
     lambda t: headers(1, fields(GOOD) + field("a", "b", 0x40)) + headers(3, b"\x20\xbe" + fields(GOOD)), COMPRESSION),
    ("7541 5.1", "an integer that does not end", lambda t: block(b"\xff" + b"\xff" * 10 + b"\x01"), COMPRESSION),
    ("7541 5.1", "an integer over 2^32", lambda t: block(b"\xff\xff\xff\xff\xff\x7f"), COMPRESSION),
    ("7541 5.2", "a string longer than its block", lambda t: block(b"\x00\x7f\x10a"), COMPRESSION),
    ("7541 5.2", "Huffman padding of 0", lambda t: block(b"\x00\x01a\x81\x18"), COMPRESSION),
    ("7541 5.2", "Huffman padding of more than 7 bits", lambda t: block(b"\x00\x01a\x82\x1f\xff"), COMPRESSION),
    ("7541 5.2", "the end of a Huffman string within it", lambda t: block(b"\x00\x01a\x84\xff\xff\xff\xff"), COMPRESSION),
    ("7541 6.2.3", "a field that is never indexed", lambda t: headers(1, head("GET", t.get) + field("a", "b", 0x10)), "STATUS 200"),
]


def answers(expected, events):
    """Whether the events so far are what was expected; None while more may come."""
    word, _, code = expected.partition(" ")
    names = [event[0] for event in events]
    if word == "GOAWAY":
        return ("GOAWAY", code) in events if "CLOSED" in names else None
    if word == "CLOSED":
        return True if "CLOSED" in names else None
    if "CLOSED" in names:
        return False
    if word == "RST_STREAM":
        return any(event[0] == word and event[2] == code for event in events) and "PONG" in names or None
    if word == "STATUS":
        statuses = [event[2] for event in events if event[0] in ("HEAD", "END") and event[2]]
        return statuses[-1] == code if statuses else None
    if word == "SETTINGS_ACK":
        return True if names.count(word) == 2 else None
    wrong = [name for name in names if name in ("GOAWAY", "RST_STREAM")]
    return False if wrong else True if ("PONG", b"conform!") in events else None


async def judge(target, section, what, octets, expected, begin):
    connection = await Connection.connect((target.host, target.port), begin=begin)
    connection.send(octets + (ping(b"conform!") if begin else b""))
    events = []
    try:
        async with asyncio.timeout(5):
            while True:
                events.append(await connection.event())
                verdicts = [answers(one, events) for one in expected.split(" | ")]
                if True in verdicts:
                    return True
                if None not in verdicts:
                    break
    except TimeoutError:
        pass
    finally:
        connection.close()
    print(f"{target.name}: {section}: {what}: {expected} was expected, there came {events}")
    return False


async def main():
    rows = [(*row, False) for row in RAW] + [(*row, True) for row in CASES]
    results = []
    client, peer = loopback.arguments(__doc__)
    for target in await targets(address(client), address(peer)):
        for section, what, octets, expected, begin in rows:
            octets = octets if isinstance(octets, bytes) else octets(target)
            results.append(await judge(target, section, what, octets, expected, begin))
    print(f"{len(rows)} rows, 2 listeners: {results.count(True)} as expected, {results.count(False)} not")
    sys.exit(0 if all(results) else 1)


asyncio.run(main())
