"""The adapters of each channel, loaded at their first use, because web processes need none."""

from collections.abc import Sequence
from functools import cache
from typing import cast

from django.conf import settings
from django.utils.module_loading import import_string

from channels.protocol import ChannelAdapter


@cache
def adapters_of(channel: str) -> Sequence[ChannelAdapter]:
    """Return the adapters of a channel; each process has its own. Raises KeyError.

    The dispatcher uses the first adapter, and a later one while all before it fail.
    """
    return cast(Sequence[ChannelAdapter], import_string(settings.BUTLER_ADAPTERS[channel])())


def channels() -> tuple[str, ...]:
    """Return the keys of the configured channels, such as "email"."""
    return tuple(settings.BUTLER_ADAPTERS)
