"""Describes the properties and parameters of the OpenAPI document from one table of their names.

fields.toml has a description and an example value for each name. A name after a component, such as
`OrderShape.total`, precedes the name alone.
"""

import tomllib
from functools import cache
from pathlib import Path
from typing import Any

_METHODS = frozenset({"get", "post", "put", "patch", "delete"})


@cache
def table() -> dict[str, Any]:
    """Return fields.toml: `properties`, `parameters` and `components`."""
    return tomllib.loads(Path(__file__).with_name("fields.toml").read_text())


def property_text(component: str, name: str) -> tuple[Any, ...] | None:
    """Return the description and the example value of a property; None if the table has none."""
    properties = table()["properties"]
    row = properties.get(f"{component}.{name}") or properties.get(name)
    return tuple(row) if row else None


def operations(document: dict[str, Any]) -> list[dict[str, Any]]:
    """Return all operations of a document."""
    return [
        operation
        for path_item in document["paths"].values()
        for method, operation in path_item.items()
        if method in _METHODS
    ]


def describe_fields(document: dict[str, Any]) -> None:
    """Add missing descriptions to components, their properties, and the parameters."""
    for component, schema in document["components"]["schemas"].items():
        schema.setdefault("description", table()["components"].get(component, ""))
        for name, property_schema in schema.get("properties", {}).items():
            if text := property_text(component, name):
                property_schema.setdefault("description", text[0])
        _open_objects(schema)
    for operation in operations(document):
        # drf-spectacular leaves it out of operations that need no credential.
        operation.setdefault("security", [])
        for parameter in operation.get("parameters", ()):
            if row := table()["parameters"].get(parameter["name"]):
                parameter.setdefault("description", row[0])
                parameter.setdefault("example", row[1])


def _open_objects(schema: dict[str, Any]) -> None:
    """State of each object without properties that it may have any; clients read it as empty else."""
    if schema.get("type") == "object" and not schema.get("properties"):
        schema.setdefault("additionalProperties", True)
    inner = [*schema.get("properties", {}).values(), *schema.get("anyOf", ())]
    for part in (*inner, schema.get("items"), schema.get("additionalProperties")):
        if isinstance(part, dict):
            _open_objects(part)
