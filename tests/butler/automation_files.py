"""Automations as their files have them, for tests that need one."""

from copy import deepcopy
from typing import Any

from butler.automations.loader import AutomationFile
from customers.actions.notices import PurposeText, TopicText

LANGUAGES = ("en", "nl", "sv", "da")
PURPOSES = (
    PurposeText("offers", "contact", {"en": {"name": "Offers", "description": ""}}),
    PurposeText("personalise", "use", {"en": {"name": "Personal", "description": ""}}),
)
TOPICS = (
    TopicText("visits", {"en": {"name": "Visits"}}),
    TopicText("offers", {"en": {"name": "Offers"}}),
)

REMINDER: dict[str, Any] = {
    "key": "visit-reminder",
    "name": dict.fromkeys(LANGUAGES, "Reminder"),
    "class": "service",
    "relation": "order",
    "topic": "visits",
    "expires": "2d",
    "trigger": {"kind": "event", "event": "Order Completed"},
    "steps": [
        {
            "kind": "message",
            "channels": ["inbox", "email"],
            "texts": {
                language: {"subject": "Soon", "text": "See you, {{ order.number }}."}
                for language in LANGUAGES
            },
        }
    ],
}


def content(changes: dict[str, Any] | None = None) -> dict[str, Any]:
    """The reminder with some values changed, by path: {"steps.0.channels": []}; None removes."""
    changed = deepcopy(REMINDER)
    for path, value in (changes or {}).items():
        *parents, name = [int(part) if part.isdigit() else part for part in path.split(".")]
        inner: Any = changed
        for parent in parents:
            inner = inner[parent]
        if value is None:
            del inner[name]
        else:
            inner[name] = value
    return changed


def file(changes: dict[str, Any] | None = None) -> AutomationFile:
    document = content(changes)
    return AutomationFile(f"{document.get('key', 'x')}.toml", document)
