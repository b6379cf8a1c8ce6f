"""The consents of the families of the park, to offers and to birthday greetings."""

import random
from collections.abc import Iterator, Sequence
from datetime import datetime, timedelta
from uuid import UUID

from customers.actions.changes import ChangeAuthor
from customers.actions.consent import record_statements
from customers.consent.statements import ConsentStatement
from customers.models import Evidence, Identifier, LedgerEntry, Notice, Source
from examples.themepark import families, load
from examples.themepark.families import Family
from examples.themepark.load import SEED, sender
from examples.themepark.rides import zone

# The percentages of families that consent to each purpose, and that refuse.
_YES, _NO = {"offers": 35, "birthdays": 25}, 10
_LANGUAGES = ("en", "nl", "sv", "da")

# The digests of the notices, by purpose and language.
type NoticeDigests = dict[tuple[str, str], str]


def record_consents(*, since: datetime, now: datetime) -> int:
    """Record the statements of each family that has none yet; return the number of families."""
    today = since.astimezone(zone()).date()
    all_families = [
        families.noor(today),
        *families.families(seed=SEED, today=today, count=load.FAMILIES),
    ]
    source = Source.objects.get(name="app")
    author = ChangeAuthor(sender(source))
    ids = _customer_ids(source.pk, [family.key for family in all_families])
    with_statements = set(
        LedgerEntry.objects.filter(record__in=ids.values()).values_list("record", flat=True)
    )
    notice_digests: NoticeDigests = {
        (purpose, language): digest
        for purpose, language, digest in Notice.objects.order_by("version").values_list(
            "purpose_id", "language", "digest"
        )
    }
    recorded_count = 0
    for family in all_families:
        statements = list(statements_of(family, notice_digests, since - timedelta(days=2)))
        if statements and family.key in ids and ids[family.key] not in with_statements:
            record_statements(
                customer_id=ids[family.key], statements=statements, author=author, now=now
            )
            recorded_count += 1
    return recorded_count


def _customer_ids(source_id: int, keys: Sequence[str]) -> dict[str, UUID]:
    key_of_value = {f"{source_id}/{key}": key for key in keys}
    identifiers = Identifier.objects.filter(
        kind="user_id", value__in=key_of_value, evidence=Evidence.VERIFIED
    )
    customers = identifiers.filter(customer__isnull=False).values_list("value", "customer_id")
    return {key_of_value[value]: customer for value, customer in customers}


def statements_of(
    family: Family, notice_digests: NoticeDigests, at: datetime
) -> Iterator[ConsentStatement]:
    """Yield the statements of one family, made at `at`; many families made none."""
    random_ = random.Random(f"{SEED}-{family.key}-consents")
    language = family.language if family.language in _LANGUAGES else "en"
    for purpose, share in _YES.items():
        draw = random_.randrange(100)
        # Noor consents to both, because the story starts from there.
        is_yes = family.key == "noor" or draw < share
        if is_yes or draw >= 100 - _NO:
            yield ConsentStatement(
                kind="consent.given" if is_yes else "consent.refused",
                subject=purpose,
                notice=notice_digests[purpose, language],
                language=language,
                evidence={"kind": "click", "page": "preferences"},
                occurred_at=at,
            )
