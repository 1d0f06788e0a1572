"""What one customer allows: the present states, the ledger, and recording what was said at the desk or by phone."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from typing import Any

from django.contrib import messages
from django.db import transaction
from django.utils import formats, timezone
from django.utils.dateparse import parse_datetime
from django.utils.translation import gettext as _

from common.errors import Refused
from common.time import local_date
from customers.actions.guardians import OF_AGE
from customers.consents import PROFILING, State, channels_of, is_child, record_consent, states_of
from customers.models import Consent, Customer, Purpose
from customers.timeline import CONSENT_TONES
from labels.actions import take_profiling_labels
from workbench.base import FormPage
from workbench.forms.consents import ALL_CHANNELS, ConsentForm
from workbench.forms.moments import DayForm
from workbench.views.customers_base import CustomerMixin, CustomerPage, head, page_of

LEDGER_SHOWN = 200


@dataclass(frozen=True)
class Line:
    """A row of the ledger as shown: the parent who answered, and what proves it, in words."""

    row: Consent
    tone: str
    guardian: Customer | None
    proof: str


def consents(customer: Customer, day: DayForm) -> dict[str, Any]:
    """Return what holds on a day, channels of a purpose about which the same holds together, and the ledger."""
    together: dict[tuple[Any, str], list[State]] = {}
    for state in states_of(customer, now=day.moment):
        together.setdefault((state.purpose, state.explanation), []).append(state)
    states = [
        (purpose, {"channels": ", ".join(str(one.channel.label) for one in same), "state": same[0]})
        for (purpose, _explanation), same in together.items()
    ]
    ledger = Consent.objects.filter(customer=customer).select_related("purpose", "source")
    shown = list(ledger.order_by("-event_at", "-pk")[:LEDGER_SHOWN])
    parents = {row.guardian_id for row in shown if row.guardian_id}
    names = Customer.everyone.in_bulk(parents) if parents else {}
    lines = [
        Line(row, CONSENT_TONES.get(row.state, "neutral"), names.get(row.guardian_id or 0), proof_of(row))
        for row in shown
    ]
    return {"states": states, "ledger": lines, "day_form": day}


def proof_of(row: Consent) -> str:
    """Return in words what proves a yes that was confirmed by e-mail; empty text for any other."""
    asked, confirmed = (parse_datetime(str(row.evidence.get(name, ""))) for name in ("asked_at", "confirmed_at"))
    if asked is None or confirmed is None:
        return ""
    moments = {"asked": _moment(asked), "confirmed": _moment(confirmed), "network": row.evidence.get("asked_from", "")}
    if moments["network"]:
        return _("Asked for on %(asked)s from network %(network)s, confirmed by e-mail on %(confirmed)s.") % moments
    return _("Asked for on %(asked)s, confirmed by e-mail on %(confirmed)s.") % moments


def _moment(instant: dt.datetime) -> str:
    return formats.date_format(timezone.localtime(instant), "j F Y H:i")


def asked(customer: Customer, now: dt.datetime) -> dict[str, Any]:
    """Return who may answer for this customer, and whether somebody must: it is a child under 16."""
    age = customer.age_on(local_date(now))
    parents = Customer.objects.filter(wards__child=customer).order_by("number")
    return {
        "guardians": list(parents) if age is None or age < OF_AGE else [],
        "is_child": is_child(customer.birth_date, on=local_date(now)),
    }


class CustomerConsents(CustomerPage):
    permission = "view_customers"
    template_name = "workbench/customers_consents.html"
    part = "consents"

    def get_context(self, **extra: Any) -> dict[str, Any]:
        who = asked(self.object, self.now)
        day = DayForm(self.request, now=self.now)
        return super().get_context(form=ConsentForm(**who), **who, **consents(self.object, day), **extra)


class ConsentRecord(CustomerMixin, FormPage[ConsentForm]):
    """Add what was said; for all channels it is a row each. What is not in order comes back in the same page."""

    permission = "change_customers"
    template_name = "workbench/customers_consents.html"
    form_class = ConsentForm
    http_method_names = ["post"]

    def get_title(self) -> str:
        return str(self.object)

    def get_form_kwargs(self) -> dict[str, Any]:
        return asked(self.object, self.now)

    def get_context(self, **extra: Any) -> dict[str, Any]:
        day = DayForm(self.request, now=self.now)
        shown = head(self.object, "consents", self.now) | consents(self.object, day) | self.get_form_kwargs()
        return super().get_context(object=self.object, **shown, **extra)

    @transaction.atomic
    def perform(self, form: ConsentForm) -> str:
        said = form.cleaned_data
        for channel in self.channels(said["purpose"], said["channel"]):
            record_consent(
                self.object,
                purpose=said["purpose"],
                channel=channel,
                state=said["state"],
                source_code=said["source"],
                actor=self.user.get_full_name() or self.user.get_username(),
                event_at=said["event_at"] or self.now,
                wording_version=said["wording_version"],
                evidence={"note": said["note"]} if said["note"] else None,
                guardian=said.get("guardian"),
            )
        if said["purpose"].code == PROFILING and said["state"] != Consent.State.GRANTED:
            take_profiling_labels(self.object, now=self.now)
        messages.success(self.request, _("This has been recorded and holds from now on."))
        return page_of(self.object, "consents")

    def channels(self, purpose: Purpose, chosen: str) -> list[str]:
        """Return the channels that are meant; raises Refused when "all" are none."""
        found = [str(one) for one in channels_of(purpose)] if chosen == ALL_CHANNELS else [chosen]
        if not found:
            raise Refused("no_channel", _("This purpose uses no channel. Choose the one it is about."), field="channel")
        return found
