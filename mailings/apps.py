"""App configuration of mailings: content, gate, messages, delivery, feedback."""

from django.apps import AppConfig


class MailingsConfig(AppConfig):
    name = "mailings"
    default_auto_field = "django.db.models.BigAutoField"
