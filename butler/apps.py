from django.apps import AppConfig


class ButlerConfig(AppConfig):
    name = "butler"
    verbose_name = "What the butler decides and does"

    def ready(self) -> None:
        """Have the butler look at events as they are stored."""
        from butler.automations import triggers
        from customers.events import subscribers

        subscribers.register(triggers.witness)
