from datetime import UTC, datetime
from uuid import UUID

from django.db import connection
from django.http import HttpRequest, HttpResponse
from django.urls import path

from customers import sql


def record(request: HttpRequest, customer_id: UUID) -> HttpResponse:
    """Return the text of the record statement, without authentication."""
    connection.ensure_connection()
    today = datetime.now(UTC).date()
    (text,) = sql.rows("read_record", {"id": customer_id, "today": today})[0]
    body = text.encode()
    # No middleware adds the length. Without it, the response would be chunked.
    length = {"Content-Length": str(len(body))}
    return HttpResponse(body, content_type="application/json", headers=length)


urlpatterns = [path("api/customers/<uuid:customer_id>/", record)]
