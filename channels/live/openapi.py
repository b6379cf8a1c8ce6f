"""What `/live/` looks like, for the OpenAPI file. The live processes answer it."""

from typing import Any

from customers.api.problems import CONTENT_TYPE

type Document = dict[str, Any]

_AFTER: Document = {
    "name": "after",
    "in": "query",
    "description": "The version after which to go on; Last-Event-ID does the same",
    "schema": {"type": "integer", "minimum": 0},
}
_LAST: Document = {
    "name": "Last-Event-ID",
    "in": "header",
    "description": "The last version that was seen; browsers send it by themselves",
    "schema": {"type": "string"},
}
_TICKET: Document = {
    "name": "ticket",
    "in": "query",
    "description": "From POST /api/me/stream-ticket/; good once, within seconds",
    "schema": {"type": "string"},
}
_CUSTOMER: Document = {
    "name": "customer_id",
    "in": "path",
    "required": True,
    "schema": {"type": "string", "format": "uuid"},
}
_REFUSALS = {
    "401": "Nobody says who asks",
    "403": "Whoever asks may not watch this",
    "404": "There is no such record",
    "429": "Five streams of this customer are open already; see Retry-After",
    "503": "The database is away; see Retry-After",
}


def openapi_paths() -> dict[str, Document]:
    """Describe the streams."""
    own = _stream("live_me", "Watch your own record", [_TICKET], [{"token": []}, {"cookie": []}])
    any_record = _stream(
        "live_customer", "Watch a record", [_CUSTOMER], [{"key": []}, {"basic": []}, {"cookie": []}]
    )
    return {"/live/me": {"get": own}, "/live/customers/{customer_id}": {"get": any_record}}


def _stream(
    name: str, summary: str, parameters: list[Document], security: list[Document]
) -> Document:
    described = {
        "description": "Events as they happen, `id` being the version on the log; see the docs",
        "content": {"text/event-stream": {"schema": {"type": "string"}}},
    }
    problem = {CONTENT_TYPE: {"schema": {"$ref": "#/components/schemas/ProblemShape"}}}
    return {
        "operationId": name,
        "summary": summary,
        "tags": ["live"],
        "security": security,
        "parameters": [_AFTER, _LAST, *parameters],
        "responses": {"200": described}
        | {code: {"description": words, "content": problem} for code, words in _REFUSALS.items()},
    }
