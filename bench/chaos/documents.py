"""Automation documents of the chaos runs and benchmarks, with their purpose, notice and topics.

python -m bench.chaos.documents loads them, and prints the digest of the notice.
"""

import json
import os
from datetime import datetime
from typing import Any

PURPOSE = "chaos-offers"
OFFERS, ORDERS = "chaos-offers", "chaos-orders"
# The event that triggers an offer by email, by SMS and in the app.
EVENT = "Chaos Happened"
NOTICE = "May we write to you whenever something breaks?"

OFFER: dict[str, Any] = {
    "key": "chaos-offer",
    "name": {"en": "Chaos offer"},
    "languages": ["en"],
    "class": "marketing",
    "topic": OFFERS,
    "purpose": PURPOSE,
    "expires": "2h",
    "once_per": "event",
    "trigger": {"kind": "event", "event": EVENT},
    "steps": [
        {
            "kind": "message",
            "channels": ["email", "sms", "inbox"],
            "every": True,
            "texts": {
                "en": {
                    "subject": "Offer {{ event.properties.number | default: 'for you' }}",
                    "text": "{{ customer.first_name | default: 'Dear guest' }}, something broke.\n"
                    "\nAn afternoon at Larkmoor makes up for it.",
                    # bench.carrier reads the first word as the topic.
                    "short": f"{OFFERS} {{{{ event.properties.number | default: 'for you' }}}}",
                    "action": "Have a look",
                    "path": "/orders/",
                }
            },
        }
    ],
}
RECEIPT: dict[str, Any] = {
    "key": "chaos-receipt",
    "name": {"en": "Chaos receipt"},
    "languages": ["en"],
    "class": "service",
    "topic": ORDERS,
    "relation": "order",
    "expires": "2h",
    "once_per": "about",
    "trigger": {"kind": "event", "event": "Order Completed"},
    "steps": [
        {
            "kind": "message",
            "channels": ["email", "sms"],
            "every": True,
            "texts": {
                "en": {
                    "subject": "Order {{ order.number }}",
                    "text": "Your order {{ order.number }} is with us.",
                    "short": f"{ORDERS} {{{{ order.number }}}}",
                }
            },
        }
    ],
}


def load(now: datetime, *documents: dict[str, Any]) -> str:
    """Load purpose, topics, notice and automations, and make them live; return the digest."""
    from butler.actions import automation_versions, automations
    from butler.actions.automation_versions import Operator
    from butler.automations.loader import AutomationFile
    from butler.models import AutomationVersion
    from customers.actions.notices import NoticeText, PurposeText, TopicText, digest

    files = [AutomationFile(f"{document['key']}.toml", document) for document in documents]
    texts = {"en": {"name": "Chaos", "description": "What is said while things break."}}
    automations.load(
        files,
        [PurposeText(PURPOSE, "contact", texts)],
        [TopicText(OFFERS, texts), TopicText(ORDERS, texts)],
        notices=[NoticeText(PURPOSE, 1, {"en": NOTICE})],
        now=now,
        by=Operator("Lin", 1),
    )
    for version in AutomationVersion.objects.filter(status=AutomationVersion.Status.DRAFT):
        sam = Operator("Sam", 2)
        automation_versions.go_live(automation_versions.approve(version, sam, now), sam, now)
    return digest(NOTICE)


def main() -> None:
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")
    import django
    from django.utils import timezone

    django.setup()
    from django.db import connections

    print(json.dumps({"notice": load(timezone.now(), OFFER, RECEIPT)}))
    connections["default"].close_pool()  # type: ignore[attr-defined]  # PostgreSQL's own


if __name__ == "__main__":
    main()
