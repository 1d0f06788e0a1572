"""The editor of a message: its subject, its blocks with their audiences, and how it looks to whom."""

from __future__ import annotations

from typing import Any

from django import forms
from django.contrib import messages
from django.core.exceptions import ObjectDoesNotExist
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.template.response import TemplateResponse
from django.urls import path, reverse
from django.utils.functional import cached_property
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _
from django.views.decorators.clickjacking import xframe_options_sameorigin
from django_htmx.http import reswap, retarget

from common.blocks import Block, blocks
from common.errors import Refused
from customers.models import Customer, Purpose
from customers.numbers import find
from mailings import actions
from mailings.content import audience_key, block_type
from mailings.delivery import Envelope, send_test
from mailings.fields import merge_fields
from mailings.models import Content, Message, Picture
from mailings.previewing import Preview, audience_keys, preview_content
from workbench.base import (
    ActionView,
    DetailPage,
    FormPage,
    ObjectMixin,
    Text,
    WorkbenchView,
    wants_partial,
)
from workbench.forms.content import AudienceForm, HeadForm, PreviewForm, UploadForm, audience_choices
from workbench.views.editions import newsletter_crumbs

# What a mail may do in a preview: show itself and our own pictures, nothing else.
FRAME_POLICY = "default-src 'none'; img-src 'self'; style-src 'unsafe-inline'; frame-ancestors 'self'; sandbox"
PICTURES_SHOWN = 40


class _Contents(ObjectMixin[Content]):
    """A content in its surroundings: what it belongs to, and for which purpose it will be sent."""

    def get_queryset(self) -> QuerySet[Content]:
        return Content.objects.select_related("action__purpose", "edition__newsletter__purpose")

    @property
    def page_url(self) -> str:
        return reverse("workbench:content", args=[self.object.pk])

    @cached_property
    def owner(self) -> tuple[Text, str, Purpose] | None:
        """Name, address and purpose of the action or edition that this is the content of."""
        for relation, page in (("action", "action_detail"), ("edition", "edition_detail")):
            try:
                thing = getattr(self.object, relation)
            except ObjectDoesNotExist:
                continue
            purpose = thing.purpose if relation == "action" else thing.newsletter.purpose
            return str(thing), reverse(f"workbench:{page}", args=[thing.pk]), purpose
        return None

    @property
    def purpose(self) -> Purpose:
        return self.owner[2] if self.owner else Purpose.objects.get(code="marketing")

    @property
    def is_written_by_edition(self) -> bool:
        """Whether a newsletter's edition writes these blocks, so that changing them here would be lost."""
        return hasattr(self.object, "edition")

    def get_breadcrumb(self) -> list[Any]:
        if self.owner is None:
            return []
        if self.is_written_by_edition:
            above = newsletter_crumbs(self.object.edition.newsletter)
        else:
            above = [(gettext("Actions"), reverse("workbench:action_list"))]
        return [*above, (self.owner[0], self.owner[1])]


class ContentPage(_Contents, FormPage[HeadForm]):
    permission = "manage_mailings"
    template_name = "workbench/content.html"
    partial_name = "workbench/_content_body.html"
    form_class = HeadForm
    submit_label = _("Save")
    success_message = _("Saved.")
    changed = ""

    def get_title(self) -> Text:
        return gettext("Content of “%(name)s”") % {"name": self.object.name}

    def get_initial(self) -> dict[str, Any]:
        return {"subject": self.object.subject, "preheader": self.object.preheader}

    def get_context(self, **extra: Any) -> dict[str, Any]:
        return super().get_context(
            object=self.object,
            items=listed(self.object),
            types=sorted(blocks, key=lambda block: not block.__class__.__module__.startswith("mailings.")),
            changed=self.changed,
            version=int(self.object.updated_at.timestamp() * 1000),
            merge_fields=list(merge_fields),
            **extra,
        )

    def perform(self, form: HeadForm) -> str:
        actions.save_content(self.object, name=self.object.name, **form.cleaned_data, by=self.user, now=self.now)
        return self.page_url


def listed(content: Content) -> list[dict[str, Any]]:
    """Return the blocks for the list: id, block type (None when it is not installed), summary, name of the audience."""
    names = {key: name for choice in audience_choices() if choice[0] for key, name in choice[1]}
    rows = []
    for one in content.blocks:
        key = audience_key(one.get("audience"))
        row = {
            "id": one["id"],
            "block": blocks.get(one["type"]),
            "summary": one["type"],
            "audience": names.get(key, key),
        }
        if row["block"]:
            try:
                row["summary"] = row["block"].summary(one["data"])
            except ObjectDoesNotExist:
                row["summary"] = gettext("What this block shows does not exist any more.")
        rows.append(row)
    return rows


class _BlockForm(_Contents, FormPage[forms.Form]):
    """A block's own form with the audience beside it; htmx shows it inside the editor, a link on a page of its own."""

    abstract = True
    deed: Text = ""
    permission = "manage_mailings"
    template_name = "workbench/content_block.html"
    partial_name = "workbench/_content_form.html"

    @cached_property
    def block(self) -> Block:
        raise NotImplementedError

    def get_title(self) -> Text:
        return f"{self.block.label}: {self.deed}"

    def get_breadcrumb(self) -> list[Any]:
        return [*super().get_breadcrumb(), (gettext("Content"), self.page_url)]

    def get_cancel_url(self) -> str:
        return self.page_url

    def make_form(self) -> forms.Form:
        parts: list[type[forms.Form]] = [AudienceForm, self.block.form]
        if self.block.code == "image":
            parts.insert(0, UploadForm)
        self.form_class = type("BlockForm", tuple(parts), {})
        return super().make_form()

    def get_context(self, **extra: Any) -> dict[str, Any]:
        context = super().get_context(block_type=self.block, merge_fields=list(merge_fields), **extra)
        if self.block.code == "image":
            chosen = str(context["form"]["picture"].value() or "")
            context["pictures"] = [(one, str(one.pk) == chosen) for one in Picture.objects.all()[:PICTURES_SHOWN]]
        return context

    def post(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        if self.block.code == "image" and (file := request.FILES.get("upload")):
            try:
                picture = actions.add_picture(file=file, alt=request.POST.get("alt", ""), by=self.user, now=self.now)
            except Refused as refused:
                form = self.make_form()
                form.add_error("upload", str(refused))
                return self.render(status=422, form=form)
            posted = request.POST.copy()
            posted["picture"] = str(picture.pk)
            request.POST = posted  # type: ignore[assignment]
        return super().post(request, *args, **kwargs)

    def data_of(self, form: forms.Form) -> dict[str, Any]:
        own = {name: form.cleaned_data.get(name) for name in self.block.form.base_fields}
        return self.block.to_data(own)

    def go(self, url: str) -> HttpResponse:
        if not wants_partial(self.request):
            return super().go(url)
        return whole_editor(self.request, self.object, url.partition("#block-")[2])


def whole_editor(request: HttpRequest, content: Content, changed: str = "") -> HttpResponse:
    """Answer htmx with the list and the preview as they are now; ``changed`` is the block to put the focus on."""
    page = ContentPage()
    page.setup(request, pk=content.pk)
    page.changed = changed
    context = page.get_context(form=HeadForm(initial=page.get_initial()))
    response = TemplateResponse(request, ContentPage.partial_name, context)
    return reswap(retarget(response, "#content-body"), "outerHTML")


class BlockAdd(_BlockForm):
    permission = "manage_mailings"
    submit_label = _("Add")
    deed = _("add a block")

    @cached_property
    def block(self) -> Block:
        return block_type(self.kwargs["code"])

    def perform(self, form: forms.Form) -> str:
        block_id = actions.add_block(
            self.object,
            block=self.block.code,
            data=self.data_of(form),
            audience=form.cleaned_data["audience"],
            by=self.user,
            now=self.now,
        )
        return f"{self.page_url}#block-{block_id}"


class BlockChange(_BlockForm):
    permission = "manage_mailings"
    submit_label = _("Save")
    deed = _("change the block")

    @cached_property
    def stored(self) -> dict[str, Any]:
        for one in self.object.blocks:
            if one["id"] == self.kwargs["block_id"]:
                return dict(one)
        raise Refused("block_gone", gettext("This block is not there any more. Load the page again."))

    @cached_property
    def block(self) -> Block:
        return block_type(self.stored["type"])

    def get_initial(self) -> dict[str, Any]:
        return {**self.stored["data"], "audience": audience_key(self.stored.get("audience"))}

    def perform(self, form: forms.Form) -> str:
        block_id = self.kwargs["block_id"]
        actions.change_block(
            self.object,
            block_id,
            data=self.data_of(form),
            audience=form.cleaned_data["audience"],
            by=self.user,
            now=self.now,
        )
        return f"{self.page_url}#block-{block_id}"


class BlockRemove(_Contents, ActionView):
    permission = "manage_mailings"
    success_message = _("The block has been removed.")

    def perform(self) -> str:
        actions.remove_block(self.object, self.kwargs["block_id"], by=self.user, now=self.now)
        return self.page_url

    def go(self, url: str) -> HttpResponse:
        return whole_editor(self.request, self.object) if wants_partial(self.request) else super().go(url)


class BlockOrder(_Contents, ActionView):
    permission = "manage_mailings"

    def post(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        actions.order_blocks(self.object, request.POST.getlist("order"), by=self.user, now=self.now)
        return HttpResponse(status=204)


class _Previews(_Contents):
    """The preview that the address asks for: ``?customer=<number>&audience=selection:3``."""

    request: HttpRequest

    @cached_property
    def form(self) -> PreviewForm:
        names = {key: name for choice in audience_choices() if choice[0] for key, name in choice[1]}
        audiences = [(key, names.get(key, key)) for key in audience_keys(self.object)]
        return PreviewForm(self.request.GET or None, audiences=audiences)

    @cached_property
    def customer(self) -> Customer | None:
        number = self.form.cleaned_data["customer"].strip() if self.form.is_valid() else ""
        if not number:
            return None
        if found := find(number):
            return found
        self.form.add_error("customer", gettext("There is no customer with this number."))
        return None

    def preview(self, now: Any) -> Preview:
        customer = self.customer
        audience = self.form.cleaned_data.get("audience", "") if self.form.is_valid() else ""
        return preview_content(self.object, purpose=self.purpose, customer=customer, audience=audience, now=now)


class PreviewPage(_Previews, DetailPage[Content]):
    permission = "manage_mailings"
    template_name = "workbench/content_preview.html"
    parts = (("html", _("E-mail")), ("text", _("Plain text")), ("letter", _("Letter")))

    def get_title(self) -> Text:
        return gettext("Preview of “%(name)s”") % {"name": self.object}

    def get_breadcrumb(self) -> list[Any]:
        own = [] if self.is_written_by_edition else [(gettext("Content"), self.page_url)]
        return [*super().get_breadcrumb(), *own]

    def get_context(self, **extra: Any) -> dict[str, Any]:
        chosen = self.request.GET.get("part", "html")
        query = self.request.GET.copy()
        url = reverse("workbench:content_preview", args=[self.object.pk])
        tabs = []
        for code, label in self.parts:
            query["part"] = code
            tabs.append({"label": label, "url": f"{url}?{query.urlencode()}", "active": code == chosen})
        query.pop("part", None)
        return super().get_context(
            preview=self.preview(self.now), form=self.form, part=chosen, tabs=tabs, query=query.urlencode(), **extra
        )


class PreviewFrame(_Previews, WorkbenchView):
    permission = "manage_mailings"

    def get(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        response = HttpResponse(self.preview(self.now).html)
        response["Content-Security-Policy"] = FRAME_POLICY
        response["Cache-Control"] = "no-store"
        return response


class PreviewLetter(_Previews, WorkbenchView):
    permission = "manage_mailings"

    def get(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        response = HttpResponse(self.preview(self.now).letter(), content_type="application/pdf")
        response["Content-Disposition"] = 'inline; filename="voorbeeld.pdf"'
        response["Cache-Control"] = "no-store"
        return response


class ContentTest(_Previews, ActionView):
    """Send it to one's own address: as the customer or audience that the page shows, without counting anything."""

    permission = "manage_mailings"

    @cached_property
    def form(self) -> PreviewForm:
        names = {key: key for key in audience_keys(self.object)}
        return PreviewForm(self.request.POST, audiences=list(names.items()))

    def perform(self) -> str:
        address = self.user.email
        if not address:
            raise Refused(
                "no_address", gettext("Your account has no e-mail address. Ask an administrator to fill it in.")
            )
        preview = self.preview(self.now)
        body = preview.mail(address=address, purpose=self.purpose)
        outcome = send_test(Envelope(0, preview.identity.sender_email, address, body))
        if outcome.state != Message.State.SENT:
            words = gettext("The test could not be sent. The mail server says: %(reply)s")
            raise Refused("test_failed", words % {"reply": outcome.reply})
        messages.success(self.request, gettext("A test is on its way to %(address)s.") % {"address": address})
        return self.came_from()


urlpatterns = [
    path("content/<int:pk>/", ContentPage.as_view(), name="content"),
    path("content/<int:pk>/blocks/add/<slug:code>/", BlockAdd.as_view(), name="block_add"),
    path("content/<int:pk>/blocks/order/", BlockOrder.as_view(), name="block_order"),
    path("content/<int:pk>/blocks/<slug:block_id>/", BlockChange.as_view(), name="block_change"),
    path("content/<int:pk>/blocks/<slug:block_id>/remove/", BlockRemove.as_view(), name="block_remove"),
    path("content/<int:pk>/preview/", PreviewPage.as_view(), name="content_preview"),
    path("content/<int:pk>/preview/frame/", xframe_options_sameorigin(PreviewFrame.as_view()), name="content_frame"),
    path("content/<int:pk>/preview/letter/", PreviewLetter.as_view(), name="content_letter"),
    path("content/<int:pk>/test/", ContentTest.as_view(), name="content_test"),
]
