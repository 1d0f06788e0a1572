"""Users: members of staff and their roles."""

from __future__ import annotations

from typing import Any

from django import forms
from django.contrib.auth.models import User
from django.db.models import QuerySet
from django.http import HttpResponse
from django.shortcuts import get_object_or_404
from django.urls import path, reverse
from django.utils.translation import gettext_lazy as _

from common import actions
from common.roles import MARKETEER, ROLE_NAMES
from workbench.base import ActionView, FormPage, TemplatePage


def staff() -> QuerySet[User]:
    """Members of staff, the open accounts first."""
    people = User.objects.filter(groups__name__in=actions.STAFF_ROLES)
    return people.prefetch_related("groups").order_by("-is_active", "first_name", "username").distinct()


class UserForm(forms.Form):
    username = forms.CharField(
        label=_("User name"), max_length=60, help_text=_("Letters, digits and . @ + - _, used to sign in.")
    )
    name = forms.CharField(label=_("Name"), max_length=100)
    email = forms.EmailField(label=_("E-mail"))
    role = forms.ChoiceField(
        label=_("Role"),
        choices=[(role, ROLE_NAMES[role]) for role in actions.STAFF_ROLES],
        initial=MARKETEER,
        help_text=_("Counter staff only redeem vouchers; administrators also manage users, settings and the API."),
    )


class ChangeUserForm(UserForm):
    username = None  # type: ignore[assignment]


class UserList(TemplatePage):
    permission = "manage_users"
    template_name = "workbench/users.html"
    page_title = _("Users")

    def get_context(self, **extra: Any) -> dict[str, Any]:
        people = [(user, ROLE_NAMES[user.groups.all()[0].name]) for user in staff()]
        return super().get_context(people=people, **extra)


class UserAdd(FormPage[UserForm]):
    permission = "manage_users"
    form_class = UserForm
    page_title = _("Add user")
    submit_label = _("Add user")
    shown: tuple[User, str] | None = None

    def get_breadcrumb(self) -> list[Any]:
        return [(_("Users"), reverse("workbench:user_list"))]

    def post(self, request: Any, *args: Any, **kwargs: Any) -> HttpResponse:
        response = super().post(request, *args, **kwargs)
        return _password_page(self, *self.shown) if self.shown else response

    def perform(self, form: UserForm) -> str:
        self.shown = actions.add_user(**form.cleaned_data, by=self.user)
        return reverse("workbench:user_list")


class UserChange(FormPage[ChangeUserForm]):
    permission = "manage_users"
    form_class = ChangeUserForm
    submit_label = _("Save")
    success_message = _("The user has been changed.")

    def get_object(self) -> User:
        return get_object_or_404(staff(), pk=self.kwargs["pk"])

    def get_title(self) -> str:
        user = self.get_object()
        return str(_("Change “%(name)s”")) % {"name": user.first_name or user.username}

    def get_breadcrumb(self) -> list[Any]:
        return [(_("Users"), reverse("workbench:user_list"))]

    def get_initial(self) -> dict[str, Any]:
        user = self.get_object()
        return {"name": user.first_name, "email": user.email, "role": user.groups.all()[0].name}

    def perform(self, form: ChangeUserForm) -> str:
        actions.change_user(self.get_object(), **form.cleaned_data, by=self.user)
        return reverse("workbench:user_list")


class UserClose(ActionView):
    permission = "manage_users"
    success_message = _("The account has been closed.")

    def perform(self) -> str:
        actions.deactivate_user(get_object_or_404(staff(), pk=self.kwargs["pk"]), by=self.user)
        return reverse("workbench:user_list")


class UserOpen(ActionView):
    permission = "manage_users"
    success_message = _("The account is open again.")

    def perform(self) -> str:
        actions.reactivate_user(get_object_or_404(staff(), pk=self.kwargs["pk"]), by=self.user)
        return reverse("workbench:user_list")


class UserPassword(TemplatePage):
    permission = "manage_users"
    http_method_names = ["post"]
    template_name = "workbench/users_password.html"

    def post(self, request: Any, *args: Any, **kwargs: Any) -> HttpResponse:
        user = get_object_or_404(staff(), pk=self.kwargs["pk"])
        return _password_page(self, user, actions.reset_password(user, by=self.user))


def _password_page(page: TemplatePage, user: User, password: str) -> HttpResponse:
    page.template_name, page.page_title = "workbench/users_password.html", _("Password")
    response = page.render(someone=user, password=password)
    response.headers["Cache-Control"] = "no-store"
    return response


urlpatterns = [
    path("users/", UserList.as_view(), name="user_list"),
    path("users/add/", UserAdd.as_view(), name="user_add"),
    path("users/<int:pk>/", UserChange.as_view(), name="user_change"),
    path("users/<int:pk>/close/", UserClose.as_view(), name="user_close"),
    path("users/<int:pk>/open/", UserOpen.as_view(), name="user_open"),
    path("users/<int:pk>/password/", UserPassword.as_view(), name="user_password"),
]
