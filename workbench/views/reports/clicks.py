"""The click map: the mail as it was sent, with at each link how many readers followed it."""

from __future__ import annotations

from typing import Any

from django.db.models import Count, QuerySet
from django.http import Http404, HttpRequest, HttpResponse
from django.urls import reverse
from django.utils.functional import cached_property
from django.utils.translation import gettext as _

from mailings.models import Arm, MachineClick, Mailing
from mailings.reports import DAYS, LinkFigures, Scope, click_map, link_figures
from workbench.base import DetailPage, ObjectMixin, WorkbenchView
from workbench.views.content.previews import FRAME_POLICY
from workbench.views.reports.tabs import mailing_tabs


class _Sent(ObjectMixin[Mailing]):
    request: HttpRequest

    def get_queryset(self) -> QuerySet[Mailing]:
        return Mailing.objects.all()

    @property
    def is_mail(self) -> bool:
        """Whether there is a mail to look at; text messages have links, and no more to see."""
        return "html" in self.object.compiled and self.object.channels != Mailing.Channels.LETTER

    @property
    def scope(self) -> Scope:
        """The mailing, as long after it as a report looks at most."""
        return Scope.of([self.object.pk], days=max(DAYS))

    @cached_property
    def version(self) -> Arm | None:
        """The version in a test that the address asks for; None is who was in none."""
        asked = self.request.GET.get("version", "")
        return next((arm for arm in self.versions if str(arm.pk) == asked), None)

    @cached_property
    def versions(self) -> list[Arm]:
        return list(Arm.objects.filter(experiment__mailing=self.object).order_by("position"))

    def links(self) -> list[LinkFigures]:
        return link_figures(self.scope, version=self.version.pk if self.version else 0 if self.versions else None)


class ClickPage(_Sent, DetailPage[Mailing]):
    permission = "manage_mailings"
    template_name = "workbench/mailings_clicks.html"

    def get_title(self) -> str:
        return _("Clicks in “%(name)s”") % {"name": self.object}

    def get_breadcrumb(self) -> list[Any]:
        page = reverse("workbench:mailing_detail", args=[self.object.pk])
        return [(_("Mailings"), reverse("workbench:mailing_list")), (self.object.name, page)]

    def get_context(self, **extra: Any) -> dict[str, Any]:
        names = dict(MachineClick.Reason.choices)
        machines = dict(
            MachineClick.objects.filter(link__mailing=self.object)
            .order_by()
            .values_list("reason")
            .annotate(Count("id"))
        )
        reasons = [{"label": names[reason], "value": count} for reason, count in machines.items()]
        return super().get_context(
            tabs=mailing_tabs(self.object, "clicks"),
            links=self.links(),
            version=self.version,
            version_tabs=self._version_tabs(),
            days=self.scope.days,
            is_mail=self.is_mail,
            has_links=self.object.channels != Mailing.Channels.LETTER,
            reasons=reasons,
            machine_count=sum(machines.values()),
            **extra,
        )

    def _version_tabs(self) -> list[dict[str, Any]]:
        url = reverse("workbench:mailing_clicks", args=[self.object.pk])
        if not self.versions:
            return []
        rest = {"label": _("In no test, or after it"), "url": url, "active": self.version is None}
        return [rest] + [
            {"label": _("Version %s") % arm.letter, "url": f"{url}?version={arm.pk}", "active": arm == self.version}
            for arm in self.versions
        ]


class ClickFrame(_Sent, WorkbenchView):
    """The mail alone."""

    permission = "manage_mailings"

    def get(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        if not self.is_mail:
            raise Http404
        links = {link.position: link for link in self.links()}
        response = HttpResponse(click_map(self.object, links, version=self.version))
        response["Content-Security-Policy"] = FRAME_POLICY
        response["Cache-Control"] = "no-store"
        return response
