"""The OpenAPI document is complete: each rule walks the whole document and lists the offenders."""

import re
from collections.abc import Iterator

import pytest
from jsonschema import Draft202012Validator

METHODS = {"get", "post", "put", "patch", "delete"}
TIMES = re.compile(
    r".*(?:_at|At)|at|since|until|valid_until|time|timestamp|originalTimestamp|clock|.*_before"
)
# These media types are text without an object.
TEXT_TYPES = {"text/xml", "text/event-stream"}


@pytest.fixture
def document(client, db) -> dict:
    return client.get("/api/schema/", headers={"accept": "application/json"}).json()


@pytest.fixture
def operations(document) -> list[dict]:
    return [
        operation
        for path_item in document["paths"].values()
        for method, operation in path_item.items()
        if method in METHODS
    ]


def contents(operations: list[dict]) -> Iterator[tuple[str, str, dict]]:
    """Yield each body and response: its place, its media type and its content."""
    for operation in operations:
        name = operation["operationId"]
        for media_type, content in operation.get("requestBody", {}).get("content", {}).items():
            yield f"{name} body", media_type, content
        for status, response in operation["responses"].items():
            for media_type, content in response.get("content", {}).items():
                yield f"{name} {status}", media_type, content


def properties(document: dict) -> Iterator[tuple[str, dict]]:
    """Yield each property of a component: its name and its schema."""
    for component, schema in document["components"]["schemas"].items():
        for name, property_schema in schema.get("properties", {}).items():
            yield f"{component}.{name}", property_schema


def test_every_body_and_answer_has_an_example(operations):
    places = list(contents(operations))

    assert len(places) > 1000
    assert [place for place, _, content in places if "example" not in content] == []


def test_every_example_fits_its_schema(document, operations):
    components = {"components": document["components"]}
    faults = set()
    for place, _, content in contents(operations):
        validator = Draft202012Validator(
            content["schema"] | components, format_checker=Draft202012Validator.FORMAT_CHECKER
        )
        faults |= {
            f"{place}: {error.message}" for error in validator.iter_errors(content["example"])
        }

    assert faults == set()


def test_every_body_and_answer_is_a_component(operations):
    inline = [
        f"{place} {media_type}"
        for place, media_type, content in contents(operations)
        if media_type not in TEXT_TYPES and not _is_named(content["schema"])
    ]

    assert inline == []


def _is_named(schema: dict) -> bool:
    choices = schema.get("anyOf") or schema.get("oneOf") or [schema]
    return all("$ref" in choice for choice in choices)


def test_every_body_has_one_media_type(operations):
    """openapi-python-client 0.29 writes clients that fail for a body with several."""
    bodies = {
        operation["operationId"]: operation["requestBody"]["content"]
        for operation in operations
        if "requestBody" in operation
    }

    assert len(bodies) > 50
    assert {name for name, content in bodies.items() if len(content) != 1} == set()


def test_components_include_events_errors_order_lines_and_guests(document):
    schemas = document["components"]["schemas"]
    order = schemas["OrderShape"]["properties"]

    assert {"CloudEvent", "CloudEventBatch", "ProblemShape", "IngestError"} <= schemas.keys()
    assert order["lines"]["items"] == {"$ref": "#/components/schemas/OrderLine"}
    assert order["party"]["items"] == {"$ref": "#/components/schemas/Guest"}
    assert list(schemas) == sorted(schemas)


def test_every_component_and_property_has_a_description(document):
    components = document["components"]["schemas"].items()
    nameless = [name for name, schema in components if not schema.get("description")]
    nameless += [name for name, schema in properties(document) if not schema.get("description")]

    assert nameless == []


def test_every_parameter_has_a_description(operations):
    parameters = [
        (operation["operationId"], parameter)
        for operation in operations
        for parameter in operation.get("parameters", ())
    ]

    assert len(parameters) > 200
    assert [
        (operation_id, parameter["name"])
        for operation_id, parameter in parameters
        if not parameter.get("description")
    ] == []


def test_every_time_has_the_format_date_time(document):
    times = {
        name: schema
        for name, schema in properties(document)
        if TIMES.fullmatch(name.partition(".")[2])
    }

    assert len(times) > 60
    assert [
        name
        for name, schema in times.items()
        if "date-time" not in [part.get("format") for part in (schema, *schema.get("anyOf", ()))]
    ] == []


def test_every_object_without_properties_may_have_any(document):
    """Generated clients read an object without properties as empty else."""
    assert [
        name
        for name, schema in properties(document)
        if schema.get("type") == "object"
        and not schema.get("properties")
        and not schema.get("additionalProperties")
    ] == []


def test_every_operation_has_a_summary_a_description_and_declared_tags(document, operations):
    declared = {tag["name"]: tag["description"] for tag in document["tags"]}
    used = {tag for operation in operations for tag in operation["tags"]}

    assert used == declared.keys()
    assert all(declared.values())
    assert [
        operation["operationId"]
        for operation in operations
        if not (operation.get("summary") and operation.get("description") and operation["tags"])
    ] == []


def test_operation_ids_are_unique_and_follow_from_method_and_path(document, operations):
    ids = [operation["operationId"] for operation in operations]
    expected = {
        "_".join([method, *(re.findall(r"\w+", path.replace("-", "_"))[1:])])
        for path, path_item in document["paths"].items()
        for method in path_item
        if path.startswith("/api/")
    }

    assert len(ids) == len(set(ids)) > 140
    assert {operation_id for operation_id in ids if operation_id in expected} == expected
    assert [name for name in ids if not re.fullmatch(r"[a-z][a-z_]+[a-z]", name)] == []


def test_every_security_scheme_is_declared_and_the_first_chapter_explains_it(document, operations):
    schemes = document["components"]["securitySchemes"]
    used = {
        name
        for operation in operations
        for requirement in operation["security"]
        for name in requirement
    }

    assert used == schemes.keys()
    assert [name for name, scheme in schemes.items() if not scheme.get("description")] == []
    chapter = document["info"]["description"]
    assert "## Signing in" in chapter
    assert [name for name in schemes if f"scheme `{name}`" not in chapter] == []


def test_servers_are_this_site_and_the_host_of_the_streams(client, db, document, settings):
    assert [server["url"] for server in document["servers"]] == [settings.BUTLER_SITE_URL]
    stream = document["paths"]["/live/me"]["get"]
    assert stream["servers"][0]["url"] == (settings.LIVE_URL or settings.BUTLER_SITE_URL)
