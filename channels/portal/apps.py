from django.apps import AppConfig


class PortalConfig(AppConfig):
    name = "channels.portal"
    label = "portal"

    def ready(self) -> None:
        """Register the area of customers."""
        from channels.pages import areas

        areas.register(
            areas.Area(
                layout="portal/base.html", home="portal:home", preferences="portal:preferences"
            )
        )
