"""What stands in for the names in a sentence. Pure."""

from collections.abc import Mapping

import msgspec


class Language(msgspec.Struct, frozen=True):
    """All that a language says: the sentence of each code, and the words that fill them."""

    sentences: Mapping[str, str]
    # Around the names of purposes, topics and automations.
    quotes: tuple[str, str]
    # Channels as they sound after "through".
    channels: Mapping[str, str]
    # For what is not known.
    defaults: Mapping[str, str]
