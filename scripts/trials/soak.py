"""scripts/soak: a very long stream through one pipe: one digest at both ends, flat memory, a disk that rests."""

import argparse
import hashlib
import http.client
import os
import sys
import tempfile
import time
from concurrent.futures import Future, ProcessPoolExecutor
from pathlib import Path
from typing import Any

from benchlib import netns
from benchlib.relay import BrokenRun, Relay, our_command

ROOT = Path(__file__).resolve().parents[2]
GB = 10**9
MB = 10**6
PIECE = 4 << 20  # bytes
COMPLETE = b"[INFO] Transfer complete.\n"
ALLOWED = 8 * MB  # that resident memory may move
SAMPLE = 0.5  # seconds
HEADINGS = ("one stream", "seconds", "GB/s", "sha256", "RSS before", "most", "written to disk", "relay's CPU")


def send(port: int, size: int, chunked: bool) -> str:
    """Send so many bytes, of which no two pieces are equal; the digest of what was sent.

    Raises: BrokenRun unless the server says that all of it arrived.
    """
    piece, digest = bytearray(os.urandom(PIECE)), hashlib.sha256()
    connection = http.client.HTTPConnection("127.0.0.1", port)
    connection.putrequest("PUT", "/soak")
    connection.putheader(*(("Transfer-Encoding", "chunked") if chunked else ("Content-Length", str(size))))
    connection.endheaders()
    for number, begin in enumerate(range(0, size, PIECE)):
        piece[:8] = number.to_bytes(8, "big")
        part = memoryview(piece)[: size - begin]
        digest.update(part)
        if chunked:
            connection.send(b"%x\r\n" % len(part))
        connection.sock.sendall(part)
        if chunked:
            connection.send(b"\r\n")
    if chunked:
        connection.send(b"0\r\n\r\n")
    with connection.getresponse() as response:
        told = response.read()
    connection.close()
    if not told.endswith(COMPLETE):
        raise BrokenRun(f"the sender was told {told[-100:]!r}")
    return digest.hexdigest()


def receive(port: int) -> tuple[int, str]:
    """How many bytes came, and their digest.

    Raises: http.client.IncompleteRead when the stream was cut.
    """
    buffer, digest, size = memoryview(bytearray(PIECE)), hashlib.sha256(), 0
    connection = http.client.HTTPConnection("127.0.0.1", port)
    connection.request("GET", "/soak", headers={"Connection": "close"})
    with connection.getresponse() as response:
        while got := response.readinto(buffer):
            digest.update(buffer[:got])
            size += got
    connection.close()
    return size, digest.hexdigest()


def run(relay: Relay, size: int, chunked: bool) -> dict[str, Any]:
    """One stream through a fresh relay, and what was seen of it.

    Raises: BrokenRun when the ends differ.
    """
    relay.restart()
    before, written = relay.settled_rss(), relay.written()
    relay.forget_peak()
    began = time.monotonic()
    with ProcessPoolExecutor(2) as ends:
        receiver = ends.submit(receive, relay.port)
        sender = ends.submit(send, relay.port, size, chunked)
        most = watch(relay, sender, began, size)
        sent, (got, received) = sender.result(), receiver.result()
    if (got, received) != (size, sent):
        raise BrokenRun(f"{got} of {size} bytes came; {sent} was sent, {received} received")
    return {
        "seconds": time.monotonic() - began,
        "before": before,
        "most": max(most, relay.status("VmHWM")),
        "written": relay.written() - written,
        "cpu": relay.cpu(),
    }


def watch(relay: Relay, until: "Future[str]", began: float, size: int) -> int:
    """Look at the relay until the sender is done; the most resident bytes that were seen."""
    most = 0
    while not until.done():
        most = max(most, relay.status("VmRSS"))
        if sys.stderr.isatty():
            print(f"\r{time.monotonic() - began:.0f} s of a stream of {size / GB:g} GB", end="\r", file=sys.stderr)
        time.sleep(SAMPLE)
    return most


def options(argv: list[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="scripts/soak", description=__doc__)
    parser.add_argument("gigabytes", type=float, nargs="?", default=200, help="how long the stream is (default 200)")
    parser.add_argument("--chunked", action="store_true", help="without a Content-Length, in chunks of 4 MiB")
    return parser.parse_args(argv)


def main(argv: list[str] | None = None) -> int:
    args = options(argv)
    print(f"soak: {netns.isolate()}", flush=True)
    print(f"| {' | '.join(HEADINGS)} |\n{'| --- ' * len(HEADINGS)}|", flush=True)
    size = int(args.gigabytes * GB)
    with tempfile.TemporaryDirectory() as folder:
        relay = Relay("ours", our_command(), Path(folder) / "log", ROOT / "src")
        try:
            seen = run(relay, size, args.chunked)
        except (BrokenRun, OSError, http.client.HTTPException) as broken:
            print(f"soak: {broken!r}", file=sys.stderr)
            return 1
        finally:
            relay.stop()
    cells = [
        f"{args.gigabytes:g} GB, {'chunked' if args.chunked else 'Content-Length'}",
        f"{seen['seconds']:.0f}",
        f"{size / GB / seen['seconds']:.2f}",
        "equal",
        f"{seen['before'] / MB:.1f} MB",
        f"{seen['most'] / MB:.1f} MB",
        f"{seen['written']} B",
        f"{seen['cpu'] / size * GB:.3f} s/GB",
    ]
    print(f"| {' | '.join(cells)} |")
    return 0 if seen["most"] - seen["before"] < ALLOWED and seen["written"] == 0 else 1
