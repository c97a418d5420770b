"""Memory of a fresh relay: at rest, and with many receivers waiting."""

import resource
import subprocess

from benchlib.loader import Loader, parse
from benchlib.relay import BrokenRun, Relay


def base(relay: Relay) -> float:
    """MB resident after the start."""
    relay.restart()
    return relay.settled_rss() / 1e6


def waiting(relay: Relay, loader: Loader, count: int) -> float:
    """KB resident for each waiting receiver, beyond the base."""
    room = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
    if room != resource.RLIM_INFINITY and room < count + 200:
        count = room - 200
    if count < 1:
        raise BrokenRun("no file descriptors left to wait with")
    relay.restart()
    before = relay.settled_rss()
    command = loader.command("wait", "-p", relay.port, "-n", count)
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as process:
        try:
            assert process.stdin
            assert process.stdout
            parse(process.stdout.readline())
            after = relay.settled_rss()
            if process.poll() is not None:
                raise BrokenRun("the waiting receivers were dropped")
        finally:
            process.kill()
    relay.restart()
    return (after - before) / 1000 / count
