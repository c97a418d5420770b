"""The OpenAPI document says what the server does: neither more nor less."""

import json
from collections.abc import Iterator
from typing import Any

import pytest
import requests
import schemathesis
from hypothesis import HealthCheck, given, settings
from schemathesis.checks import not_a_server_error
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    response_schema_conformance,
    status_code_conformance,
)

from blackbox.harness import Clients, Server
from blackbox.rawhttp import request
from hoody_pipe.core import admission, params
from hoody_pipe.core.limits import Limits
from hoody_pipe.errors import Refused

PATH = "/api/v1/pipe/openapi.json"
METHODS = ("get", "head", "put", "post", "options", "delete", "patch")
LATER = {"live", "ws", "video", "share", "receive"}  # answered, but not there yet


# beyond the protocol: the OpenAPI document


@pytest.fixture(scope="module")
def impatient() -> Iterator[Server]:
    """A server on which nobody waits for long."""
    server = Server("--wait", "1", "--max-wait", "1", "--max-receivers", "2").listening()
    yield server
    server.close()
    assert "Traceback" not in server.log, server.log


@pytest.fixture(scope="module")
def document(impatient: Server) -> dict[str, Any]:
    """What that server says of itself."""
    found: dict[str, Any] = requests.get(impatient.url + PATH, timeout=10).json()
    return found


@pytest.fixture(scope="module")
def api(impatient: Server) -> Any:
    return schemathesis.openapi.from_url(impatient.url + PATH)


OPERATIONS = [
    *[("/{name}", method) for method in ("put", "post", "get", "head", "options")],
    *[
        (path, method)
        for path in ("/help", "/health", "/metrics", "/openapi.json")
        for method in ("get", "head", "options")
    ],
]
MADE_UP = settings(deadline=None, suppress_health_check=list(HealthCheck), derandomize=True, database=None)
CHECKS = [not_a_server_error, status_code_conformance, content_type_conformance, response_schema_conformance]


@pytest.mark.parametrize(("path", "method"), OPERATIONS)
def test_whatever_is_asked_the_answer_is_as_documented(api: Any, path: str, method: str) -> None:
    """Made-up requests; only a broken end, which is how a failed upload has to look, is no answer to be checked."""
    many = 12 if path == "/{name}" else 2

    @settings(
        max_examples=many, deadline=None, suppress_health_check=list(HealthCheck), derandomize=True, database=None
    )
    @given(case=api[path][method].as_strategy())
    def ask(case: Any) -> None:
        case.query.pop("progress", None)  # has no end while nothing happens
        try:
            response = case.call(timeout=20)
        except requests.exceptions.ChunkedEncodingError:
            return
        case.validate_response(response, checks=CHECKS)

    ask()


def test_every_operation_of_the_document_was_asked(document: dict[str, Any]) -> None:
    documented = [(path, method) for path, operations in document["paths"].items() for method in operations]
    assert sorted(documented) == sorted(OPERATIONS)


def test_every_method_that_is_documented_is_served_and_no_other(clients: Clients, document: dict[str, Any]) -> None:
    for path, operations in document["paths"].items():
        for method in METHODS:
            target = "/api/v1/pipe" + path.replace("{name}", "openapi-methods") + "?status&wait=1"
            body = b"" if method in ("put", "post", "patch") else None
            raw = clients.raw(request(method.upper(), target, body=body))
            refused = raw.head().status in ((405,) if path == "/{name}" else (400, 405))
            assert refused != (method in operations), (path, method)
            raw.close()


class Noticing(params.Params):
    """Remembers which keys were asked for."""

    asked: set[str]

    def get(self, key: str, default: Any = None) -> Any:
        Noticing.asked.add(key)
        return super().get(key, default)

    def __contains__(self, key: object) -> bool:
        Noticing.asked.add(str(key))
        return super().__contains__(key)


@pytest.mark.parametrize("method", ["put", "post", "get", "head"])
def test_every_parameter_that_is_looked_at_is_documented_and_no_other(
    document: dict[str, Any], method: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    Noticing.asked = set()
    monkeypatch.setattr(admission, "Params", Noticing)
    for query in ("?_", "?status&_", "?status&transfer=x"):
        try:
            intent = admission.admit(method.upper(), "/x" + query, {}, Limits())
        except Refused:
            continue
        if isinstance(intent, admission.Receive):
            admission.admit("PUT", "/x", {}, Limits()).forwarded.fields_for(intent.params, "/x")  # type: ignore[union-attr]
    listed = document["paths"]["/{name}"][method]["parameters"]
    documented = {parameter["name"] for parameter in listed if parameter["in"] == "query"}
    assert documented == Noticing.asked - LATER - {"ws"} - ({"status"} if method in ("put", "post") else set())


def test_the_bounds_are_those_of_the_server(document: dict[str, Any]) -> None:
    bounds = {
        parameter["name"]: parameter["schema"].get("maximum")
        for parameter in document["paths"]["/{name}"]["put"]["parameters"]
    }
    assert (bounds["n"], bounds["wait"]) == (2, 1)


def test_the_document_is_one_of_openapi_3_1_and_names_the_url_that_was_asked(clients: Clients) -> None:
    answer = clients.raw(request("GET", PATH, "X-Forwarded-Proto: https")).answer()
    assert answer.fields["content-type"] == "application/json"
    found = json.loads(answer.body)
    assert (found["openapi"], found["servers"]) == ("3.1.0", [{"url": "https://pipe.example/api/v1/pipe"}])
