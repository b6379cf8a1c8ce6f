"""The buttons of the demo page, which exist only with DEBUG and invented customers."""

from django.conf import settings
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.utils import timezone
from django.views.decorators.http import require_POST

from customers.api.sessions import open_session
from customers.models import Identifier, User
from examples.themepark import demo_actions, people


@require_POST
def sign_in_as_noor(request: HttpRequest) -> HttpResponse:
    """Sign a visitor in as Noor, without a code."""
    _require_debug()
    open_session(request, _noor())
    return redirect("portal:home")


@require_POST
def run_action(request: HttpRequest, name: str) -> HttpResponse:
    """Run one action of Sam, Iris or Noor."""
    _require_debug()
    if name not in demo_actions.DEMO_ACTIONS:
        raise Http404
    _noor()
    demo_actions.run_demo_action(name, now=timezone.now())
    return redirect("portal:home")


def _noor() -> User:
    try:
        return people.noor()
    except Identifier.DoesNotExist:
        raise Http404("The park is not loaded. Run manage.py load_themepark.") from None


def _require_debug() -> None:
    # A visitor of this page can act as another person, so it exists only in development.
    if not settings.DEBUG:
        raise Http404
