"""Signs the pages of links that work without a login, such as "Stop this change?".

A mail scanner opens each link of a message, and some send a POST to it. The form of a page therefore
sends back a value that only the page has, so that a POST without it changes nothing.
"""

from django.core import signing

# A signed page is valid for a day.
_PAGE_SECONDS = 24 * 60 * 60


def sign_page(token: str, *, salt: str) -> str:
    """Return the value that the form on the page of a link sends back."""
    return signing.TimestampSigner(salt=salt).sign(token)


def is_page_of(token: str, page: str, *, salt: str) -> bool:
    """Tell whether a form came from the page of this link, within a day."""
    try:
        signed = signing.TimestampSigner(salt=salt).unsign(page, max_age=_PAGE_SECONDS)
    except signing.BadSignature:
        return False
    return signed == token
