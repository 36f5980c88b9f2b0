"""Attacks the admin listener of a running node: attack_admin.py ADMIN_HOST:PORT PID [WORDS]

With words, only with attacks that have them in their names.

Every attacker must be cut off, or refused, within its bound. Meanwhile a process of its own asks the listener again and again
and has to be answered within a second, while it reads a stream of the dashboard that must not be cut; and the node's resident
memory may grow by 64 MiB.
"""

import asyncio
import multiprocessing
import socket
import sys
import time

MEMORY, PATIENCE = 64 << 20, 1.0
# Addresses of the loopback network: the bystander's, the attackers', those of whoever comes in numbers.
BYSTANDER, ATTACKER, CROWD, SENDERS = "127.0.0.1", "127.0.0.2", "127.0.0.3", "127.0.0.4"
# Of one address.
CONNECTIONS = 64
MEBIBYTE = bytes(1 << 20)


def request(method, path, *fields):
    return "\r\n".join([f"{method} {path} HTTP/1.1", "Host: localhost", *fields, "", ""]).encode()


async def connect(address, source=ATTACKER, buffer=None):
    ours = socket.socket()
    ours.setblocking(False)
    if buffer:
        # Before the connection is made: it bounds what the kernel takes for somebody who reads nothing.
        ours.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, buffer)
    ours.bind((source, 0))
    await asyncio.get_running_loop().sock_connect(ours, address)
    return await asyncio.open_connection(sock=ours)


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


async def send(address, start, make=None, *, pause=1.0, seconds=20):
    """Says `start`, then make(0), make(1), ... with pauses, until the node ends the connection."""
    reader, writer = await connect(address)
    writer.write(start)
    ending = asyncio.create_task(ended(reader, seconds))
    number = 0
    try:
        while not ending.done():
            await asyncio.wait([ending], timeout=pause)
            if make:
                writer.write(make(number))
                await writer.drain()
                number += 1
    except ConnectionError:
        pass
    try:
        return await ending
    finally:
        writer.close()


async def pour(address, start, piece, seconds=30):
    """Sends as fast as it goes; tells what the first answer was, and that the connection ended."""
    reader, writer = await connect(address)
    writer.write(start)
    ending = asyncio.create_task(ended(reader, seconds))
    try:
        async with asyncio.timeout(seconds):
            while not ending.done():
                writer.write(piece)
                await writer.drain()
                await asyncio.sleep(0)
    except ConnectionError:
        pass
    try:
        return await ending
    finally:
        writer.close()


async def unread(address, *requests, drops=False, seconds=45):
    """Asks, and reads nothing of the answers, or a byte now and then."""
    reader, writer = await connect(address, buffer=4_096)
    ours = writer.get_extra_info("socket")
    writer.transport.pause_reading()
    started = time.monotonic()
    try:
        for octets in requests:
            writer.write(octets)
        while time.monotonic() < started + seconds:
            await asyncio.sleep(0.5)
            if drops:
                # Behind the transport's back, which would read all that there is.
                try:
                    if ours._sock.recv(1) == b"":
                        return "CLOSED"
                except BlockingIOError:
                    pass
            # A socket that the node has closed with data unread answers writes with a reset; empty lines mean nothing.
            writer.write(b"\r\n")
            await writer.drain()
            if writer.is_closing():
                return "CLOSED"
    except ConnectionError:
        return "CLOSED"
    finally:
        writer.close()
    return "OPEN"


async def is_closed(reader, seconds=5):
    try:
        async with asyncio.timeout(seconds):
            return await reader.read(1) == b""
    except TimeoutError:
        return False
    except ConnectionError:
        return True


async def crowd(address, more=40):
    """More connections than one address may have."""
    connections = []
    try:
        for _ in range(CONNECTIONS + more):
            connections.append(await connect(address, source=CROWD))
        # Those within the bound have until their heads are due.
        closed = sum(await asyncio.gather(*[is_closed(reader) for reader, _ in connections]))
    finally:
        for _, writer in connections:
            writer.close()
    return f"{closed} of {more} CLOSED"


async def bodies(address, seconds=40):
    """As many large bodies at once as there may be connections, none of which ends."""

    async def one():
        reader, writer = await connect(address, source=SENDERS)
        writer.write(request("POST", "/v1/records", f"Content-Length: {8 << 20}"))
        ending = asyncio.create_task(ended(reader, seconds))
        try:
            for _ in range(7):
                writer.write(MEBIBYTE)
                await writer.drain()
        except ConnectionError:
            pass
        try:
            return await ending
        finally:
            writer.close()

    seen = await asyncio.gather(*[one() for _ in range(CONNECTIONS - 4)])
    refused = seen.count("429 CLOSED")
    return "429 CLOSED" if refused > 40 and refused + seen.count("CLOSED") == len(seen) else f"OPEN: {sorted(set(seen))}"


def attacks(at):
    """(what, what it does, how it has to end)"""
    get, post = request("GET", "/livez"), request("POST", "/v1/records", "Content-Length: 8000000")
    stream, page = request("GET", "/admin/v1/stream"), request("GET", "/v1/records?limit=2")
    follow = request("GET", "/v1/records?from=first&follow=true", "Accept: application/x-ndjson")
    return [
        ("a head without end", pour(at, b"GET / HTTP/1.1\r\nX: ", b"x" * 4_096), "400 CLOSED | CLOSED"),
        ("fields without end", pour(at, b"GET / HTTP/1.1\r\n", b"X: y\r\n" * 100), "400 CLOSED | CLOSED"),
        ("what is no HTTP", send(at, b"\x00\x01\x02 what\r\n\r\n", seconds=30), "400 CLOSED | CLOSED"),
        ("HTTP/2", send(at, b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", seconds=3), "CLOSED"),
        ("TLS", send(at, bytes.fromhex("16030100c8010000c40303") + bytes(200), seconds=3), "400 CLOSED"),
        ("a body without end", pour(at, request("POST", "/v1/records", "Content-Length: 999999999999"), MEBIBYTE), "413 CLOSED | CLOSED"),
        ("a body without end that nobody wants", pour(
            at, request("GET", "/livez", "Transfer-Encoding: chunked"), b"100000\r\n" + MEBIBYTE + b"\r\n"), "200 CLOSED | CLOSED"),
        ("a crowd", crowd(at), "40 of 40 CLOSED"),
        ("many bodies", bodies(at), "429 CLOSED"),
        ("silence", send(at, b"", seconds=15), "CLOSED"),
        ("part of a head", send(at, get[:12], seconds=15), "CLOSED"),
        ("a head in drops", send(at, get[:24], lambda n: b"x", seconds=15), "CLOSED"),
        ("the next head in drops", send(at, get + get[:24], lambda n: b"x", seconds=25), "200 CLOSED"),
        ("a body that stops", send(at, post + b"x", seconds=20), "CLOSED"),
        ("a body in drops", send(at, post, lambda n: b"x", seconds=20), "CLOSED"),
        ("a body in drops that nobody wants", send(
            at, request("GET", "/livez", "Content-Length: 9000"), lambda n: b"x", seconds=20), "200 CLOSED"),
        ("an idle connection", send(at, get, seconds=25), "200 CLOSED"),
        ("a large answer, unread", unread(at, page), "CLOSED"),
        ("a large answer in drops", unread(at, page, drops=True), "CLOSED"),
        ("many answers, unread", unread(at, request("GET", "/metrics") * 1_000), "CLOSED"),
        ("records without end, unread", unread(at, follow), "CLOSED"),
        *[(f"a stream of the dashboard, unread, {n}", unread(at, stream), "CLOSED") for n in range(24)],
    ]


def watch(address, pid, stop, results):
    """The bystander: asks on a connection that stays and on fresh ones, reads a stream, and looks at the node's memory."""

    async def ask(connection, path):
        reader, writer = connection
        writer.write(request("GET", path))
        async with asyncio.timeout(20):
            head = (await reader.readuntil(b"\r\n\r\n")).lower()
            length = head.partition(b"content-length: ")[2].split(b"\r\n")[0]
            await reader.readexactly(int(length))
        if not head.startswith(b"http/1.1 200 "):
            raise ConnectionError(f"the bystander was refused {path}: {head.splitlines()[0]}")

    def resident():
        with open(f"/proc/{pid}/statm") as file:
            return int(file.read().split()[1]) * 4_096

    async def follow():
        """The longest time without an event of the stream."""
        reader, writer = await connect(address, source=BYSTANDER)
        writer.write(request("GET", "/admin/v1/stream"))
        longest, last = 0.0, time.monotonic()
        while not stop.is_set():
            async with asyncio.timeout(20):
                line = await reader.readline()
            if not line:
                raise ConnectionError("the bystander's stream was cut off")
            if line.startswith(b"event: "):
                longest, last = max(longest, time.monotonic() - last), time.monotonic()
        writer.close()
        return longest

    async def run():
        following = asyncio.create_task(follow())
        kept = await connect(address, source=BYSTANDER)
        slowest, before, count = 0.0, resident(), 0
        peak = before
        while not stop.is_set():
            for path in ("/livez", "/metrics", "/v1/cluster"):
                for kind in ("kept", "fresh"):
                    started = time.monotonic()
                    connection = kept if kind == "kept" else await connect(address, source=BYSTANDER)
                    await ask(connection, path)
                    slowest, count = max(slowest, time.monotonic() - started), count + 1
                    if kind == "fresh":
                        connection[1].close()
                    peak = max(peak, resident())
            await asyncio.sleep(0.02)
        return slowest, await following, peak - before, count

    try:
        results.put(asyncio.run(run()))
    except Exception as error:
        results.put(repr(error))


async def judge(what, attack, expected):
    started = time.monotonic()
    try:
        seen = await attack
    except TimeoutError:
        seen = "OPEN"
    except ConnectionError:
        seen = "CLOSED"
    good = seen in expected.split(" | ")
    print(f"{'' if good else 'NOT '}{what}: {seen} after {time.monotonic() - started:.1f} s", flush=True)
    return good


async def fill(address):
    """12 MB of records, so that there are large answers."""
    for _ in range(12):
        reader, writer = await connect(address, source=BYSTANDER)
        writer.write(request("POST", "/v1/records", "Content-Length: 1000000", "Connection: close") + bytes(1_000_000))
        answer = await reader.read(1 << 16)
        if not answer.startswith(b"HTTP/1.1 201 "):
            sys.exit(f"an append was answered with {answer!r}")
        writer.close()


async def main():
    host, port = sys.argv[1].rsplit(":", 1)
    address, words = (host, int(port)), " ".join(sys.argv[3:])
    await fill(address)
    stop, results = multiprocessing.Event(), multiprocessing.Queue()
    bystander = multiprocessing.Process(target=watch, args=(address, int(sys.argv[2]), stop, results))
    bystander.start()
    await asyncio.sleep(0.3)
    rows = attacks(address)
    for row in rows:
        if words not in row[0]:
            row[1].close()
    good = await asyncio.gather(*[judge(*row) for row in rows if words in row[0]])
    stop.set()
    seen = await asyncio.to_thread(results.get, True, 30)
    if isinstance(seen, str):
        sys.exit(f"the bystander was not served: {seen}")
    slowest, longest, growth, count = seen
    print(f"{len(good)} attacks, {good.count(False)} not stopped; the slowest of {count} other requests took {slowest:.3f} s,"
          f" the stream paused for {longest:.3f} s; memory grew by {growth / (1 << 20):.1f} MiB")
    sys.exit(0 if all(good) and slowest < PATIENCE and longest < 2 * PATIENCE and growth < MEMORY else 1)


asyncio.run(main())
