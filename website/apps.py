"""App configuration of website: what visitors of the organisation's own websites and apps do."""

from django.apps import AppConfig


class WebsiteConfig(AppConfig):
    name = "website"
    default_auto_field = "django.db.models.BigAutoField"
