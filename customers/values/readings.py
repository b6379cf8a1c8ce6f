"""The result of reading one value that a source stated. Pure."""

from typing import NamedTuple


class Reading[Value](NamedTuple):
    """A value, or the doubt about it: the code of the reason why Butler reads no value.

    Both are empty if the source stated nothing. A value with a doubt was read, but differs from the
    stated one, such as a rounded amount.
    """

    value: Value | None = None
    doubt: str = ""
