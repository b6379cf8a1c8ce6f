"""The adapters of each channel, loaded when first needed: a web process needs none."""

from collections.abc import Sequence
from functools import cache
from typing import cast

from django.conf import settings
from django.utils.module_loading import import_string

from channels.protocol import ChannelAdapter


@cache
def adapters_of(channel: str) -> Sequence[ChannelAdapter]:
    """Return the adapters of a channel, those of each process its own. Raises KeyError.

    The first is the one to use; the others are for while those before them fail.
    """
    return cast(Sequence[ChannelAdapter], import_string(settings.BUTLER_ADAPTERS[channel])())


def channels() -> tuple[str, ...]:
    return tuple(settings.BUTLER_ADAPTERS)
