"""One-time tickets: a random text in a browser's hand, its digest in a row.

The row is deleted by whoever uses the ticket (sql/redeem_ticket.sql), so that it serves once
on any number of processes, and outlives Redis.
"""

import hashlib
import secrets
from datetime import datetime, timedelta

# From the page asking for it to its EventSource showing it.
LIFETIME = timedelta(seconds=30)


def digest(ticket: str) -> bytes:
    return hashlib.sha256(ticket.encode()).digest()


def issue(*, session_key: str, now: datetime) -> str:
    """Give a session a ticket for one stream; the caller has checked who is signed in."""
    # The streams read this module too, and have no use for the models.
    from channels.models import StreamTicket

    ticket = secrets.token_urlsafe(24)
    StreamTicket.objects.filter(expires_at__lte=now).delete()
    StreamTicket.objects.create(
        digest=digest(ticket), session_key=session_key, expires_at=now + LIFETIME
    )
    return ticket
