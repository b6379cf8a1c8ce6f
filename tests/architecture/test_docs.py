"""The documentation agrees with the code: its links, routes, names and paths exist."""

import ast
import itertools
import re
import tomllib
from functools import cache
from pathlib import Path

from django.urls import Resolver404, resolve

from channels.live import stream_requests
from tests.architecture.tree import ROOT, files

PAGES = [
    path for path in files("*.md") if path.parts[0] in {"docs", "deploy"} or len(path.parts) == 1
]
CODE = [
    path
    for path in files("*.py")
    if path.parts[0] in {"config", "channels", "butler", "customers", "examples"}
]
REFERENCE = Path("docs/reference")

LINK = re.compile(r"!?\[[^\]]*\]\(([^)\s]+)\)")
FENCE = re.compile(r"^( *)```([^\n`]*)\n(.*?)^\1```", re.MULTILINE | re.DOTALL)
ROUTE = re.compile(
    r"`(?:(?:GET|POST|PUT|PATCH|DELETE) )?"
    r"(/(?:v1|api|live|dev|_allauth|admin|livez|readyz|metrics|sign-in)\b[^`\s]*)`"
)
CURL = re.compile(r"curl\b.*?https?://localhost:(\d+)(/[^\s'\"\\]*)", re.DOTALL)
A_UUID = "01890a5d-ac96-774b-bcce-b302099a8057"
WEB, LIVE = "8000", "8001"
# A bare root names everything below it.
ROOTS = {"/v1/", "/api/", "/live/", "/v1/store/", "/v1/phone/", "/dev/"}
# A root whose last part is the name of a source.
OF_A_SOURCE = {"/v1/webhooks/", "/v1/phone/twilio/"}


@cache
def read(path: Path) -> str:
    return (ROOT / path).read_text()


def prose(path: Path) -> str:
    return FENCE.sub("", read(path))


def examples(path: Path) -> list[tuple[str, str]]:
    """Return the fenced blocks of a page: language and text."""
    return [(language, text) for _, language, text in FENCE.findall(read(path))]


def slug(heading: str) -> str:
    """Spell the anchor of a heading as the documentation does."""
    plain = re.sub(r"[`*_]", "", heading.strip().lower())
    return re.sub(r"[^\w\- ]", "", plain).replace(" ", "-")


def anchors(path: Path) -> set[str]:
    return {slug(heading) for heading in re.findall(r"^#+ (.*)$", prose(path), re.MULTILINE)}


# Links and pointers -------------------------------------------------------------------


def test_every_link_leads_somewhere():
    links = [(page, link) for page in PAGES for link in LINK.findall(prose(page))]

    assert len(links) > 100
    assert [f"{page}: {link}" for page, link in links if not leads_somewhere(page, link)] == []


def leads_somewhere(page: Path, link: str) -> bool:
    if re.match(r"https?:|mailto:", link):
        return True
    name, _, anchor = link.partition("#")
    target = (ROOT / page.parent / name).resolve() if name else ROOT / page
    return target.exists() and (not anchor or anchor in anchors(target.relative_to(ROOT)))


def test_a_dead_link_is_seen():
    assert LINK.findall("see [this](there.md#here) and ![that](pic.png)") == [
        "there.md#here",
        "pic.png",
    ]
    assert slug("The tables: what `a_row` is") == "the-tables-what-arow-is"


def test_what_the_code_points_to_is_there():
    pointers = {
        (path, pointer)
        for path in [*files("*.py"), *files("*.sql"), *files("*.toml"), *files("*.html")]
        for pointer in re.findall(r"docs/(?:adr/\d{4}|[a-z-]+(?:/[a-z-]+)?\.md)", read(path))
    }

    dead = [
        (str(path), pointer)
        for path, pointer in pointers
        if not list(ROOT.glob(pointer if pointer.endswith(".md") else f"{pointer}-*.md"))
    ]

    assert len(pointers) >= 5
    assert dead == []


def test_every_path_that_proves_an_invariant_is_there():
    proofs = re.findall(r"`(tests/[\w/.]+\.py)(?:::(\w+))?`", read(Path("docs/invariants.md")))

    for path, name in proofs:
        assert (ROOT / path).is_file(), path
        assert not name or f"def {name}(" in read(Path(path)), f"{path}::{name}"
    assert len(proofs) >= 14


def test_there_are_fourteen_invariants():
    numbers = re.findall(r"^## (\d+)\. ", read(Path("docs/invariants.md")), re.MULTILINE)

    assert numbers == [str(number) for number in range(1, 15)]


# Routes -------------------------------------------------------------------------------


def described() -> list[tuple[Path, str, str]]:
    """Return every address that the pages name: page, port and path."""
    addresses = []
    for page in PAGES:
        for path in ROUTE.findall(prose(page)):
            port = LIVE if path.startswith("/live/") else WEB
            addresses.append((page, port, path))
        for language, text in examples(page):
            if language == "sh":
                addresses += [(page, port, path) for port, path in CURL.findall(text)]
    return addresses


def filled(path: str) -> list[str]:
    """Put ids of either kind into the places of a path, and take away what is no path."""
    if path.rstrip("…") in OF_A_SOURCE:
        path = f"{path.rstrip('…')}shop"
    parts = re.split(r"<[\w ]+>|\$\w+|\{\w+\}", path.partition("?")[0].rstrip("…*"))
    ids = itertools.product((A_UUID, "1"), repeat=len(parts) - 1)
    return ["".join(itertools.chain(*zip(parts, (*some, ""), strict=True))) for some in ids]


def is_served(port: str, path: str) -> bool:
    if port == LIVE and path.startswith("/live/"):
        return bool(
            stream_requests.OWN_PATH.fullmatch(path)
            or stream_requests.CUSTOMER_PATH.fullmatch(path)
        )
    if path in {"/livez", "/readyz", "/metrics"}:
        return True
    try:
        match = resolve(path)
    except Resolver404:
        return False
    return match.url_name not in {"ingest-unknown-route", "unknown-route"}


def test_every_described_address_is_served():
    addresses = set(described())

    assert len(addresses) > 100
    assert [
        f"{page} names {path}"
        for page, port, path in addresses
        if path.rstrip("…") not in ROOTS
        and not any(is_served(port, address) for address in filled(path))
    ] == []


def test_an_address_that_is_not_served_is_seen():
    assert not is_served(WEB, "/v1/no-such-thing")
    assert not is_served(WEB, "/api/no-such-thing/")
    assert not is_served(LIVE, "/live/no-such-thing")


# Names --------------------------------------------------------------------------------


def test_every_command_is_in_the_reference():
    page = read(REFERENCE / "commands.md")
    ours = {
        path.stem
        for path in files("*.py")
        if path.parent.name == "commands" and path.stem != "__init__"
    }

    assert {name for name in ours if f"`{name}" not in page} == set()
    used = set(re.findall(r"manage\.py ([a-z_]+)", "".join(map(read, PAGES))))
    assert used <= ours | {"migrate", "check", "collectstatic", "createsuperuser"}


def test_every_target_of_make_is_in_the_reference():
    page = read(REFERENCE / "commands.md")
    targets = re.findall(r"^([a-z.]+):.*## ", read(Path("Makefile")), re.MULTILINE)

    assert [name for name in targets if name != "help" and f"`make {name}`" not in page] == []


def calls(path: Path) -> list[ast.Call]:
    return [node for node in ast.walk(ast.parse(read(path))) if isinstance(node, ast.Call)]


def called(call: ast.Call) -> str:
    name = call.func
    return name.attr if isinstance(name, ast.Attribute) else getattr(name, "id", "")


def texts(call: ast.Call) -> list[str]:
    return [
        arg.value
        for arg in call.args
        if isinstance(arg, ast.Constant) and isinstance(arg.value, str)
    ]


def test_every_setting_is_in_the_reference():
    page = read(REFERENCE / "settings.md")
    read_names = {
        texts(call)[0]
        for path in files("config/*settings.py")
        for call in calls(path)
        if isinstance(call.func, ast.Attribute)
        and getattr(call.func.value, "id", "") in {"env", "service_urls"}
        and texts(call)
    }

    assert len(read_names) > 10
    assert {name for name in read_names if f"`{name}`" not in page} == set()


def test_every_setting_in_the_reference_is_read_somewhere():
    names = re.findall(r"^\| `([A-Z_]+)`", read(REFERENCE / "settings.md"), re.MULTILINE)
    code = "".join(read(path) for path in files("*.py") if path.parts[0] in {"config", "deploy"})

    assert [name for name in names if not re.search(rf"[\"']{name}[\"']", code)] == []


def test_every_reason_and_code_of_the_wire_is_in_the_reference():
    page = read(REFERENCE / "wire.md")
    reasons = {
        text
        for path in CODE
        if path.parts[0] == "channels" or path.stem in {"ingest", "keys"}
        for call in calls(path)
        if called(call) in {"InvalidEvent", "ErrorResponse", "RejectedItem", "_set_apart"}
        for text in texts(call)
        if re.fullmatch(r"[a-z0-9]+(_[a-z0-9]+)*", text)
    }

    assert len(reasons) > 40
    assert {reason for reason in reasons if f"`{reason}`" not in page} == set()


def test_every_header_of_ours_is_in_the_reference():
    page = read(REFERENCE / "headers.md")
    ours = {name for path in CODE for name in re.findall(r'"(Butler-[A-Z]\w+)"', read(path))}

    assert ours
    assert {name for name in ours if f"`{name}" not in page} == set()


def test_every_metric_that_is_described_is_counted():
    page = read(Path("docs/operations.md"))
    named = {name.removesuffix("_total") for name in re.findall(r"`(butler_\w+)\b", page)}
    tables = {"butler_due"}
    counted = {
        texts(call)[0]
        for path in CODE
        for call in calls(path)
        if called(call) in {"Counter", "Gauge", "Histogram"} and texts(call)
    }

    assert named - tables - counted == set()
    assert counted - named == set()


def test_the_changelog_begins_with_this_version():
    version = tomllib.loads(read(Path("pyproject.toml")))["project"]["version"]
    newest = re.search(r"^## v?([\d.]+)", read(Path("CHANGELOG.md")), re.MULTILINE)

    assert newest
    assert newest[1] == version


def test_map_of_who_is_who_names_each_of_its_modules():
    folder = Path("customers/identity")
    modules = [path.stem for path in files("*.py") if path.parent == folder]
    names = re.findall(
        r"`(\w+)`", "\n".join(re.findall(r"^- .*?:", read(folder / "__init__.py"), re.M))
    )

    assert sorted(names) == sorted(set(modules) - {"__init__"})


def test_each_situation_says_what_customer_staff_and_sender_see():
    page = read(Path("docs/reference/identity.md"))
    section = page.partition("\n## Situations\n")[2].partition("\n## ")[0]
    rows = [
        [cell.strip() for cell in line.strip("|").split("|")]
        for line in section.splitlines()
        if line.startswith("| ")
    ]

    assert len(rows) > 60
    assert [row for row in rows if len(row) != 4 or "" in row] == []
