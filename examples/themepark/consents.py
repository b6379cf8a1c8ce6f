"""What the families of the park said we may do: some want offers, some a birthday greeting."""

import random
from collections.abc import Iterator, Sequence
from datetime import datetime, timedelta
from uuid import UUID

from customers.actions.changes import Author
from customers.actions.consent import ConsentStatement, record_statements
from customers.models import ControlEntry, Evidence, Identifier, Notice, Source
from examples.themepark import families
from examples.themepark.families import Family
from examples.themepark.load import FAMILIES, SEED, sender
from examples.themepark.rides import zone

# How many in a hundred said yes, and how many said no.
_YES, _NO = {"offers": 35, "birthdays": 25}, 10
_LANGUAGES = ("en", "nl", "sv", "da")

# The digest of the text shown, by purpose and language.
type Shown = dict[tuple[str, str], str]


def give(*, since: datetime, now: datetime) -> int:
    """Put on the ledger what each family said; return of how many. Once said, nothing is added."""
    today = since.astimezone(zone()).date()
    folk = [families.noor(today), *families.families(seed=SEED, today=today, count=FAMILIES)]
    source = Source.objects.get(name="app")
    author = Author(sender(source))
    ids = _records([family.key for family in folk])
    spoken = set(
        ControlEntry.objects.filter(record__in=ids.values()).values_list("record", flat=True)
    )
    shown: Shown = {
        (purpose, language): digest
        for purpose, language, digest in Notice.objects.order_by("version").values_list(
            "purpose_id", "language", "digest"
        )
    }
    told = 0
    for family in folk:
        words = list(words_of(family, shown, since - timedelta(days=2)))
        if words and family.key in ids and ids[family.key] not in spoken:
            record_statements(customer_id=ids[family.key], statements=words, author=author, now=now)
            told += 1
    return told


def _records(keys: Sequence[str]) -> dict[str, UUID]:
    proved = Identifier.objects.filter(kind="user_id", value__in=keys, evidence=Evidence.VERIFIED)
    return dict(proved.values_list("value", "customer_id"))


def words_of(family: Family, shown: Shown, at: datetime) -> Iterator[ConsentStatement]:
    """Yield what one family said at `at`; most said nothing."""
    chance = random.Random(f"{SEED}-{family.key}-consents")
    language = family.language if family.language in _LANGUAGES else "en"
    for purpose, share in _YES.items():
        drawn = chance.randrange(100)
        # Noor wants both: the story is about what she does next.
        is_yes = family.key == "noor" or drawn < share
        if is_yes or drawn >= 100 - _NO:
            yield ConsentStatement(
                kind="consent.given" if is_yes else "consent.refused",
                subject=purpose,
                notice=shown[purpose, language],
                language=language,
                evidence={"kind": "click", "page": "preferences"},
                occurred_at=at,
            )
