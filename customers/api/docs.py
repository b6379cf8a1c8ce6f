"""Serves the OpenAPI document, and a page to read it."""

from functools import cache
from hashlib import sha256

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils.cache import get_conditional_response, patch_vary_headers
from django.utils.csp import CSP
from django.utils.encoding import force_bytes
from django.views.decorators.csp import csp_override
from drf_spectacular.renderers import (
    OpenApiJsonRenderer,
    OpenApiJsonRenderer2,
    OpenApiYamlRenderer,
)
from drf_spectacular.settings import spectacular_settings
from drf_spectacular.utils import extend_schema
from rest_framework.renderers import BaseRenderer
from rest_framework.request import Request

from customers.api.base import DeclaredView


class SchemaView(DeclaredView):
    """The OpenAPI document as JSON, or as YAML if the request accepts only YAML.

    Each process generates the document once, which takes a quarter of a second. The endpoint needs
    no key.
    """

    renderer_classes = [OpenApiJsonRenderer2, OpenApiJsonRenderer, OpenApiYamlRenderer]
    authentication_classes = ()
    permission_classes = ()

    @extend_schema(exclude=True)
    def get(self, request: Request) -> HttpResponse:
        """Return the document, or 304 if the caller already has it."""
        renderer: BaseRenderer = request.accepted_renderer
        # A class is hashable, but mypy checks the __hash__ of its instances.
        document, etag = _rendered_schema(type(renderer))  # type: ignore[arg-type]
        response = HttpResponse(document, renderer.media_type, headers={"ETag": etag})
        patch_vary_headers(response, ["Accept"])
        conditional = get_conditional_response(request._request, etag=etag, response=response)
        return conditional or response


@cache
def _rendered_schema(renderer_class: type[BaseRenderer]) -> tuple[bytes, str]:
    """Return the document in this format, and its entity tag."""
    generator = spectacular_settings.DEFAULT_GENERATOR_CLASS()
    schema = generator.get_schema(request=None, public=True)
    document = force_bytes(renderer_class().render(schema))
    return document, f'"{sha256(document).hexdigest()}"'


@csp_override(
    {
        "default-src": [CSP.NONE],
        "script-src": [CSP.SELF],
        "style-src": [CSP.SELF],
        "img-src": [CSP.SELF, "data:"],
        "connect-src": [CSP.SELF],
        "base-uri": [CSP.NONE],
        "frame-ancestors": [CSP.NONE],
    }
)
def docs(request: HttpRequest) -> HttpResponse:
    """Return the page that shows the OpenAPI document."""
    return render(request, "customers/docs.html")
