from collections.abc import Iterator

import pytest
from django.utils import translation


@pytest.fixture(autouse=True)
def _english() -> Iterator[None]:
    """Activate English, because a request leaves its language active in the thread."""
    with translation.override("en"):
        yield
