"""The base of all endpoints: rights, request bodies, versions and responses."""

from collections.abc import Callable, Collection, Iterable, Mapping
from datetime import timedelta
from http import HTTPStatus
from typing import Any, ClassVar
from urllib.parse import quote, urlencode
from uuid import UUID

import msgspec
from django.conf import settings
from django.http import Http404, HttpResponse
from django.utils import timezone
from django.utils.encoding import escape_uri_path
from rest_framework.negotiation import DefaultContentNegotiation
from rest_framework.request import Request
from rest_framework.views import APIView

from customers.access import access_log
from customers.access.permissions import (
    HasRight,
    Principal,
    Right,
    can_open,
    request_actor,
    request_principal,
)
from customers.actions.idempotency import StoredResponse, run_once
from customers.api import schema
from customers.api.problems import Problem
from customers.identity.openable_graph import CHOSEN
from customers.ingest import VersionMismatch
from customers.queries import lists
from customers.queries.pages import DEFAULT_LIMIT, MAX_LIMIT, BadCursor, Page

encode = msgspec.json.Encoder(decimal_format="string").encode

_MAX_IDEMPOTENCY_KEY = 255
# The number of characters of an unknown parameter that its problem repeats.
_MAX_SHOWN_NAME = 100


class JsonOnlyNegotiation(DefaultContentNegotiation):
    """Always answers JSON, and never 406."""

    def select_renderer(self, request: Any, renderers: Any, format_suffix: Any = None) -> Any:
        return renderers[0], renderers[0].media_type


class DeclaredView(APIView):
    """A view that obeys the descriptions of its methods: their query parameters, and Location."""

    def initial(self, request: Request, *args: Any, **kwargs: Any) -> None:
        """Raise Problem (400) for a query parameter that the method does not declare."""
        super().initial(request, *args, **kwargs)
        method = getattr(self, str(request.method).lower(), None)
        if method is not None and request.GET:
            _refuse_unknown_parameters(request, schema.declaration(method).query_names)

    def finalize_response(self, request: Request, response: Any, *args: Any, **kwargs: Any) -> Any:
        """Add the Location that the method declares to a 201, also to a stored one."""
        response = super().finalize_response(request, response, *args, **kwargs)
        if response.status_code == HTTPStatus.CREATED and "Location" not in response:
            method = getattr(self, str(request.method).lower())
            suffix = schema.declaration(method).location or ""
            response["Location"] = _location(request, suffix, response.content)
        return response


def _location(request: Request, suffix: str, body: bytes) -> str:
    """Return the address of a new object, as a path. Fields of the body fill the suffix."""
    fields = msgspec.json.decode(body)
    segments = {name: quote(str(value), safe="") for name, value in fields.items()}
    return escape_uri_path(request.path) + suffix.format_map(segments)


def _refuse_unknown_parameters(request: Request, names: Collection[str]) -> None:
    for name in request.GET:
        if name not in names:
            allowed = f"It takes: {', '.join(names)}." if names else "It takes none."
            raise Problem(
                400,
                "unknown-parameter",
                f"This address has no query parameter “{name[:_MAX_SHOWN_NAME]}”. {allowed}",
                parameters=list(names),
            )


class ApiView(DeclaredView):
    """An endpoint. Its table `rights` names the right that each method needs.

    Its table `problems` has a function for each error of an action, which returns the error to
    answer with: a Problem or Http404.
    """

    content_negotiation_class = JsonOnlyNegotiation
    rights: ClassVar[dict[str, Right]] = {}
    problems: ClassVar[Mapping[type[Exception], Callable[[Exception], Exception]]] = {}
    http_method_names = ["get", "post", "put", "patch", "delete", "head"]
    permission_classes = [HasRight]

    def handle_exception(self, error: Exception) -> Any:
        """Answer the errors in `problems`, VersionMismatch (412), BadCursor (400), others as DRF does."""
        if to_problem := self.problems.get(type(error)):
            error = to_problem(error)
        elif isinstance(error, VersionMismatch):
            error = version_mismatch(error)
        elif isinstance(error, BadCursor):
            error = Problem(400, "bad-cursor", str(error))
        return super().handle_exception(error)


class CustomerView(ApiView):
    """An endpoint about one record: the record in the path, or the own record under /api/me/."""

    # Whether the endpoint is about the record as a whole, such as its consents. A customer then needs
    # a session that opens the mailbox of the record.
    needs_contact: ClassVar = False

    def initial(self, request: Request, *args: Any, **kwargs: Any) -> None:
        """Set `customer_id` and `part`, and log the access of a GET or HEAD.

        `part` is the part of the record that a customer opens, or None for the whole record.
        Raises Http404 if the principal has no own record or may not open the record in the path.
        """
        super().initial(request, *args, **kwargs)
        # For a method that is not allowed, the answer is 405 for all principals and records.
        if request.method in self.allowed_methods:
            principal = request_principal(request)
            self.customer_id = _customer_id(principal, kwargs.get("customer_id"))
            self.part = principal.part
            if self.needs_contact and principal.opened and not principal.opened.has_contact:
                if principal.opened.has_closed_past:
                    raise history_closed()
                raise Problem(403, "address-not-confirmed", _CONFIRM_FIRST)
            if request.method in ("GET", "HEAD"):
                log_request_access(request, [self.customer_id])

    @property
    def live_id(self) -> UUID:
        """The id of the live record, even if the record in the path was merged into it."""
        return or_404(lists.live_id(self.customer_id))


def history_closed() -> Problem:
    """Return the problem of a session that opens only what is later than a silence."""
    return Problem(
        403,
        "history-closed",
        "Nothing came from this address for a year. Open the earlier history by one more fact.",
    )


_CONFIRM_FIRST = "Confirm the address of this record with a code first."


def refuse_choice(principal: Principal) -> None:
    """Raise Problem if the customer has to choose one of several records first."""
    if principal.has_choice:
        raise Problem(409, "choose-account", "This address has several accounts. Choose one first.")


def _customer_id(principal: Principal, path_id: UUID | None) -> UUID:
    refuse_choice(principal)
    if path_id is None:
        # Staff and keys have no own record.
        if principal.own_record_id is None:
            raise Http404
        return principal.own_record_id
    if not can_open(principal, path_id):
        raise Http404
    return path_id


def log_request_access(request: Request, ids: Iterable[UUID], *, what: str = "") -> None:
    """Log that this request reads these records. Reads by the customer are not logged."""
    principal = request_principal(request)
    if principal.kind == "customer" and principal.reader is None:
        return
    match = request._request.resolver_match
    access_log.log_api_access(
        customer_ids=ids,
        actor=request_actor(request),
        role="staff" if principal.kind == "staff" else access_log.SYSTEM,
        what=what or (match.url_name if match else None) or "record",
        now=timezone.now(),
    )


def or_404[T](value: T | None) -> T:
    """Return the value; raise Http404 if it is None."""
    if value is None:
        raise Http404
    return value


def shape_response(shape: object, *, status: int = 200, version: int | None = None) -> HttpResponse:
    """Return a JSON response of a shape."""
    return to_response(StoredResponse(status, encode(shape)), version=version)


def to_response(stored: StoredResponse, *, version: int | None = None) -> HttpResponse:
    """Return a JSON response, with the version as its ETag. The client must revalidate copies."""
    response = HttpResponse(stored.body, status=stored.status, content_type="application/json")
    # The client may store the response, but must revalidate it. If it is current, it gets 304.
    response["Cache-Control"] = "private, no-cache"
    if version is not None:
        response["ETag"] = f'"{version}"'
    return response


def page_response(request: Request, page: Page[Any]) -> HttpResponse:
    """Return a response with a page and the URLs of the next and previous pages."""
    return shape_response(
        {
            "results": page.results,
            "next": _page_url(request, page.next),
            "previous": _page_url(request, page.previous),
        }
    )


def _page_url(request: Request, cursor: str | None) -> str | None:
    if cursor is None:
        return None
    query = [(name, value) for name, value in request.GET.items() if name != "cursor"]
    return request.build_absolute_uri(f"{request.path}?{urlencode([*query, ('cursor', cursor)])}")


_MAX_LIMIT_DIGITS = 6


def page_parameters(request: Request) -> tuple[str | None, int]:
    """Return the cursor and the limit of a list request; raise a Problem for a bad limit."""
    limit = request.GET.get("limit", str(DEFAULT_LIMIT))
    is_short = limit.isascii() and limit.isdigit() and len(limit) <= _MAX_LIMIT_DIGITS
    if not (is_short and 1 <= int(limit) <= MAX_LIMIT):
        raise Problem(400, "bad-limit", f"limit has to be a number from 1 to {MAX_LIMIT}.")
    return request.GET.get("cursor") or None, int(limit)


def read_body[T](request: Request, shape: type[T]) -> T:
    """Return the body as this shape; raise a Problem (422) that names the invalid field."""
    try:
        return msgspec.convert(request.data or {}, shape)
    except msgspec.ValidationError as error:
        raise Problem(422, "invalid-body", str(error)) from None


def read_query[T](request: Request, shape: type[T]) -> T:
    """Return the query parameters as this shape; raise a Problem (400) if they are invalid."""
    try:
        return msgspec.convert(request.GET.dict(), shape, strict=False)
    except msgspec.ValidationError as error:
        raise Problem(400, "invalid-query", str(error)) from None


def split_identifier(text: str) -> tuple[str, str]:
    """Return the kind and the value of an identifier such as email:noor@example.com."""
    kind, _, value = text.partition(":")
    if kind == "external":
        system, _, value = value.partition(":")
        kind = f"external:{system}"
    return kind, value


def expected_version(request: Request) -> int | None:
    """Return the version in If-Match; None if the header is missing or is `*`."""
    tag = request.headers.get("If-Match", "*").strip()
    if tag == "*":
        return None
    # The tag of a customer's record also names what the session opens.
    number = tag.removeprefix('"').removesuffix('"').partition("-")[0]
    if number.isascii() and number.isdigit() and len(number) < 19:
        return int(number)
    # A weak tag or a tag of another server does not match any version of a record.
    raise Problem(412, "version-mismatch", "If-Match does not contain a version of this record.")


def version_mismatch(error: VersionMismatch) -> Problem:
    """Return the Problem (412) with the current version in its body and as its ETag."""
    return Problem(
        412,
        "version-mismatch",
        "The record has changed since you read it. Read it again.",
        headers={"ETag": f'"{error.current}"'},
        version=error.current,
    )


def idempotent_response(request: Request, effect: Callable[[], StoredResponse]) -> HttpResponse:
    """Run the effect of a POST once for each Idempotency-Key."""
    key = request.headers.get("Idempotency-Key")
    if key is None:
        return to_response(effect())
    if not key or len(key) > _MAX_IDEMPOTENCY_KEY or not key.isprintable():
        raise Problem(
            400,
            "bad-idempotency-key",
            f"Idempotency-Key has to have 1 to {_MAX_IDEMPOTENCY_KEY} printable characters.",
        )
    attempt = run_once(
        principal=request_principal(request).name,
        key=key,
        request=_request_fingerprint(request),
        now=timezone.now(),
        retention=timedelta(days=settings.BUTLER_IDEMPOTENCY_DAYS),
        effect=effect,
    )
    if attempt.response is None:
        raise _CONFLICTS[attempt.state]()
    response = to_response(attempt.response)
    if attempt.state == "repeated":
        response["Idempotent-Replayed"] = "true"
    return response


def _request_fingerprint(request: Request) -> bytes:
    """Return method, path and body. Two requests with equal values are the same request.

    After the choice of another account, a request is another one.
    """
    body = msgspec.json.encode(request.data, order="sorted") if request.data else b""
    values = [str(request.method).encode(), request.get_full_path().encode(), body]
    session = request_principal(request).session
    if session is not None and CHOSEN in session:
        values.append(b"account %d" % session[CHOSEN])
    return b"\n".join(values)


_CONFLICTS: dict[str, Callable[[], Problem]] = {
    "other_content": lambda: Problem(
        422, "idempotency-key-reused", "Another request has already used this Idempotency-Key."
    ),
    "in_progress": lambda: Problem(
        409,
        "request-in-progress",
        "Butler is still processing the same request. Try again in a second.",
        headers={"Retry-After": "1"},
    ),
}
