"""What somebody answered to a mailing: no more of these."""

from __future__ import annotations

import datetime as dt

from django.db.models import Exists, OuterRef, Q, QuerySet, TextField
from django.db.models.fields.json import KeyTextTransform
from django.db.models.functions import Cast
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from customers.criteria.moments import day_of, said, until_now
from customers.models import Consent, Customer
from mailings.actions.feedback import SOURCE
from mailings.criteria.common import MailingCriterion, MailingForm, MailingParams, from_origins, mailing_words
from mailings.models import Mailing


class Unsubscribed(MailingCriterion):
    """Said no by the link in a message, as the ledger has it; also who reads the same mailbox."""

    code = "mailings.unsubscribed"
    label = gettext_lazy("Unsubscribed through a message")
    params = MailingParams
    form = MailingForm

    def to_q(self, params: MailingParams, *, now: dt.datetime) -> Q:
        return Q(Exists(self._refusals(params, now).filter(customer=OuterRef("pk"))))

    def _refusals(self, params: MailingParams, now: dt.datetime) -> QuerySet[Consent]:
        no = (Consent.State.WITHDRAWN, Consent.State.OBJECTED)
        found = Consent.objects.filter(
            until_now(params, "event_at", now=now), source__code=SOURCE, state__in=no, evidence__has_key="mailing"
        )
        if params.channel:
            found = found.filter(channel=params.channel)
        mailings = Mailing.objects.filter(from_origins(params, "origin"))
        if params.mailing:
            mailings = mailings.filter(pk__in=params.mailing)
        if params.purpose:
            mailings = mailings.filter(purpose__code__in=params.purpose)
        if params.mailing or params.purpose or params.origin:
            ids = mailings.order_by().annotate(id_text=Cast("pk", TextField())).values("id_text")
            found = found.annotate(through=KeyTextTransform("mailing", "evidence")).filter(through__in=ids)
        return found.order_by()

    def sentence(self, params: MailingParams) -> str:
        return said(_("unsubscribed through %(mailing)s %(when)s"), params, mailing=mailing_words(params))

    def seen(self, params: MailingParams, customer: Customer, *, now: dt.datetime) -> str:
        found = self._refusals(params, now).filter(customer=customer).order_by("-event_at").select_related("purpose")
        last = found.first()
        if last is None:
            return _("never")
        return _("on %(day)s, for “%(purpose)s”") % {"day": day_of(last.event_at), "purpose": last.purpose.name}


CRITERIA = (Unsubscribed(),)
