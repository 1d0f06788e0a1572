"""What every page of the workbench is built from: a permission, a title, a template, and one way to call an action.

Pick the nearest: TemplatePage (shows something), ListPage (queryset, filterset, table), DetailPage (one object),
FormPage (a form that calls an action), ActionView (a button that calls an action); add ObjectMixin to the last two when
they are about one object. Each concrete class names its ``permission``, a codename of ``common.roles.PERMISSIONS``;
without one the class cannot even be defined. ``Refused`` from an action becomes a form error or a message.
"""

from __future__ import annotations

import datetime as dt
from typing import Any, ClassVar, Generic, TypeVar, cast

from django import forms
from django.contrib import messages
from django.contrib.auth.models import User
from django.core.exceptions import ImproperlyConfigured, PermissionDenied
from django.db.models import Model, QuerySet
from django.http import HttpRequest, HttpResponse, HttpResponseBase, HttpResponseRedirect
from django.shortcuts import get_object_or_404
from django.template.response import TemplateResponse
from django.utils.cache import patch_vary_headers
from django.utils.functional import Promise, cached_property
from django.utils.http import url_has_allowed_host_and_scheme
from django.views import View
from django_htmx.http import HttpResponseClientRedirect, reswap, trigger_client_event
from django_tables2 import RequestConfig

from common.errors import Refused
from common.roles import PERMISSIONS
from common.time import clock
from workbench.paging import Leafing

ROWS_PER_PAGE = 50

ModelT = TypeVar("ModelT", bound=Model)
FormT = TypeVar("FormT", bound=forms.BaseForm)
Text = str | Promise


def wants_partial(request: HttpRequest) -> bool:
    """Tell whether htmx asks for a part of the page: not for a boosted link, nor when it restores its history."""
    htmx = getattr(request, "htmx", None)
    return htmx is not None and bool(htmx) and not htmx.boosted and not htmx.history_restore_request


def carry_messages(request: HttpRequest, response: HttpResponseBase) -> None:
    """Send waiting messages along with a partial answer, where app.js shows them; a whole page shows them itself."""
    stays = response.status_code < 300 or response.status_code == 422
    if not wants_partial(request) or not stays or "HX-Redirect" in response.headers:
        return
    if toasts := [{"text": str(message), "tone": message.level_tag} for message in messages.get_messages(request)]:
        trigger_client_event(cast(HttpResponse, response), "toasts", {"items": toasts})


def chosen_month(request: HttpRequest, today: dt.date) -> dt.date:
    """Return the first day of the month in the address (``?month=2026-12``), else of today's month."""
    try:
        return dt.date.fromisoformat(f"{request.GET.get('month', '')}-01")
    except ValueError:
        return today.replace(day=1)


class WorkbenchView(View):
    """The entrance: signed in, allowed, every Refused turned into words. Abstract classes say ``abstract = True``."""

    abstract: ClassVar[bool] = True
    permission: ClassVar[str] = ""
    page_title: Text = ""

    def __init_subclass__(cls, **kwargs: Any) -> None:
        super().__init_subclass__(**kwargs)
        cls.abstract = cls.__dict__.get("abstract", False)
        if not cls.abstract and cls.permission not in PERMISSIONS:
            raise ImproperlyConfigured(f"{cls.__qualname__} needs a permission out of common.roles.PERMISSIONS")

    @property
    def user(self) -> User:
        """The person at work, for ``by=``."""
        return cast(User, self.request.user)

    @cached_property
    def now(self) -> dt.datetime:
        """The moment of this request, for ``now=``."""
        return clock()

    def dispatch(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
        if not request.user.has_perm(f"common.{self.permission}"):
            return self.turn_away()
        try:
            response = super().dispatch(request, *args, **kwargs)
        except Refused as refused:
            response = self.refuse(refused)
        carry_messages(request, response)
        return response

    def turn_away(self) -> HttpResponseBase:
        raise PermissionDenied

    def refuse(self, refused: Refused) -> HttpResponseBase:
        messages.error(self.request, str(refused))
        if wants_partial(self.request):
            return reswap(HttpResponse(status=422), "none")
        return HttpResponseRedirect(self.came_from())

    def came_from(self) -> str:
        """The page of ours that sent the visitor here, else the dashboard."""
        referer = self.request.headers.get("Referer", "")
        is_ours = url_has_allowed_host_and_scheme(referer, {self.request.get_host()}, self.request.is_secure())
        # A page that refuses when it is only looked at must not send the visitor back to itself.
        is_itself = self.request.method == "GET" and referer == self.request.build_absolute_uri()
        return referer if is_ours and not is_itself else "/"

    def go(self, url: str) -> HttpResponse:
        """Go to another page, also when htmx asked."""
        return HttpResponseClientRedirect(url) if wants_partial(self.request) else HttpResponseRedirect(url)


class TemplatePage(WorkbenchView):
    """Shows ``template_name``; when htmx asks for a part, ``partial_name``, the underscore file the page includes.

    ``breadcrumb`` holds (label, address) pairs; override get_breadcrumb when they depend on the object.
    """

    abstract = True
    template_name: str = ""
    partial_name: str = ""
    breadcrumb: list[tuple[Text, str]] = []

    def get_title(self) -> Text:
        return self.page_title

    def get_breadcrumb(self) -> list[tuple[Text, str]]:
        return self.breadcrumb

    def get_context(self, **extra: Any) -> dict[str, Any]:
        """Return what the template knows; override and call super()."""
        return {"page_title": self.get_title(), "crumbs": self.get_breadcrumb(), "view": self, **extra}

    def render(self, status: int = 200, **extra: Any) -> HttpResponse:
        is_part = bool(self.partial_name) and wants_partial(self.request)
        name = self.partial_name if is_part else self.template_name
        response = TemplateResponse(self.request, name, self.get_context(**extra), status=status)
        patch_vary_headers(response, ["HX-Request"])
        return response

    def get(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        return self.render()


class ListPage(TemplatePage):
    """A list with filters, sorting and pages of 50. Both templates have a default, so a list may need none of its own.

    Give ``get_queryset``, ``table_class`` and, for filters, ``filterset_class``; ``get_create_url`` and
    ``create_label`` add the button. Context: ``table``, ``filter``, ``total`` (int).
    """

    abstract = True
    template_name = "workbench/list.html"
    partial_name = "workbench/_table.html"
    table_class: type[Any]
    filterset_class: type[Any] | None = None
    rows_per_page = ROWS_PER_PAGE
    lead: Text = ""
    empty_title: Text = ""
    empty_text: Text = ""
    empty_icon = "inbox"
    create_label: Text = ""
    create_permission: str = ""

    def get_queryset(self) -> QuerySet[Any]:
        raise NotImplementedError

    def get_create_url(self) -> str:
        return ""

    @property
    def may_create(self) -> bool:
        return not self.create_permission or self.user.has_perm(f"common.{self.create_permission}")

    def get_context(self, **extra: Any) -> dict[str, Any]:
        rows, chosen = self.get_queryset(), None
        if self.filterset_class:
            chosen = self.filterset_class(self.request.GET, queryset=rows, request=self.request)
            rows = chosen.qs
        table = self.table_class(rows, request=self.request)
        RequestConfig(self.request, paginate={"per_page": self.rows_per_page, "paginator_class": Leafing}).configure(
            table
        )
        create_url = self.get_create_url() if self.may_create else ""
        total = table.paginator.count
        return super().get_context(table=table, filter=chosen, total=total, create_url=create_url, **extra)


class ObjectMixin(Generic[ModelT]):
    """``self.object``, found by ``pk`` in the address within ``get_queryset``; for pages and buttons."""

    kwargs: dict[str, Any]

    def get_queryset(self) -> QuerySet[ModelT]:
        raise NotImplementedError

    @cached_property
    def object(self) -> ModelT:
        return get_object_or_404(self.get_queryset(), pk=self.kwargs["pk"])


class DetailPage(ObjectMixin[ModelT], TemplatePage):
    """One object. Context: ``object``."""

    abstract = True

    def get_title(self) -> Text:
        return self.page_title or str(self.object)

    def get_context(self, **extra: Any) -> dict[str, Any]:
        return super().get_context(object=self.object, **extra)


class FormPage(TemplatePage, Generic[FormT]):
    """A form that calls an action. ``perform`` gets the valid form, calls the action and returns the address to go to.

    A Refused lands on its field, or above the form. A form that is sent back has status 422 and keeps what was typed.
    """

    abstract = True
    template_name = "workbench/form.html"
    form_class: type[FormT]
    submit_label: Text = ""
    success_message: Text = ""
    cancel_url: str = ""

    def get_initial(self) -> dict[str, Any]:
        return {}

    def get_form_kwargs(self) -> dict[str, Any]:
        """Return extra arguments for the form."""
        return {}

    def make_form(self) -> FormT:
        sent: dict[str, Any] = {}
        if self.request.method == "POST":
            sent = {"data": self.request.POST, "files": self.request.FILES}
        return self.form_class(initial=self.get_initial(), **sent, **self.get_form_kwargs())

    def get_cancel_url(self) -> str:
        """Return where "Cancel" leads: by default the page above this one."""
        above = self.get_breadcrumb()
        return self.cancel_url or (above[-1][1] if above else "")

    def get_context(self, **extra: Any) -> dict[str, Any]:
        if "form" not in extra:
            extra["form"] = self.make_form()
        return super().get_context(cancel_url=self.get_cancel_url(), submit_label=self.submit_label, **extra)

    def post(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        form = self.make_form()
        if not form.is_valid():
            return self.render(status=422, form=form)
        try:
            url = self.perform(form)
        except Refused as refused:
            form.add_error(refused.field if refused.field in form.fields else None, str(refused))
            return self.render(status=422, form=form)
        if self.success_message:
            messages.success(request, str(self.success_message))
        return self.go(url)

    def perform(self, form: FormT) -> str:
        raise NotImplementedError


class ActionView(WorkbenchView):
    """A button: POST only. ``perform`` calls the action and returns the address to go to."""

    abstract = True
    http_method_names = ["post"]
    success_message: Text = ""

    def post(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        url = self.perform()
        if self.success_message:
            messages.success(request, str(self.success_message))
        return self.go(url)

    def perform(self) -> str:
        raise NotImplementedError
