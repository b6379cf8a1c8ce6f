"""Problem responses of the live process (RFC 9457)."""

# Pages of any origin may open a stream with a ticket, a token or a key. Without
# Access-Control-Allow-Credentials, browsers give such a page no stream by cookie.
ALLOW_ORIGIN = (b"access-control-allow-origin", b"*")


class StreamProblem(Exception):
    """A problem response instead of a stream (RFC 9457)."""

    def __init__(
        self,
        status: int,
        title: str,
        detail: str,
        *,
        retry_after: int = 0,
        problem_type: str = "about:blank",
    ) -> None:
        super().__init__(title)
        self.status = status
        self.body = {"type": problem_type, "title": title, "status": status, "detail": detail}
        self.headers = [(b"content-type", b"application/problem+json"), ALLOW_ORIGIN]
        if retry_after:
            self.headers.append((b"retry-after", str(retry_after).encode()))
        if status == 401:
            self.headers.append((b"www-authenticate", b'Bearer realm="butler"'))


UNAUTHENTICATED = (
    401,
    "Not authenticated",
    "Send a valid session token, identity token, secret key or unused ticket.",
)
# As in the REST API (customers/api/base.py).
CHOOSE_ACCOUNT = (
    "Choose account",
    "This address has several accounts. Choose one first.",
    "urn:butler:problem:choose-account",
)
NOT_FOUND = (404, "Not found", "The record does not exist, or you may not read it.")
DATABASE_UNAVAILABLE = (
    503,
    "Database unavailable",
    "The database does not answer. Try again.",
)
TOO_MANY_STREAMS = (503, "Too many streams", "This process takes no more streams. Try again.")
SHUTTING_DOWN = (503, "Closing", "This process is stopping. Try again.")
TOO_MANY_OF_CUSTOMER = (429, "Too many streams", "Close another stream of this record first.")
