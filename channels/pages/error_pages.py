"""What went wrong, in the reader's language: a page that needs nothing that may be broken."""

from http import HTTPStatus
from typing import NamedTuple

from django.http import HttpRequest, HttpResponse
from django.template.loader import render_to_string
from django.urls import reverse
from django.utils import translation
from django.utils.translation import gettext_lazy as _

STALE = "stale"


class Words(NamedTuple):
    """A title, and what the reader may do now; lazy, because languages differ by reader."""

    title: object
    text: object


WORDS: dict[int | str, Words] = {
    400: Words(
        _("We could not read that"),
        _("Nothing was changed. Something in the address or in the form cannot be."),
    ),
    403: Words(
        _("This is not for you"),
        _("What you asked for belongs to somebody else, or to another role."),
    ),
    404: Words(_("There is nothing here for you"), _("It may have moved, or it never was yours.")),
    405: Words(
        _("Nothing to read here"),
        _("This address only takes a form. Go back to the page that the form is on."),
    ),
    500: Words(
        _("Something went wrong on our side"),
        _("It was noted. What we had confirmed to you is kept. Please try again in a minute."),
    ),
    503: Words(
        _("We will be back in a moment"),
        _(
            "What we had confirmed to you is kept. If you were sending something, look first "
            "whether it arrived."
        ),
    ),
    STALE: Words(
        _("This page was open too long"),
        _("Nothing was changed. Go back, load the page again and try once more."),
    ),
}


def page(request: HttpRequest, status: int, *, kind: int | str = 0) -> HttpResponse:
    """Answer with a page of ours, in the way of the place where it went wrong.

    No database, no session and no login is asked: any of them may be what is broken. Staff read
    English, as everywhere at the console.
    """
    is_work = request.path.startswith((reverse("console:home"), "/admin/"))
    language = "en" if is_work else translation.get_language_from_request(request)
    with translation.override(language):
        shown = {
            "words": WORDS.get(kind or status, WORDS[400]),
            "again": request.get_full_path() if _may_be_asked_again(request, status) else "",
        }
        template = "console/error.html" if is_work else "portal/error.html"
        response = HttpResponse(render_to_string(template, shown), status=status)
    response["Content-Language"] = language
    response["Cache-Control"] = "no-store"
    return response


def _may_be_asked_again(request: HttpRequest, status: int) -> bool:
    return request.method in ("GET", "HEAD") and status >= HTTPStatus.INTERNAL_SERVER_ERROR
