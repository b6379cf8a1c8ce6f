"""The paths below `/live/` in the OpenAPI document. The live processes serve them."""

from channels.ingest.openapi import OpenApiSchema
from customers.api.problems import CONTENT_TYPE

_AFTER: OpenApiSchema = {
    "name": "after",
    "in": "query",
    "description": "The version after which to continue; Last-Event-ID does the same",
    "schema": {"type": "integer", "minimum": 0},
}
_LAST: OpenApiSchema = {
    "name": "Last-Event-ID",
    "in": "header",
    "description": "The last version that the reader received; browsers send it automatically",
    "schema": {"type": "string"},
}
_TICKET: OpenApiSchema = {
    "name": "ticket",
    "in": "query",
    "description": "From POST /api/me/stream-ticket/; valid once, for some seconds",
    "schema": {"type": "string"},
}
_CUSTOMER: OpenApiSchema = {
    "name": "customer_id",
    "in": "path",
    "required": True,
    "schema": {"type": "string", "format": "uuid"},
}
SCHEMAS: dict[str, OpenApiSchema] = {}
_EXAMPLE = 'id: 42\nevent: event\ndata: {"version": 42, "name": "Ride Ended"}\n\n'
_REFUSALS = {
    "401": "The credential is missing or invalid",
    "403": "The key does not allow reading records",
    "404": "The record does not exist, or the caller may not read it",
    "429": "Five streams of this customer are already open; see Retry-After",
    "503": "The database is unavailable, or the process takes no more streams; see Retry-After",
}


def openapi_paths() -> dict[str, OpenApiSchema]:
    """Return the OpenAPI path items of the streams."""
    own = _stream("live_me", "Watch your own record", [_TICKET], [{"token": []}, {"cookie": []}])
    any_record = _stream(
        "live_customer", "Watch a record", [_CUSTOMER], [{"key": []}, {"basic": []}, {"cookie": []}]
    )
    return {"/live/me": {"get": own}, "/live/customers/{customer_id}": {"get": any_record}}


def _stream(
    name: str, summary: str, parameters: list[OpenApiSchema], security: list[OpenApiSchema]
) -> OpenApiSchema:
    described = {
        "description": "New events as Butler stores them; `id` is the version (see the docs)",
        "content": {"text/event-stream": {"schema": {"type": "string"}, "example": _EXAMPLE}},
    }
    problem = {CONTENT_TYPE: {"schema": {"$ref": "#/components/schemas/ProblemShape"}}}
    return {
        "operationId": name,
        "summary": summary,
        "description": "Server-sent events. Reconnect with the last id that you received.",
        "tags": ["live"],
        "security": security,
        "parameters": [_AFTER, _LAST, *parameters],
        "responses": {"200": described}
        | {code: {"description": words, "content": problem} for code, words in _REFUSALS.items()},
    }
