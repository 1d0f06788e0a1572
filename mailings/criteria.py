"""Audience criteria about what customers received and followed."""

from __future__ import annotations

import datetime as dt
from typing import Any

from django import forms
from django.db.models import Exists, OuterRef, Q, QuerySet
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from pydantic import Field

from common.criteria import Criterion, Params, criteria
from common.errors import Refused
from customers.criteria import wording
from customers.criteria.quality import QUALITY, living
from customers.models import ContactPoint
from customers.quality import OLD, Issue, issues
from mailings.models import Click, Mailing, Message, Suppression

SHOWN = 300  # mailings to choose from, the latest first


class MailingParams(Params):
    """A mailing by its id (none: any), and in how many days past (none: ever)."""

    mailing: int | None = Field(default=None, ge=1)
    within_days: int | None = Field(default=None, ge=1, le=3650)


class MailingForm(forms.Form):
    """Asks for a mailing, or none for any, and a window."""

    mailing = forms.TypedChoiceField(
        label=gettext_lazy("Mailing"),
        coerce=int,
        empty_value=None,
        required=False,
        choices=lambda: [("", gettext_lazy("any mailing")), *_latest()],
    )
    within_days = forms.IntegerField(
        label=gettext_lazy("In the past … days"),
        min_value=1,
        max_value=3650,
        required=False,
        help_text=gettext_lazy("Leave empty for ever."),
    )


def _latest() -> list[tuple[int, str]]:
    found = Mailing.objects.order_by("-id").values_list("pk", "name", "created_at__date")[:SHOWN]
    return [(pk, f"{name} ({day:%d-%m-%Y})") for pk, name, day in found]


class _AboutMailing(Criterion):
    """What the criteria share: the mailing must exist."""

    group = gettext_lazy("Mailings")
    params = MailingParams
    form = MailingForm

    def check(self, params: MailingParams) -> None:
        if params.mailing is not None and not Mailing.objects.filter(pk=params.mailing).exists():
            message = _("This mailing does not exist (any more). Choose another.")
            raise Refused("unknown_mailing", message, field="mailing")

    def words(self, params: MailingParams) -> dict[str, Any]:
        """Return what a sentence needs: the mailing in words and the window."""
        name = _("a message")
        if params.mailing is not None:
            found = Mailing.objects.filter(pk=params.mailing).values_list("name", flat=True).first()
            name = _("the mailing “%(name)s”") % {"name": found or "?"}
        return {"mailing": name, "days": params.within_days}


class Received(_AboutMailing):
    """Was sent a message, by mail or post."""

    code = "mailings.received"
    label = gettext_lazy("Received a message")

    def to_q(self, params: MailingParams, *, now: dt.datetime) -> Q:
        return Q(Exists(_received(params, now)))

    def sentence(self, params: MailingParams) -> str:
        if params.within_days is None:
            return _("received %(mailing)s") % self.words(params)
        return _("received %(mailing)s in the past %(days)s days") % self.words(params)


class NotReceived(_AboutMailing):
    """Was not sent a message."""

    code = "mailings.not_received"
    label = gettext_lazy("Did not receive a message")

    def to_q(self, params: MailingParams, *, now: dt.datetime) -> Q:
        return ~Q(Exists(_received(params, now)))

    def sentence(self, params: MailingParams) -> str:
        if params.within_days is None:
            return _("did not receive %(mailing)s") % self.words(params)
        return _("did not receive %(mailing)s in the past %(days)s days") % self.words(params)


class Clicked(_AboutMailing):
    """Followed a link in a message."""

    code = "mailings.clicked"
    label = gettext_lazy("Clicked in a message")

    def to_q(self, params: MailingParams, *, now: dt.datetime) -> Q:
        clicks = Click.objects.filter(message__customer=OuterRef("pk"), clicked_at__lte=now)
        if params.mailing is not None:
            clicks = clicks.filter(message__mailing=params.mailing)
        if params.within_days is not None:
            clicks = clicks.filter(clicked_at__gt=now - dt.timedelta(days=params.within_days))
        return Q(Exists(clicks))

    def sentence(self, params: MailingParams) -> str:
        if params.within_days is None:
            return _("clicked in %(mailing)s") % self.words(params)
        return _("clicked in %(mailing)s in the past %(days)s days") % self.words(params)


def _received(params: MailingParams, now: dt.datetime) -> QuerySet[Message]:
    found: QuerySet[Message] = Message.objects.filter(
        customer=OuterRef("pk"), state=Message.State.SENT, sent_at__lte=now
    )
    if params.mailing is not None:
        found = found.filter(mailing=params.mailing)
    if params.within_days is not None:
        found = found.filter(sent_at__gt=now - dt.timedelta(days=params.within_days))
    return found


class BlockedParams(Params):
    """Why the address must not be used; none chosen means any reason."""

    reasons: list[Suppression.Reason] = []


class BlockedForm(forms.Form):
    """Asks for the reasons."""

    reasons = forms.MultipleChoiceField(
        label=gettext_lazy("Why it is blocked (none: any)"),
        required=False,
        choices=Suppression.Reason,
        widget=forms.CheckboxSelectMultiple,
    )


class Blocked(Criterion):
    """Whose e-mail address must not be used: it bounced, somebody complained, or staff blocked it."""

    code = "mailings.blocked"
    group = QUALITY
    label = gettext_lazy("E-mail address is blocked")
    params = BlockedParams
    form = BlockedForm

    def to_q(self, params: BlockedParams, *, now: dt.datetime) -> Q:
        blocked = Suppression.objects.filter(released_at__isnull=True)
        if params.reasons:
            blocked = blocked.filter(reason__in=params.reasons)
        points = ContactPoint.objects.filter(channel="email", is_primary=True, value__in=blocked.values("address"))
        return living(Q(pk__in=points.values("customer_id")))

    def sentence(self, params: BlockedParams) -> str:
        reasons = wording.one_of(str(reason.label).lower() for reason in params.reasons)
        if not reasons:
            return _("have an e-mail address that is blocked")
        return _("have an e-mail address that is blocked: %(reasons)s") % {"reasons": reasons}


for _criterion in (Received(), NotReceived(), Clicked(), Blocked()):
    criteria.register(_criterion)

for _reason, _name in (
    (Suppression.Reason.BOUNCE, gettext_lazy("E-mail address that bounces")),
    (Suppression.Reason.COMPLAINT, gettext_lazy("Reported our mail as spam")),
):
    issues.register(
        Issue(
            f"blocked_{_reason}",
            OLD,
            _name,
            Blocked.code,
            {"reasons": [_reason.value]},
            gettext_lazy("Ask for another address, or write by post."),
        )
    )
