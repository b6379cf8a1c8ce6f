"""The measured figures, with their limits and baselines."""

from collections.abc import Iterable
from dataclasses import asdict, dataclass
from statistics import median


@dataclass(frozen=True, slots=True)
class Figure:
    """One measured figure.

    `limit` is the figure of Postgres or Redis without Butler, `baseline` that of bench.baseline.
    Both have the unit of the value, and are None without a comparison. `aim` is text for people.
    """

    figure: str
    value: float
    unit: str
    limit: float | None = None
    baseline: float | None = None
    aim: str = ""
    met: bool | None = None

    @property
    def of_limit(self) -> float | None:
        """The value divided by the limit; None without a limit."""
        return _ratio(self.value, self.limit)

    @property
    def of_baseline(self) -> float | None:
        """The value divided by the baseline; None without a baseline."""
        return _ratio(self.value, self.baseline)

    def as_row(self) -> dict[str, object]:
        """Return the figure in the form of bench/results.json."""
        row = asdict(self)
        aim, met = row.pop("aim"), row.pop("met")
        ratios = {"of_limit": self.of_limit, "of_baseline": self.of_baseline}
        return {**row, **ratios, "aim": aim, "met": met}


def _ratio(value: float, other: float | None) -> float | None:
    return round(value / other, 3) if other else None


def middle(values: Iterable[float]) -> float:
    """Return the median, rounded by `tidy`."""
    return tidy(median(values))


def tidy(value: float) -> float:
    """Round to three significant digits; numbers from 1,000 on to whole numbers."""
    return float(f"{value:.3g}") if abs(value) < 1000 else float(round(value))


def percentile(values: Iterable[float], share: float) -> float:
    """Return the value below which this share of the values is."""
    ordered = sorted(values)
    return ordered[min(int(len(ordered) * share), len(ordered) - 1)]


_HEADS = ("figure", "value", "unit", "limit", "baseline", "of limit", "of baseline", "aim", "met")


def table(figures: Iterable[Figure]) -> str:
    """Return the figures as a text table."""
    lines = [_HEADS, *(_cells(figure) for figure in figures)]
    widths = [max(len(line[column]) for line in lines) for column in range(len(_HEADS))]
    return "\n".join(
        "  ".join(cell.ljust(width) for cell, width in zip(line, widths, strict=True)).rstrip()
        for line in lines
    )


def _cells(figure: Figure) -> tuple[str, ...]:
    numbers = (figure.limit, figure.baseline, figure.of_limit, figure.of_baseline)
    met = {True: "yes", False: "NO", None: ""}[figure.met]
    return (
        *(figure.figure, _number(figure.value), figure.unit),
        *(_number(number) for number in numbers),
        *(figure.aim, met),
    )


def _number(value: float | None) -> str:
    if value is None:
        return "–"
    return f"{value:,.0f}" if abs(value) >= 100 else f"{value:.3g}"
