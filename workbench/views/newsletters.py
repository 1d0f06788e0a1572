"""Newsletters; their editions are in workbench.views.editions."""

from __future__ import annotations

from typing import Any

from django.db.models import QuerySet
from django.urls import path, reverse
from django.utils.translation import gettext_lazy as _
from django_tables2 import RequestConfig

from newsletter import actions
from newsletter.models import Newsletter
from workbench.base import DetailPage, FormPage, ListPage, ObjectMixin
from workbench.forms.newsletters import EditionForm, NewsletterAddForm, NewsletterChangeForm
from workbench.tables.newsletters import EditionTable, NewsletterTable
from workbench.views import editions


class _Newsletters(ObjectMixin[Newsletter]):
    def get_queryset(self) -> QuerySet[Newsletter]:
        return Newsletter.objects.select_related("purpose")

    def get_cancel_url(self) -> str:
        return reverse("workbench:newsletter_detail", args=[self.object.pk])

    def get_breadcrumb(self) -> list[Any]:
        return editions.newsletter_crumbs(self.object)


class NewsletterList(ListPage):
    permission = "manage_newsletters"
    page_title = _("Newsletters")
    lead = _("Each newsletter has subscribers of its own, and editions composed of text items.")
    table_class = NewsletterTable
    create_label = _("New newsletter")
    empty_icon = "newspaper"
    empty_title = _("No newsletters yet")
    empty_text = _("Make one; customers then subscribe in MijnMenu, on your website or at the counter.")

    def get_queryset(self) -> QuerySet[Newsletter]:
        return Newsletter.objects.with_numbers()

    def get_create_url(self) -> str:
        return reverse("workbench:newsletter_add")


class NewsletterAdd(FormPage[NewsletterAddForm]):
    permission = "manage_newsletters"
    form_class = NewsletterAddForm
    page_title = _("New newsletter")
    submit_label = _("Make the newsletter")
    success_message = _("The newsletter has been made.")

    def get_breadcrumb(self) -> list[Any]:
        return editions.list_crumb()

    def get_cancel_url(self) -> str:
        return reverse("workbench:newsletter_list")

    def perform(self, form: NewsletterAddForm) -> str:
        newsletter = actions.create_newsletter(**form.cleaned_data, by=self.user, now=self.now)
        return reverse("workbench:newsletter_detail", args=[newsletter.pk])


class NewsletterChange(_Newsletters, FormPage[NewsletterChangeForm]):
    permission = "manage_newsletters"
    form_class = NewsletterChangeForm
    submit_label = _("Save")
    success_message = _("The newsletter has been changed.")

    def get_title(self) -> str:
        return str(_("Change “%(name)s”")) % {"name": self.object}

    def get_initial(self) -> dict[str, Any]:
        names = ("name", "description", "is_active", "priority", "hold_out_percent")
        return {name: getattr(self.object, name) for name in names}

    def perform(self, form: NewsletterChangeForm) -> str:
        actions.change_newsletter(self.object, **form.cleaned_data, by=self.user, now=self.now)
        return self.get_cancel_url()


class NewsletterPage(_Newsletters, DetailPage[Newsletter]):
    permission = "manage_newsletters"
    template_name = "workbench/newsletters_page.html"

    def get_breadcrumb(self) -> list[Any]:
        return editions.list_crumb()

    def get_context(self, **extra: Any) -> dict[str, Any]:
        table = EditionTable(self.object.editions.with_numbers(), request=self.request)
        RequestConfig(self.request, paginate={"per_page": 25}).configure(table)
        subscriber_count = self.object.subscribers(now=self.now).count()
        return super().get_context(
            table=table, edition_count=table.paginator.count, subscriber_count=subscriber_count, **extra
        )


class EditionAdd(editions.FieldsMenu, _Newsletters, FormPage[EditionForm]):
    permission = "manage_newsletters"
    template_name = "workbench/newsletters_form.html"
    form_class = EditionForm
    page_title = _("New edition")
    submit_label = _("Make the edition")
    success_message = _("The edition has been made. Now add its text items.")

    def perform(self, form: EditionForm) -> str:
        edition = actions.create_edition(self.object, **form.cleaned_data, by=self.user, now=self.now)
        return reverse("workbench:edition_detail", args=[edition.pk])


urlpatterns = [
    path("newsletters/", NewsletterList.as_view(), name="newsletter_list"),
    path("newsletters/add/", NewsletterAdd.as_view(), name="newsletter_add"),
    path("newsletters/<int:pk>/", NewsletterPage.as_view(), name="newsletter_detail"),
    path("newsletters/<int:pk>/change/", NewsletterChange.as_view(), name="newsletter_change"),
    path("newsletters/<int:pk>/editions/add/", EditionAdd.as_view(), name="edition_add"),
    *editions.urlpatterns,
]
