"""App configuration of common: the ground floor: errors, time, money, SQL, registries."""

from django.apps import AppConfig
from django.utils.module_loading import autodiscover_modules


class CommonConfig(AppConfig):
    name = "common"
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self) -> None:
        """Fill the registries once all apps are loaded (common stands last in INSTALLED_APPS' readiness, not order)."""
        autodiscover_modules(
            "facts",
            "values",
            "criteria",
            "blocks",
            "usages",
            "personal",
            "traces",
            "retention",
            "register",
            "deliveries",
            "follow_ups",
            "timeline",
        )
