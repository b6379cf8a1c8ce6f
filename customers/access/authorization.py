"""Parses Authorization headers for the ingest API, the REST API and the streams. Pure."""

import base64
import re
from typing import NamedTuple

KEY_PREFIXES = ("pk_", "sk_")
KEY_SCHEMES = ("basic", "bearer")

# The characters of a Bearer token (RFC 6750). Butler's keys contain no other characters.
_TOKEN = re.compile(r"[A-Za-z0-9._~+/-]+=*", re.ASCII)


class MalformedAuthorization(ValueError):
    """The header names a scheme that carries keys, but its key is unreadable."""


class HeaderKey(NamedTuple):
    """The key of an Authorization header. `find_sender` checks whether the key exists."""

    text: str
    scheme: str

    @property
    def is_foreign_token(self) -> bool:
        """Tell whether this is a Bearer token that cannot be a key of Butler."""
        return self.scheme == "bearer" and not self.text.startswith(KEY_PREFIXES)


def names_key_scheme(header: str) -> bool:
    """Tell whether the scheme of this header carries keys."""
    return _scheme(header) in KEY_SCHEMES


def parse_key(header: str) -> HeaderKey | None:
    """Return the key in an Authorization header; None if it is empty or has another scheme.

    Bearer carries the key as the token. Basic carries it as the user name, or as the password
    after an empty user name. Raises MalformedAuthorization if the key is unreadable.
    """
    scheme = _scheme(header)
    if scheme not in KEY_SCHEMES:
        return None
    credentials = header.partition(" ")[2]
    text = _basic_key(credentials) if scheme == "basic" else _bearer_key(credentials)
    return HeaderKey(text, scheme)


def _scheme(header: str) -> str:
    return header.partition(" ")[0].lower()


def _bearer_key(credentials: str) -> str:
    token = credentials.strip()
    if not _TOKEN.fullmatch(token):
        raise MalformedAuthorization("not a token")
    return token


def _basic_key(credentials: str) -> str:
    try:
        pair = base64.b64decode(credentials, validate=True).decode()
    except ValueError:  # no base64, no UTF-8, or not even ASCII
        raise MalformedAuthorization("not the base64 of UTF-8") from None
    name, _, password = pair.partition(":")
    # RFC 7617 allows no control characters in the name or the password.
    if not pair.isprintable() or not (name or password):
        raise MalformedAuthorization("neither a name nor a password")
    return name or password
