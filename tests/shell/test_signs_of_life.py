"""Signs of life and the stream they are followed by."""

import asyncio
import socket
from typing import cast

from blackbox.rawhttp import request
from hoody_pipe.config import Config
from hoody_pipe.shell.connection import Connection
from hoody_pipe.shell.deadlines import Deadlines
from hoody_pipe.shell.parties import APART, Receiver
from hoody_pipe.shell.poller import Poller
from hoody_pipe.shell.relay import Relay


def test_a_stream_that_begins_right_after_a_sign_of_life_keeps_its_distance() -> None:
    """HAProxy 2.6 cleanly ends a stream whose head it reads together with an interim response."""

    async def main() -> tuple[bytes, bytes, float]:
        loop = asyncio.get_running_loop()
        poller, deadlines = Poller(loop), Deadlines(loop)
        relay = Relay(Config(), poller, deadlines)
        (near, receiving), (far, sending) = socket.socketpair(), socket.socketpair()
        for end in (near, far, receiving, sending):
            end.setblocking(False)
        waiting = Connection(near, relay)
        Connection(far, relay)
        await loop.sock_sendall(receiving, request("GET", "/x", "Via: 1.1 proxy"))
        for _ in range(100):  # turns of the loop; a few are needed
            await asyncio.sleep(0)
        cast("Receiver", waiting.occupant)._beat()
        sending.send(request("PUT", "/x", body=b"0123456789"))
        got, began = b"", loop.time()
        async with asyncio.timeout(10):
            sign = await loop.sock_recv(receiving, 4096)
            while not got.endswith(b"0123456789"):
                got += await loop.sock_recv(receiving, 4096)
        took = loop.time() - began
        relay.close()
        deadlines.close()
        poller.close()
        receiving.close()
        sending.close()
        return sign, got, took

    sign, got, took = asyncio.run(main())
    head, body = got.split(b"\r\n\r\n")
    assert sign == b"HTTP/1.1 102 Processing\r\n\r\n"
    assert head.startswith(b"HTTP/1.1 200 OK\r\n")
    assert body == b"0123456789"
    assert took > APART - 0.05
