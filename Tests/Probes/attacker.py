"""What attacks on a node's listeners have in common: how bytes are sent, what a bystander sees, and how both are judged."""

import asyncio
import itertools
import multiprocessing
import socket
import sys
import time

import loopback

MEMORY, PATIENCE = 64 << 20, 1.0
# Beside that, what TLS takes for as many connections as an address may have.
TLS_MEMORY = 256 * (64 << 10)


async def pour(writer, make, ending=None, seconds=10):
    """Sends make(0), make(1), ... as fast as it goes, until `ending` is done, or the node ends the connection."""
    try:
        async with asyncio.timeout(seconds):
            for number in itertools.count():
                writer.write(make(number))
                await writer.drain()
                await asyncio.sleep(0)
                if ending and ending.done():
                    break
    except ConnectionError:
        pass


async def trickle(writer, make, ending, pause):
    """Sends make(0), make(1), ... with pauses, as long."""
    try:
        for number in itertools.count():
            if ending.done():
                break
            writer.write(make(number))
            await writer.drain()
            await asyncio.wait([ending], timeout=pause)
    except ConnectionError:
        pass


async def send_all(writer, pieces):
    """Sends these, until the node ends the connection."""
    try:
        for piece in pieces:
            writer.write(piece)
            await writer.drain()
    except ConnectionError:
        pass


async def is_taken_by_nobody(writer, octets, seconds):
    """Whether the node ends a connection on which nothing is read, within this time; `octets` mean nothing to it."""
    ending = time.monotonic() + seconds
    ours = writer.get_extra_info("socket")
    try:
        # By TLS, what is unread stands before the end of the connection: only the socket knows of that.
        while time.monotonic() < ending and is_established(ours):
            await asyncio.sleep(0.5)
            # A socket that the node has closed with data unread answers writes with a reset.
            writer.write(octets)
            await writer.drain()
    except ConnectionError:
        return True
    return not is_established(ours)


def is_established(ours):
    """Whether neither side has closed the connection of this socket (the first octet of Linux's tcp_info)."""
    return ours.fileno() >= 0 and ours.getsockopt(socket.IPPROTO_TCP, socket.TCP_INFO, 1)[0] == 1


def is_expected(seen, expected):
    """`expected` has " | " between what is as good; None takes all but what is open, and none cut off of many."""
    if expected is None:
        return seen != "OPEN" and not seen.startswith("0 of")
    # A GOAWAY that the node's reset of the connection overtakes is not seen.
    return seen in expected.split(" | ") or (seen == "CLOSED" and expected.startswith("GOAWAY"))


async def judge(what, attack, expected):
    started = time.monotonic()
    try:
        seen = await attack
    except TimeoutError:
        seen = "OPEN"
    except ConnectionError:
        seen = "CLOSED"
    good = is_expected(seen, expected)
    print(f"{'' if good else 'NOT '}{what}: {seen} after {time.monotonic() - started:.1f} s", flush=True)
    return good


def chosen(rows, words):
    """Those that have the words in their names; (what, what it does, how it has to end)."""
    for row in rows:
        if words not in row[0]:
            row[1].close()
    return [row for row in rows if words in row[0]]


class Watch:
    """What a bystander sees: how long it waits, and how much memory the node has."""

    def __init__(self, pid):
        self.pid = pid
        self.count = 0
        # What it waits for: the longest time, and the longest that is good.
        self.waits = {"a request": [0.0, PATIENCE]}
        self.before = self.peak = self.resident()

    def resident(self):
        with open(f"/proc/{self.pid}/statm") as file:
            return int(file.read().split()[1]) * 4_096

    def waited(self, seconds, what="a request", most=PATIENCE):
        longest = self.waits.setdefault(what, [0.0, most])
        longest[0] = max(longest[0], seconds)
        self.peak = max(self.peak, self.resident())

    async def time(self, request):
        started = time.monotonic()
        await request
        self.count += 1
        self.waited(time.monotonic() - started)

    @property
    def is_good(self):
        memory = MEMORY + (TLS_MEMORY if loopback.security else 0)
        return all(seconds < most for seconds, most in self.waits.values()) and self.peak - self.before < memory

    def __str__(self):
        waits = ", ".join(f"{what} {seconds:.3f} s" for what, (seconds, _) in self.waits.items())
        return f"of {self.count} requests of others, the longest waits: {waits}; memory grew by {self.growth:.1f} MiB"

    @property
    def growth(self):
        return (self.peak - self.before) / (1 << 20)


def _watch(ask, pid, stop, results):
    watch = Watch(pid)
    try:
        asyncio.run(ask(watch, stop))
        results.put(watch)
    except Exception as error:
        results.put(repr(error))


async def attacked(ask, pid, attacks):
    """Attacks while a process of its own asks, and ends this one with what came of it.

    ask(watch, stop) goes on until the event `stop` is set; `attacks` tells of each attack whether it was stopped.
    """
    # By fork: it has what this one was told, TLS above all.
    forking = multiprocessing.get_context("fork")
    stop, results = forking.Event(), forking.Queue()
    forking.Process(target=_watch, args=(ask, pid, stop, results), daemon=True).start()
    await asyncio.sleep(0.3)
    good = await attacks
    stop.set()
    seen = await asyncio.to_thread(results.get, True, 30)
    if isinstance(seen, str):
        sys.exit(f"the bystander was not served: {seen}")
    print(f"{len(good)} attacks, {good.count(False)} not stopped; {seen}")
    sys.exit(0 if all(good) and seen.is_good else 1)
