"""Connections from addresses of the loopback network, by which a node tells who is who."""

import asyncio
import socket

# The bystander's, the attackers', those of whoever comes in numbers.
BYSTANDER, ATTACKER, CROWD, SENDERS = "127.0.0.1", "127.0.0.2", "127.0.0.3", "127.0.0.4"


async def connect(address, source=BYSTANDER, buffer=None):
    """A reader and a writer; `buffer` bounds what the kernel takes for somebody who reads nothing."""
    ours = socket.socket()
    ours.setblocking(False)
    if buffer:
        # It holds for connections that are made behind it.
        ours.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, buffer)
    ours.bind((source, 0))
    await asyncio.get_running_loop().sock_connect(ours, address)
    return await asyncio.open_connection(sock=ours)


def address(text):
    host, port = text.rsplit(":", 1)
    return host, int(port)
