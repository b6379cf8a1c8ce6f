"""The sign-in by code, with the paths and documents of allauth's headless API.

The views of allauth send a code to customers with an account, and another mail to others. Our
views have one flow for all (customers.actions.sign_in). The other functions of allauth (passwords,
sign-up and a change of address) have no URL here.
"""

from functools import partial

from allauth.headless.account.views import SessionView
from allauth.headless.base.response import AuthenticationResponse
from allauth.headless.base.views import APIView, ConfigView
from allauth.headless.constants import Client
from allauth.headless.internal.restkit.response import APIResponse
from django.http import HttpRequest, HttpResponse, RawPostDataException
from django.urls import URLPattern, path

from channels.ingest.limits import InvalidEvent, read_object
from customers import db
from customers.api.problems import Problem
from customers.api.sign_in import send_code, sign_in_by_codes

# The key of the session data: the handles of the latest codes, the newest first.
_PENDING = "sign_in_requests"
_MAX_CODES = 3
_BODY_LIMIT = 4096


class RequestCodeView(APIView):
    """Send a code to a mailbox or a phone; the session in the response belongs to this code."""

    handle_json_input = False

    def post(self, request: HttpRequest) -> HttpResponse:
        """Request a code; return 401 with the pending sign-in, or an error."""
        fields = {kind: _read_field(request, kind) for kind in ("email", "phone")}
        addresses = [(kind, text) for kind, text in fields.items() if text is not None]
        if len(addresses) != 1:
            return _error_response(request, "email", "required", "This field is required.")
        [(kind, text)] = addresses
        try:
            sign_in_request = send_code(request, kind, text)
        except Problem as problem:
            return _problem_response(request, problem, kind)
        earlier = request.session.get(_PENDING, [])
        request.session[_PENDING] = [sign_in_request.handle, *earlier][:_MAX_CODES]
        flows = [{"id": "login_by_code", "is_pending": True}]
        return APIResponse(
            request, data={"flows": flows}, meta={"is_authenticated": False}, status=401
        )


class ConfirmCodeView(APIView):
    """Check the code, and answer with the session of the customer."""

    handle_json_input = False

    def post(self, request: HttpRequest) -> HttpResponse:
        """Return the session; return 409 if no code was requested, 400 if the code is wrong."""
        handles = request.session.get(_PENDING)
        if handles is None:
            return APIResponse(request, status=409)
        code = _read_field(request, "code")
        if not code:
            return _error_response(request, "code", "required", "This field is required.")
        try:
            sign_in_by_codes(request, handles=handles, code=code)
        except Problem as problem:
            return _problem_response(request, problem, "code")
        return db.retry_if_connection_lost(partial(AuthenticationResponse, request))


def _read_field(request: HttpRequest, field: str) -> str | None:
    """Return one field of the body if it is text."""
    try:
        body = request.body
        value = read_object(body)[0].get(field) if len(body) <= _BODY_LIMIT else None
    except (InvalidEvent, RawPostDataException):
        # The CSRF check has read a form with files, so its body cannot be read again.
        return None
    return value if isinstance(value, str) else None


def _problem_response(request: HttpRequest, problem: Problem, field: str) -> HttpResponse:
    if problem.status_code in (403, 422):
        return _error_response(request, field, _CODES.get(problem.kind, problem.kind), problem.text)
    response = APIResponse(request, status=problem.status_code)
    for name, value in problem.headers.items():
        response[name] = value
    return response


_CODES = {
    "wrong-code": "incorrect_code",
    "not-an-address": "invalid",
    "not-a-number": "invalid",
    "no-code-number": "invalid",
}


def _error_response(request: HttpRequest, field: str, code: str, message: str) -> HttpResponse:
    errors = [{"message": message, "code": code, "param": field}]
    return APIResponse(request, errors=errors, status=400)


def url_patterns(client: Client) -> list[URLPattern]:
    """Return the URL patterns of one kind of client: apps use a token, browsers a cookie."""
    views = {
        "config": ConfigView,
        "auth/session": SessionView,
        "auth/code/request": RequestCodeView,
        "auth/code/confirm": ConfirmCodeView,
    }
    return [
        path(
            f"{client.value}/v1/{address}", view.as_api_view(client=client, handle_json_input=False)
        )
        for address, view in views.items()
    ]


urlpatterns = [*url_patterns(Client.APP), *url_patterns(Client.BROWSER)]
