"""The sentences of one language, and the words for their placeholders. Pure."""

from collections.abc import Mapping

import msgspec


class Language(msgspec.Struct, frozen=True):
    """The sentence of each reason code in one language, and the words for its placeholders."""

    sentences: Mapping[str, str]
    # The quotation marks around the names of purposes, topics and automations.
    quotes: tuple[str, str]
    # The names of the channels, in the form that follows "through".
    channels: Mapping[str, str]
    # The words for missing values, by placeholder.
    defaults: Mapping[str, str]
