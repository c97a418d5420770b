"""The page that shows a transfer to a person (protocol E.1, Z.11): it reads the events and status of its own URL."""

from html import escape
from importlib.resources import files

_PAGE = files("hoody_pipe.pages").joinpath("dashboard.html").read_text("utf-8")


def render(name: str, nonce: str) -> str:
    """The page for the pipe `name`; only what carries the nonce runs in it (protocol F.6)."""
    return _PAGE.replace("{nonce}", nonce).replace("{name}", escape(name))


def policy(nonce: str) -> str:
    """The Content-Security-Policy: nothing from elsewhere, nothing but this page's own script and style."""
    return (
        f"default-src 'none'; script-src 'nonce-{nonce}'; style-src 'nonce-{nonce}'; connect-src 'self'; "
        "base-uri 'none'; form-action 'none'"
    )
