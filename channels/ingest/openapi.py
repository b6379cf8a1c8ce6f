"""The ingest API in the OpenAPI document: its views are not those of REST framework."""

from collections.abc import Iterable
from typing import Any

type Document = dict[str, Any]

TAG = "ingest"
_KIND_SUMMARIES = {
    "track": "Say that something happened",
    "identify": "Say who somebody is",
    "page": "Say that a page was looked at",
    "screen": "Say that a screen was looked at",
    "group": "Say which group somebody belongs to",
    "alias": "Say that an anonymous visitor is a known one",
}
_TEXT: Document = {"type": "string"}
_ID: Document = {"type": ["string", "number"]}
_MOMENT: Document = {"type": "string", "format": "date-time"}
ANY_OBJECT: Document = {"type": "object", "additionalProperties": True}
ERROR: Document = {
    "type": "object",
    "required": ["code", "message"],
    "properties": {
        "code": _TEXT,
        "message": _TEXT,
        "items": {"type": "array", "items": ANY_OBJECT},
    },
}
SUCCESS: Document = {
    "type": "object",
    "required": ["success"],
    "properties": {"success": {"type": "boolean", "const": True}},
}
EVENT: Document = {
    "type": "object",
    "additionalProperties": True,
    "properties": {
        "type": {"type": "string", "enum": sorted(_KIND_SUMMARIES)},
        "messageId": {"type": ["string", "number"], "description": "At most 100 characters."},
        "userId": _ID,
        "anonymousId": _ID,
        "previousId": _ID,
        "event": {"type": "string", "maxLength": 255},
        "name": _TEXT,
        "timestamp": _MOMENT,
        "originalTimestamp": _MOMENT,
        "properties": ANY_OBJECT,
        "traits": ANY_OBJECT,
        "context": ANY_OBJECT,
    },
}
CLOUDEVENT: Document = {
    "type": "object",
    "additionalProperties": True,
    "required": ["specversion", "id", "source", "type"],
    "properties": {
        "specversion": {"type": "string", "const": "1.0"},
        "id": _TEXT,
        "source": _TEXT,
        "type": _TEXT,
        "subject": {"type": "string", "description": "`kind:value` of an identifier."},
        "time": _MOMENT,
        "data": {},
    },
}
_BATCH: Document = {
    "type": "object",
    "required": ["batch"],
    "properties": {
        "batch": {"type": "array", "maxItems": 2500, "items": EVENT},
        "writeKey": _TEXT,
        "sentAt": _MOMENT,
        "context": ANY_OBJECT,
        "integrations": ANY_OBJECT,
    },
}

# Schemes of the REST API's, which a source's key fits too; X-Write-Key and `writeKey` in
# the body are there for clients that know no other way.
KEY_SECURITY: list[Document] = [{"basic": []}, {"key": []}]

_ERRORS = {
    400: "Not JSON, or, in strict mode, events that cannot be taken in",
    401: "No key, or one that no source has",
    403: "The key may not do this",
    405: "Another method",
    413: "Too many bytes or events",
    415: "An encoding other than gzip",
    429: "More events than this source may send; see Retry-After",
    500: "Our fault; try again",
    503: "Send it again with the same ids; see Retry-After",
}


def openapi_paths() -> dict[str, Document]:
    """Describe every address of this package."""
    strict = header("X-Strict-Mode", "`1`: refuse the whole request where one event is bad")
    retried = header("X-Retry-Count", "Which repetition this is")
    batch = operation(
        "ingest_batch",
        "Take in a batch of events",
        request_schema=_BATCH,
        response_schema=SUCCESS,
        parameters=[strict, retried],
        has_count_headers=True,
    )
    paths = {"/v1/batch": {"post": batch}}
    for kind, summary in _KIND_SUMMARIES.items():
        paths[f"/v1/{kind}"] = {
            "post": operation(
                f"ingest_{kind}",
                summary,
                request_schema=EVENT,
                response_schema=SUCCESS,
                parameters=[strict, retried],
                has_count_headers=True,
            )
        }
    paths["/v1/events"] = {"post": _cloudevents(strict)}
    paths["/v1/m"] = {
        "post": operation(
            "ingest_metrics",
            "Take a client's figures about itself, and throw them away",
            request_schema=ANY_OBJECT,
            response_schema=SUCCESS,
            security=[],
        )
    }
    paths["/v1/projects/{key}/settings"] = {
        "get": operation(
            "ingest_settings",
            "Tell a client where to send",
            response_schema=ANY_OBJECT,
            parameters=[path_parameter("key", "A key of a source")],
            security=[],
            errors=(404, 405, 500, 503),
        )
    }
    return paths


def operation(
    name: str,
    summary: str,
    *,
    response_schema: Document,
    request_schema: Document | None = None,
    parameters: Iterable[Document] = (),
    security: list[Document] | None = None,
    errors: Iterable[int] = (400, 401, 403, 405, 413, 415, 429, 500, 503),
    has_count_headers: bool = False,
    tag: str = TAG,
) -> Document:
    """Describe one operation; `counted` says that headers tell what became of the events."""
    success: Document = {"description": "Stored", "content": _json(response_schema)}
    if has_count_headers:
        success["headers"] = {
            f"Butler-{count_name}": {"schema": {"type": "integer"}}
            for count_name in ("Accepted", "Duplicates", "Quarantined")
        }
    described: Document = {
        "operationId": name,
        "summary": summary,
        "tags": [tag],
        "security": KEY_SECURITY if security is None else security,
        "parameters": list(parameters),
        "responses": {"200": success} | {str(code): _error_response(code) for code in errors},
    }
    if request_schema is not None:
        described["requestBody"] = {"required": True, "content": _json(request_schema)}
    return described


def header(name: str, description: str, *, required: bool = False) -> Document:
    return {
        "name": name,
        "in": "header",
        "required": required,
        "description": description,
        "schema": _TEXT,
    }


def path_parameter(name: str, description: str) -> Document:
    return {
        "name": name,
        "in": "path",
        "required": True,
        "description": description,
        "schema": _TEXT,
    }


def _cloudevents(strict: Document) -> Document:
    described = operation(
        "ingest_cloudevents",
        "Take in CloudEvents 1.0: structured, in binary mode, or a batch",
        request_schema=CLOUDEVENT,
        response_schema=SUCCESS,
        parameters=[strict],
        has_count_headers=True,
    )
    described["requestBody"]["content"] |= {
        "application/cloudevents+json": {"schema": CLOUDEVENT},
        "application/cloudevents-batch+json": {"schema": {"type": "array", "items": CLOUDEVENT}},
    }
    return described


def _error_response(code: int) -> Document:
    refused: Document = {
        "description": _ERRORS.get(code, "There is no such thing"),
        "content": _json(ERROR),
    }
    if code in (429, 503):
        refused["headers"] = {"Retry-After": {"schema": {"type": "integer"}}}
    return refused


def _json(schema: Document) -> Document:
    return {"application/json": {"schema": schema}}
