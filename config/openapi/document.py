"""The OpenAPI document of the REST views and of the plain views of the channels."""

from collections.abc import Iterable
from typing import Any

from drf_spectacular.openapi import AutoSchema

from channels.email import openapi as email
from channels.ingest import openapi as ingest
from channels.live import openapi as live
from channels.phone import openapi as phone
from channels.sms import openapi as sms
from channels.store import openapi as store
from channels.webhook import openapi as webhook
from config.openapi import examples, fields, overview
from customers.api import schema

_CHANNELS = (ingest, phone, sms, email, store, webhook, live)


class OperationSchema(AutoSchema):
    """Name each operation by method and path, because one view may serve two paths."""

    def get_operation_id(self) -> str:
        """Return the id: for GET /api/customers/{customer_id}/, "get_customers_customer_id"."""
        segments = [part.strip("{}") for part in self.path.split("/") if part]
        return "_".join([self.method.lower(), *segments[1:]]).replace("-", "_")


def rest_endpoints(
    endpoints: Iterable[tuple[str, str, str, Any]],
) -> list[tuple[str, str, str, Any]]:
    """Return the endpoints of DRF views; `complete_document` adds the others."""
    return [endpoint for endpoint in endpoints if endpoint[0].startswith("/api/")]


def complete_document(**arguments: Any) -> dict[str, Any]:
    """Return the OpenAPI document with the plain views, all schemas, descriptions and examples.

    drf-spectacular passes its document by the name "result".
    """
    document: dict[str, Any] = arguments["result"]
    schemas = schema.components()
    for channel in _CHANNELS:
        document["paths"] |= channel.openapi_paths()
        schemas |= channel.SCHEMAS
    schemas = dict(sorted(schemas.items()))
    document["components"] = {"schemas": schemas, "securitySchemes": schema.SECURITY}
    document |= overview.sections()
    for path, path_item in document["paths"].items():
        if path.startswith("/live/"):
            path_item["get"]["servers"] = overview.live_servers()
    fields.describe_fields(document)
    examples.add_examples(document)
    return document
