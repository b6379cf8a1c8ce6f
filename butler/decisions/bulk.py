"""What a message can never be for, among very many customers at once."""

from collections.abc import Iterable, Sequence
from datetime import datetime
from itertools import batched
from uuid import UUID

from butler import sql
from butler.decisions.inputs import ADDRESS_KINDS
from butler.decisions.layers.integrity import NEED_CONSENT

# Enough that a statement costs nothing, few enough that memory stays flat.
BATCH = 10_000

_HEARS_MARKETING_OBJECTION = frozenset({"relationship", "marketing"})
_OBEYS_PAUSE = NEED_CONSENT | {"service"}


def judge_many(
    customer_ids: Iterable[UUID],
    *,
    message_class: str,
    purpose: str = "",
    topic: str,
    channel: str,
    expires_at: datetime,
) -> Iterable[Sequence[tuple[UUID, str]]]:
    """Yield batches of customers, each with the code of what refuses, or "" to be decided.

    It only refuses. A customer who passes is decided on with all facts, and again when the
    message leaves.
    """
    needs_consent = message_class in NEED_CONSENT
    objections = [purpose] if needs_consent else []
    if message_class in _HEARS_MARKETING_OBJECTION:
        objections.append("marketing")
    params: dict[str, object] = {
        "purpose": purpose if needs_consent else "",
        "objections": objections,
        "obeys_settings": message_class != "legal_duty",
        "obeys_pause": message_class in _OBEYS_PAUSE,
        # Whether a service was asked for, its relation tells.
        "obeys_only_when_i_ask": needs_consent,
        "topic": topic,
        "channel": channel,
        "address_kind": ADDRESS_KINDS.get(channel, ""),
        "spares_complained": message_class == "legal_duty",
        "expires_at": expires_at,
    }
    for ids in batched(customer_ids, BATCH):
        [(codes,)] = sql.rows("judge_many", {**params, "ids": list(ids)})
        yield list(zip(ids, codes.split(" "), strict=True))
