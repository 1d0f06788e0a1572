"""App configuration of counter: the face for counter staff."""

from django.apps import AppConfig


class CounterConfig(AppConfig):
    name = "counter"
    default_auto_field = "django.db.models.BigAutoField"
