"""Builds the OpenAPI schema from the shapes of requests and responses."""

from collections.abc import Callable, Iterable, Iterator, Mapping
from datetime import datetime
from http import HTTPStatus
from typing import Annotated, Any, NamedTuple

import msgspec
from drf_spectacular.utils import OpenApiParameter, OpenApiResponse, extend_schema
from msgspec import Meta, inspect

from customers.api.problems import CONTENT_TYPE, ProblemShape
from customers.api.stored_shapes import STORED_SHAPES

# Strict types for query parameters, which arrive as text.
type Moment = Annotated[datetime, Meta(tz=True)]
type Number = Annotated[int, Meta(ge=0, lt=2**62)]
MOMENT = {"type": "string", "format": "date-time"}

_REF = "#/components/schemas/{name}"

IF_NONE_MATCH = OpenApiParameter("If-None-Match", str, OpenApiParameter.HEADER)

SECURITY = {
    "key": {"type": "http", "scheme": "bearer", "description": "A secret key, sk_…, as token"},
    "basic": {"type": "http", "scheme": "basic", "description": "A secret key as user name"},
    "token": {
        "type": "apiKey",
        "in": "header",
        "name": "X-Session-Token",
        "description": "The session_token of POST /api/sign-in/, for a customer or for staff",
    },
    "account": {
        "type": "apiKey",
        "in": "header",
        "name": "X-Identity-Token",
        "description": "A JWT that the server of a source signed for one of its accounts",
    },
    "cookie": {
        "type": "apiKey",
        "in": "cookie",
        "name": "sessionid",
        "description": "The session of a browser that signed in on the pages of Butler",
    },
}


class Declaration(NamedTuple):
    """The parts of the description of a method that its view enforces.

    `location` is the address of the object that a 201 created: a text that follows the address of
    the request, with fields of the answer in braces, such as "{number}/". None: no 201.
    """

    query_names: tuple[str, ...] = ()
    location: str | None = None


_shapes: set[type] = {ProblemShape, *STORED_SHAPES}
# The shapes of which endpoints return pages.
_page_shapes: set[type] = set()
_problem = {"$ref": _REF.format(name="ProblemShape")}
_PROBLEMS: dict[int, str] = {
    400: "The query, a header or the JSON is not valid.",
    401: "The request has no valid key and no valid session.",
    403: "The caller does not have the right to do this.",
    404: "This does not exist, or the caller may not see it.",
    405: "This address does not support this method.",
    406: "The server cannot answer in a format that the request accepts.",
    409: "The current state does not allow this, or the same request is still in progress.",
    412: "The record has changed since the version in If-Match.",
    413: "The body is too large.",
    415: "The body is not JSON.",
    422: "The body is not valid, or another request has already used the Idempotency-Key.",
    429: "Too many requests. Try again after Retry-After seconds.",
    503: "The database is unavailable. Try again after Retry-After seconds.",
}
_READ_PROBLEMS = (400, 401, 403, 404, 406, 503)
_WRITE_PROBLEMS = (*_READ_PROBLEMS, 409, 412, 413, 415, 422)

PAGING = (
    OpenApiParameter("cursor", str, description="The cursor from next or previous."),
    OpenApiParameter("limit", {"type": "integer", "minimum": 1, "maximum": 200, "default": 50}),
)
IF_MATCH = OpenApiParameter(
    "If-Match",
    str,
    OpenApiParameter.HEADER,
    description='The version that the record must have, such as "42"; otherwise 412.',
)
_LOCATION = OpenApiParameter(
    "Location",
    {"type": "string", "format": "uri-reference"},
    OpenApiParameter.HEADER,
    description="The address of the new object.",
    response=[HTTPStatus.CREATED],
)
IDEMPOTENCY_KEY = OpenApiParameter(
    "Idempotency-Key",
    {"type": "string", "minLength": 1, "maxLength": 255},
    OpenApiParameter.HEADER,
    description="The same request with the same key gets the first response again, for 7 days.",
)


def query(name: str, description: str = "", schema: dict[str, Any] | type[str] = str) -> Any:
    """Return the description of one query parameter."""
    return OpenApiParameter(name, schema, description=description)


def declaration(method: Callable[..., Any]) -> Declaration:
    """Return the declaration of a method of a view. An undescribed method declares nothing."""
    return getattr(method, "declaration", Declaration())


def shape(of: type) -> dict[str, str]:
    """Return a reference to the schema of a shape, and include the shape in the document."""
    _shapes.add(of)
    return {"$ref": _REF.format(name=of.__name__)}


def pages_of(of: type) -> dict[str, Any]:
    """Return a reference to the schema of a page of these shapes, such as OrderPage."""
    shape(of)
    _page_shapes.add(of)
    return {"$ref": _REF.format(name=_page_name(of))}


def _page_name(of: type) -> str:
    return of.__name__.removesuffix("Shape") + "Page"


def _page_schema(of: type) -> dict[str, Any]:
    address = {"type": ["string", "null"], "format": "uri"}
    return {
        "title": _page_name(of),
        "description": f"A page of a list of {of.__name__}.",
        "type": "object",
        "required": ["results", "next", "previous"],
        "properties": {
            "results": {"type": "array", "items": shape(of)},
            "next": {**address, "description": "The URL of the next page; null on the last one"},
            "previous": {**address, "description": "The URL of the page before; null on the first"},
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
    location: str | None = None,
    problems: tuple[int, ...] = (),
    tags: tuple[str, ...] = ("record",),
    auth: list[str] | None = None,
) -> Callable[[Callable[..., Any]], Callable[..., Any]]:
    """Return a decorator that describes the requests and responses of a method in the schema.

    A method that answers 201 names the `location` of the object (see Declaration).
    """
    if (status == HTTPStatus.CREATED) != (location is not None):
        raise TypeError(f"{summary}: a method needs a location if it answers 201, and only then.")
    is_writing = (
        body is not None
        or status in (201, 202)
        or IF_MATCH in parameters
        or IDEMPOTENCY_KEY in parameters
    )
    usual = _WRITE_PROBLEMS if is_writing else _READ_PROBLEMS
    success = OpenApiResponse(answer, description="Done.")
    responses: dict[Any, Any] = {(status, "application/json"): success}
    for code in sorted({*usual, *problems}):
        responses[code, CONTENT_TYPE] = OpenApiResponse(_problem, description=_PROBLEMS[code])
    responses |= _other_responses(other_responses or {})
    # The type hints of the generator want names, but its code needs these objects.
    requirements: Any = [{name: []} for name in (SECURITY if auth is None else auth)]
    described = extend_schema(
        summary=summary,
        request={"application/json": _body_schema(body)} if body else None,
        responses=responses,
        parameters=[*parameters, *([_LOCATION] if location is not None else [])],
        tags=list(tags),
        auth=requirements,
    )
    declared = Declaration(_query_names(parameters), location)

    def decorate(method: Callable[..., Any]) -> Callable[..., Any]:
        method.declaration = declared  # type: ignore[attr-defined]  # functions take attributes
        return described(method)

    return decorate


def _query_names(parameters: Iterable[Any]) -> tuple[str, ...]:
    return tuple(
        parameter.name for parameter in parameters if parameter.location == OpenApiParameter.QUERY
    )


def _other_responses(
    descriptions: Mapping[int, tuple[str, dict[str, str] | None]],
) -> dict[Any, Any]:
    """Return the responses of these status codes. A response with a schema is JSON."""
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
    """Return the schemas of all shapes that the endpoints refer to, sorted by name."""
    shapes = sorted(_shapes, key=lambda shape_type: shape_type.__name__)
    _, schemas = msgspec.json.schema_components(
        shapes, schema_hook=_json_value_schema, ref_template=_REF
    )
    for struct in _struct_types(shapes):
        _state_moments(struct, schemas[struct.cls.__name__]["properties"])
    pages = {_page_name(of): _page_schema(of) for of in _page_shapes}
    return dict(sorted((schemas | pages).items()))


def _json_value_schema(value_type: type) -> dict[str, Any]:
    if value_type is object:
        return {"description": "Any JSON value"}
    raise NotImplementedError


def _struct_types(shapes: Iterable[type]) -> Iterator[inspect.StructType]:
    """Yield the struct types that these shapes contain, with themselves."""
    known_types: set[type] = set()
    waiting = list(inspect.multi_type_info(shapes))
    while waiting:
        current = waiting.pop()
        if isinstance(current, inspect.StructType) and current.cls not in known_types:
            known_types.add(current.cls)
            yield current
            waiting += [field.type for field in current.fields]
        elif not isinstance(current, inspect.StructType):
            waiting += _inner_types(current)


def _inner_types(of: inspect.Type) -> list[inspect.Type]:
    """Return the types that a union, a collection or an annotated type contains."""
    names = ("type", "item_type", "value_type")
    inner = [getattr(of, name) for name in names if hasattr(of, name)]
    return [*inner, *getattr(of, "types", ()), *getattr(of, "item_types", ())]


def _state_moments(struct: inspect.StructType, properties: dict[str, Any]) -> None:
    """Add the format of times, which msgspec leaves out of a datetime that may be naive.

    All times in responses have a time zone.
    """
    for field in struct.fields:
        schema = properties[field.encode_name]
        if isinstance(field.type, inspect.DateTimeType):
            schema |= MOMENT
        elif inspect.DateTimeType in map(type, _inner_types(field.type)):
            schema["anyOf"] = [MOMENT, *(kind for kind in schema["anyOf"] if kind != MOMENT)]
            schema["anyOf"] = [kind for kind in schema["anyOf"] if kind != {"type": "string"}]
