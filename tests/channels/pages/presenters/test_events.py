from collections.abc import Sequence
from pathlib import Path

import pytest
from babel.messages import Catalog, mofile, pofile
from django.utils import translation

from channels.pages.money import format_money
from channels.pages.presenters import events
from tests.channels.portal.page_texts import texts_of

ROOT = Path(__file__).parents[4]
CATALOGUES = sorted(
    path
    for folder in ("channels/pages", "channels/portal", "examples/themepark")
    for path in (ROOT / folder / "locale").rglob("django.po")
)


@pytest.mark.parametrize(
    ("kind", "name", "words"),
    [
        pytest.param("track", "Order Completed", "You placed an order", id="known-event"),
        pytest.param("page", "Order Completed", "You visited a page", id="page-of-that-name"),
        pytest.param("identify", "", "You told us about yourself", id="kind"),
        pytest.param("track", "Lamp Lit", "Lamp Lit", id="unknown-event-keeps-its-name"),
        pytest.param("track", "", "track", id="nothing-at-all"),
    ],
)
def test_an_event_has_a_headline(kind, name, words):
    assert events.headline(kind, name, {}) == words


@pytest.mark.parametrize(
    ("name", "properties", "words"),
    [
        (
            "Order Completed",
            {"name": "Lantern Night", "total": "396.00", "currency": "EUR", "order_id": "LK-1"},
            "Lantern Night · €396.00 · LK-1",
        ),
        ("Order Completed", {"total": "39,50", "currency": "eur"}, "€39.50"),
        ("Order Completed", {"total": 1200, "currency": "JPY"}, "JP¥1,200"),
        (
            "Order Refunded",
            {"amount": "20", "currency": "EUR", "order_id": "LK-1"},
            "€20.00 · LK-1",
        ),
        (
            "Order Refunded",
            {"products": [{"sku": "MEAL", "quantity": -2}, {"name": "Day ticket"}]},
            "2× MEAL · Day ticket",
        ),
        ("Order Refunded", {"order_id": "LK-1"}, "LK-1"),
        ("Order Amended", {"order_id": "LK-1", "visit_time": "11:30"}, "LK-1 · arrival 11:30"),
        (
            "Order Amended",
            {"order_id": "LK-1", "visit_date": "2027-03-28", "visit_time": "09:05:00"},
            "LK-1 · arrival Sun 28 Mar 2027, 09:05",
        ),
        ("Order Amended", {"visit_date": "soon"}, "arrival soon"),
        ("Ride Wait Checked", {"name": "Owl Post", "posted_minutes": 35}, "Owl Post · 35 minutes"),
        ("Order Completed", {"name": {"not": "text"}, "total": "free"}, ""),
        ("Lamp Lit", {"name": "lamp"}, ""),
    ],
)
def test_detail_shows_the_properties_of_the_event(name, properties, words):
    assert events.detail("track", name, properties) == words


@pytest.mark.parametrize(
    ("language", "words"),
    [
        ("en", "€1,234.50"),
        ("nl", "€\u00a01.234,50"),
        ("sv", "1\u00a0234,50\u00a0€"),
        ("da", "1.234,50\u00a0€"),
    ],
)
def test_money_is_written_the_readers_way(language, words):
    with translation.override(language):
        assert format_money("1234.5", "EUR") == words


def test_four_languages_are_spoken():
    assert {path.parts[-3] for path in CATALOGUES} == {"nl", "sv", "da"}


@pytest.mark.parametrize("path", CATALOGUES, ids=lambda path: f"{path.parts[-5]}-{path.parts[-3]}")
def test_every_text_is_translated(path):
    with path.open("rb") as file:
        missing = [
            message.id for message in pofile.read_po(file) if message.id and not message.string
        ]

    assert missing == []


@pytest.mark.parametrize("path", CATALOGUES, ids=lambda path: f"{path.parts[-5]}-{path.parts[-3]}")
def test_compiled_catalogue_has_the_texts_of_its_source(path):
    with path.open("rb") as written, path.with_suffix(".mo").open("rb") as compiled:
        ours, theirs = pofile.read_po(written), mofile.read_mo(compiled)

    assert _strings(ours) == _strings(theirs)


def _strings(catalogue: Catalog) -> list[tuple[str, str]]:
    return sorted((_joined(m.id), _joined(m.string)) for m in catalogue if m.id)


def _joined(text: str | Sequence[str]) -> str:
    return text if isinstance(text, str) else " | ".join(text)


@pytest.mark.parametrize("language", ["nl", "sv", "da"])
@pytest.mark.parametrize("folder", ["pages", "portal"])
def test_catalogues_have_every_text_of_their_folder_and_no_other(language, folder):
    shared = _translated("pages", language)
    translated = _translated(folder, language)

    assert texts_of(folder) - translated - shared == set()
    assert translated - texts_of(folder) == set()


def _translated(folder: str, language: str) -> set[str]:
    catalogue = next(p for p in CATALOGUES if p.parts[-3] == language and folder in p.parts)
    with catalogue.open("rb") as file:
        ids = [message.id for message in pofile.read_po(file) if message.id]
    return {text if isinstance(text, str) else text[0] for text in ids}


def test_words_are_found_wherever_they_are_written():
    portal, pages = texts_of("portal"), texts_of("pages")

    assert "Sign out" in portal
    assert "Hello %(name)s" in portal
    assert "You placed an order" in pages
    assert "%(count)d message had already left in the last hour:" in portal | pages
    assert "Contact me only when I ask" in portal | pages


@pytest.mark.parametrize(
    ("line", "words"),
    [
        ({"line_id": "1", "quantity": 3}, "3× Day ticket"),
        ({"line_id": "1", "product": "vip"}, "Day ticket → vip"),
        ({"line_id": "1", "name": "Day ticket", "product": "vip"}, "Day ticket → Day ticket, vip"),
        ({"line_id": "1", "quantity": 2, "sku": "VIP-1"}, "2× Day ticket → VIP-1"),
        ({"line_id": "2", "name": "Meal"}, "Meal"),
    ],
)
def test_requested_change_shows_the_product_of_a_line_before_and_after(line, words):
    assert events.requested_change({"lines": [line]}, {"1": "Day ticket"}) == words
