"""Adds an example to each request body and response of the OpenAPI document.

An example consists of the example values of its properties in fields.toml.
"""

from http import HTTPStatus
from typing import Any

from config.openapi.fields import operations, property_text, table

_REF = "#/components/schemas/"
# Example values by format, for values that are no property.
_BY_FORMAT = {
    "uuid": "01985f5e-6c00-7000-8000-00000000a001",
    "date-time": "2027-05-14T10:02:00Z",
    "date": "2027-05-14",
    "uri": "https://butler.example.com/api/customers/?cursor=WzEyXQ",
    "decimal": "79.00",
}
_BY_TYPE = {"string": "text", "integer": 1, "number": 1, "boolean": True, "null": None}
_PYTHON_TYPES: dict[str, type] = {
    "string": str,
    "integer": int,
    "number": float,
    "boolean": bool,
    "object": dict,
    "array": list,
    "null": type(None),
}
# The names of the errors of operations under /v1/.
_INGEST_CODES = {
    "400": "invalid_json",
    "401": "unknown_key",
    "403": "forbidden",
    "404": "unknown_source",
    "405": "wrong_method",
    "409": "many_customers",
    "413": "too_large",
    "415": "unknown_encoding",
    "429": "too_many_events",
    "500": "failed",
    "503": "busy",
}


def add_examples(document: dict[str, Any]) -> None:
    """Add an example to each body and response that has none."""
    schemas = document["components"]["schemas"]
    for operation in operations(document):
        for media in operation.get("requestBody", {}).get("content", {}).values():
            media.setdefault("example", example(media["schema"], schemas))
        for status, response in operation["responses"].items():
            for media in response.get("content", {}).values():
                media.setdefault("example", _response(status, response, media["schema"], schemas))


def _response(
    status: str, response: dict[str, Any], schema: dict[str, Any], schemas: dict[str, Any]
) -> Any:
    match schema.get("$ref", "").removeprefix(_REF):
        case "ProblemShape":
            title = HTTPStatus(int(status)).phrase
            code = int(status)
            detail = response["description"]
            return {"type": "about:blank", "title": title, "status": code, "detail": detail}
        case "IngestError":
            return {"code": _INGEST_CODES[status], "message": response["description"]}
    return example(schema, schemas)


def example(
    schema: dict[str, Any], schemas: dict[str, Any], component: str = "", name: str = ""
) -> Any:
    """Return an example of a schema.

    component, name: the property that has this schema; empty if it is no property
    """
    if referred := schema.get("$ref", "").removeprefix(_REF):
        return _component(referred, schemas)
    if examples := schema.get("examples"):
        return examples[0]
    text = property_text(component, name) if name else None
    if text and len(text) > 1 and _is_possible(text[1], schema):
        return text[1]
    if "const" in schema:
        return schema["const"]
    if enum := schema.get("enum"):
        return enum[0]
    if choices := schema.get("anyOf") or schema.get("oneOf"):
        return example(choices[0], schemas, component, name)
    return _by_type(schema, schemas, component, name)


def _is_possible(value: Any, schema: dict[str, Any]) -> bool:
    """Return whether a value has the type of a schema, and is in its enumeration."""
    if choices := schema.get("anyOf"):
        return any(_is_possible(value, choice) for choice in choices)
    if "enum" in schema:
        return value in schema["enum"]
    types = schema.get("type", [])
    types = [types] if isinstance(types, str) else types
    return not types or isinstance(value, tuple(_PYTHON_TYPES[name] for name in types))


def _component(name: str, schemas: dict[str, Any]) -> Any:
    if name in table()["examples"]:
        return table()["examples"][name]
    return example(schemas[name], schemas, component=name)


def _by_type(schema: dict[str, Any], schemas: dict[str, Any], component: str, name: str) -> Any:
    kind = schema.get("type", "object")
    kind = kind[0] if isinstance(kind, list) else kind
    if kind == "object":
        properties = schema.get("properties", {})
        return {key: example(part, schemas, component, key) for key, part in properties.items()}
    if kind == "array":
        return [example(schema["items"], schemas)] * schema.get("minItems", 1)
    return _BY_FORMAT.get(schema.get("format", ""), _BY_TYPE[kind])
