"""No statement that is run for every batch goes through all rows of a table that grows."""

import re

import pytest
from django.db import connection

from butler import sql
from customers import sql as of_customers
from tests.butler.live_automations import SAY, automation

MANY = 10_000
FILL = f"""
INSERT INTO customers_customer (id, created_at)
SELECT gen_random_uuid(), now() FROM generate_series(1, {MANY});
INSERT INTO butler_budgetuse (customer_id, scope, "window", used)
SELECT id, 'company:marketing', '2026-W47', 1 FROM customers_customer;
INSERT INTO butler_due (job, customer_id, key, facts, due_at, failed_reason)
SELECT 'run', id, gen_random_uuid(), '{{}}', now() + random() * interval '90 days', ''
  FROM customers_customer;
INSERT INTO butler_run (id, automation_id, version_id, customer_id, occasion, cause, occurred_at,
       status, step, awaited, awaited_about, reason, created_at)
SELECT key::uuid, automation_id, version.id, customer_id, 'x', '{{}}', now(), 'waiting', '0', '',
       '', '', now()
  FROM butler_due, butler_automationversion AS version;
INSERT INTO butler_message (id, key, customer_id, run_id, automation_id, version_id, step, channel,
       message_class, topic, purpose, relation, priority, occurred_at, not_before, expires_at,
       created_at, state, state_at, reason, facts, language, address, subject, text)
SELECT gen_random_uuid(), id, customer_id, id, automation_id, version_id, '0', 'email', 'marketing', 'offers',
       'offers', '', 5, now(), now(), now(), now(), 'queued', now(), '', '{{}}', '', '', '', ''
  FROM butler_run;
INSERT INTO butler_delivery (id, message_id, number, customer_id, channel, provider,
       customer_version, claimed_at, lease_until, outcome, provider_id, code, detail, budget_windows)
SELECT gen_random_uuid(), id, 1, customer_id, 'email', 'smtp', 1, now(), now(), 'accepted', id, '',
       '', '[]'
  FROM butler_message;
ANALYZE
"""
GROWN = {
    "customers_customer",
    "butler_budgetuse",
    "butler_due",
    "butler_run",
    "butler_message",
    "butler_delivery",
}
# Of the butler, and of the record: what a tick, a claim and an outcome ask.
HOT_STATEMENTS = (
    (sql, "claim_due"),
    (sql, "lock_runs"),
    (sql, "read_contexts"),
    (sql, "read_decision_facts"),
    (sql, "insert_messages"),
    (sql, "insert_decisions"),
    (sql, "update_runs"),
    (sql, "acquire_capacity"),
    (sql, "claim_messages"),
    (sql, "lock_customers"),
    (sql, "write_claims"),
    (sql, "lock_customers_of_deliveries"),
    (sql, "write_outcomes"),
    (sql, "find_waiting_reports"),
    (sql, "find_deliveries_in_flight"),
    (sql, "find_expired_deliveries"),
    (sql, "start_runs"),
    (sql, "signal_waiting_runs"),
    (of_customers, "append_events"),
)

pytestmark = [pytest.mark.django_db, pytest.mark.slow]


@pytest.fixture
def _filled_tables():
    automation("offers", steps=[SAY])
    with connection.cursor() as cursor:
        for statement in FILL.split(";"):
            cursor.execute(statement)


def scanned(text):
    """Return the tables that the plan for any values reads from beginning to end."""
    names = list(dict.fromkeys(re.findall(r"%\((\w+)\)s", text)))
    numbered = re.sub(r"%\((\w+)\)s", lambda match: f"${names.index(match[1]) + 1}", text)
    with connection.cursor() as cursor:
        cursor.execute(f"EXPLAIN (GENERIC_PLAN, FORMAT JSON) {numbered.replace('%%', '%')}")
        (plans,) = cursor.fetchone()
    tables, nodes = set(), [plan["Plan"] for plan in plans]
    while nodes:
        node = nodes.pop()
        nodes += node.get("Plans", ())
        if node["Node Type"] == "Seq Scan":
            tables.add(node["Relation Name"])
    return tables


@pytest.mark.usefixtures("_filled_tables")
def test_no_plan_for_any_values_reads_a_table_that_grows_as_a_whole():
    assert scanned("SELECT FROM butler_due WHERE facts = %(facts)s") == {"butler_due"}

    read = {name: scanned(where.load(name)) & GROWN for where, name in HOT_STATEMENTS}

    assert {name: tables for name, tables in read.items() if tables} == {}
