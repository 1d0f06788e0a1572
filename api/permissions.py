"""Who may use the API: an integration's token, or a member of staff with the same permission.

Reading and keeping records up to date is what every integration does. What reaches customers, takes them out in
numbers or changes how is sent, it does only when an administrator gave it that right by name.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from django.utils.translation import gettext_lazy as _
from rest_framework.permissions import BasePermission

from common.roles import GIVEN_RIGHTS

if TYPE_CHECKING:  # the framework imports this module while it is itself being loaded
    from django.utils.functional import Promise
    from rest_framework.request import Request
    from rest_framework.views import APIView

REMEDY = _("This needs a right by name. An administrator gives it: API and integrations > %(page)s > %(right)s.")


def remedy(right: str) -> str:
    """Return, for who was turned away, where an administrator gives a right of ``GIVEN_RIGHTS``."""
    return str(REMEDY) % {"page": _("Extra rights"), "right": f"“{GIVEN_RIGHTS[right]}”"}


class HasApiPermission(BasePermission):
    """Ask for ``common.use_api``, which the role *integrator* holds, and for the right that the action needs.

    A view tells those as ``rights``: name of an action (``create``, ``send``) -> one of ``GIVEN_RIGHTS``.
    """

    message: str | Promise | None = None
    code: str | None = None

    def has_permission(self, request: Request, view: APIView) -> bool:
        if not (request.user.is_authenticated and request.user.has_perm("common.use_api")):
            return False
        right = getattr(view, "rights", {}).get(getattr(view, "action", None))
        if right is None or request.user.has_perm(f"common.{right}"):
            return True
        self.message, self.code = remedy(right), "no_right"
        return False


class _Given(BasePermission):
    """Ask for one right: an integration holds it only when an administrator gave it by name."""

    right = ""
    code = "no_right"

    @property
    def message(self) -> str:
        return remedy(self.right)

    def has_permission(self, request: Request, view: APIView) -> bool:
        return request.user.is_authenticated and request.user.has_perm(f"common.{self.right}")


class MayManagePrivacy(BasePermission):
    """Ask for ``common.manage_privacy``: an integration holds it only when an administrator gave it by name."""

    message = _("This needs a right by name. An administrator gives it: API and integrations > Let handle privacy.")
    code = "no_right"

    def has_permission(self, request: Request, view: APIView) -> bool:
        return request.user.is_authenticated and request.user.has_perm("common.manage_privacy")


class MayManageSending(_Given):
    """Ask for ``common.manage_sending``."""

    right = "manage_sending"


class MayManageMailings(_Given):
    """Ask for ``common.manage_mailings``."""

    right = "manage_mailings"


class MayApproveMailings(_Given):
    """Ask for ``common.approve_mailings``."""

    right = "approve_mailings"


class MayReadDocumentation(BasePermission):
    """The description of the API is for integrations and for staff who look into the workbench."""

    def has_permission(self, request: Request, view: APIView) -> bool:
        user = request.user
        may = user.has_perm("common.use_api") or user.has_perm("common.view_workbench")
        return user.is_authenticated and may
