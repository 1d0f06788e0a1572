"""Who received an action."""

from __future__ import annotations

import datetime as dt

from django import forms
from django.db.models import Exists, OuterRef, Q, QuerySet
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from campaigns.criteria.common import CampaignsCriterion, quoted, require_rows
from campaigns.models import Action
from common.remembering import remembered
from customers.criteria.moments import day_of, said, until_now
from customers.criteria.several import SomeIds
from customers.criteria.windows import WindowForm, WindowParams
from customers.models import Customer
from mailings.models import Message


class ReceivedParams(WindowParams):
    """Actions by id, any of them, and a window."""

    action: SomeIds


@remembered
def actions() -> list[tuple[int, str]]:
    """Return the actions to choose from."""
    return list(Action.objects.values_list("pk", "name"))


class ReceivedForm(WindowForm):
    action = forms.TypedMultipleChoiceField(label=gettext_lazy("Action"), coerce=int, choices=actions)
    field_order = ("action", *WindowForm.WINDOW)


class ReceivedAction(CampaignsCriterion):
    """Whether a message of an action was sent to the customer, by whatever trigger, step or hand."""

    code = "campaigns.received"
    label = gettext_lazy("Received an action")
    params = ReceivedParams
    form = ReceivedForm

    def to_q(self, params: ReceivedParams, *, now: dt.datetime) -> Q:
        return Q(Exists(self._sent(params, now).filter(customer=OuterRef("pk"))))

    def _sent(self, params: ReceivedParams, now: dt.datetime) -> QuerySet[Message]:
        sent: QuerySet[Message] = Message.objects.filter(
            until_now(params, "sent_at", now=now),
            state=Message.State.SENT,
            mailing__content__action__in=params.action,
        )
        return sent.order_by()

    def sentence(self, params: ReceivedParams) -> str:
        action = quoted(Action, params.action, _("the action “%s”"))
        if params.is_ever:
            return _("ever received %(action)s") % {"action": action}
        return said(_("received %(action)s %(when)s"), params, action=action)

    def seen(self, params: ReceivedParams, customer: Customer, *, now: dt.datetime) -> str:
        sent = self._sent(params, now).filter(customer=customer)
        last = sent.select_related("mailing").order_by("-sent_at").first()
        if last is None or last.sent_at is None:
            return _("never")
        values = {"n": sent.count(), "day": day_of(last.sent_at), "name": last.mailing.name}
        return _("%(n)d ×, last on %(day)s: “%(name)s”") % values

    def check(self, params: ReceivedParams) -> None:
        require_rows(Action, params.action, _("This action does not exist (any more)."), "action")


CRITERIA = (ReceivedAction(),)
