"""The response headers RateLimit and RateLimit-Policy (draft-ietf-httpapi-ratelimit-headers-10)."""

from datetime import timedelta


def rate_limit_headers(
    name: str, *, limit: int, window: int, remaining: int, reset: int, unit: str = ""
) -> dict[str, str]:
    """Return the headers of one policy. `window` and `reset` are seconds; the unit is a request."""
    quota_unit = f';qu="{unit}"' if unit else ""
    return {
        "RateLimit-Policy": f'"{name}";q={limit}{quota_unit};w={window}',
        "RateLimit": f'"{name}";r={remaining};t={reset}',
    }


def used_up(name: str, *, limit: int, window: timedelta, seconds: int) -> dict[str, str]:
    """Return the headers of a refusal (429): the policy, nothing remaining, and Retry-After."""
    return {
        "Retry-After": str(seconds),
        **rate_limit_headers(
            name, limit=limit, window=int(window.total_seconds()), remaining=0, reset=seconds
        ),
    }
