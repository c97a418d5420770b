"""The API as an OpenAPI 3.1 document (https://spec.openapis.org/oas/v3.1.0)."""

from collections.abc import Mapping
from dataclasses import dataclass

Object = dict[str, object]

_FLAG = {"type": "string", "enum": ["", "true", "yes", "1", "false", "no", "0"]}
_SIZE = {"type": "string", "pattern": "^[0-9]{1,18}(\\.[0-9]{1,9})?([KMGTPE]i?)?B?$"}
_TRANSFER = {"type": "string", "pattern": "^[A-Za-z0-9_-]{16,64}$"}


def _query(name: str, text: str, schema: Mapping[str, object]) -> Object:
    return {"name": name, "in": "query", "description": text, "schema": schema, "allowEmptyValue": schema is _FLAG}


@dataclass(frozen=True)
class Bounds:
    """What a server allows: receivers, seconds, characters."""

    receivers: int = 256
    wait: int = 3600
    name: int = 1024


def _name(bounds: Bounds) -> Object:
    return {
        "name": "name",
        "in": "path",
        "required": True,
        "description": "The pipe's name as sent, percent-encoded; slashes are part of it.",
        "schema": {"type": "string", "minLength": 1, "maxLength": bounds.name},
    }


def _shared(bounds: Bounds) -> list[Object]:
    """What both sides of a pipe may say."""
    count = {"type": "integer", "minimum": 1, "maximum": bounds.receivers}
    seconds = {"type": "integer", "minimum": 1, "maximum": bounds.wait}
    return [
        _query("n", "How many receivers; everybody says the same.", count),
        _query("wait", "How long to wait for the others, in seconds.", seconds),
        _query("sha256", "Digest the stream; either side may ask.", _FLAG),
    ]


_OF_SENDER = [
    _query("transfer", "An id of the sender's choice, for receipts.", _TRANSFER),
    _query("size", "An estimate of the body in bytes: 4096, 200G, 1.5T, 10GiB.", _SIZE),
    _query("quiet", "Answer only when the outcome is known; when off, at once.", _FLAG),
    _query("require", "Whether one complete receiver is enough.", {"type": "string", "enum": ["all", "any"]}),
]
_QUESTIONS = [
    _query("status", "Answer how the name stands instead, as JSON.", _FLAG),
    _query("last", "With status: how the last transfer of the name ended.", _FLAG),
    _query("transfer", "With status: the receipt of this transfer.", _TRANSFER),
]
_OF_RECEIVER = [
    _query("download", "Have it saved as a file; when off, leave the sender's disposition out.", _FLAG),
    _query("filename", "The name of that file; a long one is cut.", {"type": "string"}),
    _query("progress", "Answer server-sent events instead, or to a browser a page that shows them.", _FLAG),
    *_QUESTIONS,
]

_LINES: Object = {"text/plain": {"schema": {"type": "string"}}}
_STATUS: Object = {
    "type": "object",
    "properties": {
        "state": {"enum": ["idle", "waiting", "streaming", "complete", "failed"]},
        "kind": {"enum": ["pipe", "ws", "live", None]},
        "peers": {"type": ["integer", "null"]},
        "transferId": {"type": ["string", "null"]},
        "hasSender": {"type": ["boolean", "null"]},
        "activeReceivers": {"type": ["integer", "null"]},
        "totalReceivers": {"type": ["integer", "null"]},
        "bytesTransferred": {"type": "integer"},
        "totalBytes": {"type": ["integer", "null"]},
        "totalIsEstimate": {"const": True},
        "speed": {"type": "integer"},
        "eta": {"type": ["integer", "null"]},
        "elapsed": {"type": "number"},
        "reason": {"type": ["string", "null"]},
        "sha256": {"type": ["string", "null"], "pattern": "^[0-9a-f]{64}$"},
    },
}
_HEALTH: Object = {
    "type": "object",
    "required": ["status", "service", "started", "pid", "ip"],
    "properties": {
        "status": {"const": "ok"},
        "service": {"const": "hoody-pipe"},
        "built": {"type": ["string", "null"]},
        "started": {"type": "string", "format": "date-time"},
        "memory": {
            "type": ["object", "null"],
            "properties": {"rss": {"type": "integer"}, "heap": {"type": ["integer", "null"]}},
        },
        "fds": {"type": ["integer", "null"]},
        "pid": {"type": "integer"},
        "ip": {"type": "string"},
        "userAgent": {"type": ["string", "null"]},
    },
    "additionalProperties": False,
}


def _responses(good: Mapping[str, object], *refusals: int) -> Object:
    texts = {
        400: "The request cannot be understood or does not fit the others on the name.",
        404: "Nothing is known of this transfer.",
        405: "There is no such method here.",
        408: "Nobody came in time.",
        409: "What was asked for is in use.",
        414: "The name is too long.",
        429: "A limit of the server is reached.",
        500: "The sender failed before its stream had begun.",
        501: "This is not available on this server.",
        503: "The server is stopping.",
    }
    return {**good, **{str(code): {"description": texts[code], "content": _LINES} for code in refusals}}


def _operation(
    name: str, summary: str, parameters: list[Object], responses: Object, body: Object | None = None
) -> Object:
    operation: Object = {"operationId": name, "summary": summary, "parameters": parameters, "responses": responses}
    return operation if body is None else {**operation, "requestBody": body}


_BODY: Object = {
    "description": "Any bytes; of a form, its first file.",
    "content": {
        "application/octet-stream": {"schema": {}},
        "multipart/form-data": {
            "schema": {"type": "object", "properties": {"file": {"type": "string", "format": "binary"}}}
        },
    },
}
_SENT: Object = {
    "200": {"description": "Status lines, one for each event, until the transfer ends.", "content": _LINES}
}
_RECEIVED: Object = {
    "200": {
        "description": "The stream, as the sender describes it; or what the query asks for.",
        "headers": {"X-Hoody-Pipe-Transfer-Id": {"schema": {"type": "string"}}},
        "content": {
            "*/*": {"schema": {}},
            "application/json": {"schema": _STATUS},
            "text/event-stream": {"schema": {"type": "string"}},
            "text/html": {"schema": {"type": "string"}},
        },
    },
    "204": {"description": "Nothing to watch: the transfer has ended."},
}
_SEEN: Object = {
    "X-Hoody-Pipe-Request": {
        "description": "How the request came: its version, and whether a proxy says that it passed it on.",
        "schema": {"type": "string", "pattern": "^HTTP/1\\.[01]; (direct|proxied)$"},
    }
}
_EMPTY: Object = {
    "200": {"description": "What a cross-origin request may do.", "content": _LINES},
    "204": {"description": "The same, of a page of figures."},
}
_OF_NAME = (400, 414)
_REFUSED = (400, 405, 409, 414, 429, 501, 503)  # senders


def _page(name: str, content: Object, headers: Object | None = None) -> Object:
    """A reserved name that is read."""
    good: Object = {"200": {"description": "As the media type says.", "content": content, "headers": headers or {}}}
    return {
        "get": _operation(name, f"The server's {name}.", [], _responses(good)),
        "head": _operation(f"{name}Head", "The head of that.", [], _responses({"200": {"description": "No body."}})),
        "options": _operation(f"{name}Preflight", "A CORS preflight.", [], _responses(_EMPTY)),
    }


def document(version: str, url: str, bounds: Bounds) -> Object:
    """The whole document; `url` is where the asker reaches the pipes."""
    name, shared = [_name(bounds)], _shared(bounds)
    sender = name + shared + _OF_SENDER
    head = _responses({"200": {"description": "No body."}}, 400, 404, 405, 414)
    return {
        "openapi": "3.1.0",
        "info": {
            "title": "Hoody Pipe",
            "version": version,
            "license": {"name": "Apache-2.0", "identifier": "Apache-2.0"},
        },
        "servers": [{"url": url}],
        "paths": {
            "/{name}": {
                "put": _operation("send", "Send.", sender, _responses(_SENT, *_REFUSED), _BODY),
                "post": _operation("sendByPost", "Send, as by PUT.", sender, _responses(_SENT, *_REFUSED), _BODY),
                "get": _operation(
                    "receive",
                    "Receive, or ask about the name.",
                    name + shared + _OF_RECEIVER,
                    _responses(_RECEIVED, 400, 404, 408, 409, 414, 429, 500, 501, 503),
                ),
                "head": _operation("statusHead", "The head of the status; needs ?status.", name + _QUESTIONS, head),
                "options": _operation("preflight", "A CORS preflight.", name, _responses(_EMPTY, *_OF_NAME)),
            },
            "/help": _page("help", _LINES),
            "/health": _page("health", {"application/json": {"schema": _HEALTH}}, _SEEN),
            "/metrics": _page("metrics", _LINES),
            "/openapi.json": _page("openapi", {"application/json": {"schema": {"type": "object"}}}),
        },
    }
