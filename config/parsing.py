"""How the bodies of REST requests are read: within the limits that hold for events, too."""

from collections.abc import Mapping
from typing import IO, Any

from django.core.exceptions import RequestDataTooBig
from rest_framework.exceptions import ParseError
from rest_framework.parsers import BaseParser

from channels.ingest.limits import Unfit, read_object


class LimitedParser(BaseParser):
    """JSON within the limits that hold for events, too: depth, size, keys, numbers, text."""

    media_type = "application/json"

    def parse(
        self,
        stream: IO[bytes],
        media_type: str | None = None,
        parser_context: Mapping[str, Any] | None = None,
    ) -> dict[str, Any]:
        try:
            data, _ = read_object(stream.read())
        except Unfit as error:
            if error.reason == "too_large":
                raise RequestDataTooBig from error
            raise ParseError(f"{error.reason}: {error.detail}") from error
        return data
