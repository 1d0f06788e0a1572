"""The four kinds of people with an account, as Django groups; customers are not users.

Permissions are asked for once, at the entrance, by the same names in the workbench, the counter and the API.
"""

from __future__ import annotations

from django.contrib.auth.models import Group, Permission
from django.contrib.contenttypes.models import ContentType
from django.db import models
from django.utils.translation import gettext_lazy as _

MARKETEER = "marketeer"
COUNTER = "counter"
ADMINISTRATOR = "administrator"
INTEGRATOR = "integrator"

#: Permission codename -> what it allows. All live on one content type: ``common.<codename>``.
PERMISSIONS: dict[str, str] = {
    "view_workbench": "See the workbench and its figures",
    "view_customers": "See customers and what they did",
    "change_customers": "Change customers, their labels and consents",
    "run_imports": "Import files",
    "manage_labels": "Make and change labels",
    "manage_selections": "Make and change selections",
    "export_customers": "Export customers",
    "manage_campaigns": "Make and run actions and campaigns",
    "manage_newsletters": "Make and send newsletters",
    "manage_mailings": "Send, pause and cancel mailings",
    "approve_mailings": "Approve large mailings that somebody else started",
    "manage_sending": "Change over the API how and when is sent",
    "manage_purposes": "Change over the API what customers are reached for and on what ground",
    "manage_data": "Change over the API what is kept and counted, and for how long",
    "manage_vouchers": "Make voucher definitions and issue vouchers",
    "redeem_vouchers": "Redeem vouchers at the counter",
    "reverse_redemptions": "Reverse a redemption",
    "use_api": "Use the API",
    "manage_integrations": "Give out and withdraw API tokens",
    "manage_users": "Manage users and settings",
    "manage_privacy": "Handle requests about privacy: copies, restriction, erasure",
}

_STAFF_OF_MARKETING = {
    "view_workbench", "view_customers", "change_customers", "run_imports", "manage_labels", "manage_selections",
    "export_customers", "manage_campaigns", "manage_newsletters", "manage_mailings", "approve_mailings",
    "manage_vouchers", "manage_privacy",
}  # fmt: skip

ROLES: dict[str, frozenset[str]] = {
    MARKETEER: frozenset(_STAFF_OF_MARKETING),
    COUNTER: frozenset({"redeem_vouchers"}),
    ADMINISTRATOR: frozenset(PERMISSIONS) - {"use_api"},
    INTEGRATOR: frozenset({"use_api"}),
}

#: What an integration does only when an administrator gave it that right by name, in words.
GIVEN_RIGHTS = {
    "export_customers": _("Take customers out: files, call lists, address labels and publications"),
    "manage_campaigns": _("Send actions, set triggers, let customers into campaigns and out of them"),
    "manage_mailings": _("Write messages, test them, print letters, settle doubts, and pause or cancel mailings"),
    "manage_sending": _("Change the settings of sending, mail servers, house style, limits and closing days"),
    "approve_mailings": _("Approve or refuse large mailings"),
    "manage_purposes": _("Change purposes: their grounds, conditions and wordings"),
    "manage_data": _(
        "Set up kinds of activity, retention periods, the register, websites and the matching of customers"
    ),
}

ROLE_NAMES = {
    MARKETEER: _("Marketeer"),
    COUNTER: _("Counter staff"),
    ADMINISTRATOR: _("Administrator"),
    INTEGRATOR: _("Integrator"),
}


class Access(models.Model):  # noqa: DJ008 - it has no rows to show
    """No table: the content type that carries the product's permissions."""

    class Meta:
        app_label = "common"
        managed = False
        default_permissions = ()
        permissions = list(PERMISSIONS.items())


def ensure_roles() -> dict[str, Group]:
    """Create or mend the four groups so that each holds exactly its permissions; safe to repeat."""
    content_type = ContentType.objects.get_for_model(Access)
    for codename, words in PERMISSIONS.items():
        Permission.objects.get_or_create(content_type=content_type, codename=codename, defaults={"name": words})
    groups = {}
    for role, codenames in ROLES.items():
        groups[role], _created = Group.objects.get_or_create(name=role)
        groups[role].permissions.set(Permission.objects.filter(content_type=content_type, codename__in=codenames))
    return groups
