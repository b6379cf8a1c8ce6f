from django.apps import AppConfig


class ButlerConfig(AppConfig):
    name = "butler"
    verbose_name = "Automations and messages"

    def ready(self) -> None:
        """Register the subscriber of stored events, and the jobs of due rows."""
        from butler.actions import due_jobs
        from butler.automations import triggers
        from customers.events import subscribers

        subscribers.register(triggers.handle_events)
        due_jobs.register()
