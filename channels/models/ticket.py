from django.db import models


class StreamTicket(models.Model):
    """A right to open one stream, once and soon: a browser's EventSource sends no headers,
    and a key in an address ends up in logs. Only its digest is kept; using it deletes it."""

    digest = models.BinaryField(max_length=32, primary_key=True)
    # The stream ends with the session that the ticket was given to.
    session_key = models.CharField(max_length=40)
    expires_at = models.DateTimeField(db_index=True)

    def __str__(self) -> str:
        return "stream ticket"
