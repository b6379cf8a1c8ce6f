"""Read forms of the type multipart/form-data, which telephone systems send for Zammad. Pure."""

import re
from collections.abc import Mapping
from io import BytesIO

from django.http.multipartparser import MultiPartParser, MultiPartParserError

from channels.ingest.limits import InvalidEvent

# The first line of the body is its boundary, so the content type is not needed.
_FIRST_LINE = re.compile(rb"\s*--([0-9A-Za-z'()+_,./:=?-]{1,70})\r?\n")


def is_multipart(body: bytes) -> bool:
    """Return whether the body begins with a boundary."""
    return _FIRST_LINE.match(body) is not None


def parse_multipart(body: bytes) -> Mapping[str, object]:
    """Return the fields of the form, without its files. Raises InvalidEvent."""
    match = _FIRST_LINE.match(body)
    boundary = match[1].decode() if match else ""
    headers = {
        "CONTENT_TYPE": f'multipart/form-data; boundary="{boundary}"',
        "CONTENT_LENGTH": len(body),
    }
    try:
        fields, _ = MultiPartParser(headers, BytesIO(body), []).parse()
    except MultiPartParserError as error:
        raise InvalidEvent("malformed", "the form is not multipart/form-data") from error
    return fields
