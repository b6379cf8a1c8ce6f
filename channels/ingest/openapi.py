"""The paths of the ingest API in the OpenAPI document; its views do not use REST framework."""

from collections.abc import Iterable
from typing import Any

type OpenApiSchema = dict[str, Any]

TAG = "ingest"
_KIND_SUMMARIES = {
    "track": "Send an event of a customer",
    "identify": "Send the identifiers and traits of a customer",
    "page": "Send the view of a page",
    "screen": "Send the view of a screen of an app",
    "group": "Send the group of a customer",
    "alias": "Link an anonymous visitor to a known customer",
}
_TEXT: OpenApiSchema = {"type": "string"}
_ID: OpenApiSchema = {"type": ["string", "number"]}
_MOMENT: OpenApiSchema = {"type": "string", "format": "date-time"}
ANY_OBJECT: OpenApiSchema = {"type": "object", "additionalProperties": True}


def reference(name: str) -> OpenApiSchema:
    """Return a reference to a component."""
    return {"$ref": f"#/components/schemas/{name}"}


_CONTEXT: OpenApiSchema = {
    "type": "object",
    "additionalProperties": True,
    "properties": {"identityToken": _TEXT},
}
_EVENT: OpenApiSchema = {
    "type": "object",
    "description": "An event in the form of the clients of Segment.",
    "additionalProperties": True,
    "properties": {
        "type": {"type": "string", "enum": sorted(_KIND_SUMMARIES)},
        "messageId": _ID,
        "userId": _ID,
        "anonymousId": _ID,
        "previousId": _ID,
        "event": {"type": "string", "maxLength": 255},
        "name": _TEXT,
        "timestamp": _MOMENT,
        "originalTimestamp": _MOMENT,
        "properties": ANY_OBJECT,
        "traits": ANY_OBJECT,
        "context": reference("EventContext"),
    },
}
_CLOUDEVENT: OpenApiSchema = {
    "type": "object",
    "description": "A CloudEvent 1.0 in structured mode.",
    "additionalProperties": True,
    "required": ["specversion", "id", "source", "type"],
    "properties": {
        "specversion": {"type": "string", "const": "1.0"},
        "id": _TEXT,
        "source": _TEXT,
        "type": _TEXT,
        "subject": _TEXT,
        "time": _MOMENT,
        "data": {},
    },
}
_BATCH: OpenApiSchema = {
    "type": "object",
    "description": "Up to 2500 events in the form of the clients of Segment.",
    "required": ["batch"],
    "properties": {
        "batch": {"type": "array", "maxItems": 2500, "items": reference("Event")},
        "writeKey": _TEXT,
        "sentAt": _MOMENT,
        "context": reference("EventContext"),
        "integrations": ANY_OBJECT,
    },
}
_SUCCESS: OpenApiSchema = {
    "type": "object",
    "description": "Butler stored the events.",
    "required": ["success"],
    "properties": {
        "success": {"type": "boolean", "const": True},
        "refused": {"type": "array", "items": reference("RefusedEvent")},
    },
}
_REFUSED_EVENT: OpenApiSchema = {
    "type": "object",
    "description": "An event about an erased customer, which Butler did not store.",
    "required": ["index", "reason"],
    "properties": {
        "index": {"type": "integer"},
        "reason": {"type": "string", "const": "erased"},
    },
}
_ERROR: OpenApiSchema = {
    "type": "object",
    "description": "An error, as all operations under /v1/ return it.",
    "required": ["code", "message"],
    "properties": {
        "code": _TEXT,
        "message": _TEXT,
        "items": {"type": "array", "items": ANY_OBJECT},
    },
}
# The components of this channel in the OpenAPI document.
SCHEMAS: dict[str, OpenApiSchema] = {
    "ClientMetrics": ANY_OBJECT | {"description": "The metrics of a client about itself."},
    "ClientSettings": ANY_OBJECT | {"description": "The settings of a client."},
    "CloudEvent": _CLOUDEVENT,
    "CloudEventBatch": {
        "type": "array",
        "description": "CloudEvents in batched mode.",
        "items": reference("CloudEvent"),
    },
    "Event": _EVENT,
    "EventBatch": _BATCH,
    "EventContext": _CONTEXT | {"description": "Where and how an event occurred."},
    "IngestError": _ERROR,
    "IngestSuccess": _SUCCESS,
    "RefusedEvent": _REFUSED_EVENT,
}

# The security schemes of the REST API, which also accept the key of a source. X-Write-Key and
# `writeKey` in the body are for clients that support no other scheme.
KEY_SECURITY: list[OpenApiSchema] = [{"basic": []}, {"key": []}]

_COUNT_HEADERS = {
    "Accepted": "The number of events that Butler stored",
    "Duplicates": "The number of events that Butler already had",
    "Quarantined": "The number of events in quarantine",
}
_ERRORS = {
    400: "The body is not JSON, or an event is invalid in strict mode",
    401: "The key is missing or unknown",
    403: "The key does not allow this request",
    405: "The method is not allowed",
    413: "The request has too many bytes or events",
    415: "The content encoding is not gzip",
    429: "The source sends more events than it may; see Retry-After",
    500: "The server failed; try again",
    503: "Overload or an unavailable database: send it again with the same ids; see Retry-After",
}


def openapi_paths() -> dict[str, OpenApiSchema]:
    """Return the OpenAPI path items of the ingest API."""
    strict = header("X-Strict-Mode", "`1`: refuse the whole request if one event is invalid")
    retried = header("X-Retry-Count", "The number of this retry")
    session = header(
        "X-Session-Token", "With a publishable key: the session of the customer who is signed in"
    )
    batch = operation(
        "ingest_batch",
        "Send a batch of events",
        description="Stores the valid events in one transaction, and the others in quarantine.",
        request_schema=reference("EventBatch"),
        response_schema=reference("IngestSuccess"),
        parameters=[strict, retried, session],
        has_count_headers=True,
    )
    paths = {"/v1/batch": {"post": batch}}
    for kind, summary in _KIND_SUMMARIES.items():
        paths[f"/v1/{kind}"] = {
            "post": operation(
                f"ingest_{kind}",
                summary,
                description="Stores one event; the type in the body may be missing.",
                request_schema=reference("Event"),
                response_schema=reference("IngestSuccess"),
                parameters=[strict, retried, session],
                has_count_headers=True,
            )
        }
    paths["/v1/events"] = {"post": _cloudevents([strict, session])}
    paths["/v1/m"] = {
        "post": operation(
            "ingest_metrics",
            "Accept the metrics of a client about itself, and discard them",
            description="Some clients of Segment send them to the host of their events.",
            request_schema=reference("ClientMetrics"),
            response_schema=reference("IngestSuccess"),
            security=[],
        )
    }
    return paths | _client_paths(batch)


def _client_paths(batch: OpenApiSchema) -> dict[str, OpenApiSchema]:
    """Return the paths at which clients ask for their settings, and that of a beacon.

    batch: the operation that stores a batch
    """
    key = query_parameter("writeKey", "The publishable key, if no header has it")
    segment = operation(
        "ingest_settings",
        "Return the settings of a client of Segment, such as the host to send to",
        description="Some clients of Segment read their settings before the first event.",
        response_schema=reference("ClientSettings"),
        parameters=[path_parameter("key", "A publishable key of a source")],
        security=[],
        errors=(403, 404, 405, 500, 503),
    )
    rudderstack = operation(
        "ingest_source_config",
        "Return the settings of a client of RudderStack",
        description="The clients of RudderStack read their settings before the first event.",
        response_schema=reference("ClientSettings"),
        parameters=[key],
        security=[{}, *KEY_SECURITY],
        errors=(401, 403, 405, 500, 503),
    )
    beacon = batch | {
        "operationId": "ingest_beacon",
        "summary": "Send a batch of events from a page that closes",
        "parameters": [key],
        "security": [{}, *KEY_SECURITY],
    }
    return {
        "/v1/projects/{key}/settings": {"get": segment},
        "/sourceConfig": {"get": rudderstack},
        "/beacon/v1/batch": {"post": beacon},
    }


# Where the events of a source are limited: draft-ietf-httpapi-ratelimit-headers-10.
RATE_LIMIT: OpenApiSchema = {
    "RateLimit": {
        "schema": {"type": "string"},
        "description": "The events that remain, and the seconds after which the quota is whole",
        "example": '"events";r=480;t=12',
    },
    "RateLimit-Policy": {
        "schema": {"type": "string"},
        "description": "The events that the source may send in a number of seconds",
        "example": '"events";q=600;qu="events";w=60',
    },
}


def operation(
    name: str,
    summary: str,
    *,
    description: str,
    response_schema: OpenApiSchema,
    request_schema: OpenApiSchema | None = None,
    parameters: Iterable[OpenApiSchema] = (),
    security: list[OpenApiSchema] | None = None,
    errors: Iterable[int] = (400, 401, 403, 405, 413, 415, 429, 500, 503),
    has_count_headers: bool = False,
    tag: str = TAG,
) -> OpenApiSchema:
    """Return an OpenAPI operation.

    `has_count_headers` adds the response headers with the outcomes of the events.
    """
    success: OpenApiSchema = {"description": "Stored", "content": _json(response_schema)}
    if has_count_headers:
        success["headers"] = {
            f"Butler-{count_name}": {"schema": {"type": "integer"}, "description": description}
            for count_name, description in _COUNT_HEADERS.items()
        } | RATE_LIMIT
    described: OpenApiSchema = {
        "operationId": name,
        "summary": summary,
        "description": description,
        "tags": [tag],
        "security": KEY_SECURITY if security is None else security,
        "parameters": list(parameters),
        "responses": {"200": success} | {str(code): _error_response(code) for code in errors},
    }
    if request_schema is not None:
        described["requestBody"] = {"required": True, "content": _json(request_schema)}
    return described


def header(name: str, description: str, *, required: bool = False) -> OpenApiSchema:
    """Return the OpenAPI parameter of a request header with text."""
    return {
        "name": name,
        "in": "header",
        "required": required,
        "description": description,
        "schema": _TEXT,
    }


def path_parameter(name: str, description: str) -> OpenApiSchema:
    """Return the OpenAPI parameter of a part of the path, which is required text."""
    return {
        "name": name,
        "in": "path",
        "required": True,
        "description": description,
        "schema": _TEXT,
    }


def query_parameter(name: str, description: str) -> OpenApiSchema:
    """Return the OpenAPI parameter of a query string, which is optional text."""
    return header(name, description) | {"in": "query"}


def _cloudevents(parameters: list[OpenApiSchema]) -> OpenApiSchema:
    return operation(
        "ingest_cloudevents",
        "Send CloudEvents 1.0: structured, in binary mode, or a batch",
        description="The media types of CloudEvents work, too, and so does the binary mode: then the body is"
        " `data`, and `ce-` headers have the attributes.",
        request_schema={"oneOf": [reference("CloudEvent"), reference("CloudEventBatch")]},
        response_schema=reference("IngestSuccess"),
        parameters=parameters,
        has_count_headers=True,
    )


def _error_response(code: int) -> OpenApiSchema:
    refused: OpenApiSchema = {
        "description": _ERRORS.get(code, "The object does not exist"),
        "content": _json(reference("IngestError")),
    }
    if code in (429, 503):
        refused["headers"] = {
            "Retry-After": {
                "schema": {"type": "integer"},
                "description": "The number of seconds after which to try again",
            }
        }
    if code == 429:
        refused["headers"] |= RATE_LIMIT
    return refused


def _json(schema: OpenApiSchema) -> OpenApiSchema:
    return {"application/json": {"schema": schema}}
