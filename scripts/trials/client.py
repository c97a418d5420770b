"""Just enough of an HTTP client: one request on one connection, its response read as its framing says."""

import asyncio
from collections.abc import AsyncIterator
from dataclasses import dataclass

from benchlib.relay import BrokenRun

LIMIT = 256 * 1024  # bytes that a reader holds


@dataclass
class Exchange:
    """A connection on which a request was sent."""

    reader: asyncio.StreamReader
    writer: asyncio.StreamWriter

    async def head(self) -> dict[str, str]:
        """The fields of the response's head, names in lower case.

        Raises: BrokenRun when it is not a 200.
        """
        first, *lines = (await self.reader.readuntil(b"\r\n\r\n")).decode("latin-1").split("\r\n")
        if " 200 " not in first:
            raise BrokenRun(f"answered {first!r} {(await self.reader.read(500))!r}")
        return {name.lower(): value.strip() for name, _, value in (line.partition(":") for line in lines if line)}

    async def body(self) -> AsyncIterator[bytes]:
        """The body's pieces as they come.

        Raises: asyncio.IncompleteReadError when it ends early.
        """
        fields = await self.head()
        if "content-length" in fields:
            async for piece in self._exactly(int(fields["content-length"])):
                yield piece
            return
        while size := int((await self.reader.readuntil(b"\r\n")).partition(b";")[0], 16):
            async for piece in self._exactly(size):
                yield piece
            await self.reader.readexactly(2)
        await self.reader.readexactly(2)

    async def _exactly(self, size: int) -> AsyncIterator[bytes]:
        while size:
            piece = await self.reader.read(min(size, LIMIT))
            if not piece:
                raise asyncio.IncompleteReadError(b"", size)
            size -= len(piece)
            yield piece

    def close(self) -> None:
        self.writer.close()


async def ask(port: int, method: str, target: str, *fields: str) -> Exchange:
    """Connect and send one request head."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port, limit=LIMIT)
    lines = [f"{method} /{target} HTTP/1.1", "Host: trial", "Connection: close", *fields, "", ""]
    writer.write("\r\n".join(lines).encode())
    return Exchange(reader, writer)


async def last_line(exchange: Exchange) -> str:
    """A sender's last status line, once its response has ended cleanly."""
    told = b"".join([piece async for piece in exchange.body()])
    return told.decode().splitlines()[-1]
