"""A spectator: reads the events of `?progress` from a raw connection."""

import json
from dataclasses import dataclass
from typing import Any

from blackbox.harness import Clients
from blackbox.rawhttp import Head, Raw, request


@dataclass(frozen=True)
class Happening:
    """One event, or a comment when it has no name."""

    name: str
    data: dict[str, Any]


class Spectator:
    """Watches one name over HTTP/1.1."""

    def __init__(
        self, clients: Clients, name: str, *fields: str, query: str = "progress", receive_buffer: int | None = None
    ) -> None:
        self.raw: Raw = clients.raw(request("GET", f"/{name}?{query}", *fields), receive_buffer)
        self.head: Head = self.raw.head()

    def next(self) -> Happening:
        """The next event; each is one chunk."""
        size = int(self.raw.until(b"\r\n"), 16)
        text = self.raw.exactly(size + 2)[:-2].decode()
        assert text.endswith("\n\n")
        lines = text[:-2].split("\n")
        if lines == [":keepalive"]:
            return Happening("", {})
        assert [line.partition(": ")[0] for line in lines] == ["event", "data"], text
        return Happening(lines[0].removeprefix("event: "), json.loads(lines[1].removeprefix("data: ")))

    def until(self, name: str, **wanted: object) -> Happening:
        """The first event of this name with these values."""
        while True:
            happening = self.next()
            if happening.name == name and all(happening.data[key] == value for key, value in wanted.items()):
                return happening

    def rest(self) -> list[Happening]:
        """All events up to `done`, and then the clean end of the stream."""
        seen = [self.next()]
        while seen[-1].name != "done":
            seen.append(self.next())
        assert self.raw.exactly(5) == b"0\r\n\r\n"
        return seen


def status(clients: Clients, name: str, query: str = "", method: str = "GET") -> dict[str, Any]:
    """The status of a name."""
    answer = clients.raw(request(method, f"/{name}?status{query}")).answer()
    assert answer.status == 200, answer
    report: dict[str, Any] = json.loads(answer.body)
    return report
