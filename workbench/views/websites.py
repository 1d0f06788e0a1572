"""Websites and apps of the organisation: which there are, what to put into their pages, what those are about."""

from __future__ import annotations

from typing import Any

from django.conf import settings
from django.db.models import Count, Max, QuerySet
from django.http import HttpResponse
from django.urls import path, reverse
from django.utils.translation import gettext_lazy as _

from common.errors import Refused
from customers.models import Purpose
from website import actions
from website.models import Hit, PageRule, Site
from workbench.base import ActionView, DetailPage, FormPage, ObjectMixin, TemplatePage
from workbench.changes import changes_of
from workbench.forms.websites import ChangeSiteForm, RuleForm, SiteForm

SCRIPT = "website/wise.js"


def page_of(site: Site) -> str:
    return reverse("workbench:site_detail", args=[site.pk])


def crumbs(*more: tuple[str, str]) -> list[Any]:
    return [(_("Websites"), reverse("workbench:site_list")), *more]


class SiteMixin(ObjectMixin[Site]):
    def get_queryset(self) -> QuerySet[Site]:
        return Site.objects.select_related("purpose")


class SiteList(TemplatePage):
    permission = "manage_integrations"
    page_title = _("Websites")
    template_name = "workbench/websites_list.html"

    def get_context(self, **extra: Any) -> dict[str, Any]:
        lately = Hit.objects.order_by().values("site").annotate(many=Count("pk"), last=Max("occurred_at"))
        hits = {row["site"]: row for row in lately}
        rows = [{"site": site, "hits": hits.get(site.pk)} for site in Site.objects.select_related("purpose")]
        return super().get_context(rows=rows, **extra)


class SiteAdd(FormPage[SiteForm]):
    permission = "manage_integrations"
    form_class = SiteForm
    page_title = _("New website")
    submit_label = _("Add")
    success_message = _("Added. Put the line below into its pages.")

    def get_breadcrumb(self) -> list[Any]:
        return crumbs()

    def get_initial(self) -> dict[str, Any]:
        return {"purpose": Purpose.objects.filter(code="profiling").first()}

    def perform(self, form: SiteForm) -> str:
        return page_of(actions.add_site(**form.cleaned_data, by=self.user, now=self.now))


class SiteDetail(SiteMixin, DetailPage[Site]):
    permission = "manage_integrations"
    template_name = "workbench/websites_page.html"

    def get_breadcrumb(self) -> list[Any]:
        return crumbs()

    def get_context(self, **extra: Any) -> dict[str, Any]:
        source = f"{settings.BASE_URL}{settings.STATIC_URL}{SCRIPT}"
        extra.setdefault("form", RuleForm())
        return super().get_context(
            snippet=f'<script src="{source}" data-site="{self.object.key}" defer></script>',
            address=settings.BASE_URL,
            rules=self.object.rules.select_related("world"),
            lately=Hit.objects.filter(site=self.object).aggregate(many=Count("pk"), last=Max("occurred_at")),
            history=changes_of(self.object),
            **extra,
        )


class SiteChange(SiteMixin, FormPage[ChangeSiteForm]):
    permission = "manage_integrations"
    form_class = ChangeSiteForm
    submit_label = _("Save")
    success_message = _("Saved.")

    def get_title(self) -> Any:
        return self.object.name

    def get_breadcrumb(self) -> list[Any]:
        return crumbs((self.object.name, page_of(self.object)))

    def get_initial(self) -> dict[str, Any]:
        names = ("name", "is_app", "keeps_queries", "keeps_pages", "purpose", "is_active")
        return {name: getattr(self.object, name) for name in names} | {"hosts": "\n".join(self.object.hosts)}

    def perform(self, form: ChangeSiteForm) -> str:
        return page_of(actions.change_site(self.object, **form.cleaned_data, by=self.user, now=self.now))


class RuleAdd(SiteDetail):
    http_method_names = ["post"]

    def post(self, request: Any, *args: Any, **kwargs: Any) -> HttpResponse:
        form = RuleForm(request.POST)
        if form.is_valid():
            try:
                told = form.cleaned_data
                actions.add_rule(
                    self.object, prefix=told["path"], section=told["section"], world=told["world"], by=self.user
                )
                return self.go(page_of(self.object))
            except Refused as refused:
                form.add_error(refused.field if refused.field in form.fields else None, str(refused))
        return self.render(status=422, form=form)


class RuleRemove(ObjectMixin[PageRule], ActionView):
    permission = "manage_integrations"

    def get_queryset(self) -> QuerySet[PageRule]:
        return PageRule.objects.select_related("site")

    def perform(self) -> str:
        actions.remove_rule(self.object, by=self.user)
        return page_of(self.object.site)


urlpatterns = [
    path("websites/", SiteList.as_view(), name="site_list"),
    path("websites/add/", SiteAdd.as_view(), name="site_add"),
    path("websites/<int:pk>/", SiteDetail.as_view(), name="site_detail"),
    path("websites/<int:pk>/change/", SiteChange.as_view(), name="site_change"),
    path("websites/<int:pk>/rules/", RuleAdd.as_view(), name="site_rule_add"),
    path("websites/rules/<int:pk>/remove/", RuleRemove.as_view(), name="site_rule_remove"),
]
