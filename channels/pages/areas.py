"""The areas of the site, for customers and for staff, and what differs between their pages.

The portal and the console register their area at start. Shared pages take the layout, the links
and the language from the area of the request.
"""

from typing import NamedTuple

from django.http import HttpRequest
from django.urls import reverse


class Area(NamedTuple):
    """The layout, the link targets and the language of the shared pages in this area."""

    layout: str
    # The home page. The paths below it belong to the area with the longest such path.
    home: str
    # The page with the preferences of the reader; empty if the area has none.
    preferences: str = ""
    # Empty for the language that the reader's browser prefers.
    language: str = ""
    is_staff: bool = False
    # Prefixes of further paths that belong to this area.
    other_paths: tuple[str, ...] = ()

    @property
    def home_url(self) -> str:
        """The address of the first page of the area."""
        return reverse(self.home)

    @property
    def preferences_url(self) -> str:
        """The path of the page with the preferences; empty if the area has none."""
        return reverse(self.preferences) if self.preferences else ""


_areas: list[Area] = []


def register(area: Area) -> None:
    """Add an area; the same area is added only once."""
    if area not in _areas:
        _areas.append(area)


def area_of(request: HttpRequest) -> Area:
    """Return the area that the path of the request belongs to."""
    matches = [
        area for area in _areas if request.path.startswith((area.home_url, *area.other_paths))
    ]
    return max(matches, key=lambda area: len(area.home_url))


def staff_home_url() -> str:
    """Return the path of the home page of staff; empty if there is none."""
    return next((area.home_url for area in _areas if area.is_staff), "")
