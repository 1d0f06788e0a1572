"""What the gate decided: who was held back, and why; who was in the control group."""

from __future__ import annotations

import datetime as dt

from django import forms
from django.db.models import Exists, OuterRef, Q, QuerySet
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from customers.criteria import wording
from customers.criteria.keeping import gap_of
from customers.criteria.moments import said, until_now
from customers.models import Customer
from mailings.criteria.common import (
    MailingCriterion,
    MailingForm,
    MailingParams,
    mailing_words,
    of_mailings,
    seen_last,
)
from mailings.models import Decision

Outcome = Decision.Outcome
#: Who waits for his turn was not left out yet.
OPEN_OUTCOMES = (Outcome.ACCEPTED, Outcome.WAITS)
REASONS = [(code, name) for code, name in Outcome.choices if code != Outcome.ACCEPTED]


class HeldBackParams(MailingParams):
    """Why not; none chosen means any reason."""

    reasons: tuple[Outcome, ...] = ()


class HeldBackForm(MailingForm):
    reasons = forms.MultipleChoiceField(
        label=gettext_lazy("Why not (none: any reason)"),
        required=False,
        choices=REASONS,
        widget=forms.CheckboxSelectMultiple,
    )
    field_order = ("reasons", *MailingForm.MAILING)


class DecisionCriterion(MailingCriterion):
    """What the criteria about decisions share; the gate decides once about each candidate of a mailing."""

    def decided(self, params: MailingParams, outcomes: tuple[Outcome, ...], now: dt.datetime) -> QuerySet[Decision]:
        """Return the decisions in the window with one of these outcomes; none is all that are a no for good."""
        rows = Decision.objects.filter(until_now(params, "decided_at", now=now))
        rows = rows.filter(outcome__in=outcomes) if outcomes else rows.exclude(outcome__in=OPEN_OUTCOMES)
        return of_mailings(rows, params).order_by()

    def gap(self, params: MailingParams, *, now: dt.datetime, present: dt.datetime) -> str:
        """Return why the answer would be a guess: decisions are kept for a time."""
        words = _("Why somebody did not get a message is only kept since %(day)s.")
        return gap_of("decisions", words, params, now=now, present=present)


class HeldBack(DecisionCriterion):
    """Was a candidate for a mailing, and was not sent it."""

    code = "mailings.held_back"
    label = gettext_lazy("Was left out of a mailing")
    params = HeldBackParams
    form = HeldBackForm

    def to_q(self, params: HeldBackParams, *, now: dt.datetime) -> Q:
        return Q(Exists(self.decided(params, params.reasons, now).filter(customer=OuterRef("pk"))))

    def sentence(self, params: HeldBackParams) -> str:
        reasons = wording.one_of(str(reason.label).lower() for reason in params.reasons)
        mailing = mailing_words(params)
        if not reasons:
            return said(_("were left out of %(mailing)s %(when)s"), params, mailing=mailing)
        words = _("were left out of %(mailing)s %(when)s, because: %(reasons)s")
        return said(words, params, mailing=mailing, reasons=reasons)

    def seen(self, params: HeldBackParams, customer: Customer, *, now: dt.datetime) -> str:
        rows = self.decided(params, params.reasons, now).filter(customer=customer)
        last = rows.order_by("-decided_at").first()
        if last is None:
            return _("never")
        return f"{seen_last(rows, 'decided_at')} ({Outcome(last.outcome).label})"


class HeldOut(DecisionCriterion):
    """Was in the control group of a mailing: could have got it, and by chance did not."""

    code = "mailings.hold_out"
    label = gettext_lazy("Was in the control group of a mailing")
    params = MailingParams
    form = MailingForm

    def to_q(self, params: MailingParams, *, now: dt.datetime) -> Q:
        return Q(Exists(self.decided(params, (Outcome.HOLD_OUT,), now).filter(customer=OuterRef("pk"))))

    def sentence(self, params: MailingParams) -> str:
        return said(_("were in the control group of %(mailing)s %(when)s"), params, mailing=mailing_words(params))

    def seen(self, params: MailingParams, customer: Customer, *, now: dt.datetime) -> str:
        return seen_last(self.decided(params, (Outcome.HOLD_OUT,), now).filter(customer=customer), "decided_at")


CRITERIA = (HeldBack(), HeldOut())
