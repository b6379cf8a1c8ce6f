from channels.models.ticket import StreamTicket

__all__ = ["StreamTicket"]
