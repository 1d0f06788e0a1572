"""Our settings with django-post-office installed, as its documentation says."""

from wise_marketing.settings import *  # noqa: F403
from wise_marketing.settings import INSTALLED_APPS as OURS

INSTALLED_APPS = [*OURS, "post_office"]
EMAIL_BACKEND = "post_office.EmailBackend"
TEMPLATES = [
    {"BACKEND": "django.template.backends.django.DjangoTemplates", "APP_DIRS": True},
    {"BACKEND": "post_office.template.backends.post_office.PostOfficeTemplates", "APP_DIRS": True, "OPTIONS": {
        "context_processors": []}},
]  # fmt: skip
POST_OFFICE = {"MESSAGE_ID_ENABLED": True, "MESSAGE_ID_FQDN": "waterland.example"}
SILENCED_SYSTEM_CHECKS = ["admin.E403"]
