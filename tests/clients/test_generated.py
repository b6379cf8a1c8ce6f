"""A Python client that openapi-python-client generates calls every operation of a running copy."""

import importlib
import inspect
import json
import os
import subprocess
import sys
import urllib.request
from pathlib import Path
from uuid import UUID

import pytest
from django.test import Client

from customers.actions.sources import create_source
from tests import factories, staff
from tests.customers import consent_helpers

METHODS = {"get", "post", "put", "patch", "delete"}
OPTIONS = ("--meta", "none", "--path", "openapi.json", "--output-path", "butler_client")
PLACES = {"number": "A-1", "line": "1", "purpose": "offers", "subject": "marketing"}


@pytest.fixture
def document(running) -> dict:
    with urllib.request.urlopen(f"{running.web}/api/schema/") as answer:
        return json.load(answer)


@pytest.fixture
def generated(document, tmp_path, monkeypatch):
    """Return the package of the client, after a generation without a warning."""
    (tmp_path / "openapi.json").write_text(json.dumps(document))
    programs = Path(sys.executable).parent
    process = subprocess.run(
        [programs / "openapi-python-client", "generate", "--fail-on-warning", *OPTIONS],
        cwd=tmp_path,
        env=os.environ | {"PATH": f"{programs}:{os.environ['PATH']}"},
        capture_output=True,
        text=True,
    )
    assert (process.returncode, process.stderr) == (0, ""), process.stdout
    assert "arning" not in process.stdout
    monkeypatch.syspath_prepend(tmp_path)
    yield importlib.import_module("butler_client")
    for name in [name for name in sys.modules if name.partition(".")[0] == "butler_client"]:
        del sys.modules[name]


def test_generated_client_calls_every_operation(running, document, generated):
    address = ("email", "noor@example.com")
    noor = factories.customer(address, name="Noor")
    factories.record(
        factories.order("A-1", address, lines=[{"line_id": "1", "quantity": 2, "price": 1}])
    )
    consent_helpers.house()
    session = staff.let_in(Client(), staff.colleague("manager")).session.session_key
    _, key = create_source(name="desk", channel="phone", is_secret=True)
    client_type = generated.client.AuthenticatedClient
    clients = {
        "staff": client_type(running.web, session, prefix="", auth_header_name="X-Session-Token"),
        "key": client_type(running.web, key),
        "live": client_type(running.live, key),
    }
    places = PLACES | {"customer_id": noor.id}

    calls = [
        (path, method, operation)
        for path, path_item in document["paths"].items()
        for method, operation in path_item.items()
        if method in METHODS
    ]
    # The erasure comes last, because it ends the customer of the other calls.
    calls.sort(key=lambda call: call[0].endswith("/erase/"))
    exceptions = {}
    for path, _, operation in calls:
        caller = "live" if path.startswith("/live/") else "staff"
        caller = "key" if path.startswith(("/v1/", "/beacon/", "/sourceConfig")) else caller
        if fault := _fault(generated, clients[caller], operation, places):
            exceptions[operation["operationId"]] = fault

    for client in clients.values():
        client.get_httpx_client().close()

    assert len(calls) > 150
    assert exceptions == {}


def _fault(package, client, operation: dict, places: dict) -> str:
    """Return what is wrong with the answer to one call; empty if it is one of the document."""
    tag = operation["tags"][0].replace(" ", "_")
    module = importlib.import_module(f"{package.__name__}.api.{tag}.{operation['operationId']}")
    try:
        arguments = _arguments(package, module, operation, places)
        if tag == "live" and operation["operationId"].startswith("live_"):
            with client.get_httpx_client().stream(**module._get_kwargs(**arguments)) as stream:
                return "" if str(stream.status_code) in operation["responses"] else stream.reason
        answer = module.sync_detailed(client=client, **arguments)
    except Exception as error:  # noqa: BLE001  # any failure of the client is a fault
        return repr(error)
    response = operation["responses"].get(str(int(answer.status_code)))
    if response is None:
        return f"{int(answer.status_code)} {answer.content[:200]}"
    return "not parsed" if response.get("content") and answer.parsed is None else ""


def _arguments(package, module, operation: dict, places: dict) -> dict:
    values = {}
    for parameter in operation.get("parameters", ()):
        if parameter.get("required"):
            name = parameter["name"]
            value = places.get(name, parameter.get("example", "x"))
            is_uuid = parameter["schema"].get("format") == "uuid"
            values[name.lower().replace("-", "_")] = UUID(str(value)) if is_uuid else value
    if "body" in inspect.signature(module._get_kwargs).parameters:
        content = next(iter(operation["requestBody"]["content"].values()))
        values["body"] = _body(package, content)
    return values


def _body(package, content: dict):
    """Return the example of a body as an object of its generated class."""
    schema = content["schema"].get("oneOf", [content["schema"]])[0]
    name = schema["$ref"].rpartition("/")[2]
    types = vars(package.models)
    body_type = types.get(name) or types[f"{name}Type0"]
    return body_type.from_dict(content["example"])
