"""The buttons of the live page: for a machine with invented people on it, and no other."""

from django.conf import settings
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.utils import timezone
from django.views.decorators.http import require_POST

from customers.api.sessions import open_session
from customers.models import Identifier, User
from examples.themepark import acts, people


@require_POST
def look_as_noor(request: HttpRequest) -> HttpResponse:
    """Sign a visitor in as Noor, without a code."""
    _only_here()
    open_session(request, _noor())
    return redirect("portal:home")


@require_POST
def act(request: HttpRequest, name: str) -> HttpResponse:
    """Let Sam, Iris or Noor do something."""
    _only_here()
    if name not in acts.ACTS:
        raise Http404
    _noor()
    acts.act(name, now=timezone.now())
    return redirect("portal:home")


def _noor() -> User:
    try:
        return people.noor()
    except Identifier.DoesNotExist:
        raise Http404("Nobody is in the park: run manage.py load_themepark.") from None


def _only_here() -> None:
    # Anybody who reaches this page could act for somebody else: never outside development.
    if not settings.DEBUG:
        raise Http404
