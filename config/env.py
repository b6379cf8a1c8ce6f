"""Read settings from the environment, and stop the start on a missing or invalid value.

While `make run` runs, it lists its services in BUTLER_HOME/services.json. Commands in another
terminal read that file. In production DATABASE_URL is set, and no process reads the file.
"""

import base64
import fcntl
import hmac
import json
import math
import os
import re
import secrets
from collections.abc import Iterable
from pathlib import Path
from urllib.parse import parse_qsl

from django.core.exceptions import ImproperlyConfigured

from customers.consent.preferences import TIME_OF_DAY

ROOT = Path(__file__).resolve().parent.parent
_PREFIX = re.compile(r"\+[1-9]\d{0,9}", re.ASCII)
_ORIGIN = re.compile(
    r"(https?)://([a-z0-9](?:[a-z0-9.-]*[a-z0-9])?|\[[0-9a-f:.]+\])(?::([1-9]\d{0,4}))?", re.ASCII
)
_BUDGET = re.compile(r"(\d{1,4})/(day|week|month)", re.ASCII)
_HOURS = re.compile(f"({TIME_OF_DAY.pattern})-({TIME_OF_DAY.pattern})", re.ASCII)


def text(name: str, default: str | None = None) -> str:
    """Return the variable NAME, or the contents of the file that NAME_FILE points to.

    Raises ImproperlyConfigured if neither is set and there is no default.
    """
    value = _read_variable(name)
    if value is None:
        value = default
    if value is None:
        raise ImproperlyConfigured(f"{name} is not set{_hint()}")
    return value


def flag(name: str, *, default: bool) -> bool:
    """Return the variable as a boolean: 1, true, yes, on, or 0, false, no, off, empty."""
    value = text(name, str(int(default))).strip().lower()
    if value in {"1", "true", "yes", "on"}:
        return True
    if value in {"0", "false", "no", "off", ""}:
        return False
    raise ImproperlyConfigured(f"{name} is {value!r}; use 1 or 0.")


def number(name: str, *, default: int) -> int:
    """Return the variable as a whole number, 0 or more."""
    value = text(name, str(default)).strip()
    # isdigit() alone also accepts digits of other scripts and superscripts.
    if not (value.isascii() and value.isdigit()):
        raise ImproperlyConfigured(f"{name} is {value!r}; use a whole number.")
    return int(value)


def duration_seconds(name: str, *, default: float) -> float:
    """Return a duration in seconds, 0 or more, possibly with a fraction."""
    value = text(name, str(default)).strip()
    try:
        duration = float(value)
    except ValueError:
        duration = math.nan
    if not (0 <= duration < math.inf):
        raise ImproperlyConfigured(f"{name} is {value!r}; use a number of seconds.")
    return duration


def listing(name: str) -> list[str]:
    """Return the parts of a comma-separated variable; empty if it is not set."""
    return [part.strip() for part in text(name, "").split(",") if part.strip()]


def origins(name: str) -> frozenset[str]:
    """Return the origins of pages, such as https://shop.example.com, of a comma-separated variable.

    Returns them as browsers write them: in lower case, and without the default port.
    """
    return frozenset(_origin(name, text) for text in listing(name))


def _origin(name: str, text: str) -> str:
    match = _ORIGIN.fullmatch(text.lower())
    if not match:
        raise ImproperlyConfigured(
            f"{name} has {text!r}; use a list such as https://shop.example.com,https://app.example.com."
        )
    scheme, host, port = match.groups()
    is_default = port in {None, {"http": "80", "https": "443"}[scheme]}
    return f"{scheme}://{host}" if is_default else f"{scheme}://{host}:{port}"


def prefixes(name: str) -> tuple[str, ...]:
    """Return the beginnings of phone numbers, such as +31, of a comma-separated variable."""
    listed = listing(name)
    for prefix in listed:
        if not _PREFIX.fullmatch(prefix):
            raise ImproperlyConfigured(f"{name} has {prefix!r}; use a list such as +31,+32.")
    return tuple(listed)


def options(name: str) -> dict[str, str]:
    """Parse first=one&second=two into a dict, which is empty if the variable is not set."""
    try:
        return dict(parse_qsl(text(name, ""), strict_parsing=True))
    except ValueError:
        raise ImproperlyConfigured(f"{name} must look like first=one&second=two.") from None


def choice(name: str, choices: Iterable[str], *, default: str) -> str:
    """Return the variable, which must be one of the choices."""
    value = text(name, default).strip()
    allowed = sorted(choices)
    if value not in allowed:
        raise ImproperlyConfigured(f"{name} is {value!r}; use one of {', '.join(allowed)}.")
    return value


def budgets(name: str, classes: Iterable[str], *, default: str) -> dict[str, dict[str, int | str]]:
    """Parse marketing=2/week into {"marketing": {"limit": 2, "period": "week"}}."""
    limits = _by_class(name, _BUDGET, classes, default)
    return {key: {"limit": int(limit), "period": period} for key, (limit, period) in limits.items()}


def quiet_hours(name: str, classes: Iterable[str], *, default: str) -> dict[str, tuple[str, ...]]:
    """Parse marketing=20:00-09:00 into {"marketing": ("20:00", "09:00")}."""
    return _by_class(name, _HOURS, classes, default)


def _by_class(
    name: str, pattern: re.Pattern[str], classes: Iterable[str], default: str
) -> dict[str, tuple[str, ...]]:
    """Return the groups that the pattern matches, by message class."""
    values = {}
    for part in filter(None, map(str.strip, text(name, default).split(","))):
        key, _, value = part.partition("=")
        match = pattern.fullmatch(value)
        if key not in classes or not match:
            raise ImproperlyConfigured(f"{name} has {part!r}; use a list such as {default}.")
        values[key] = match.groups()
    return values


def secret(name: str) -> str:
    """Return a secret of at least 32 characters, without a default."""
    if _is_check_run() and _read_variable(name) is None:
        return secrets.token_urlsafe(48)
    value = text(name)
    if len(value) < 32:
        raise ImproperlyConfigured(f"{name} is shorter than 32 characters.")
    return value


def signing_seed(name: str, *, source_secret: str) -> str:
    """Return 32 secret bytes in Base64: the variable, or bytes derived from `source_secret`.

    Returns an empty string if both are empty; config.checks then refuses to start.
    """
    if configured_seed := text(name, ""):
        return configured_seed.strip()
    if not source_secret:
        return ""
    # One expand step of HKDF (RFC 5869) makes 32 bytes.
    seed = hmac.digest(source_secret.encode(), name.encode() + b"\x01", "sha256")
    return base64.b64encode(seed).decode()


def home() -> Path:
    """Return the folder with the data that must survive a restart on this machine."""
    return Path(os.environ.get("BUTLER_HOME") or ROOT / ".butler").expanduser().absolute()


def service_url(name: str) -> str:
    """Return the URL of a service from the environment, or else of the embedded service."""
    value = os.environ.get(name) or _read_file_of(f"{name}_FILE") or _embedded_services().get(name)
    if value:
        return value
    if _is_check_run():
        scheme = "postgresql" if name == "DATABASE_URL" else "redis"
        return f"{scheme}://nobody@not-connected.invalid/nothing"
    what = "database" if name == "DATABASE_URL" else "Redis"
    raise ImproperlyConfigured(f"No {what}: run `make run` or set {name}{_hint()}")


def _read_variable(name: str) -> str | None:
    if (value := _read_file_of(f"{name}_FILE") or os.environ.get(name)) is not None:
        return value
    # A process with its own database ignores the files of `make run`.
    if os.environ.get("DATABASE_URL") or os.environ.get("DATABASE_URL_FILE"):
        return None
    embedded = _embedded_services()
    if path := embedded.get(f"{name}_FILE"):
        return Path(path).read_text().strip()
    return embedded.get(name)


def _read_file_of(name: str) -> str | None:
    path = os.environ.get(name)
    if not path:
        return None
    try:
        return Path(path).read_text().strip()
    except OSError as error:
        raise ImproperlyConfigured(f"{name}: {error}.") from error


def _embedded_services() -> dict[str, str]:
    """Return the services that `make run` started; empty when it is not running."""
    folder = home()
    try:
        services = json.loads((folder / "services.json").read_text())
    except (OSError, ValueError):
        return {}
    # The file also exists after a power cut; only the lock shows that the services run.
    return services if _is_locked(folder / "lock") else {}


def _is_locked(lock: Path) -> bool:
    try:
        with lock.open() as file:
            fcntl.flock(file, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except BlockingIOError:
        return True
    except OSError:
        return False
    return False


def _is_check_run() -> bool:
    """Return whether this process needs no services: it runs checks, docs or static files."""
    return os.environ.get("BUTLER_CHECK") == "1"


def _hint() -> str:
    folder = home()
    if os.environ.get("DATABASE_URL") or not os.path.exists(folder / "postgres"):
        return "."
    if _is_locked(folder / "lock"):
        return f" (the services of {folder} are starting or stopping; try again)."
    return f" (there is data in {folder}, but its services are not running)."
