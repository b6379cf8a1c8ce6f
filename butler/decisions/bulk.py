"""Finds the customers of an audience for whom a message is denied, from only a few facts."""

from collections.abc import Iterable, Sequence
from datetime import datetime
from itertools import batched
from uuid import UUID

from butler import sql
from butler.decisions.inputs import ADDRESS_KINDS
from butler.decisions.layers.integrity import NEED_CONSENT
from butler.types import CLASSES_BY_RELATION

# Large enough to make the cost of a statement negligible, and small enough for the memory.
BATCH = 10_000

_MARKETING_OBJECTION_CLASSES = frozenset({"relationship", "marketing"})
_PAUSE_CLASSES = NEED_CONSENT | {"service"}


def denial_codes(
    customer_ids: Iterable[UUID],
    *,
    message_class: str,
    purpose: str = "",
    topic: str,
    channel: str,
    expires_at: datetime,
) -> Iterable[Sequence[tuple[UUID, str]]]:
    """Yield batches of customers, each with the code of its denial, or "" if none was found.

    An empty code is no permission. Butler decides about these customers with all facts, and again
    when it sends the message.
    """
    params = _message_params(message_class, purpose) | {
        "topic": topic,
        "channel": channel,
        "address_kind": ADDRESS_KINDS.get(channel, ""),
        "expires_at": expires_at,
    }
    for ids in batched(customer_ids, BATCH):
        [(codes,)] = sql.rows("read_denial_codes", {**params, "ids": list(ids)})
        yield list(zip(ids, codes.split(" "), strict=True))


def _message_params(message_class: str, purpose: str) -> dict[str, object]:
    """Return the parameters of read_denial_codes.sql that follow from the class and the purpose."""
    needs_consent = message_class in NEED_CONSENT
    objections = [purpose] if needs_consent else []
    if message_class in _MARKETING_OBJECTION_CLASSES:
        objections.append("marketing")
    return {
        "purpose": purpose if needs_consent else "",
        "objections": objections,
        "obeys_settings": message_class != "legal_duty",
        "obeys_pause": message_class in _PAUSE_CLASSES,
        # For a service message the relation decides whether the customer asked for it.
        "obeys_only_when_i_ask": needs_consent,
        "allows_noted": message_class in CLASSES_BY_RELATION,
        "allows_complained": message_class == "legal_duty",
    }
