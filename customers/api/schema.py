"""The OpenAPI schema, made from the shapes of requests and responses."""

from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Annotated, Any

import msgspec
from drf_spectacular.utils import OpenApiParameter, OpenApiResponse, extend_schema
from msgspec import Meta

from customers.api.problems import CONTENT_TYPE, ProblemShape

# Query parameters arrive as text; these read it strictly.
type Moment = Annotated[datetime, Meta(tz=True)]
type Number = Annotated[int, Meta(ge=0, lt=2**62)]
MOMENT = {"type": "string", "format": "date-time"}

_REF = "#/components/schemas/{name}"

IF_NONE_MATCH = OpenApiParameter("If-None-Match", str, OpenApiParameter.HEADER)

SECURITY = {
    "key": {"type": "http", "scheme": "bearer", "description": "A secret key, sk_…"},
    "basic": {"type": "http", "scheme": "basic", "description": "A secret key as the name."},
    "token": {"type": "apiKey", "in": "header", "name": "X-Session-Token"},
    "cookie": {"type": "apiKey", "in": "cookie", "name": "sessionid"},
}

_shapes: set[type] = {ProblemShape}
_problem = {"$ref": _REF.format(name="ProblemShape")}
_PROBLEMS: dict[int, str] = {
    400: "The query, a header or the JSON is wrong.",
    401: "Nobody says who asks.",
    403: "Whoever asks may not do this.",
    404: "It is not there, or not for whoever asks.",
    405: "This method is not for here.",
    406: "No answer in a form that was asked for.",
    409: "The same request is being done, or things are not so that it can be.",
    412: "The record moved on since the version in If-Match.",
    413: "The body is too large.",
    415: "The body is not JSON.",
    422: "The body does not fit, or the Idempotency-Key came with another one.",
    429: "Too often.",
    503: "The database is away; try again after Retry-After seconds.",
}
_READ_PROBLEMS = (400, 401, 403, 404, 406, 503)
_WRITE_PROBLEMS = (*_READ_PROBLEMS, 409, 412, 413, 415, 422)

PAGING = (
    OpenApiParameter("cursor", str, description="Where to go on: taken from next or previous."),
    OpenApiParameter("limit", {"type": "integer", "minimum": 1, "maximum": 200, "default": 50}),
)
IF_MATCH = OpenApiParameter(
    "If-Match",
    str,
    OpenApiParameter.HEADER,
    description='The version that the change is meant for, such as "42".',
)
IDEMPOTENCY_KEY = OpenApiParameter(
    "Idempotency-Key",
    {"type": "string", "minLength": 1, "maxLength": 255},
    OpenApiParameter.HEADER,
    description="Kept 7 days: the same request sent again gets the same answer.",
)


def query(name: str, description: str = "", schema: dict[str, Any] | type[str] = str) -> Any:
    """Describe one parameter of the query."""
    return OpenApiParameter(name, schema, description=description)


def shape(of: type) -> dict[str, str]:
    """Refer to the schema of a shape."""
    _shapes.add(of)
    return {"$ref": _REF.format(name=of.__name__)}


def pages_of(of: type) -> dict[str, Any]:
    """Describe a page of such shapes."""
    address = {"type": ["string", "null"], "format": "uri"}
    return {
        "type": "object",
        "required": ["results", "next", "previous"],
        "properties": {
            "results": {"type": "array", "items": shape(of)},
            "next": address,
            "previous": address,
        },
    }


def describe(
    summary: str,
    *,
    answer: dict[str, Any] | None = None,
    status: int = 200,
    body: type | tuple[type, ...] | None = None,
    parameters: tuple[Any, ...] = (),
    other_responses: Mapping[int, tuple[str, dict[str, str] | None]] | None = None,
    problems: tuple[int, ...] = (),
    tags: tuple[str, ...] = ("record",),
    auth: list[str] | None = None,
) -> Callable[[Callable[..., Any]], Callable[..., Any]]:
    """Describe in the schema what a method takes and answers."""
    is_writing = body is not None or status in (201, 202) or IF_MATCH in parameters
    usual = _WRITE_PROBLEMS if is_writing else _READ_PROBLEMS
    success = OpenApiResponse(answer, description="Done.")
    responses: dict[Any, Any] = {(status, "application/json"): success}
    for code in sorted({*usual, *problems}):
        responses[code, CONTENT_TYPE] = OpenApiResponse(_problem, description=_PROBLEMS[code])
    responses |= _other_responses(other_responses or {})
    # The generator's types ask for names, but it needs these objects.
    requirements: Any = [{name: []} for name in (SECURITY if auth is None else auth)]
    return extend_schema(
        summary=summary,
        request={"application/json": _body_schema(body)} if body else None,
        responses=responses,
        parameters=list(parameters),
        tags=list(tags),
        auth=requirements,
    )


def _other_responses(
    descriptions: Mapping[int, tuple[str, dict[str, str] | None]],
) -> dict[Any, Any]:
    """Return the responses of these status codes; JSON where a description has a schema."""
    return {
        (code, "application/json") if other else code: OpenApiResponse(
            other, description=description
        )
        for code, (description, other) in descriptions.items()
    }


def _body_schema(body: type | tuple[type, ...]) -> dict[str, Any]:
    if isinstance(body, tuple):
        return {"oneOf": [shape(shape_type) for shape_type in body]}
    return shape(body)


def components() -> dict[str, Any]:
    """Return the schemas of every shape that an endpoint referred to."""
    _, schemas = msgspec.json.schema_components(_shapes, ref_template=_REF)
    return dict(schemas)
