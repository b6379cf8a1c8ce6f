"""How much a test tries: a little in `make test`, much more in `make test-long`."""

import os

IS_LONG = os.environ.get("BUTLER_LONG_TESTS") == "1"


def examples(short: int, *, long: int) -> int:
    """Return the number of generated examples of this run."""
    return long if IS_LONG else short
