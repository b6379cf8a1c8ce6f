"""A moment is written so that nobody has to guess which day it was."""

from datetime import timedelta

import pytest
from django.utils import timezone, translation

from channels.portal.templatetags.moments import moment, stamp


@pytest.fixture
def noon(settings):
    settings.TIME_ZONE = "Europe/Amsterdam"
    return timezone.localtime().replace(hour=12, minute=5, second=0, microsecond=0)


@pytest.mark.parametrize(
    ("language", "wanted"),
    [
        ("en", "{0:%a} {0.day} {0:%b}, 12:05 {0:%Z}"),
        ("sv", "{0.day} "),
        ("da", "{0.day}. "),
        ("nl", "{0.day} "),
    ],
)
def test_a_moment_of_this_year_says_its_day_and_zone(noon, language, wanted):
    with translation.override(language):
        written = moment(noon)

    assert wanted.format(noon) in written
    assert f", 12:05 {noon:%Z}</time>" in written
    assert f'data-form="moment" datetime="{noon.isoformat()}"' in written


def test_a_moment_of_another_year_says_which(noon):
    before = noon - timedelta(days=400)

    with translation.override("en"):
        assert f">{before.day} {before:%b} {before.year}, " in moment(before)
    assert f">{before.day} {before:%b} {before.year}, " in stamp(before)


def test_colleagues_read_the_same_without_a_script(noon):
    assert stamp(noon) == (
        f'<time datetime="{noon.isoformat()}">'
        f"{noon:%a} {noon.day} {noon:%b}, 12:05 {noon:%Z}</time>"
    )
