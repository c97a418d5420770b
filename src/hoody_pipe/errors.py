"""Everything that can go wrong, as one tree.

PipeError
├── Refused        a request that is answered with a status and one line
├── Gone           a peer that left while bytes moved
│   ├── SenderGone
│   └── ReceiverGone
├── BadFraming     a sender whose chunked body breaks RFC 9112, section 7.1
├── Unsupported    the kernel will not do this here; take the other way
├── ConfigError    a setting that cannot be used
├── Unreachable    a server that a client cannot talk to
└── Broken         a response that ended otherwise than its framing says
"""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Refusal:
    """A final answer to one request: an HTTP status and the one line that explains it."""

    status: int
    line: str
    allow: str | None = None


class PipeError(Exception):
    """The root of every error of this project."""


class Refused(PipeError):
    """A request that gets a refusal instead of a pipe."""

    def __init__(self, status: int, line: str, allow: str | None = None) -> None:
        super().__init__(line)
        self.refusal = Refusal(status, line, allow)


class Gone(PipeError):
    """A peer that left before the end."""


class SenderGone(Gone):
    """The sender's body ended before its framing said so."""


class ReceiverGone(Gone):
    """The receiver's connection takes no more bytes."""


class BadFraming(PipeError):
    """The sender's chunked framing is malformed."""


class Unsupported(PipeError):
    """The kernel refuses this way of moving bytes."""


class ConfigError(PipeError):
    """A setting that cannot be used, said in one line."""


class Unreachable(PipeError):
    """There is no server to talk to, said in one line."""


class Broken(PipeError):
    """A response that ended otherwise than its framing says, or a connection that takes no more."""
