import base64

import pytest

from channels.live.credentials import (
    Credential,
    CredentialKind,
    find_credential,
    parse_version,
    query_parameters,
)


def basic(text: str) -> bytes:
    return b"Basic " + base64.b64encode(text.encode())


@pytest.mark.parametrize(
    ("headers", "query", "expected"),
    [
        pytest.param({}, {}, None, id="nothing"),
        pytest.param(
            {b"authorization": basic("sk_1:")}, {}, (CredentialKind.KEY, "sk_1"), id="key-as-name"
        ),
        pytest.param(
            {b"authorization": basic(":sk_1")},
            {},
            (CredentialKind.KEY, "sk_1"),
            id="key-as-password",
        ),
        pytest.param(
            {b"authorization": b"Bearer sk_1"}, {}, (CredentialKind.KEY, "sk_1"), id="bearer"
        ),
        pytest.param({b"authorization": b"bearer  "}, {}, None, id="empty-bearer"),
        pytest.param({b"authorization": b"Basic !!"}, {}, None, id="not-base64"),
        pytest.param({b"authorization": b"Basic /w=="}, {}, None, id="not-utf8"),
        pytest.param({b"authorization": b"Digest x"}, {}, None, id="another-scheme"),
        pytest.param(
            {b"x-session-token": b"abc1"}, {}, (CredentialKind.SESSION, "abc1"), id="token"
        ),
        pytest.param(
            {b"cookie": b"a=b; sid=abc1"}, {}, (CredentialKind.SESSION, "abc1"), id="cookie"
        ),
        pytest.param({b"cookie": b'sid="a\\000b"'}, {}, None, id="cookie-with-a-zero-byte"),
        pytest.param({b"x-session-token": b"\xff"}, {}, None, id="token-not-ascii"),
        pytest.param(
            {b"cookie": b"sid=abc1", b"authorization": b"Bearer sk_1"},
            {"ticket": "t"},
            (CredentialKind.TICKET, "t"),
            id="a-ticket-wins",
        ),
        pytest.param(
            {b"cookie": b"sid=abc1", b"authorization": b"Bearer sk_1"},
            {},
            (CredentialKind.KEY, "sk_1"),
            id="a-key-wins-over-a-cookie",
        ),
    ],
)
def test_credential_is_found_in_headers_and_query(headers, query, expected):
    shown_credential = find_credential(headers, query, cookie="sid")

    assert shown_credential == (Credential(*expected) if expected else None)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        *[("0", 0), ("17", 17)],
        *[(odd, None) for odd in (None, "", "-1", "1e3", "²", "1 ", "9" * 19)],
    ],
)
def test_a_position_is_a_version_or_nothing(text, expected):
    assert parse_version(text) == expected


def test_a_query_is_read_without_surprises():
    assert query_parameters(b"after=3&after=4&ticket=a%20b") == {"after": "4", "ticket": "a b"}
    assert query_parameters(b"&".join(b"a%d=1" % n for n in range(50))) == {}
