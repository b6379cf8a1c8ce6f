from django.apps import AppConfig


class ButlerConfig(AppConfig):
    name = "butler"
    verbose_name = "What the butler decides and does"

    def ready(self) -> None:
        """Register what listens to stored events, and the jobs of due rows."""
        from butler.actions import due_jobs
        from butler.automations import triggers
        from customers.events import subscribers

        subscribers.register(triggers.handle_events)
        due_jobs.register()
