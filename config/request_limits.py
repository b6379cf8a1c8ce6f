"""Limits for the bodies of REST requests and forms."""

from collections.abc import Mapping
from typing import IO, Any, Never

from django.core.exceptions import RequestDataTooBig
from django.core.files.uploadhandler import FileUploadHandler, StopUpload
from rest_framework.exceptions import ParseError
from rest_framework.parsers import BaseParser

from channels.ingest.limits import MAX_EVENT, InvalidEvent, read_object


class LimitedParser(BaseParser):
    """A JSON parser with the same limits as for events: depth, size, keys, numbers, text."""

    media_type = "application/json"

    def parse(
        self,
        stream: IO[bytes],
        media_type: str | None = None,
        parser_context: Mapping[str, Any] | None = None,
    ) -> dict[str, Any]:
        """Return the JSON object of the body.

        Raises RequestDataTooBig if the body is too large, and ParseError if it is invalid.
        """
        try:
            document, _ = read_object(_read_limited(stream))
        except InvalidEvent as error:
            if error.reason == "too_large":
                raise RequestDataTooBig from error
            raise ParseError(f"{error.reason}: {error.detail}") from error
        return document


def _read_limited(stream: IO[bytes]) -> bytes:
    """Return at most one byte more than the limit, and ignore the declared length."""
    parts, remaining = [], MAX_EVENT + 1
    while remaining and (part := stream.read(remaining)):
        parts.append(part)
        remaining -= len(part)
    return b"".join(parts)


class RefuseFiles(FileUploadHandler):
    """Refuse uploaded files, because no form has any and Django would write them to the disk."""

    def new_file(self, *args: Any, **kwargs: Any) -> Never:
        raise StopUpload(connection_reset=True)

    def receive_data_chunk(self, raw_data: bytes, start: int) -> Never:
        raise StopUpload(connection_reset=True)

    def file_complete(self, file_size: int) -> None:
        return None
