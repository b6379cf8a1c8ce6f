"""A moment is written so that nobody has to guess which day it was."""

from datetime import UTC, datetime, timedelta

import pytest
from django.utils import timezone, translation

from channels.pages.templatetags.moments import clock, moment, stamp
from channels.pages.time import at_home


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


@pytest.mark.parametrize(("hour", "zone"), [(0, "CEST"), (1, "CET")])
def test_the_hour_that_clocks_show_twice_says_which_of_both_it_is(settings, hour, zone):
    settings.TIME_ZONE = "Europe/Amsterdam"
    at = datetime(2027, 10, 31, hour, 29, 30, tzinfo=UTC)

    with translation.override("en"):
        assert f", 02:29 {zone}</time>" in moment(at)
        assert f", 02:29 {zone}</time>" in stamp(at)
        assert clock(at).endswith(f">02:29 {zone}</time>")
        assert clock(at, "second").endswith(f">02:29:30 {zone}</time>")
    assert at_home(at) == at
