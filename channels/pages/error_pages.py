"""Error pages in the reader's language, which need neither database nor session."""

from http import HTTPStatus
from typing import NamedTuple

from django.http import HttpRequest, HttpResponse
from django.template.loader import render_to_string
from django.utils import translation
from django.utils.translation import gettext_lazy as _

from channels.pages import areas

TEMPLATE = "pages/error.html"
STALE = "stale"


class ErrorTexts(NamedTuple):
    """The title of an error page, and what the reader can do now; translated lazily."""

    title: object
    text: object


TEXTS: dict[int | str, ErrorTexts] = {
    400: ErrorTexts(
        _("Invalid request"),
        _(
            "Nothing was changed. The address or the form has an invalid value. Go back and correct it."
        ),
    ),
    403: ErrorTexts(
        _("No access"),
        _(
            "This page belongs to another customer or needs another role. Go back to your home page."
        ),
    ),
    404: ErrorTexts(
        _("Page not found"),
        _("This page does not exist, or you may not see it. Check the address."),
    ),
    405: ErrorTexts(
        _("No page at this address"),
        _("This address accepts only a form. Go back to the page with the form."),
    ),
    500: ErrorTexts(
        _("Something went wrong on our side"),
        _(
            "We logged the error. Everything that we confirmed to you is stored. Please try again in a minute."
        ),
    ),
    503: ErrorTexts(
        _("Butler is not available"),
        _(
            "Try again in a minute. Everything that we confirmed to you is stored. "
            "If you were sending a form, check first whether we received it."
        ),
    ),
    STALE: ErrorTexts(
        _("This page was open too long"),
        _("Nothing was changed. Go back, load the page again and try once more."),
    ),
}


def error_page(request: HttpRequest, status: int, *, kind: int | str = 0) -> HttpResponse:
    """Answer with an error page in the layout and the language of the area.

    It uses no database, no session and no login: any of them may be the cause of the error.
    """
    area = areas.area_of(request)
    language = area.language or translation.get_language_from_request(request)
    with translation.override(language):
        context = {
            "texts": TEXTS.get(kind or status, TEXTS[400]),
            "layout": area.layout,
            "home_url": area.home_url,
            "retry_url": request.get_full_path() if _can_be_retried(request, status) else "",
        }
        response = HttpResponse(render_to_string(TEMPLATE, context), status=status)
    response["Content-Language"] = language
    response["Cache-Control"] = "no-store"
    return response


def _can_be_retried(request: HttpRequest, status: int) -> bool:
    return request.method in ("GET", "HEAD") and status >= HTTPStatus.INTERNAL_SERVER_ERROR
