"""App configuration of mijnmenu: the face for customers."""

from django.apps import AppConfig


class MijnMenuConfig(AppConfig):
    name = "mijnmenu"
    default_auto_field = "django.db.models.BigAutoField"
