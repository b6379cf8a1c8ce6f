import json

import pytest

from bench.figures import Figure, middle, percentile, table, tidy


def test_row_has_the_fields_of_results_json():
    figure = Figure("batch", 200.0, "events/s", limit=400.0, baseline=20.0, aim="≥ 0.5", met=True)

    assert json.loads(json.dumps(figure.as_row())) == {
        "figure": "batch",
        "value": 200.0,
        "unit": "events/s",
        "limit": 400.0,
        "baseline": 20.0,
        "of_limit": 0.5,
        "of_baseline": 10.0,
        "aim": "≥ 0.5",
        "met": True,
    }


def test_without_a_limit_or_a_baseline_there_is_no_ratio():
    row = Figure("memory", 100, "MB").as_row()

    assert (row["of_limit"], row["of_baseline"], row["met"]) == (None, None, None)


def test_missed_aim_is_marked_in_the_table():
    lines = table([Figure("one", 1234.5, "ms", aim="≤ 5", met=False)]).splitlines()

    assert lines[1].split() == ["one", "1,234", "ms", "–", "–", "–", "–", "≤", "5", "NO"]


@pytest.mark.parametrize(
    ("share", "value"), [(0.5, 51), (0.99, 100), (1.0, 100), (0.0, 1)], ids=str
)
def test_percentiles_of_a_hundred_values(share, value):
    assert percentile(range(1, 101), share) == value


@pytest.mark.parametrize(
    ("value", "rounded"), [(0.012345, 0.0123), (1.2, 1.2), (999.4, 999), (17123.4, 17123)]
)
def test_tidy_keeps_three_significant_digits(value, rounded):
    assert tidy(value) == rounded


def test_middle_is_the_median():
    assert middle([10, 11, 900]) == 11
