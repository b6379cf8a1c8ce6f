"""Answers to paths that have a route only with a slash at their end.

Butler has one address for each object, which ends with a slash. The addresses under /v1/ accept
both, because the clients of others write them.
"""

from django.http import HttpRequest, HttpResponse, HttpResponsePermanentRedirect
from django.urls import Resolver404, resolve

from customers.api import problems

UNKNOWN_ROUTE = "unknown-route"


def unknown_route(request: HttpRequest) -> HttpResponse:
    """Return the response for a path of an API that has no route."""
    if not needs_slash(request):
        return problems.not_found(request)
    if request.method in ("GET", "HEAD"):
        return redirect_to_slash(request)
    # Clients turn a redirected POST into a GET, and lose its body.
    detail = f"Write the path with a slash at its end: {request.path}/"
    return problems.problem(404, detail, kind="missing-slash")


def needs_slash(request: HttpRequest) -> bool:
    """Return whether the path has a route only with a slash at its end."""
    path = request.path_info
    return not path.endswith("/") and not _has_route(path) and _has_route(f"{path}/")


def _has_route(path: str) -> bool:
    try:
        return resolve(path).url_name != UNKNOWN_ROUTE
    except Resolver404:
        return False


def redirect_to_slash(request: HttpRequest) -> HttpResponse:
    """Return a permanent redirect to the path with its slash, with the same query."""
    return HttpResponsePermanentRedirect(request.get_full_path(force_append_slash=True))
