"""Invented names, towns, pages and products of synthetic customers."""

FIRST_NAMES = [
    "Ada",
    "Bo",
    "Cleo",
    "Dag",
    "Esra",
    "Finn",
    "Gina",
    "Hugo",
    "Iris",
    "Jon",
    "Kaja",
    "Leo",
    "Mia",
    "Noa",
    "Omar",
    "Pia",
    "Rut",
    "Sem",
]
LAST_NAMES = [
    "Aalto",
    "Berg",
    "Cruz",
    "Dekker",
    "Eide",
    "Falk",
    "Groen",
    "Holm",
    "Iversen",
    "Jansen",
    "Koch",
    "Lund",
    "Moe",
    "Vos",
]
CITIES = [
    "Odense",
    "Utrecht",
    "Malmö",
    "Aarhus",
    "Gent",
    "Lund",
    "Zwolle",
    "Bergen",
    "Leeds",
    "Bremen",
]
LANGUAGES = ("en", "nl", "sv", "da")
RIDES = ["Lantern Mill", "River Comet", "Paper Dragon", "Nine Bells", "Moth House", "Slow Train"]
PAGES = ["tickets", "rides", "hotel", "dinner", "season-pass", "opening-hours", "map"]
PRODUCTS = (("Day ticket", "42.50"), ("Season pass", "119.00"), ("Hotel night", "96.00"))
