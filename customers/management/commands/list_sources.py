import json
from typing import Any

from django.core.management.base import BaseCommand
from django.db.models import Prefetch, Q
from django.utils import timezone

from customers.models import Source, SourceKey
from customers.types import BUTLER_SOURCE_ID


class Command(BaseCommand):
    help = "Print each source as one line of JSON, with the beginnings of its valid keys."

    def handle(self, *args: Any, **options: Any) -> None:
        now = timezone.now()
        is_valid = Q(revoked_at=None) & (Q(expires_at=None) | Q(expires_at__gt=now))
        valid_keys = SourceKey.objects.filter(is_valid).order_by("created_at")
        sources = (
            Source.objects.exclude(pk=BUTLER_SOURCE_ID)
            .select_related("space")
            .prefetch_related(Prefetch("keys", valid_keys))
            .order_by("name")
        )
        for source in sources:
            self.stdout.write(json.dumps(_as_dict(source), ensure_ascii=False))


def _as_dict(source: Source) -> dict[str, Any]:
    return {
        "id": source.pk,
        "name": source.name,
        "channel": source.channel,
        "space": source.space.name,
        "ids_per_person": source.space.ids_per_person,
        "addresses": source.addresses,
        "order_numbers": source.order_numbers,
        "keys": [key.prefix for key in source.keys.all()],
    }
