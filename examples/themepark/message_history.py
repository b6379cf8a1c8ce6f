"""The messages of the park's sources about one family."""

from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from examples.themepark.families import Family
from examples.themepark.messages import Message

APP, SITE, DESK, TILL = "app", "site", "call desk", "till"
# The event of an admitted ticket.
SCAN = "Ticket Scanned"


@dataclass
class MessageHistory:
    """A collector of the messages about one family; the ids count up, so each load has the same."""

    family: Family
    until: datetime
    messages: list[Message] = field(default_factory=list)

    def add_message(
        self,
        source: str,
        name: str,
        at: datetime,
        content: dict[str, Any] | None = None,
        *,
        identifier_kinds: tuple[str, ...],
        kind: str = "track",
        about: str = "",
        actor: str = "",
    ) -> None:
        # Leave out messages of the future.
        if at > self.until:
            return
        self.messages.append(
            Message(
                source=source,
                message_id=f"{self.family.key}-{len(self.messages) + 1}",
                kind=kind,
                name=name,
                identifiers=tuple(
                    (kind_of_identifier, self.identifier_value(kind_of_identifier, about))
                    for kind_of_identifier in identifier_kinds
                ),
                occurred_at=at,
                content=content or {},
                about=about,
                actor=actor,
            )
        )

    def identifier_value(self, kind: str, about: str) -> str:
        """Return the family's value of an identifier; an order has the number that `about` names."""
        family = self.family
        return {
            "user_id": family.key,
            "email": family.email,
            "phone": family.phone,
            "card": family.card,
            "anonymous_id": f"browser-{family.key}",
            "device": f"phone-of-{family.key}",
            "order": about.removeprefix("order:"),
        }[kind]
