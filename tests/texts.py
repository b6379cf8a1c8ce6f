"""Takes the texts that Butler sends by SMS at once (BUTLER_TEXT_SENDER), for tests."""

import re
from typing import NamedTuple

from customers.actions.code_messages import TextOutcome

SENDER = "tests.texts.take"


class Text(NamedTuple):
    """A text that was sent to a number."""

    number: str
    body: str

    @property
    def code(self) -> str:
        """The six digits of the text."""
        match = re.search(r"\b\d{6}\b", self.body)
        assert match is not None
        return match[0]


sent: list[Text] = []


def take(number: str, body: str) -> TextOutcome:
    """Take a text, as a provider does."""
    sent.append(Text(number, body))
    return TextOutcome.SENT
