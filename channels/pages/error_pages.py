"""Error pages in the reader's language, which need neither database nor session."""

from http import HTTPStatus
from typing import NamedTuple

from django.http import HttpRequest, HttpResponse
from django.template.loader import render_to_string
from django.urls import reverse
from django.utils import translation
from django.utils.translation import gettext_lazy as _

STALE = "stale"


class ErrorTexts(NamedTuple):
    """The title of an error page, and what the reader can do now; translated lazily."""

    title: object
    text: object


TEXTS: dict[int | str, ErrorTexts] = {
    400: ErrorTexts(
        _("We could not read that"),
        _("Nothing was changed. Something in the address or in the form cannot be."),
    ),
    403: ErrorTexts(
        _("This is not for you"),
        _("What you asked for belongs to somebody else, or to another role."),
    ),
    404: ErrorTexts(
        _("There is nothing here for you"), _("It may have moved, or it never was yours.")
    ),
    405: ErrorTexts(
        _("Nothing to read here"),
        _("This address only takes a form. Go back to the page that the form is on."),
    ),
    500: ErrorTexts(
        _("Something went wrong on our side"),
        _("It was noted. What we had confirmed to you is kept. Please try again in a minute."),
    ),
    503: ErrorTexts(
        _("We will be back in a moment"),
        _(
            "What we had confirmed to you is kept. If you were sending something, look first "
            "whether it arrived."
        ),
    ),
    STALE: ErrorTexts(
        _("This page was open too long"),
        _("Nothing was changed. Go back, load the page again and try once more."),
    ),
}


def error_page(request: HttpRequest, status: int, *, kind: int | str = 0) -> HttpResponse:
    """Answer with an error page: of the console in English, else of the portal.

    It uses no database, no session and no login: any of them may be the cause of the error.
    """
    is_for_staff = request.path.startswith((reverse("console:home"), "/admin/"))
    language = "en" if is_for_staff else translation.get_language_from_request(request)
    with translation.override(language):
        context = {
            "texts": TEXTS.get(kind or status, TEXTS[400]),
            "retry_url": request.get_full_path() if _can_be_retried(request, status) else "",
        }
        template = "console/error.html" if is_for_staff else "portal/error.html"
        response = HttpResponse(render_to_string(template, context), status=status)
    response["Content-Language"] = language
    response["Cache-Control"] = "no-store"
    return response


def _can_be_retried(request: HttpRequest, status: int) -> bool:
    return request.method in ("GET", "HEAD") and status >= HTTPStatus.INTERNAL_SERVER_ERROR
