"""Accounts: staff with a role, and integrations with a token. The log says who did what, by number."""

from __future__ import annotations

import datetime as dt
import logging
import secrets
from collections.abc import Collection

from django.contrib.auth.models import Permission, User
from django.contrib.auth.password_validation import validate_password
from django.core.exceptions import ValidationError
from django.db import transaction
from django.utils.translation import gettext as _
from knox.models import AuthToken

from common.errors import Refused
from common.roles import ADMINISTRATOR, GIVEN_RIGHTS, INTEGRATOR, ROLES, ensure_roles

log = logging.getLogger(__name__)

STAFF_ROLES = tuple(role for role in ROLES if role != INTEGRATOR)
TOKEN_DAYS = 365


@transaction.atomic
def add_user(*, username: str, name: str, email: str, role: str, by: User) -> tuple[User, str]:
    """Create a member of staff and return him with his first password, which is shown once and kept nowhere.

    Raises Refused when the user name is taken or the role is not one of STAFF_ROLES.
    """
    _refuse_taken(username)
    if role not in STAFF_ROLES:
        raise Refused("unknown_role", _("Choose one of the roles in the list."), field="role")
    password = secrets.token_urlsafe(12)
    validate_password(password)
    user = User.objects.create_user(username, email, password, first_name=name)
    user.groups.set([ensure_roles()[role]])
    log.info("user %s added user %s as %s", by.pk, user.pk, role)
    return user, password


@transaction.atomic
def change_user(user: User, *, name: str, email: str, role: str, by: User) -> None:
    """Change name, address and role; raises Refused when the last administrator would lose that role."""
    if role not in STAFF_ROLES:
        raise Refused("unknown_role", _("Choose one of the roles in the list."), field="role")
    if role != ADMINISTRATOR:
        _refuse_losing_last_administrator(user)
    user.first_name, user.email = name, email
    user.save(update_fields=["first_name", "email"])
    user.groups.set([ensure_roles()[role]])
    log.info("user %s changed user %s to %s", by.pk, user.pk, role)


@transaction.atomic
def deactivate_user(user: User, *, by: User) -> None:
    """Close an account; it stays, since history refers to it. Raises Refused for oneself and the last administrator."""
    if user == by:
        raise Refused("own_account", _("You cannot close your own account; ask another administrator."))
    _refuse_losing_last_administrator(user)
    user.is_active = False
    user.save(update_fields=["is_active"])
    AuthToken.objects.filter(user=user).delete()
    log.info("user %s closed user %s", by.pk, user.pk)


@transaction.atomic
def reactivate_user(user: User, *, by: User) -> None:
    """Open a closed account again, with the role and password it had."""
    user.is_active = True
    user.save(update_fields=["is_active"])
    log.info("user %s opened user %s", by.pk, user.pk)


@transaction.atomic
def reset_password(user: User, *, by: User) -> str:
    """Give a member of staff a new password and return it, to be shown once; running sessions end."""
    password = secrets.token_urlsafe(12)
    user.set_password(password)
    user.save(update_fields=["password"])
    log.info("user %s reset the password of user %s", by.pk, user.pk)
    return password


@transaction.atomic
def add_integration(*, name: str, by: User) -> tuple[User, str]:
    """Create an integration (a service user without a password) and return it with its first token."""
    _refuse_taken(name)
    user = User.objects.create_user(name)
    user.set_unusable_password()
    user.save(update_fields=["password"])
    user.groups.set([ensure_roles()[INTEGRATOR]])
    log.info("user %s added integration %s", by.pk, user.pk)
    return user, add_token(user, by=by)


def add_token(user: User, *, by: User) -> str:
    """Return a new token for an integration, valid for a year; only its hash is kept. Older tokens go on working."""
    if not user.groups.filter(name=INTEGRATOR).exists():
        raise Refused("not_an_integration", _("Tokens are for integrations only, not for people."))
    _row, token = AuthToken.objects.create(user=user, expiry=dt.timedelta(days=TOKEN_DAYS))
    log.info("user %s gave integration %s a token", by.pk, user.pk)
    return str(token)


@transaction.atomic
def let_handle_privacy(user: User, *, allowed: bool, by: User) -> None:
    """Let an integration ask for copies, restriction and erasure of customers, or stop that."""
    permission = Permission.objects.get(content_type__app_label="common", codename="manage_privacy")
    (user.user_permissions.add if allowed else user.user_permissions.remove)(permission)
    log.info("user %s lets integration %s handle privacy: %s", by.pk, user.pk, allowed)


@transaction.atomic
def give_rights(user: User, *, rights: Collection[str], by: User) -> None:
    """Let an integration hold exactly these of ``GIVEN_RIGHTS``. Raises Refused for people and for other rights."""
    if not user.groups.filter(name=INTEGRATOR).exists() or not set(rights) <= set(GIVEN_RIGHTS):
        raise Refused("not_an_integration", _("These rights are given by name to integrations only."))
    for one in Permission.objects.filter(content_type__app_label="common", codename__in=GIVEN_RIGHTS):
        (user.user_permissions.add if one.codename in rights else user.user_permissions.remove)(one)
    log.info("user %s lets integration %s: %s", by.pk, user.pk, ", ".join(sorted(rights)) or "nothing more")


def withdraw_token(token: AuthToken, *, by: User) -> None:
    """Make a token worthless at once."""
    log.info("user %s withdrew a token of integration %s", by.pk, token.user_id)
    token.delete()


def _refuse_taken(username: str) -> None:
    try:
        User.username_validator(username)
    except ValidationError as error:
        raise Refused("bad_name", " ".join(error.messages), field="username") from error
    if User.objects.filter(username__iexact=username).exists():
        raise Refused("taken", _("This name is in use already; choose another."), field="username")


def _refuse_losing_last_administrator(user: User) -> None:
    others = User.objects.filter(groups__name=ADMINISTRATOR, is_active=True).exclude(pk=user.pk)
    # Locked, so that two administrators cannot close each other's account at the same moment.
    if user.groups.filter(name=ADMINISTRATOR).exists() and not list(others.select_for_update()):
        raise Refused(
            "last_administrator", _("This is the last administrator; make somebody else administrator first.")
        )
