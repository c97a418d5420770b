"""A real Chromium, asked over the DevTools protocol (https://chromedevtools.github.io/devtools-protocol/)."""

import fcntl
import json
import os
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from io import BufferedReader
from pathlib import Path
from typing import IO, Any

from blackbox.harness import eventually

FLAGS = (
    "--headless=new",
    "--no-sandbox",
    "--disable-gpu",
    "--no-proxy-server",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--remote-debugging-pipe",
)


class Page:
    """One tab."""

    def __init__(self, to_browser: IO[bytes], from_browser: BufferedReader) -> None:
        self._to = to_browser
        self._from = from_browser
        self._buffer = b""
        self._turn = 0
        self._session: str | None = None
        target = self._call("Target.createTarget", url="about:blank")["targetId"]
        self._session = self._call("Target.attachToTarget", targetId=target, flatten=True)["sessionId"]

    def open(self, url: str) -> None:
        """Go to a URL."""
        self._call("Page.navigate", url=url)

    def run(self, script: str) -> Any:
        """What an expression is worth in the page."""
        return self._call("Runtime.evaluate", expression=script, returnByValue=True)["result"].get("value")

    @property
    def text(self) -> str:
        """What a person reads."""
        return str(self.run("document.body ? document.body.innerText : ''"))

    def shows(self, text: str) -> bool:
        """Whether a person comes to read this."""
        return eventually(lambda: text in self.text)

    def _call(self, method: str, **params: object) -> Any:
        self._turn += 1
        message: dict[str, object] = {"id": self._turn, "method": method, "params": params}
        if self._session is not None:
            message["sessionId"] = self._session
        self._to.write(json.dumps(message).encode() + b"\0")
        while True:
            answer = json.loads(self._next())
            if answer.get("id") == self._turn:
                assert "error" not in answer, answer
                return answer["result"]

    def _next(self) -> bytes:
        while b"\0" not in self._buffer:
            piece = self._from.read1(65536)
            assert piece, "the browser has ended"
            self._buffer += piece
        message, _, self._buffer = self._buffer.partition(b"\0")
        return message


@contextmanager
def chromium(folder: Path) -> Iterator[Page]:
    """A browser whose profile is in `folder`; it reads descriptor 3 and writes descriptor 4."""
    (its_input, to_browser), (from_browser, its_output) = os.pipe(), os.pipe()
    high = [fcntl.fcntl(end, fcntl.F_DUPFD_CLOEXEC, 10) for end in (its_input, its_output)]  # clear of 3 and 4

    def place() -> None:
        os.dup2(high[0], 3)
        os.dup2(high[1], 4)

    quiet = subprocess.DEVNULL
    process = subprocess.Popen(
        ["chromium", *FLAGS, f"--user-data-dir={folder}"],
        stdin=quiet,
        stdout=quiet,
        stderr=quiet,
        pass_fds=(3, 4),
        preexec_fn=place,
    )
    for end in (its_input, its_output, *high):
        os.close(end)
    with os.fdopen(to_browser, "wb", 0) as writer, os.fdopen(from_browser, "rb") as reader, process:
        try:
            yield Page(writer, reader)
        finally:
            process.terminate()
