"""Creates and moves sources, and creates, rotates and revokes their keys."""

from collections.abc import Sequence
from datetime import datetime, timedelta

from django.db import transaction
from django.db.models import Q

from customers.access import keys
from customers.models import Source, SourceKey, Space
from customers.queries.sources import connected_sources
from customers.types import MAIN_SPACE


class SpaceConflict(Exception):
    """The space exists with another number of ids per person; the text says what to do."""


@transaction.atomic
def create_source(
    *,
    name: str,
    channel: str,
    is_secret: bool,
    scopes: Sequence[str] = keys.SCOPES,
    is_shared: bool = False,
    region: str = "",
    space: Space | None = None,
    addresses: str = "",
    order_numbers: str = "",
) -> tuple[Source, str]:
    """Create a source with its first key; return the source and the text of the key.

    Butler stores only the digest of the key, so it cannot show the text again.
    """
    source = Source.objects.create(
        name=name,
        channel=channel,
        is_shared=is_shared,
        default_region=region.upper(),
        space=space or find_or_create_space(MAIN_SPACE),
        addresses=addresses,
        order_numbers=order_numbers,
    )
    return source, add_key(source=source, is_secret=is_secret, scopes=scopes)


def find_or_create_space(name: str, ids_per_person: str = "") -> Space:
    """Return the space of this name, which is created if it does not exist.

    ids_per_person: a value of Space.IdsPerPerson; "" takes that of an existing space, or one.
    Raises SpaceConflict if the space exists with the other value.
    """
    # "Shop" and "shop" are one space, so that a typing mistake makes no second one.
    space = Space.objects.filter(name__iexact=name).first()
    if space is None:
        ids_per_person = ids_per_person or Space.IdsPerPerson.SINGLE
        space, _ = Space.objects.get_or_create(
            name=name, defaults={"ids_per_person": ids_per_person}
        )
    if ids_per_person and ids_per_person != space.ids_per_person:
        numbers = "several numbers" if space.has_several_ids else "one number"
        raise SpaceConflict(
            f"The space {space.name!r} holds {numbers} per person. Use another space."
        )
    return space


def move_source(*, source: Source, space: Space, now: datetime) -> None:
    """Move a source, with its numbers of customers, into another space. Its log does not change."""
    source.space = space
    source.save(update_fields=["space"])


def sources_sharing_numbers(source: Source) -> list[str]:
    """Return the names of the other sources in the space of this source, in alphabetical order.

    Butler's own sources have neither keys nor webhook secrets, and do not count.
    """
    others = connected_sources().filter(space=source.space_id).exclude(pk=source.pk)
    return list(others.order_by("name").values_list("name", flat=True))


def add_key(*, source: Source, is_secret: bool, scopes: Sequence[str] = keys.SCOPES) -> str:
    """Add a key to a source, and return its text."""
    key = keys.generate_key(is_secret=is_secret)
    SourceKey.objects.create(
        source=source,
        prefix=key.prefix,
        digest=key.digest,
        is_secret=is_secret,
        scopes=list(scopes) if is_secret else ["ingest"],
    )
    return key.text


@transaction.atomic
def rotate_key(*, source: Source, is_secret: bool, grace: timedelta, now: datetime) -> str:
    """Add a key and return its text. The older keys of the same class expire after `grace`."""
    older = list(
        SourceKey.objects.select_for_update()
        .filter(source=source, is_secret=is_secret, revoked_at__isnull=True)
        .filter(Q(expires_at__isnull=True) | Q(expires_at__gt=now + grace))
    )
    scopes = older[-1].scopes if older else keys.SCOPES
    SourceKey.objects.filter(pk__in=[key.pk for key in older]).update(expires_at=now + grace)
    return add_key(source=source, is_secret=is_secret, scopes=scopes)


def revoke_key(*, prefix: str, now: datetime) -> int:
    """Revoke all keys with this prefix at once; return the number of revoked keys."""
    return SourceKey.objects.filter(
        prefix=prefix[: keys.PREFIX_LENGTH], revoked_at__isnull=True
    ).update(revoked_at=now)
