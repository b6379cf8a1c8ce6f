"""Returns errors as RFC 9457 problem documents."""

from http import HTTPStatus
from typing import Any

import msgspec
from django.core.exceptions import PermissionDenied, RequestDataTooBig, SuspiciousOperation
from django.http import Http404, HttpRequest, HttpResponse
from rest_framework import exceptions
from rest_framework.response import Response

CONTENT_TYPE = "application/problem+json"


class ProblemShape(msgspec.Struct, frozen=True, omit_defaults=True):
    """A problem document, as all endpoints under /api/ return it."""

    title: str
    status: int
    type: str = "about:blank"
    detail: str = ""
    instance: str = ""


class Problem(exceptions.APIException):
    """An error for the caller. `kind` is its name for programs."""

    def __init__(
        self,
        status: int,
        kind: str,
        detail: str,
        *,
        headers: dict[str, str] | None = None,
        **more: Any,
    ) -> None:
        super().__init__(detail)
        self.status_code = status
        self.kind = kind
        self.text = detail
        self.headers = headers or {}
        self.more = more


def problem(
    status: int,
    detail: str = "",
    *,
    kind: str = "",
    headers: dict[str, str] | None = None,
    **more: Any,
) -> HttpResponse:
    """Return a response with a problem document. `more` holds additional members."""
    document = {
        "type": f"urn:butler:problem:{kind}" if kind else "about:blank",
        "title": kind.replace("-", " ").capitalize() if kind else HTTPStatus(status).phrase,
        "status": status,
        **({"detail": detail} if detail else {}),
        **more,
    }
    response = HttpResponse(
        msgspec.json.encode(document), status=status, content_type=CONTENT_TYPE, headers=headers
    )
    response["Cache-Control"] = "no-store"
    return response


def not_found(request: HttpRequest, exception: Exception | None = None) -> HttpResponse:
    """Return the same 404 for missing things and for things that the caller may not see."""
    return problem(404, "This does not exist, or you may not see it.")


def handle_exception(error: Exception, context: dict[str, Any]) -> HttpResponse | Response | None:
    """Return a problem document for an exception of a view. DRF calls this function."""
    if isinstance(error, Problem):
        return problem(
            error.status_code, error.text, kind=error.kind, headers=error.headers, **error.more
        )
    if isinstance(error, Http404 | exceptions.NotFound):
        return not_found(context["request"])
    if isinstance(error, RequestDataTooBig):
        return problem(413, "The body is too large for this server.")
    if isinstance(error, PermissionDenied):
        return problem(403)
    if isinstance(error, SuspiciousOperation):
        return problem(400)
    if isinstance(error, exceptions.APIException):
        return _framework_problem(error)
    return None


def _framework_problem(error: exceptions.APIException) -> HttpResponse:
    headers = {}
    if scheme := getattr(error, "auth_header", None):
        headers["WWW-Authenticate"] = scheme
    if wait := getattr(error, "wait", None):
        headers["Retry-After"] = str(int(wait) + 1)
    return problem(error.status_code, str(error.detail), headers=headers)
