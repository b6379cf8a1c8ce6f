"""Names browsers and devices as a customer knows them, such as "Chrome on Android". Pure."""

import re
from collections.abc import Iterable
from typing import Any

from django.utils.translation import gettext as _

from customers.queries.shapes import EventShape, decode_stored

# In this order: a browser also names those that it descends from.
_BROWSERS = (
    (r"\bEdg(?:e|A|iOS)?/", "Edge"),
    (r"\bOPR/", "Opera"),
    (r"\bSamsungBrowser/", "Samsung Internet"),
    (r"\b(?:Firefox|FxiOS)/", "Firefox"),
    (r"\b(?:Chrome|CriOS)/", "Chrome"),
    (r"\bSafari/", "Safari"),
)
_SYSTEMS = (
    (r"\bAndroid\b", "Android"),
    (r"\biPad\b", "iPad"),
    (r"\biPhone\b", "iPhone"),
    (r"\bCrOS\b", "ChromeOS"),
    (r"\bWindows\b", "Windows"),
    (r"\bMac OS X\b", "Mac"),
    (r"\bLinux\b", "Linux"),
)
_MAX_NAME = 60


def device_names(events: Iterable[EventShape]) -> dict[str, str]:
    """Return the name of each browser and device that these events tell, by its identifier."""
    names: dict[str, str] = {}
    for event in events:
        body: dict[str, Any] = decode_stored(event.body, {})
        context = _object(body, "context")
        device = _object(context, "device")
        for id_, name in (
            (body.get("anonymousId"), browser_name(_text(context, "userAgent"))),
            (device.get("id"), _device_name(device)),
        ):
            if isinstance(id_, str) and name:
                names.setdefault(id_, name)
    return names


def browser_name(user_agent: str) -> str:
    """Return a browser and its system in words; an empty text if the browser is unknown."""
    browser, system = _first(_BROWSERS, user_agent), _first(_SYSTEMS, user_agent)
    if browser and system:
        return _("%(browser)s on %(system)s") % {"browser": browser, "system": system}
    return browser or system


def _device_name(device: dict[str, Any]) -> str:
    return (_text(device, "name") or _text(device, "model"))[:_MAX_NAME]


def _first(patterns: Iterable[tuple[str, str]], text: str) -> str:
    return next((name for pattern, name in patterns if re.search(pattern, text)), "")


def _object(body: dict[str, Any], name: str) -> dict[str, Any]:
    inner = body.get(name)
    return inner if isinstance(inner, dict) else {}


def _text(body: dict[str, Any], name: str) -> str:
    text = body.get(name)
    return text.strip() if isinstance(text, str) else ""
