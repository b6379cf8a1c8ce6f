from collections.abc import Iterator

import pytest
from django.utils import translation


@pytest.fixture(autouse=True)
def _english() -> Iterator[None]:
    """Start in English: a request leaves its language behind in the thread that served it."""
    with translation.override("en"):
        yield
