"""Connections from addresses of the loopback network, by which a node tells who is who; with TLS where that is asked for."""

import argparse
import asyncio
import logging
import socket
import ssl

# The bystander's, the attackers', those of whoever comes in numbers.
BYSTANDER, ATTACKER, CROWD, SENDERS = "127.0.0.1", "127.0.0.2", "127.0.0.3", "127.0.0.4"


# With what connections are made; None is without TLS.
security = None


def secure(authority, certificate=None, key=None):
    """All further connections speak TLS, to those whom this authority vouches for; each argument names a file."""
    global security
    security = ssl.create_default_context(cafile=authority)
    security.set_alpn_protocols(["h2"])
    if certificate:
        security.load_cert_chain(certificate, key)
    # It warns of each write behind the end of a connection.
    logging.getLogger("asyncio").setLevel(logging.ERROR)


def arguments(description):
    """The words of the command line, behind its options: those are about TLS, and in force then."""
    parser = argparse.ArgumentParser(description=description, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--ca", metavar="FILE", help="speak TLS, and trust this authority")
    parser.add_argument("--cert", metavar="FILE", help="the certificate to show, as the peer port wants one")
    parser.add_argument("--key", metavar="FILE", help="its key")
    parser.add_argument("words", nargs="*")
    options = parser.parse_intermixed_args()
    if options.ca:
        secure(options.ca, options.cert, options.key)
    return options.words


async def connect(address, source=BYSTANDER, buffer=None):
    """A reader and a writer; `buffer` bounds what the kernel takes for somebody who reads nothing."""
    ours = socket.socket()
    ours.setblocking(False)
    if buffer:
        # It holds for connections that are made behind it.
        ours.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, buffer)
    ours.bind((source, 0))
    await asyncio.get_running_loop().sock_connect(ours, address)
    if security:
        return await asyncio.open_connection(sock=ours, ssl=security, server_hostname=address[0])
    return await asyncio.open_connection(sock=ours)


def address(text):
    host, port = text.rsplit(":", 1)
    return host, int(port)
