"""The parts of the OpenAPI document that concern all operations: servers, tags, how to sign in."""

from pathlib import Path
from typing import Any

from django.conf import settings

_TAGS = {
    "accounts": "The accounts that a session of a customer opens",
    "addresses": "The addresses of a customer, their changes, and refused addresses",
    "consents": "Consents, objections and preferences, with their ledger and receipts",
    "email": "Webhooks of mail providers",
    "ingest": "Events of customers, from the clients of Segment and as CloudEvents",
    "live": "Streams of the events of a record",
    "messages": "Messages to a customer, the decisions about them, and the access log",
    "orders": "Orders, the requests of customers about them, and tickets",
    "party": "The people with whom a customer travels",
    "phone": "Webhooks of telephone systems",
    "quarantine": "Items that could not become events",
    "record": "The record of a customer, its events and identifiers",
    "requests": "Service requests of customers, such as a call back",
    "reviews": "Decisions of staff about identifiers, and questions for staff",
    "signing in": "Sessions and passkeys",
    "sms": "Webhooks of SMS providers",
    "sources": "Questions about the systems that send events",
    "store": "Scans of tills and gates",
    "tasks": "Tasks of staff",
    "topics": "The status of rides and other topics",
    "webhooks": "Signed webhooks of other systems",
}


def sections() -> dict[str, Any]:
    """Return the sections of the document about all operations."""
    return {
        "info": {
            "title": "Butler",
            "version": "1",
            "summary": "One record per customer, shared by every channel.",
            "description": Path(__file__).with_name("overview.md").read_text(),
            "contact": {"name": settings.BUTLER_COMPANY, "url": settings.BUTLER_SITE_URL},
        },
        "servers": [{"url": _base(settings.BUTLER_SITE_URL), "description": "This Butler"}],
        "tags": [{"name": name, "description": text} for name, text in _TAGS.items()],
    }


def live_servers() -> list[dict[str, str]]:
    """Return the servers of the streams."""
    url = _base(settings.LIVE_URL or settings.BUTLER_SITE_URL)
    return [{"url": url, "description": "The server of the streams"}]


def _base(url: str) -> str:
    return url.rstrip("/")
