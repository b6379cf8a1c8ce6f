import base64

import pytest

from customers.access.authorization import (
    HeaderKey,
    MalformedAuthorization,
    names_key_scheme,
    parse_key,
)


def basic(pair: bytes) -> str:
    return "Basic " + base64.b64encode(pair).decode()


@pytest.mark.parametrize(
    ("header", "expected"),
    [
        ("", None),
        (" ", None),
        ("Token 123", None),
        ('Digest username="x"', None),
        ("Negotiate YII=", None),
        ("sk_abc", None),
        (",", None),
        ("Basic\tc2tfYTo=", None),
        ("Bearer sk_a-b_c", HeaderKey("sk_a-b_c", "bearer")),
        ("bearer  sk_abc ", HeaderKey("sk_abc", "bearer")),
        ("BEARER eyJhbGciOiJIUzI1.e30.x==", HeaderKey("eyJhbGciOiJIUzI1.e30.x==", "bearer")),
        (basic(b"sk_abc:"), HeaderKey("sk_abc", "basic")),
        (basic(b"sk_abc"), HeaderKey("sk_abc", "basic")),
        (basic(b":sk_abc"), HeaderKey("sk_abc", "basic")),
        (basic(b"staging:let me in"), HeaderKey("staging", "basic")),
        (basic("zoë:".encode()), HeaderKey("zoë", "basic")),
        (basic(b":::"), HeaderKey("::", "basic")),
    ],
)
def test_header_gives_its_key_or_none(header, expected):
    assert parse_key(header) == expected


@pytest.mark.parametrize(
    "header",
    [
        *("Bearer", "Bearer ", "bearer \x80", "Bearer sk_\x00", "Bearer sk_\xff\xfe"),
        *("Bearer a, Bearer b", "Bearer sk_a b", "Bearer ="),
        *("Basic", "Basic ", "Basic !!!", "Basic c2tf=", "Basic \xe9\xe8", "Basic  c2tfYTo="),
        *(basic(b"\xff\xfe:\xff"), basic(b":"), basic(b"sk_\x00:"), basic(b"sk_a:\n")),
    ],
)
def test_scheme_of_keys_without_a_readable_key_is_malformed(header):
    assert names_key_scheme(header)
    with pytest.raises(MalformedAuthorization):
        parse_key(header)


@pytest.mark.parametrize(
    ("header", "is_foreign"),
    [
        ("Bearer sk_abc", False),
        ("Bearer pk_abc", False),
        ("Bearer eyJhbGciOiJIUzI1", True),
        (basic(b"staging:let me in"), False),
    ],
)
def test_only_a_bearer_token_without_the_prefix_of_a_key_is_foreign(header, is_foreign):
    assert parse_key(header).is_foreign_token == is_foreign
