"""What is wrong with a message before it goes out, and the looking up of its links."""

from __future__ import annotations

from typing import Any

from django.db.models import QuerySet
from django.urls import path, reverse
from django.utils.functional import cached_property
from django.utils.translation import gettext, ngettext
from django.utils.translation import gettext_lazy as _

from customers.models import Customer
from mailings import actions
from mailings.checks import Proof, check_content
from mailings.checks.links import links_of
from mailings.models import Content, Mailing
from mailings.tasks import check_links
from selections.compiler import members
from workbench.base import ActionView, DetailPage, Text
from workbench.findings import show
from workbench.forms.checks import CheckForm
from workbench.views.content.base import Contents


class _Checked(Contents):
    """The content as it would go out, to the selection that the address names: ``?selection=3``."""

    request: Any

    @cached_property
    def form(self) -> CheckForm:
        return CheckForm(self.request.GET or None)

    @property
    def channels(self) -> str:
        action = getattr(self.object, "action", None)
        return action.channels if action else Mailing.Channels.EMAIL

    @property
    def candidates(self) -> QuerySet[Customer] | None:
        """The selection that was asked for, else the subscribers of the edition, else not known."""
        selection = self.form.cleaned_data["selection"] if self.form.is_valid() else None
        if selection:
            return members(selection, now=self.now)  # type: ignore[attr-defined]
        if self.is_written_by_edition:
            return self.object.edition.newsletter.subscribers(now=self.now)  # type: ignore[attr-defined]
        return None


class CheckPage(_Checked, DetailPage[Content]):
    permission = "manage_mailings"
    template_name = "workbench/content_checks.html"
    partial_name = "workbench/_content_checks.html"

    def get_title(self) -> Text:
        return gettext("Check of “%(name)s”") % {"name": self.object}

    def get_breadcrumb(self) -> list[Any]:
        own = [] if self.is_written_by_edition else [(gettext("Content"), self.page_url)]
        return [*super().get_breadcrumb(), *own]

    def get_context(self, **extra: Any) -> dict[str, Any]:
        report = check_content(
            self.object, purpose=self.purpose, channels=self.channels, candidates=self.candidates, now=self.now
        )
        links = links_of(Proof(self.object, self.purpose, self.channels, self.now))
        return super().get_context(
            form=self.form,
            findings=show(report, self.object, edition=getattr(self.object, "edition", None)),
            links=links,
            is_looking=any(one.is_awaited for one in links),
            may_look=any(one.may_be_asked for one in links),
            query=self.request.GET.urlencode(),
            **extra,
        )


class LinksCheck(_Checked, ActionView):
    """Have the links looked up by a worker; the page shows what it finds."""

    permission = "manage_mailings"

    def perform(self) -> str:
        found = links_of(Proof(self.object, self.purpose, self.channels, self.now))
        count = actions.ask_link_checks([one.url for one in found], now=self.now)
        check_links.delay_on_commit()  # type: ignore[attr-defined]
        words = ngettext("%(count)d link is being looked up.", "%(count)d links are being looked up.", count)
        self.success_message = words % {"count": count} if count else _("All links were looked up today.")
        return reverse("workbench:content_checks", args=[self.object.pk])


urlpatterns = [
    path("content/<int:pk>/checks/", CheckPage.as_view(), name="content_checks"),
    path("content/<int:pk>/checks/links/", LinksCheck.as_view(), name="content_links"),
]
