"""One-time tickets for streams: the browser gets a random text, and the database its digest.

The use of a ticket deletes its row (sql/redeem_ticket.sql). So a ticket works only once for all
processes, and does not depend on Redis.
"""

import secrets
from datetime import datetime, timedelta

import msgspec

from customers.access import keys
from customers.access.account_proofs import AccountProof

# The time between the request for a ticket and its use by the page's EventSource.
LIFETIME = timedelta(seconds=30)


def issue(*, session_key: str = "", account: AccountProof | None = None, now: datetime) -> str:
    """Return a new ticket for one stream of a session, or of the reader of an account.

    The caller has checked the session or the proof of the account.
    """
    # Imported here, because the live process also imports this module, without models.
    from channels.models import StreamTicket

    ticket = secrets.token_urlsafe(24)
    StreamTicket.objects.filter(expires_at__lte=now).delete()
    StreamTicket.objects.create(
        digest=keys.digest(ticket),
        session_key=session_key,
        account=msgspec.to_builtins(account),
        expires_at=now + LIFETIME,
    )
    return ticket
