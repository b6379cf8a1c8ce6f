"""Creates sources, and creates, rotates and revokes their keys."""

from collections.abc import Sequence
from datetime import datetime, timedelta

from django.db import transaction
from django.db.models import Q

from customers.access import keys
from customers.models import Source, SourceKey


@transaction.atomic
def create_source(
    *,
    name: str,
    channel: str,
    is_secret: bool,
    scopes: Sequence[str] = keys.SCOPES,
    is_shared: bool = False,
    region: str = "",
) -> tuple[Source, str]:
    """Create a source with its first key; return the source and the text of the key.

    Butler stores only the digest of the key, so it cannot show the text again.
    """
    source = Source.objects.create(
        name=name, channel=channel, is_shared=is_shared, default_region=region.upper()
    )
    return source, add_key(source=source, is_secret=is_secret, scopes=scopes)


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
