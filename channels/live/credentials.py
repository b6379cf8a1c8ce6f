"""Find the credential of a request. Reads no database."""

from collections.abc import Mapping
from enum import StrEnum
from typing import NamedTuple
from urllib.parse import parse_qs

from django.http.cookie import parse_cookie

from customers.access.authorization import MalformedAuthorization, parse_key


class CredentialKind(StrEnum):
    TICKET = "ticket"
    KEY = "key"
    IDENTITY_TOKEN = "identity token"
    SESSION = "session"


class Credential(NamedTuple):
    kind: CredentialKind
    text: str
    # The number of the account for which a key reads; None without one.
    account: str | None = None


def find_credential(
    headers: Mapping[bytes, bytes], query: Mapping[str, str], *, cookie: str
) -> Credential | None:
    """Return the credential of the request, by the order of the REST API (config/rest_settings.py).

    A ticket, the Authorization header, a session token, an identity token, or a cookie.
    """
    if ticket := query.get("ticket"):
        return Credential(CredentialKind.TICKET, ticket)
    if authorization := headers.get(b"authorization"):
        key = _key(authorization.decode("latin-1"))
        account = headers.get(b"butler-for")
        number = None if account is None else account.decode("latin-1")
        return Credential(CredentialKind.KEY, key, number) if key else None
    session = headers.get(b"x-session-token", b"").decode("latin-1")
    identity_token = headers.get(b"x-identity-token", b"").decode("latin-1")
    if identity_token and not session:
        return Credential(CredentialKind.IDENTITY_TOKEN, identity_token)
    if not session and (cookie_header := headers.get(b"cookie")):
        session = parse_cookie(cookie_header.decode("latin-1")).get(cookie, "")
    # A quoted cookie can contain any byte, and Postgres refuses some of them.
    if session.isascii() and session.isalnum():
        return Credential(CredentialKind.SESSION, session)
    return None


def _key(authorization: str) -> str | None:
    try:
        key = parse_key(authorization)
    except MalformedAuthorization:
        return None
    return key.text if key else None


def query_parameters(query_string: bytes) -> dict[str, str]:
    """Return the query parameters; the last value counts if a name occurs twice."""
    try:
        pairs = parse_qs(query_string.decode("latin-1"), max_num_fields=20)
    except ValueError:
        return {}
    return {name: values[-1] for name, values in pairs.items()}


def parse_version(text: str | None) -> int | None:
    """Return the version of a log, or None if the text is not a version."""
    if text is None or not (text.isascii() and text.isdigit() and len(text) <= 18):
        return None
    return int(text)
