"""App configuration of selections: the audience language."""

from django.apps import AppConfig


class SelectionsConfig(AppConfig):
    name = "selections"
    default_auto_field = "django.db.models.BigAutoField"
