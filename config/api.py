"""The whole schema: what the REST views say of themselves, and what the wire adds."""

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
from customers.api import schema


class Schema(AutoSchema):
    """Names operations by method and path: the same view may serve two paths."""

    def get_operation_id(self) -> str:
        words = [part.strip("{}") for part in self.path.split("/") if part]
        return "_".join([self.method.lower(), *words[1:]]).replace("-", "_")


def only_rest(endpoints: Iterable[tuple[str, str, str, Any]]) -> list[tuple[str, str, str, Any]]:
    """Leave out what the views of DRF do not serve; `complete` adds it from its own words."""
    return [one for one in endpoints if one[0].startswith("/api/")]


def complete(result: dict[str, Any], **_: Any) -> dict[str, Any]:
    """Add the endpoints that are plain views, and the shapes that the REST views answer with."""
    for paths in (ingest, phone, sms, email, store, webhook, live):
        result["paths"] |= paths.openapi_paths()
    components = result.setdefault("components", {})
    components.setdefault("schemas", {}).update(schema.components())
    components["securitySchemes"] = schema.SECURITY
    return result
