"""Enhanced status codes of mail (RFC 3463). Pure."""

import re

# The mailbox or domain does not exist, has moved, accepts no mail, or has no route.
_DEAD_ADDRESS = re.compile(r"5\.1\.(?:0|1|2|3|6|10)|5\.2\.1|5\.4\.[14]")
_CODE = re.compile(r"(?<![\d.])([245]\.\d{1,3}\.\d{1,3})(?![\d.])")


def is_dead_address(code: str) -> bool:
    """Return whether the code means that the address permanently receives no mail.

    A full mailbox is temporary.
    """
    return bool(_DEAD_ADDRESS.fullmatch(code))


def find_code(text: str) -> str:
    """Return the first enhanced code in a text, or an empty text."""
    match = _CODE.search(text)
    return match[1] if match else ""
