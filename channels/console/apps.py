from django.apps import AppConfig


class ConsoleConfig(AppConfig):
    name = "channels.console"
    label = "console"

    def ready(self) -> None:
        """Register the area of staff, which includes the admin."""
        from channels.pages import areas

        areas.register(
            areas.Area(
                layout="console/base_without_header.html",
                home="console:home",
                language="en",
                is_staff=True,
                other_paths=("/admin/",),
            )
        )
