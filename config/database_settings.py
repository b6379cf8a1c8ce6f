"""The settings of the connections to Postgres."""

from config import env, service_urls
from config.db_timeouts import TimeoutConnection, check_idle

# Milliseconds. Commands set 0 (no limit), because no request waits for them.
STATEMENT_TIMEOUT = env.number("STATEMENT_TIMEOUT", default=4000)
DATABASES = {"default": service_urls.database("DATABASE_URL")}
DATABASES["default"]["OPTIONS"] = {
    **DATABASES["default"].get("OPTIONS", {}),
    # Each process has a pool. A request waits `timeout` seconds for a connection, then gets 503.
    "pool": {
        "min_size": 1,
        "max_size": env.number("DATABASE_POOL", default=8),
        "timeout": 3,
        "max_lifetime": 1800,
        # The pool waits longer after each failed attempt to connect, and starts again after this
        # many seconds. So it connects at most this many seconds after the end of an outage.
        "reconnect_timeout": 5,
        "check": check_idle,
    },
    "connect_timeout": 3,
    # After a failover, do not connect to a server that only reads.
    "target_session_attrs": "read-write",
    # PgBouncer in transaction mode older than 1.21 needs DATABASE_PREPARE=0.
    "prepare_threshold": env.number("DATABASE_PREPARE", default=3) or None,
    # The timeouts end statements that hang. Our prepared statements process whole batches, and
    # a new plan for each batch would cost as much as the statement itself.
    "options": f"-c statement_timeout={STATEMENT_TIMEOUT}"
    " -c lock_timeout=3000 -c plan_cache_mode=force_generic_plan",
}
if STATEMENT_TIMEOUT:
    DATABASES["default"]["OPTIONS"]["pool"]["connection_class"] = TimeoutConnection
