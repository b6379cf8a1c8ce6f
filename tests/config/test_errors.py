"""The error pages for browsers, and the error documents for programs."""

import pytest
from django.core.exceptions import PermissionDenied
from django.db import OperationalError
from django.test import Client, RequestFactory

from channels.pages.error_pages import TEXTS, error_page
from channels.portal.views import home
from config import errors
from tests import staff

BROWSER = "text/html,application/xhtml+xml,*/*;q=0.8"


@pytest.fixture
def browser(settings) -> Client:
    settings.DEBUG = False
    headers = {"accept": BROWSER, "accept-language": "sv"}
    return Client(raise_request_exception=False, headers=headers)


@pytest.fixture
def break_home(monkeypatch):
    """Make the home page of the portal raise an error."""

    def arrange(error: Exception) -> None:
        def breaks(*_, **__):
            raise error

        monkeypatch.setattr(home, "_example_panel", breaks)

    return arrange


def is_ours(answer, status: int, title: str) -> bool:
    """Return whether this is an error page of Butler, with the strict policy and not cacheable."""
    policy = answer["Content-Security-Policy"]
    assert answer.status_code == status, answer.content[:300]
    assert answer["Content-Type"].startswith("text/html")
    assert answer["Cache-Control"] == "no-store"
    assert "unsafe" not in policy
    assert "default-src 'none'" in policy
    return f"{title}</h1>" in answer.text and 'name="csrfmiddlewaretoken"' not in answer.text


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("path", "status", "title"),
    [
        ("/nowhere/", 404, "Sidan kunde inte hittas"),
        ("/sign-in/?x=%00", 400, "Ogiltig begäran"),
        ("/sign-in/?" + "a=1&" * 1001, 400, "Ogiltig begäran"),
        ("/sign-out/", 405, "Ingen sida på den här adressen"),
        ("/console/nowhere/", 404, "Page not found"),
        ("/console/sign-out/", 405, "No page at this address"),
    ],
)
def test_error_has_a_page_in_the_language_of_the_browser(browser, path, status, title):
    assert is_ours(browser.get(path), status, title)


def test_unknown_host_gets_an_error_page_without_its_name(browser, settings):
    settings.ALLOWED_HOSTS = ["park.example.com"]

    answer = browser.get("/", headers={"host": "evil.example"})

    assert is_ours(answer, 400, "Ogiltig begäran")
    assert "evil.example" not in answer.text


@pytest.mark.django_db
def test_form_without_csrf_token_gets_an_error_page(settings):
    settings.DEBUG = False
    strict = Client(enforce_csrf_checks=True, headers={"accept-language": "da"})

    answer = strict.post("/sign-in/", {"email": "noor@example.com"})

    assert is_ours(answer, 403, "Siden var åben for længe")
    assert strict.post("/_allauth/browser/v1/auth/code/request").json()["status"] == 403


@pytest.mark.django_db
def test_server_error_page_shows_no_details(browser, break_home):
    break_home(RuntimeError("noor@example.com"))

    answer = browser.get("/")

    assert is_ours(answer, 500, "Något gick fel hos oss")
    assert "noor@example.com" not in answer.text
    # Only reads offer a retry, because a repeated write could take effect twice.
    assert '<a class="button" href="/">Försök igen</a>' in answer.text


@pytest.mark.django_db
def test_denied_permission_gets_an_error_page(browser, break_home):
    break_home(PermissionDenied())

    assert is_ours(browser.get("/"), 403, "Ingen åtkomst")


@pytest.mark.django_db
def test_database_outage_is_a_page_for_browsers_and_a_problem_document_for_scripts(
    browser, break_home
):
    break_home(OperationalError("gone"))

    shown, script = browser.get("/?x=1"), browser.get("/", headers={"accept": "*/*"})

    assert is_ours(shown, 503, "Butler är inte tillgängligt")
    assert '<a class="button" href="/?x=1">' in shown.text
    assert int(shown["Retry-After"]) > 0
    assert (script.status_code, script["Content-Type"]) == (503, "application/problem+json")
    assert int(script["Retry-After"]) > 0


@pytest.mark.django_db
def test_database_outage_in_a_middleware_answers_503(settings, monkeypatch):
    settings.DEBUG = False
    lin = Client(raise_request_exception=False, headers={"accept": BROWSER})
    staff.let_in(lin, staff.colleague("manager", "Lin"))

    def away(*_, **__):
        raise OperationalError("gone")

    monkeypatch.setattr("channels.console.views.access.signed_in_staff", away)
    answer = lin.get("/admin/")

    assert (answer.status_code, int(answer["Retry-After"]) > 0) == (503, True)
    assert "Butler is not available" in answer.text


@pytest.mark.parametrize("path", ["/api/x/", "/v1/x", "/_allauth/x", "/live/x"])
@pytest.mark.parametrize(
    ("answer", "status"),
    [(errors.bad_request, 400), (errors.permission_denied, 403), (errors.not_found, 404)],
)
def test_api_errors_are_documents_whatever_the_client_accepts(path, answer, status):
    request = RequestFactory().get(path, headers={"accept": BROWSER})

    response = answer(request, Exception("noor@example.com"))

    content_type = "application/json" if path.startswith("/v1/") else "application/problem+json"
    assert (response.status_code, response["Content-Type"]) == (status, content_type)
    assert b"noor" not in response.content


@pytest.mark.parametrize("status", [status for status in TEXTS if isinstance(status, int)])
@pytest.mark.parametrize("path", ["/", "/console/"])
def test_error_pages_run_no_statement(path, status):
    """This test has no database mark, so a statement would fail."""
    request = RequestFactory().post(path, headers={"accept-language": "nl"})

    answer = error_page(request, status)

    assert answer.status_code == status
    assert answer["Content-Language"] == ("en" if path == "/console/" else "nl")
    assert 'href="/console/"' in answer.text or 'href="/"' in answer.text
