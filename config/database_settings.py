"""How processes connect to Postgres."""

from config import env, service_urls
from config.db_timeouts import TimeoutConnection, check_idle

# Milliseconds; commands set 0, because nobody waits for them as one waits for a page.
STATEMENT_TIMEOUT = env.number("STATEMENT_TIMEOUT", default=4000)
DATABASES = {"default": service_urls.database("DATABASE_URL")}
DATABASES["default"]["OPTIONS"] = {
    **DATABASES["default"].get("OPTIONS", {}),
    # Each process keeps its connections; a request waits this long for one, then gets 503.
    "pool": {
        "min_size": 1,
        "max_size": env.number("DATABASE_POOL", default=8),
        "timeout": 3,
        "max_lifetime": 1800,
        # The pool waits longer after each failed attempt to connect, until it starts again: at
        # most this many seconds pass between the end of an outage and the next attempt.
        "reconnect_timeout": 5,
        "check": check_idle,
    },
    "connect_timeout": 3,
    # PgBouncer in transaction mode older than 1.21 needs DATABASE_PREPARE=0.
    "prepare_threshold": env.number("DATABASE_PREPARE", default=3) or None,
    # A statement that hangs would hold its request for ever. Our prepared statements take
    # whole batches: planning them anew for each one costs as much as running them.
    "options": f"-c statement_timeout={STATEMENT_TIMEOUT}"
    " -c lock_timeout=3000 -c plan_cache_mode=force_generic_plan",
}
if STATEMENT_TIMEOUT:
    DATABASES["default"]["OPTIONS"]["pool"]["connection_class"] = TimeoutConnection
