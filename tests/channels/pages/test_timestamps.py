"""The template tags for times show the day and the time zone."""

from datetime import UTC, datetime, timedelta

import pytest
from django.utils import timezone, translation

from channels.pages.templatetags.timestamps import staff_timestamp, time_of_day, timestamp
from channels.pages.time import in_company_zone


@pytest.fixture
def noon(settings):
    settings.TIME_ZONE = "Europe/Amsterdam"
    return timezone.localtime().replace(hour=12, minute=5, second=0, microsecond=0)


@pytest.mark.parametrize(
    ("language", "expected"),
    [
        ("en", "{0:%a} {0.day} {0:%b}, 12:05 {0:%Z}"),
        ("sv", "{0.day} "),
        ("da", "{0.day}. "),
        ("nl", "{0.day} "),
    ],
)
def test_time_of_this_year_says_its_day_and_zone(noon, language, expected):
    with translation.override(language):
        written = timestamp(noon)

    assert expected.format(noon) in written
    assert f", 12:05 {noon:%Z}</time>" in written
    assert f'data-format="timestamp" datetime="{noon.isoformat()}"' in written


def test_time_of_another_year_says_which(noon):
    before = noon - timedelta(days=400)

    with translation.override("en"):
        assert f">{before.day} {before:%b} {before.year}, " in timestamp(before)
    assert f">{before.day} {before:%b} {before.year}, " in staff_timestamp(before)


def test_colleagues_read_the_same_without_a_script(noon):
    assert staff_timestamp(noon) == (
        f'<time datetime="{noon.isoformat()}">'
        f"{noon:%a} {noon.day} {noon:%b}, 12:05 {noon:%Z}</time>"
    )


@pytest.mark.parametrize(("hour", "zone"), [(0, "CEST"), (1, "CET")])
def test_the_hour_that_clocks_show_twice_says_which_of_both_it_is(settings, hour, zone):
    settings.TIME_ZONE = "Europe/Amsterdam"
    at = datetime(2027, 10, 31, hour, 29, 30, tzinfo=UTC)

    with translation.override("en"):
        assert f", 02:29 {zone}</time>" in timestamp(at)
        assert f", 02:29 {zone}</time>" in staff_timestamp(at)
        assert time_of_day(at).endswith(f">02:29 {zone}</time>")
        assert time_of_day(at, "time_with_seconds").endswith(f">02:29:30 {zone}</time>")
    assert in_company_zone(at) == at
