"""Messages: received, not received, failed, opened, clicked in."""

from __future__ import annotations

import datetime as dt
from typing import Any, Literal

from django import forms
from django.db.models import Count, Exists, OuterRef, Q, QuerySet, TextField, Value
from django.db.models.functions import Cast, Concat
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext
from pydantic import Field

from customers.criteria import wording
from customers.criteria.facts.common import kept_from
from customers.criteria.facts.shapes import Among
from customers.criteria.keeping import gap_of
from customers.criteria.moments import day_of, said, until_now
from customers.models import Customer, Fact
from mailings.actions.feedback import SOURCE
from mailings.criteria.common import (
    MailingCriterion,
    MailingForm,
    MailingParams,
    mailing_words,
    of_mailings,
    seen_last,
)
from mailings.facts import OPEN
from mailings.models import Click, Message


def sent(params: MailingParams, now: dt.datetime) -> QuerySet[Message]:
    """Return the messages that were sent in the window; what was sent stays sent."""
    rows = Message.objects.filter(until_now(params, "sent_at", now=now), state=Message.State.SENT)
    return of_mailings(rows, params).order_by()


def clicks_gap(params: MailingParams, *, now: dt.datetime, present: dt.datetime) -> str:
    """Return that clicks are not kept as long as the window asks; else nothing."""
    words = _("Which links were followed is only kept since %(day)s.")
    return gap_of("clicks", words, params, now=now, present=present)


class ReceivedParams(MailingParams):
    """At least so many messages; ``clicked``: only those in which a link was followed since, or only the others."""

    times: int = Field(default=1, ge=1, le=10000)
    clicked: Literal["", "yes", "no"] = ""


class ReceivedForm(MailingForm):
    times = forms.IntegerField(
        label=gettext_lazy("At least … messages"), min_value=1, max_value=10000, initial=1, required=False
    )
    clicked = forms.ChoiceField(
        label=gettext_lazy("And then"),
        required=False,
        choices=[
            ("", gettext_lazy("clicked in it or not")),
            ("yes", gettext_lazy("clicked in it")),
            ("no", gettext_lazy("did not click in it")),
        ],
    )
    field_order = ("times", "mailing", "clicked", *MailingForm.MAILING)


class Received(MailingCriterion):
    """Was sent a message, by mail or post."""

    code = "mailings.received"
    label = gettext_lazy("Received a message")
    params = ReceivedParams
    form = ReceivedForm

    def to_q(self, params: ReceivedParams, *, now: dt.datetime) -> Q:
        found = self._found(params, now)
        if params.times == 1:
            return Q(Exists(found.filter(customer=OuterRef("pk"))))
        counted = found.values("customer_id").annotate(times=Count("pk")).filter(times__gte=params.times)
        return Q(Among(counted.values("customer_id")))

    def _found(self, params: ReceivedParams, now: dt.datetime) -> QuerySet[Message]:
        found = sent(params, now)
        if not params.clicked:
            return found
        followed = Exists(Click.objects.filter(message=OuterRef("pk"), clicked_at__lte=now))
        return found.filter(followed if params.clicked == "yes" else ~followed)

    def sentence(self, params: ReceivedParams) -> str:
        after = {"yes": _("and clicked in it"), "no": _("without clicking in it")}.get(params.clicked, "")
        return f"{self._received(params)} {after}".strip()

    def _received(self, params: ReceivedParams) -> str:
        if params.times == 1:
            return said(_("received %(mailing)s %(when)s"), params, mailing=mailing_words(params))
        often = ngettext("at least %d time", "at least %d times", params.times) % params.times
        return said(_("received %(mailing)s %(often)s %(when)s"), params, mailing=mailing_words(params), often=often)

    def seen(self, params: ReceivedParams, customer: Customer, *, now: dt.datetime) -> str:
        return seen_last(self._found(params, now).filter(customer=customer), "sent_at")

    def gap(self, params: ReceivedParams, *, now: dt.datetime, present: dt.datetime) -> str:
        """Return why the answer would be a guess: which links were followed is kept for a time."""
        return clicks_gap(params, now=now, present=present) if params.clicked else ""


class NotReceived(MailingCriterion):
    """Was not sent a message."""

    code = "mailings.not_received"
    label = gettext_lazy("Did not receive a message")
    params = MailingParams
    form = MailingForm

    def to_q(self, params: MailingParams, *, now: dt.datetime) -> Q:
        return ~Q(Exists(sent(params, now).filter(customer=OuterRef("pk"))))

    def sentence(self, params: MailingParams) -> str:
        return said(_("received %(mailing)s %(when)s"), params, mailing=mailing_words(params, none=True))

    def seen(self, params: MailingParams, customer: Customer, *, now: dt.datetime) -> str:
        return seen_last(sent(params, now).filter(customer=customer), "sent_at")


class FailedParams(MailingParams):
    """``how``: the mail server refused it for good, or it was withdrawn before sending; none: either."""

    how: tuple[Literal["failed", "withdrawn"], ...] = ()


class FailedForm(MailingForm):
    how = forms.MultipleChoiceField(
        label=gettext_lazy("What happened"),
        required=False,
        choices=[
            ("failed", gettext_lazy("bounced or failed")),
            ("withdrawn", gettext_lazy("withdrawn before sending")),
        ],
    )
    field_order = ("how", *MailingForm.MAILING)


class Failed(MailingCriterion):
    """Was to be sent a message that never arrived."""

    code = "mailings.failed"
    label = gettext_lazy("A message did not arrive")
    params = FailedParams
    form = FailedForm

    def to_q(self, params: FailedParams, *, now: dt.datetime) -> Q:
        return Q(Exists(self._failed(params, now).filter(customer=OuterRef("pk"))))

    def _failed(self, params: FailedParams, now: dt.datetime) -> QuerySet[Message]:
        states = params.how or ("failed", "withdrawn")
        rows = Message.objects.filter(until_now(params, "state_at", now=now), state__in=states)
        return of_mailings(rows, params).order_by()

    def sentence(self, params: FailedParams) -> str:
        names = {"failed": _("bounced or failed"), "withdrawn": _("was withdrawn before sending")}
        how = wording.one_of(names[one] for one in params.how or ("failed", "withdrawn"))
        return said(_("were to get %(mailing)s that %(how)s %(when)s"), params, mailing=mailing_words(params), how=how)

    def seen(self, params: FailedParams, customer: Customer, *, now: dt.datetime) -> str:
        return seen_last(self._failed(params, now).filter(customer=customer), "state_at")


class Opened(MailingCriterion):
    """Opened a message, of those who let us see that."""

    code = "mailings.opened"
    label = gettext_lazy("Opened a message (of who lets us see that)")
    params = MailingParams
    form = MailingForm

    def to_q(self, params: MailingParams, *, now: dt.datetime) -> Q:
        return Q(Exists(self._opened(params, now).filter(customer=OuterRef("pk"))))

    def _opened(self, params: MailingParams, now: dt.datetime) -> QuerySet[Message]:
        opens = Fact.objects.filter(
            until_now(params, "occurred_at", now=now),
            kind=OPEN,
            source__code=SOURCE,
            customer=OuterRef("customer"),
            external_id=Concat(Value("open:"), Cast(OuterRef("pk"), TextField())),
        )
        return of_mailings(Message.objects.filter(Exists(opens)), params).order_by()

    def sentence(self, params: MailingParams) -> str:
        return said(_("opened %(mailing)s %(when)s"), params, mailing=mailing_words(params))

    def seen(self, params: MailingParams, customer: Customer, *, now: dt.datetime) -> str:
        names = (
            self._opened(params, now).filter(customer=customer).order_by("-pk").values_list("mailing__name", flat=True)
        )
        found = [f"“{name}”" for name in names[:5]]
        return _("opened %s") % ", ".join(found) if found else _("opened none of them, or did not let us see it")

    def gap(self, params: MailingParams, *, now: dt.datetime, present: dt.datetime) -> str:
        """Return why the answer would be a guess: openings are facts, which are kept for a time."""
        kept, start = kept_from(OPEN), params.happened(now=now)[0]
        if kept is None or (start is not None and start >= kept):
            return ""
        return _("Who opened what is only kept since %(day)s.") % {"day": day_of(kept)}


class ClickedParams(MailingParams):
    """``link``: a part of the address it leads to; empty is any link."""

    link: str = Field(default="", max_length=200)


class ClickedForm(MailingForm):
    link = forms.CharField(
        label=gettext_lazy("Address of the link contains"),
        required=False,
        max_length=200,
        help_text=gettext_lazy("Leave empty for any link."),
    )
    field_order = ("mailing", "link", *MailingForm.MAILING)


class Clicked(MailingCriterion):
    """Followed a link in a message. What mail programs fetch ahead of people is never recorded as a click."""

    code = "mailings.clicked"
    label = gettext_lazy("Clicked in a message")
    params = ClickedParams
    form = ClickedForm

    def to_q(self, params: ClickedParams, *, now: dt.datetime) -> Q:
        return Q(Exists(self._clicks(params, now).filter(message__customer=OuterRef("pk"))))

    def _clicks(self, params: ClickedParams, now: dt.datetime) -> QuerySet[Click]:
        found = Click.objects.filter(until_now(params, "clicked_at", now=now)).order_by()
        if params.link:
            found = found.filter(link__url__icontains=params.link)
        return of_mailings(found, params, "message__")

    def sentence(self, params: ClickedParams) -> str:
        if params.link:
            words = _("clicked %(when)s on a link with “%(link)s” in %(mailing)s")
            return said(words, params, mailing=mailing_words(params), link=params.link)
        return said(_("clicked in %(mailing)s %(when)s"), params, mailing=mailing_words(params))

    def seen(self, params: ClickedParams, customer: Customer, *, now: dt.datetime) -> str:
        clicks = self._clicks(params, now).filter(message__customer=customer)
        last = clicks.order_by("-clicked_at").values_list("clicked_at", "link__url").first()
        if last is None:
            return _("never")
        values: dict[str, Any] = {"n": clicks.count(), "day": day_of(last[0]), "link": last[1]}
        return _("%(n)d ×, last on %(day)s: %(link)s") % values

    def gap(self, params: ClickedParams, *, now: dt.datetime, present: dt.datetime) -> str:
        """Return why the answer would be a guess: which link was followed is kept for a time."""
        return clicks_gap(params, now=now, present=present)


CRITERIA = (Received(), NotReceived(), Opened(), Clicked(), Failed())
