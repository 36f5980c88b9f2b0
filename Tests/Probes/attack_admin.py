"""Attacks the admin listener of a running node: attack_admin.py ADMIN_HOST:PORT PID heads|bodies|answers|streams|all [WORDS]

With words, only with attacks that have them in their names.

Every attacker must be cut off, or refused, within its bound. Meanwhile a process of its own asks the listener again and again
and has to be answered within a second, appends, and reads a stream of the dashboard that must not be cut; and the node's
resident memory may grow by 64 MiB.
"""

import asyncio
import functools
import sys
import time

import attacker
import loopback
from loopback import ATTACKER, BYSTANDER, CROWD, SENDERS

# Of one address.
CONNECTIONS = 64
MEBIBYTE = bytes(1 << 20)
# The bystander's asks, the longest time between events of its stream, and between its appends, which are larger than what
# has room in any case.
PATHS = ("/livez", "/readyz", "/metrics", "/v1/cluster")
EVENTS, APPENDS, APPENDED = 2.0, 3.0, bytes(256 << 10)


def request(method, path, *fields):
    return "\r\n".join([f"{method} {path} HTTP/1.1", "Host: localhost", *fields, "", ""]).encode()


async def ended(reader, seconds):
    """CLOSED, with the status of the first answer where there was one."""
    try:
        async with asyncio.timeout(seconds):
            answer = await reader.read(1 << 16)
            while await reader.read(1 << 16):
                pass
    except ConnectionError:
        answer = b""
    return f"{answer[9:12].decode()} CLOSED" if answer.startswith(b"HTTP/1.1 ") else "CLOSED"


async def until_ended(at, start, sending, seconds, source=ATTACKER):
    """Says `start`, does sending(writer, ending), and tells how the node ends the connection."""
    reader, writer = await loopback.connect(at, source)
    try:
        writer.write(start)
        ending = asyncio.create_task(ended(reader, seconds))
        await sending(writer, ending)
        return await ending
    finally:
        writer.close()


async def send(at, start, make=None, *, pause=1.0, seconds=20):
    """Says `start`, then make(0), make(1), ... with pauses."""

    async def sending(writer, ending):
        if make:
            await attacker.trickle(writer, make, ending, pause)

    return await until_ended(at, start, sending, seconds)


async def pour(at, start, piece, seconds=30):
    """The same as fast as it goes."""
    return await until_ended(
        at, start, lambda writer, ending: attacker.pour(writer, lambda n: piece, ending, seconds), seconds)


async def unread(at, *requests, drops=False, seconds=45):
    """Asks, and reads nothing of the answers, or a byte now and then."""
    _, writer = await loopback.connect(at, ATTACKER, buffer=4_096)
    writer.transport.pause_reading()
    dripping = asyncio.create_task(drip(writer)) if drops else None
    try:
        for octets in requests:
            writer.write(octets)
        # Empty lines before a request mean nothing.
        is_closed = await attacker.is_taken_by_nobody(writer, b"\r\n", seconds)
        return "CLOSED" if is_closed or (dripping and dripping.done()) else "OPEN"
    finally:
        if dripping:
            dripping.cancel()
        writer.close()


async def drip(writer):
    """Takes a byte now and then, behind the transport's back, which would read all that there is; to the end."""
    ours = writer.get_extra_info("socket")
    taken = None
    while taken != b"":
        await asyncio.sleep(0.5)
        try:
            taken = ours._sock.recv(1)
        except BlockingIOError:
            pass
        except ConnectionError:
            return


async def is_closed(reader, seconds=5):
    try:
        async with asyncio.timeout(seconds):
            return await reader.read(1) == b""
    except TimeoutError:
        return False
    except ConnectionError:
        return True


async def crowd(at, more=40):
    """More connections than one address may have."""
    connections = []
    try:
        for _ in range(CONNECTIONS + more):
            connections.append(await loopback.connect(at, CROWD))
        # Those within the bound have until their heads are due.
        closed = sum(await asyncio.gather(*[is_closed(reader) for reader, _ in connections]))
    finally:
        for _, writer in connections:
            writer.close()
    return f"{closed} of {more} CLOSED"


async def bodies(at, byte_counts, source, apart=0, seconds=40):
    """So much of large bodies, none of which comes whole; how many are refused, and how many cut off."""

    async def one(number, byte_count):
        await asyncio.sleep(number * apart)
        pieces = [bytes(min(len(MEBIBYTE), byte_count - n)) for n in range(0, byte_count, len(MEBIBYTE))]
        return await until_ended(
            at, request("POST", "/v1/records", f"Content-Length: {8 << 20}"),
            lambda writer, ending: attacker.send_all(writer, pieces), seconds, source)

    seen = await asyncio.gather(*[one(*numbered) for numbered in enumerate(byte_counts)])
    return seen.count("429 CLOSED"), seen.count("CLOSED"), len(seen)


async def crowd_of_bodies(at):
    """As many as there may be connections: there is room for two."""
    refused, closed, count = await bodies(at, [7 << 20] * (CONNECTIONS - 4), SENDERS)
    return "429 CLOSED" if refused > 40 and refused + closed == count else f"{refused} refused, {closed} closed of {count}"


async def standing_bodies(at):
    """All the room that there is, taken from others that stand still, and kept: it goes to whoever appends."""
    await asyncio.sleep(4)
    refused, closed, count = await bodies(at, [1 << 20] * 16 + [192 << 10] * 8, ATTACKER, apart=0.1)
    return "429 CLOSED" if refused > 0 and refused + closed == count else f"{refused} refused, {closed} closed of {count}"


def heads(at):
    """(what, what it does, how it has to end)"""
    get = request("GET", "/livez")
    return [
        ("a head without end", pour(at, b"GET / HTTP/1.1\r\nX: ", b"x" * 4_096), "400 CLOSED | CLOSED"),
        ("fields without end", pour(at, b"GET / HTTP/1.1\r\n", b"X: y\r\n" * 100), "400 CLOSED | CLOSED"),
        ("what is no HTTP", send(at, b"\x00\x01\x02 what\r\n\r\n", seconds=30), "400 CLOSED | CLOSED"),
        ("HTTP/2", send(at, b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", seconds=3), "CLOSED"),
        ("TLS", send(at, bytes.fromhex("16030100c8010000c40303") + bytes(200), seconds=3), "400 CLOSED"),
        ("a crowd", crowd(at), "40 of 40 CLOSED"),
        ("silence", send(at, b"", seconds=15), "CLOSED"),
        ("part of a head", send(at, get[:12], seconds=15), "CLOSED"),
        ("a head in drops", send(at, get[:24], lambda n: b"x", seconds=15), "CLOSED"),
        ("the next head in drops", send(at, get + get[:24], lambda n: b"x", seconds=25), "200 CLOSED"),
        ("an idle connection", send(at, get, seconds=25), "200 CLOSED"),
    ]


def unfinished(at):
    """The same, of bodies."""
    post = request("POST", "/v1/records", "Content-Length: 8000000")
    unwanted = request("GET", "/livez", "Transfer-Encoding: chunked")
    return [
        ("a body without end", pour(at, request("POST", "/v1/records", "Content-Length: 999999999999"), MEBIBYTE), "413 CLOSED | CLOSED"),
        ("a body without end that nobody wants", pour(at, unwanted, b"100000\r\n" + MEBIBYTE + b"\r\n"), "200 CLOSED | CLOSED"),
        ("many bodies", crowd_of_bodies(at), "429 CLOSED"),
        ("a body that stops", send(at, post + b"x", seconds=20), "CLOSED"),
        ("a body in drops", send(at, post, lambda n: b"x", seconds=20), "CLOSED"),
        ("a body in drops that nobody wants", send(
            at, request("GET", "/livez", "Content-Length: 9000"), lambda n: b"x", seconds=20), "200 CLOSED"),
        ("bodies that stand still", standing_bodies(at), "429 CLOSED"),
    ]


def answers(at):
    """The same, of answers."""
    page, follow = request("GET", "/v1/records?limit=2"), request("GET", "/v1/records?from=first&follow=true")
    return [
        ("a large answer, unread", unread(at, page), "CLOSED"),
        ("a large answer in drops", unread(at, page, drops=True), "CLOSED"),
        ("many answers, unread", unread(at, request("GET", "/metrics") * 1_000), "CLOSED"),
        ("records without end, unread", unread(at, follow), "CLOSED"),
        *[(f"records without end, unread, {n}", unread(at, follow), "CLOSED") for n in range(3)],
    ]


def streams(at):
    """The same, of streams of the dashboard."""
    stream = request("GET", "/admin/v1/stream")
    return [(f"a stream of the dashboard, unread, {n}", unread(at, stream), "CLOSED") for n in range(24)]


GROUPS = {"heads": heads, "bodies": unfinished, "answers": answers, "streams": streams}


async def answer(connection, octets):
    """The head and the body of the answer to a request."""
    reader, writer = connection
    writer.write(octets)
    async with asyncio.timeout(20):
        head = (await reader.readuntil(b"\r\n\r\n")).lower()
        length = head.partition(b"content-length: ")[2].split(b"\r\n")[0]
        body = await reader.readexactly(int(length)) if length else b""
    return head, body


async def fresh(at, octets):
    connection = await loopback.connect(at)
    try:
        return await answer(connection, octets)
    finally:
        connection[1].close()


async def ask(at, watch, stop):
    """The bystander: asks on a connection that stays and on fresh ones, appends, and reads a stream."""

    async def answered(path, asking):
        head, _ = await asking
        if not head.startswith(b"http/1.1 200 "):
            raise ConnectionError(f"the bystander was refused {path}: {head.splitlines()[0]}")

    async def follow():
        reader, writer = await loopback.connect(at)
        writer.write(request("GET", "/admin/v1/stream"))
        last = time.monotonic()
        while not stop.is_set():
            async with asyncio.timeout(20):
                line = await reader.readline()
            if not line:
                raise ConnectionError("the bystander's stream was cut off")
            if line.startswith(b"event: "):
                watch.waited(time.monotonic() - last, "an event of a stream", EVENTS)
                last = time.monotonic()
        writer.close()

    async def append():
        octets = request("POST", "/v1/records", f"Content-Length: {len(APPENDED)}") + APPENDED
        started = time.monotonic()
        while not stop.is_set():
            head, body = await fresh(at, octets)
            watch.waited(time.monotonic() - started, "an append", APPENDS)
            if head.startswith(b"http/1.1 201 "):
                await asyncio.sleep(0.5)
                started = time.monotonic()
            elif not head.startswith(b"http/1.1 429 ") or b'"applied":"no"' not in body:
                raise ConnectionError(f"the bystander was refused an append: {head.splitlines()[0]}")

    async def look():
        kept = await loopback.connect(at)
        while not stop.is_set():
            for path in PATHS:
                await watch.time(answered(path, answer(kept, request("GET", path))))
                await watch.time(answered(path, fresh(at, request("GET", path))))
            await asyncio.sleep(0.02)

    await asyncio.gather(follow(), append(), look())


async def fill(at):
    """12 MB of records, so that there are large answers."""
    octets = request("POST", "/v1/records", "Content-Length: 1000000") + bytes(1_000_000)
    for _ in range(12):
        head, _ = await fresh(at, octets)
        if not head.startswith(b"http/1.1 201 "):
            sys.exit(f"an append was answered with {head!r}")


async def attacks(rows):
    return await asyncio.gather(*[attacker.judge(*row) for row in rows])


async def main():
    at, words = loopback.address(sys.argv[1]), " ".join(sys.argv[4:])
    groups = GROUPS.values() if sys.argv[3] == "all" else [GROUPS[sys.argv[3]]]
    await fill(at)
    rows = [row for group in groups for row in attacker.chosen(group(at), words)]
    await attacker.attacked(functools.partial(ask, at), int(sys.argv[2]), attacks(rows))


asyncio.run(main())
