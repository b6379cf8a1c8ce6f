"""Read and decompress the bodies of requests, up to limits."""

import zlib

from django.conf import settings
from django.http import HttpRequest
from django.http.request import UnreadablePostError

from channels.ingest.http import ErrorResponse

GZIP_MAGIC = b"\x1f\x8b"
JSON_STARTS = (b"{", b"[")
# zlib copies the rest of the body for each member, so many empty members would take seconds.
MAX_GZIP_MEMBERS = 16
# The largest number of bytes that one byte may decompress to. Ordinary events stay below 100.
MAX_COMPRESSION_RATIO = 200
# Bytes that a body may always decompress to, independent of the ratio.
ALWAYS_ALLOWED_SIZE = 256 * 1024


def read_body(request: HttpRequest) -> bytes:
    """Return the raw body of any content type, up to BUTLER_MAX_BODY bytes. Raises ErrorResponse.

    The body is not decompressed yet: callers check a key in a header before `decompress`.
    """
    return _read_limited(request, settings.BUTLER_MAX_BODY)


def decompress(request: HttpRequest, body: bytes) -> bytes:
    """Return the decompressed body, up to BUTLER_MAX_BODY bytes. Raises ErrorResponse."""
    encoding = request.META.get("HTTP_CONTENT_ENCODING", "").strip().lower()
    is_gzip = encoding in ("gzip", "x-gzip")
    # Some proxies decompress a body and leave the header. Gzip never begins like JSON.
    if body.startswith(GZIP_MAGIC) or (is_gzip and not body.lstrip().startswith(JSON_STARTS)):
        return _gunzip(body)
    if not is_gzip and encoding not in ("", "identity"):
        raise ErrorResponse(415, "unknown_encoding", "Send the body uncompressed or as gzip.")
    return body


def _read_limited(request: HttpRequest, limit: int) -> bytes:
    # Phones send bodies without Content-Length (chunked), which Django does not read.
    chunked = "chunked" in request.META.get("HTTP_TRANSFER_ENCODING", "").lower()
    stream = request.META["wsgi.input"] if chunked else request
    parts, length = [], 0
    try:
        while length <= limit and (part := stream.read(limit + 1 - length)):
            parts.append(part)
            length += len(part)
    except (OSError, UnreadablePostError):
        raise ErrorResponse(400, "incomplete", "The body is incomplete.") from None
    if length > limit:
        raise _too_large(limit)
    return b"".join(parts)


def _gunzip(body: bytes) -> bytes:
    max_size = settings.BUTLER_MAX_BODY
    limit = min(max_size, max(ALWAYS_ALLOWED_SIZE, MAX_COMPRESSION_RATIO * len(body)))
    parts, length = [], 0
    try:
        for _ in range(MAX_GZIP_MEMBERS):
            unzip = zlib.decompressobj(wbits=31)
            parts.append(unzip.decompress(body, limit + 1 - length))
            length += len(parts[-1])
            if length > limit:
                raise _too_large(max_size) if limit == max_size else _too_compressed()
            if not unzip.eof:
                raise ErrorResponse(400, "bad_gzip", "The gzip data is incomplete.")
            body = unzip.unused_data
            if not body:
                return b"".join(parts)
    except zlib.error:
        raise ErrorResponse(400, "bad_gzip", "The body is not gzip.") from None
    raise ErrorResponse(400, "bad_gzip", f"The gzip data has more than {MAX_GZIP_MEMBERS} members.")


def _too_large(limit: int) -> ErrorResponse:
    return ErrorResponse(413, "too_large", f"A request may have {limit} bytes, decompressed.")


def _too_compressed() -> ErrorResponse:
    return ErrorResponse(
        413, "too_large", f"One byte may decompress to at most {MAX_COMPRESSION_RATIO} bytes."
    )
