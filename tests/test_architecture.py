"""Which part of the project may import which: the arrows of the design, one way only."""

import ast
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

ROOT = "hoody_pipe"
SOURCE = Path(__file__).parents[1] / "src" / ROOT

# Standard modules that hold data and rules and touch nothing outside the process: no clock, no chance, no file.
PURE = frozenset(
    {
        "abc",
        "array",
        "base64",
        "binascii",
        "bisect",
        "codecs",
        "collections",
        "contextlib",
        "copy",
        "dataclasses",
        "decimal",
    }
    | {
        "email",
        "enum",
        "fractions",
        "functools",
        "hashlib",
        "heapq",
        "html",
        "http",
        "http.cookies",
        "ipaddress",
        "itertools",
    }
    | {"json", "math", "operator", "re", "string", "struct", "textwrap", "types", "typing", "unicodedata"}
    | {"urllib.parse", "wsgiref.handlers", "zlib"}
)
HTTP = frozenset(["email", "http", "urllib", "wsgiref", "html", "socketserver", "xmlrpc"])
ASYNC = frozenset(["asyncio"])
CTYPES = frozenset(["ctypes"])


@dataclass(frozen=True)
class Rule:
    """What the modules of one part may import."""

    project: tuple[str, ...] = ()  # parts of the project besides its own
    foreign: tuple[str, ...] = ()  # packages that are not Python's own
    standard: frozenset[str] | None = None  # these alone of Python's own; None: any but the barred
    barred: frozenset[str] = CTYPES


# The most particular name counts: `cli.serve` has a rule of its own within `cli`.
# The package itself imports nothing, so that every part may read its __version__.
RULES = {
    "": Rule(),
    "errors": Rule(standard=PURE),
    "core": Rule(("errors",), standard=PURE),
    "wire": Rule(("errors",), ("httptools", "python_multipart"), standard=PURE),
    "plane": Rule(("errors",), barred=HTTP | ASYNC),
    "pages": Rule(),
    "config": Rule(("core.limits", "core.ledger", "errors")),
    "shell": Rule(("", "core", "wire", "plane", "pages", "errors", "config")),
    "shell.metrics": Rule(("", "core", "shell"), ("prometheus_client",)),
    "client": Rule(("", "wire", "core", "errors"), ("h11", "h2")),
    "doctor": Rule(("client", "wire", "core", "errors")),
    "cli": Rule(("", "config", "errors", "client", "doctor"), ("click",)),
    "cli.serve": Rule(("", "config", "errors", "client", "cli", "app"), ("click",)),
    "app": Rule(("", "core", "wire", "plane", "pages", "errors", "config", "shell", "client"), ("uvloop",)),
}


def offences(name: str, source: str) -> list[str]:
    """The imports that a module's rule does not allow; `name` is relative to the package."""
    key = _rule_of(name)
    if key is None:
        return [f"{name} has no rule"]
    return [f"{name} imports {target}" for target in _imports(source) if not _allowed(key, target)]


def _rule_of(name: str) -> str | None:
    parts = name.split(".")
    candidates = (".".join(parts[:length]) for length in range(len(parts), 0, -1))
    return next((key for key in candidates if key in RULES), None)


def _allowed(key: str, target: str) -> bool:
    rule = RULES[key]
    if target == ROOT or target.startswith(ROOT + "."):
        target = target.removeprefix(ROOT).removeprefix(".")
        return any(_within(target, part) for part in (key, *rule.project))
    if target.split(".")[0] not in sys.stdlib_module_names:
        return any(_within(target, package) for package in rule.foreign)
    if rule.standard is not None:
        return _listed(target, rule.standard)
    return not any(_within(target, module) for module in rule.barred)


def _within(target: str, part: str) -> bool:
    """The empty part is the package itself, without what is in it."""
    return target == part or (part != "" and target.startswith(part + "."))


def _listed(target: str, allowed: frozenset[str]) -> bool:
    """Submodules come with their package, save in those that also hold servers and clients."""
    if target.split(".")[0] in HTTP - {"email", "html"}:
        return target in allowed
    return any(_within(target, module) for module in allowed)


def _imports(source: str) -> Iterator[str]:
    """Every module that a source names, wherever in it the import stands; a relative one keeps its dots."""
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            yield from _from("." * node.level + (node.module or ""), node.names)


def _from(base: str, names: list[ast.alias]) -> Iterator[str]:
    """`from package import module` names the module, `from module import value` the module that holds it."""
    for name in names:
        module = f"{base}.{name.name}"
        yield module if _exists(module) else base


def _exists(module: str) -> bool:
    path = SOURCE.parent.joinpath(*module.split("."))
    return module.startswith(ROOT) and (path.is_dir() or path.with_suffix(".py").is_file())


def _name_of(path: Path) -> str:
    parts = path.relative_to(SOURCE).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


MODULES = {_name_of(path): path for path in sorted(SOURCE.rglob("*.py"))}


@pytest.mark.parametrize("name", MODULES)
def test_a_module_imports_only_what_its_rule_allows(name: str) -> None:
    """The whole source tree, one module at a time."""
    assert offences(name, MODULES[name].read_text()) == []


@pytest.mark.parametrize(
    ("name", "source"),
    [
        ("core.pipe", "from hoody_pipe.errors import Refused"),
        ("core.pipe", "from hoody_pipe.core import messages"),
        ("core.forwarding", "from urllib.parse import quote"),
        ("wire.head", "import httptools"),
        ("wire.response", "from http import HTTPStatus"),
        ("plane.kpipe", "import ctypes, os, socket, select"),
        ("config", "from hoody_pipe.core.limits import Limits"),
        ("shell.relay", "from hoody_pipe import __version__"),
        ("shell.relay", "from hoody_pipe.pages import reserved"),
        ("cli.serve", "from hoody_pipe import app"),
        ("app", "import uvloop"),
    ],
)
def test_an_import_along_an_arrow_is_allowed(name: str, source: str) -> None:
    """The reverse of the next test, so that a check that refuses everything is noticed."""
    assert offences(name, source) == []


@pytest.mark.parametrize(
    ("name", "source", "target"),
    [
        ("core.pipe", "import socket", "socket"),
        ("core.pipe", "import os", "os"),
        ("core.pipe", "import time", "time"),
        ("core.pipe", "import asyncio", "asyncio"),
        ("core.pipe", "import select", "select"),
        ("core.pipe", "import threading", "threading"),
        ("core.pipe", "import random", "random"),
        ("core.pipe", "import importlib", "importlib"),
        ("core.pipe", "from urllib import request", "urllib"),
        ("core.pipe", "from urllib.request import urlopen", "urllib.request"),
        ("core.pipe", "from http.client import HTTPConnection", "http.client"),
        ("core.pipe", "import httptools", "httptools"),
        ("core.pipe", "from hoody_pipe.wire import head", "hoody_pipe.wire.head"),
        ("core.pipe", "from hoody_pipe import shell", "hoody_pipe.shell"),
        ("core.pipe", "from hoody_pipe import __version__", "hoody_pipe"),
        ("core.pipe", "from hoody_pipe.config import Config", "hoody_pipe.config"),
        ("wire.head", "import socket", "socket"),
        ("wire.head", "import asyncio", "asyncio"),
        ("wire.head", "import os", "os"),
        ("wire.head", "from hoody_pipe.core import names", "hoody_pipe.core.names"),
        ("wire.head", "import click", "click"),
        ("plane.splice", "import asyncio", "asyncio"),
        ("plane.splice", "from http import HTTPStatus", "http"),
        ("plane.splice", "import httptools", "httptools"),
        ("plane.splice", "from hoody_pipe.core.limits import Limits", "hoody_pipe.core.limits"),
        ("pages.reserved", "from hoody_pipe.errors import Refused", "hoody_pipe.errors"),
        ("pages.reserved", "from hoody_pipe import __version__", "hoody_pipe"),
        ("shell.server", "import ctypes", "ctypes"),
        ("shell.server", "from ctypes.util import find_library", "ctypes.util"),
        ("shell.server", "from hoody_pipe import app", "hoody_pipe.app"),
        ("shell.server", "from hoody_pipe.cli import main", "hoody_pipe.cli"),
        ("shell.server", "import uvloop", "uvloop"),
        ("client.send", "from hoody_pipe.shell.relay import Relay", "hoody_pipe.shell.relay"),
        ("client.send", "from hoody_pipe.plane import splice", "hoody_pipe.plane.splice"),
        ("cli", "from hoody_pipe import app", "hoody_pipe.app"),
        ("cli.send", "import hoody_pipe.app", "hoody_pipe.app"),
        ("cli.serve", "from hoody_pipe.shell import server", "hoody_pipe.shell.server"),
        ("app", "import ctypes", "ctypes"),
        ("app", "from hoody_pipe.cli import main", "hoody_pipe.cli"),
        ("config", "from hoody_pipe.core import names", "hoody_pipe.core.names"),
        ("config", "from hoody_pipe.core import limits, names", "hoody_pipe.core.names"),
        ("errors", "from hoody_pipe.core import names", "hoody_pipe.core.names"),
        ("errors", "import socket", "socket"),
        ("", "from hoody_pipe import app", "hoody_pipe.app"),
    ],
)
def test_an_import_against_an_arrow_is_found(name: str, source: str, target: str) -> None:
    """Every rule is seen to fail."""
    assert offences(name, source) == [f"{name} imports {target}"]


@pytest.mark.parametrize(
    "source",
    [
        "def now():\n    import time\n    return time.time()",
        "from typing import TYPE_CHECKING\nif TYPE_CHECKING:\n    import time",
        "try:\n    import time as clock\nexcept ImportError:\n    pass",
    ],
)
def test_an_import_is_found_wherever_it_stands(source: str) -> None:
    """In a function, for types alone, under another name."""
    assert offences("core.pipe", source) == ["core.pipe imports time"]


def test_a_relative_import_is_refused() -> None:
    """Imports name their module in full, so that an arrow can be read off one line."""
    assert offences("core.pipe", "from ..wire import head") == ["core.pipe imports ..wire"]
    assert offences("core.pipe", "from . import names") == ["core.pipe imports ."]


def test_a_part_without_a_rule_is_refused() -> None:
    """A new package starts with a row in the table."""
    assert offences("elsewhere.module", "") == ["elsewhere.module has no rule"]
