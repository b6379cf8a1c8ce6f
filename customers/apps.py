from pathlib import Path

from django.apps import AppConfig
from django.conf import settings
from django.core.exceptions import ImproperlyConfigured

from customers.actions import order_rules
from customers.actions.order_rules import DEFAULT_FILE as DEFAULT_RULES
from customers.actions.order_rules import InvalidOrderRules
from customers.identity import normalize
from customers.identity.non_identifiers import DEFAULT_FILE, InvalidRules, NonIdentifiers


class CustomersConfig(AppConfig):
    name = "customers"
    verbose_name = "The one record"

    def ready(self) -> None:
        """Load the values that identify nobody, and the rules for changes of orders."""
        files = [Path(settings.BUTLER_NON_IDENTIFIERS)] if settings.BUTLER_NON_IDENTIFIERS else []
        rules = NonIdentifiers(
            allows_reserved_domains=settings.BUTLER_ALLOW_RESERVED_DOMAINS,
            own_addresses=settings.BUTLER_OWN_ADDRESSES,
        )
        try:
            normalize.set_non_identifiers(rules.add(DEFAULT_FILE, *files))
        except InvalidRules as error:
            raise ImproperlyConfigured(f"BUTLER_NON_IDENTIFIERS: {error}") from error
        path = settings.BUTLER_ORDER_RULES
        try:
            order_rules.set_rules(order_rules.load_rules(Path(path) if path else DEFAULT_RULES))
        except InvalidOrderRules as error:
            raise ImproperlyConfigured(f"BUTLER_ORDER_RULES: {error}") from error
