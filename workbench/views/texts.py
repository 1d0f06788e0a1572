"""Text messages: what one says, how they are sent, and what readers answered."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

from django.contrib import messages
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.template.response import TemplateResponse
from django.urls import path, reverse
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from common.blocks import strip_private
from common.errors import Refused
from mailings import actions
from mailings.delivery.texts import text_provider
from mailings.fields import merge_fields
from mailings.models import Content, SentTest, ShortText, TextReply, TextSettings
from mailings.sms.composing import check_text, example
from vouchers.models import Definition
from workbench.base import ActionView, DetailPage, FormPage, ListPage, Text
from workbench.changes import changes_of
from workbench.forms.texts import ShortTextForm, TextSettingsForm, TextTestForm
from workbench.tables.texts import TextReplyTable
from workbench.texts import history_of
from workbench.views.content.base import Contents, again_after_conflict
from workbench.views.content.previews import TESTS_SHOWN


class ContentText(Contents, FormPage[ShortTextForm]):
    permission = "manage_mailings"
    template_name = "workbench/content_text.html"
    form_class = ShortTextForm
    submit_label = _("Save")
    success_message = _("Saved.")

    def get_title(self) -> Text:
        return gettext("Text message of “%(name)s”") % {"name": self.object.name}

    @property
    def short(self) -> ShortText:
        return ShortText.objects.filter(content=self.object).first() or ShortText(content=self.object)

    @property
    def tests(self) -> QuerySet[SentTest]:
        found = self.object.tests.exclude(number_ending="").select_related("recipient", "sent_by", "arm")
        return found.order_by("-sent_at", "-pk")[:TESTS_SHOWN]

    def get_initial(self) -> dict[str, Any]:
        short = self.short
        return {"text": short.text, "voucher": short.voucher_id, "was": short.mark}

    def get_context(self, **extra: Any) -> dict[str, Any]:
        short = self.short
        return super().get_context(
            object=self.object,
            limits=TextSettings.load(),
            fields=[*((field.label, f"{{{{ {field.code} }}}}") for field in merge_fields)],
            history=history_of(short) if short.pk else [],
            test_form=TextTestForm(),
            tests=self.tests,
            **looks(self, short),
            **extra,
        )

    def perform(self, form: ShortTextForm) -> str:
        with again_after_conflict(form, lambda: self.short.mark):
            actions.save_short_text(self.object, **form.cleaned_data, by=self.user, now=self.now)
        return reverse("workbench:content_text", args=[self.object.pk])


class ContentTextTest(Contents, ActionView):
    """Send it to a number of one's own."""

    permission = "manage_mailings"

    def perform(self) -> str:
        form = TextTestForm(self.request.POST)
        if not form.is_valid():
            raise Refused("number", gettext("This is not a telephone number."))
        told = actions.send_text_test(
            self.object, **form.cleaned_data, purpose=self.purpose, by=self.user, now=self.now
        )
        if told.state == told.State.FAILED:
            words = gettext("The test could not be sent. The provider says: %(reply)s")
            messages.error(self.request, words % {"reply": told.reply})
        else:
            words = gettext("A test is on its way to the number ending in %(ending)s.")
            messages.success(self.request, words % {"ending": told.number_ending})
        return reverse("workbench:content_text", args=[self.object.pk])


class ContentTextExample(Contents, DetailPage[Content]):
    """How long and how dear it gets, while it is being written; reads only."""

    permission = "manage_mailings"

    def get(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        chosen = request.GET.get("voucher", "")
        voucher = Definition.objects.filter(pk=chosen).first() if chosen.isdecimal() and len(chosen) < 10 else None
        short = ShortText(content=self.object, text=strip_private(request.GET.get("text", "")), voucher=voucher)
        return TemplateResponse(request, "workbench/_content_text_example.html", looks(self, short))


def looks(page: Any, short: ShortText) -> dict[str, Any]:
    """What the example's template knows: the message as it would read, or what is wrong with it."""
    if not short.text.strip():
        return {"example": None, "problem": ""}
    try:
        check_text(short.text, short.voucher)
    except Refused as refused:
        return {"example": None, "problem": str(refused)}
    found = example(short, purpose=page.purpose, now=page.now)
    return {"example": found, "problem": "", "most": TextSettings.load().most_parts, "cents": found.cost_mills / 10}


class TextSettingsPage(FormPage[TextSettingsForm]):
    permission = "manage_users"
    template_name = "workbench/sending_texts.html"
    form_class = TextSettingsForm
    page_title = _("Text messages")
    submit_label = _("Save")
    success_message = _("Saved. It holds from the next message on.")

    def get_breadcrumb(self) -> list[Any]:
        return [(_("Sending"), reverse("workbench:sending_settings"))]

    def get_initial(self) -> dict[str, Any]:
        current = TextSettings.load()
        known = {name: getattr(current, name) for name in ("sender", "most_parts", "from_hour", "until_hour")}
        return {**known, "price": Decimal(current.price_mills) / 1000}

    def get_context(self, **extra: Any) -> dict[str, Any]:
        current = TextSettings.objects.filter(pk=1).first()
        return super().get_context(
            provider=text_provider().name, history=changes_of(current) if current else [], **extra
        )

    def perform(self, form: TextSettingsForm) -> str:
        actions.change_text_settings(**form.cleaned_data, by=self.user)
        return reverse("workbench:text_settings")


class TextReplyList(ListPage):
    permission = "manage_mailings"
    page_title = _("Answers to text messages")
    lead = _("What readers wrote back. Who answered STOP gets no more of them; that was done at once.")
    table_class = TextReplyTable
    empty_icon = "message-square"
    empty_title = _("Nobody has answered")
    empty_text = _("Readers can answer when the sender of text messages is a number.")

    def get_breadcrumb(self) -> list[Any]:
        return [(_("Mailings"), reverse("workbench:mailing_list"))]

    def get_queryset(self) -> QuerySet[TextReply]:
        return TextReply.objects.select_related("message__customer", "message__mailing")


urlpatterns = [
    path("content/<int:pk>/text/", ContentText.as_view(), name="content_text"),
    path("content/<int:pk>/text/test/", ContentTextTest.as_view(), name="content_text_test"),
    path("content/<int:pk>/text/example/", ContentTextExample.as_view(), name="content_text_example"),
    path("sending/texts/", TextSettingsPage.as_view(), name="text_settings"),
    path("mailings/answers/", TextReplyList.as_view(), name="text_reply_list"),
]
