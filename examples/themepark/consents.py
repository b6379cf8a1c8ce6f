"""What the families of the park said we may do: some want offers, some a birthday greeting."""

import random
from collections.abc import Iterator, Sequence
from datetime import datetime, timedelta
from uuid import UUID

from customers.actions.changes import ChangeAuthor
from customers.actions.consent import record_statements
from customers.consent.statements import ConsentStatement
from customers.models import ControlEntry, Evidence, Identifier, Notice, Source
from examples.themepark import families
from examples.themepark.families import Family
from examples.themepark.load import FAMILIES, SEED, sender
from examples.themepark.rides import zone

# How many in a hundred said yes, and how many said no.
_YES, _NO = {"offers": 35, "birthdays": 25}, 10
_LANGUAGES = ("en", "nl", "sv", "da")

# The digest of the text shown, by purpose and language.
type NoticeDigests = dict[tuple[str, str], str]


def record_consents(*, since: datetime, now: datetime) -> int:
    """Put on the ledger what each family said; return of how many. Once said, nothing is added."""
    today = since.astimezone(zone()).date()
    all_families = [
        families.noor(today),
        *families.families(seed=SEED, today=today, count=FAMILIES),
    ]
    source = Source.objects.get(name="app")
    author = ChangeAuthor(sender(source))
    ids = _customer_ids([family.key for family in all_families])
    with_statements = set(
        ControlEntry.objects.filter(record__in=ids.values()).values_list("record", flat=True)
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


def _customer_ids(keys: Sequence[str]) -> dict[str, UUID]:
    identifiers = Identifier.objects.filter(
        kind="user_id", value__in=keys, evidence=Evidence.VERIFIED
    )
    return dict(identifiers.values_list("value", "customer_id"))


def statements_of(
    family: Family, notice_digests: NoticeDigests, at: datetime
) -> Iterator[ConsentStatement]:
    """Yield what one family said at `at`; most said nothing."""
    random_ = random.Random(f"{SEED}-{family.key}-consents")
    language = family.language if family.language in _LANGUAGES else "en"
    for purpose, share in _YES.items():
        draw = random_.randrange(100)
        # Noor wants both: the story is about what she does next.
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
