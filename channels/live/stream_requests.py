"""Parse the requests for streams: the record, the credential and the start version."""

import re
from typing import Any, NamedTuple

from django.conf import settings

from channels.live import credentials
from channels.live.access import StreamRight, Viewer
from channels.live.credentials import Credential
from channels.live.problems import CHOOSE_ACCOUNT, NOT_FOUND, StreamProblem

_UUID = "[0-9a-fA-F]{8}(?:-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}"
CUSTOMER_PATH = re.compile(f"/live/customers/({_UUID})/?")
OWN_PATH = re.compile("/live/me/?")


class StreamRequest(NamedTuple):
    """The credential, customer and position of a request for a stream."""

    credential: Credential | None
    # The record in the path; None means the viewer's own record.
    customer_id: str | None
    after: int | None


def parse_stream_request(scope: dict[str, Any], customer_id: str | None) -> StreamRequest:
    """Return the parsed request; `customer_id` is the record in its path. Raises StreamProblem."""
    headers = {name.lower(): value for name, value in scope["headers"]}
    query = credentials.query_parameters(scope["query_string"])
    after = credentials.parse_version(query.get("after"))
    if after is None and "after" in query:
        raise StreamProblem(400, "Invalid position", "`after` must be the version of an event.")
    # A browser that reconnects sends Last-Event-ID with the old URL, so the header comes first.
    last_seen = credentials.parse_version(headers.get(b"last-event-id", b"").decode("latin-1"))
    cookie = settings.SESSION_COOKIE_NAME
    return StreamRequest(
        credential=credentials.find_credential(headers, query, cookie=cookie),
        customer_id=customer_id,
        after=after if last_seen is None else last_seen,
    )


def stream_right(viewer: Viewer, customer_id: str | None) -> tuple[StreamRight, str]:
    """Return the right by which the viewer reads the stream, and the customer's id."""
    reads_every = viewer.reads_every or (viewer.key_id and not viewer.is_of_account)
    if customer_id is not None and reads_every:
        return StreamRight.EVERY, customer_id
    if viewer.has_choice:
        raise StreamProblem(409, *CHOOSE_ACCOUNT[:2], problem_type=CHOOSE_ACCOUNT[2])
    # The record of another customer and a missing record get the same answer.
    if customer_id is not None or viewer.customer_id is None:
        raise StreamProblem(*NOT_FOUND)
    return StreamRight.OWN, viewer.customer_id
