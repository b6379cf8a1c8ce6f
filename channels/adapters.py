"""Which adapter serves which channel. Loaded when first needed: a web process needs none."""

from functools import cache
from typing import cast

from django.conf import settings
from django.utils.module_loading import import_string

from channels.protocol import Adapter


@cache
def adapter_of(channel: str) -> Adapter:
    """Return the adapter of a channel, one for each process. Raises KeyError."""
    return cast(Adapter, import_string(settings.BUTLER_ADAPTERS[channel])())


def channels() -> tuple[str, ...]:
    return tuple(settings.BUTLER_ADAPTERS)
