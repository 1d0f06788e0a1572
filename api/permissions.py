"""Who may use the API: an integration's token, or a member of staff with the same permission."""

from __future__ import annotations

from typing import TYPE_CHECKING

from rest_framework.permissions import BasePermission

if TYPE_CHECKING:  # the framework imports this module while it is itself being loaded
    from rest_framework.request import Request
    from rest_framework.views import APIView


class HasApiPermission(BasePermission):
    """Ask for ``common.use_api``; the role *integrator* holds it."""

    def has_permission(self, request: Request, view: APIView) -> bool:
        return request.user.is_authenticated and request.user.has_perm("common.use_api")


class MayManagePrivacy(BasePermission):
    """Ask for ``common.manage_privacy``: an integration holds it only when an administrator gave it by name."""

    def has_permission(self, request: Request, view: APIView) -> bool:
        return request.user.is_authenticated and request.user.has_perm("common.manage_privacy")


class MayReadDocumentation(BasePermission):
    """The description of the API is for integrations and for staff who look into the workbench."""

    def has_permission(self, request: Request, view: APIView) -> bool:
        user = request.user
        may = user.has_perm("common.use_api") or user.has_perm("common.view_workbench")
        return user.is_authenticated and may
