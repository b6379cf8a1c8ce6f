"""Problem responses of the live process (RFC 9457)."""

# Any page may open a stream: a stream needs a ticket, a token or a key of its own, and
# without Access-Control-Allow-Credentials no browser hands it one that came by cookie.
ALLOW_ORIGIN = (b"access-control-allow-origin", b"*")


class StreamProblem(Exception):
    """A problem response instead of a stream (RFC 9457)."""

    def __init__(self, status: int, title: str, detail: str, *, retry_after: int = 0) -> None:
        super().__init__(title)
        self.status = status
        self.body = {"type": "about:blank", "title": title, "status": status, "detail": detail}
        self.headers = [(b"content-type", b"application/problem+json"), ALLOW_ORIGIN]
        if retry_after:
            self.headers.append((b"retry-after", str(retry_after).encode()))
        if status == 401:
            self.headers.append((b"www-authenticate", b'Bearer realm="butler"'))


UNAUTHENTICATED = (401, "Who are you?", "Show a session token, a secret key or a fresh ticket.")
NOT_FOUND = (404, "Not found", "There is no such record, or it is not yours to see.")
DATABASE_UNAVAILABLE = (
    503,
    "The record cannot be reached",
    "The database does not answer; try again.",
)
TOO_MANY_STREAMS = (503, "Too many streams", "This process serves no more streams; try again.")
SHUTTING_DOWN = (503, "Closing", "This process is about to stop; try again.")
TOO_MANY_OF_CUSTOMER = (429, "Too many streams", "Close another stream of this record first.")
