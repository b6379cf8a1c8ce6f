"""Reads pages as browsers do: the whitespace between elements has no meaning."""

import re


def tidy(page: str) -> str:
    """Return the markup with one space between words, and none next to a tag."""
    return re.sub(r"\s*([<>])\s*", r"\1", " ".join(page.split()))
