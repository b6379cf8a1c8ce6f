from django.db import models


class StreamTicket(models.Model):
    """A ticket that opens one stream once, before it expires.

    A browser's EventSource cannot send headers, and a key in a URL ends up in logs. The row has
    only the digest of the ticket, and the use of the ticket deletes the row.
    """

    digest = models.BinaryField(max_length=32, primary_key=True)
    # The session that requested the ticket, or the proof of an account (customers.access.account_proofs).
    # The stream ends with it.
    session_key = models.CharField(max_length=40, blank=True)
    account = models.JSONField(null=True, blank=True)
    expires_at = models.DateTimeField(db_index=True)

    def __str__(self) -> str:
        return "stream ticket"
