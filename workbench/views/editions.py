"""Editions of a newsletter and their text items: composed, checked, planned and sent."""

from __future__ import annotations

import datetime as dt
from typing import Any

from django.contrib import messages
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404
from django.urls import path, reverse
from django.utils.functional import cached_property
from django.utils.translation import gettext_lazy as _

from common.time import AMSTERDAM, local_date
from customers.models import Customer
from mailings.checks import Proof, Report
from mailings.checks.fields import find as empty_fields
from mailings.experiments.checking import check_versions, planned_test
from mailings.fields import merge_fields
from mailings.gate import Terms
from mailings.models import Mailing
from newsletter import actions
from newsletter.models import Edition, Newsletter, TextItem
from newsletter.variants import variants_of
from workbench.base import ActionView, DetailPage, FormPage, ObjectMixin
from workbench.findings import show
from workbench.forms.newsletters import EditionForm, ItemForm, PlanForm, initial_of_edition, initial_of_item
from workbench.funnel import FunnelPeople, gate_funnel
from workbench.tables.newsletters import EDITION_TONES

USUAL_TIME = dt.time(9)
AWAITS_WORDS = _("So many messages await the approval of a colleague before they leave.")


def list_crumb() -> list[Any]:
    return [(_("Newsletters"), reverse("workbench:newsletter_list"))]


def newsletter_crumbs(newsletter: Newsletter) -> list[Any]:
    return [*list_crumb(), (newsletter.name, reverse("workbench:newsletter_detail", args=[newsletter.pk]))]


class _Editions(ObjectMixin[Edition]):
    def get_queryset(self) -> QuerySet[Edition]:
        return Edition.objects.select_related("newsletter__purpose", "mailing", "content")

    @property
    def page_url(self) -> str:
        return reverse("workbench:edition_detail", args=[self.object.pk])

    def get_cancel_url(self) -> str:
        return self.page_url

    def get_breadcrumb(self) -> list[Any]:
        return [*newsletter_crumbs(self.object.newsletter), (self.object.subject, self.page_url)]


class FieldsMenu:
    """A form of which the texts may hold fields about the reader: with the menu of them."""

    request: HttpRequest
    get_cancel_url: Any

    def get_context(self, **extra: Any) -> dict[str, Any]:
        return super().get_context(merge_fields=list(merge_fields), **extra)  # type: ignore[misc, no-any-return]


def warn_of_empty_fields(request: HttpRequest, edition: Edition, place: str, *, now: dt.datetime) -> None:
    """Say which fields in an item, or in the subject, are empty for how many of its readers, while one is at it."""
    newsletter = edition.newsletter
    proof = Proof(
        actions.draft_content(edition), newsletter.purpose, Mailing.Channels.EMAIL, now, newsletter.subscribers(now=now)
    )
    for one in empty_fields(proof):
        if one.place == place:
            messages.warning(request, f"{one.words} {one.remedy}")


class EditionPage(_Editions, DetailPage[Edition]):
    permission = "manage_newsletters"
    template_name = "workbench/newsletters_edition.html"

    def get_breadcrumb(self) -> list[Any]:
        return newsletter_crumbs(self.object.newsletter)

    def get_context(self, **extra: Any) -> dict[str, Any]:
        edition = self.object
        return super().get_context(
            items=list(edition.items.select_related("selection", "label")),
            is_sent=edition.state == Edition.State.SENT,
            tone=EDITION_TONES[edition.state],
            **extra,
        )


class EditionCheck(_Editions, FormPage[PlanForm]):
    """Who gets which items and what the gate would say; from here the edition is planned."""

    permission = "manage_newsletters"
    template_name = "workbench/newsletters_check.html"
    form_class = PlanForm
    page_title = _("Check and send")
    submit_label = _("Plan")
    success_message = _("The edition has been planned.")

    def get_initial(self) -> dict[str, Any]:
        tomorrow = local_date(self.now) + dt.timedelta(days=1)
        return {"send_at": self.object.send_at or dt.datetime.combine(tomorrow, USUAL_TIME, tzinfo=AMSTERDAM)}

    def get_context(self, **extra: Any) -> dict[str, Any]:
        edition, newsletter = self.object, self.object.newsletter
        variants = variants_of(edition, now=self.now)
        people = reverse("workbench:edition_people", args=[edition.pk]) + "?"
        subscribers = newsletter.subscribers(now=self.now)
        funnel = gate_funnel(
            actions.terms_of(newsletter), candidates=subscribers, people=people, user=self.user, now=self.now
        )
        draft = actions.draft_content(edition)
        findings = show(report_of(edition, now=self.now), draft, edition=edition)
        return super().get_context(object=edition, variants=variants, funnel=funnel, findings=findings, **extra)

    def get(self, request: Any, *args: Any, **kwargs: Any) -> HttpResponse:
        if self.object.state == Edition.State.SENT:
            return self.go(self.page_url)
        return super().get(request, *args, **kwargs)

    def perform(self, form: PlanForm) -> str:
        confirmed = self.request.POST.get("confirmed", "")
        actions.plan_edition(self.object, **form.cleaned_data, confirmed=confirmed, by=self.user, now=self.now)
        return self.page_url


class EditionPeople(_Editions, FunnelPeople):
    permission = "manage_newsletters"

    def get_breadcrumb(self) -> list[Any]:
        check = reverse("workbench:edition_check", args=[self.object.pk])
        return [*super().get_breadcrumb(), (_("Check and send"), check)]

    def get_terms(self) -> Terms:
        return actions.terms_of(self.object.newsletter)

    def get_candidates(self) -> QuerySet[Customer]:
        return self.object.newsletter.subscribers(now=self.now)


def report_of(edition: Edition, *, now: dt.datetime) -> Report:
    """What the checks say of the edition as it is now, in each version of its test, for those who are subscribed."""
    newsletter = edition.newsletter
    return check_versions(
        actions.draft_content(edition),
        planned_test(edition.content_id),
        purpose=newsletter.purpose,
        channels=Mailing.Channels.EMAIL,
        candidates=newsletter.subscribers(now=now),
        now=now,
    )


class EditionChange(FieldsMenu, _Editions, FormPage[EditionForm]):
    permission = "manage_newsletters"
    template_name = "workbench/newsletters_form.html"
    form_class = EditionForm
    page_title = _("Subject and introduction")
    submit_label = _("Save")
    success_message = _("The edition has been changed.")

    def get_initial(self) -> dict[str, Any]:
        return initial_of_edition(self.object)

    def perform(self, form: EditionForm) -> str:
        edition = actions.change_edition(self.object, **form.cleaned_data, by=self.user, now=self.now)
        for place in ("subject", "introduction"):
            warn_of_empty_fields(self.request, edition, place, now=self.now)
        return self.page_url


class EditionSend(_Editions, ActionView):
    permission = "manage_newsletters"
    success_message = _("The edition has been handed over for sending.")

    def perform(self) -> str:
        confirmed = self.request.POST.get("confirmed", "")
        mailing = actions.send_edition(self.object, confirmed=confirmed, by=self.user, now=self.now)
        if mailing.state == Mailing.State.AWAITS:
            self.success_message = AWAITS_WORDS
        return self.page_url


class EditionUnplan(_Editions, ActionView):
    permission = "manage_newsletters"
    success_message = _("The edition is a draft again.")

    def perform(self) -> str:
        actions.unplan_edition(self.object, by=self.user)
        return self.page_url


class EditionCopy(_Editions, ActionView):
    permission = "manage_newsletters"
    success_message = _("This is a copy, as a draft.")

    def perform(self) -> str:
        copy = actions.copy_edition(self.object, by=self.user, now=self.now)
        return reverse("workbench:edition_detail", args=[copy.pk])


class EditionDelete(_Editions, ActionView):
    permission = "manage_newsletters"
    success_message = _("The edition has been deleted.")

    def perform(self) -> str:
        newsletter = self.object.newsletter
        actions.delete_edition(self.object, by=self.user)
        return reverse("workbench:newsletter_detail", args=[newsletter.pk])


class EditionPreview(_Editions, ActionView):
    """Writing the items into the content changes something, so the way to the preview is a POST."""

    permission = "manage_newsletters"

    def perform(self) -> str:
        content = actions.write_content(self.object, by=self.user, now=self.now)
        return reverse("workbench:content_preview", args=[content.pk])


class EditionChecks(_Editions, ActionView):
    """As the preview: the items are written into the content, whose links can then be looked up."""

    permission = "manage_newsletters"

    def perform(self) -> str:
        content = actions.write_content(self.object, by=self.user, now=self.now)
        return reverse("workbench:content_checks", args=[content.pk])


class EditionOrder(_Editions, ActionView):
    permission = "manage_newsletters"

    def post(self, request: Any, *args: Any, **kwargs: Any) -> HttpResponse:
        ids = [int(pk) for pk in request.POST.getlist("order") if pk.isascii() and pk.isdigit()]
        actions.order_items(self.object, ids, by=self.user)
        return HttpResponse(status=204)


class ItemAdd(FieldsMenu, _Editions, FormPage[ItemForm]):
    permission = "manage_newsletters"
    template_name = "workbench/newsletters_item.html"
    form_class = ItemForm
    page_title = _("New text item")
    submit_label = _("Add the text item")
    success_message = _("The text item has been added.")

    def perform(self, form: ItemForm) -> str:
        item = _save(self.object, form, by=self.user, now=self.now)
        warn_of_empty_fields(self.request, self.object, f"item-{item.pk}", now=self.now)
        return self.page_url


class ItemChange(FieldsMenu, FormPage[ItemForm]):
    permission = "manage_newsletters"
    template_name = "workbench/newsletters_item.html"
    form_class = ItemForm
    submit_label = _("Save")
    success_message = _("The text item has been changed.")

    @cached_property
    def item(self) -> TextItem:
        return _item(self.kwargs["pk"])

    def get_title(self) -> str:
        return str(_("Change “%(name)s”")) % {"name": self.item.title}

    def get_cancel_url(self) -> str:
        return reverse("workbench:edition_detail", args=[self.item.edition_id])

    def get_breadcrumb(self) -> list[Any]:
        edition = self.item.edition
        return [*newsletter_crumbs(edition.newsletter), (edition.subject, self.get_cancel_url())]

    def get_initial(self) -> dict[str, Any]:
        return initial_of_item(self.item)

    def perform(self, form: ItemForm) -> str:
        item = _save(self.item.edition, form, item=self.item, by=self.user, now=self.now)
        warn_of_empty_fields(self.request, item.edition, f"item-{item.pk}", now=self.now)
        return self.get_cancel_url()


class ItemRemove(ActionView):
    permission = "manage_newsletters"
    success_message = _("The text item has been taken out.")

    def perform(self) -> str:
        item = _item(self.kwargs["pk"])
        actions.remove_item(item, by=self.user)
        return reverse("workbench:edition_detail", args=[item.edition_id])


def _item(pk: int) -> TextItem:
    items = TextItem.objects.select_related("edition__newsletter__purpose", "selection", "label")
    return get_object_or_404(items, pk=pk)


def _save(edition: Edition, form: ItemForm, **rest: Any) -> TextItem:
    fields = {name: value for name, value in form.cleaned_data.items() if name != "for_whom"}
    return actions.save_item(edition, **fields, **rest)


urlpatterns = [
    path("editions/<int:pk>/", EditionPage.as_view(), name="edition_detail"),
    path("editions/<int:pk>/check/", EditionCheck.as_view(), name="edition_check"),
    path("editions/<int:pk>/check/people/", EditionPeople.as_view(), name="edition_people"),
    path("editions/<int:pk>/change/", EditionChange.as_view(), name="edition_change"),
    path("editions/<int:pk>/preview/", EditionPreview.as_view(), name="edition_preview"),
    path("editions/<int:pk>/checks/", EditionChecks.as_view(), name="edition_checks"),
    path("editions/<int:pk>/send/", EditionSend.as_view(), name="edition_send"),
    path("editions/<int:pk>/unplan/", EditionUnplan.as_view(), name="edition_unplan"),
    path("editions/<int:pk>/copy/", EditionCopy.as_view(), name="edition_copy"),
    path("editions/<int:pk>/delete/", EditionDelete.as_view(), name="edition_delete"),
    path("editions/<int:pk>/order/", EditionOrder.as_view(), name="edition_order"),
    path("editions/<int:pk>/items/add/", ItemAdd.as_view(), name="item_add"),
    path("items/<int:pk>/", ItemChange.as_view(), name="item_change"),
    path("items/<int:pk>/remove/", ItemRemove.as_view(), name="item_remove"),
]
