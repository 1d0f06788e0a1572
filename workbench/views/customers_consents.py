"""What one customer allows: the present states, the ledger, and recording what was said at the desk or by phone."""

from __future__ import annotations

import datetime as dt
from typing import Any

from django.contrib import messages
from django.utils.translation import gettext as _

from customers.consents import State, channels_of, record_consent, states_of
from customers.models import Consent, Customer
from workbench.base import FormPage
from workbench.forms.customers import ALL_CHANNELS, ConsentForm
from workbench.timeline import CONSENT_TONES
from workbench.views.customers_base import CustomerMixin, CustomerPage, head, page_of

LEDGER_SHOWN = 200


def consents(customer: Customer, now: dt.datetime) -> dict[str, Any]:
    """Return the present states, channels of a purpose about which the same holds together, and the ledger."""
    together: dict[tuple[Any, str], list[State]] = {}
    for state in states_of(customer, now=now):
        together.setdefault((state.purpose, state.explanation), []).append(state)
    states = [
        (purpose, {"channels": ", ".join(str(one.channel.label) for one in same), "state": same[0]})
        for (purpose, _explanation), same in together.items()
    ]
    ledger = Consent.objects.filter(customer=customer).select_related("purpose", "source")
    shown = ledger.order_by("-event_at", "-pk")[:LEDGER_SHOWN]
    return {"states": states, "ledger": [(row, CONSENT_TONES.get(row.state, "neutral")) for row in shown]}


class CustomerConsents(CustomerPage):
    permission = "view_customers"
    template_name = "workbench/customers_consents.html"
    part = "consents"

    def get_context(self, **extra: Any) -> dict[str, Any]:
        return super().get_context(form=ConsentForm(), **consents(self.object, self.now), **extra)


class ConsentRecord(CustomerMixin, FormPage[ConsentForm]):
    """Add what was said; for all channels it is a row each. What is not in order comes back in the same page."""

    permission = "change_customers"
    template_name = "workbench/customers_consents.html"
    form_class = ConsentForm
    http_method_names = ["post"]

    def get_title(self) -> str:
        return str(self.object)

    def get_context(self, **extra: Any) -> dict[str, Any]:
        shown = head(self.object, "consents", self.now) | consents(self.object, self.now)
        return super().get_context(object=self.object, **shown, **extra)

    def perform(self, form: ConsentForm) -> str:
        said = form.cleaned_data
        purpose = said["purpose"]
        channels = channels_of(purpose) if said["channel"] == ALL_CHANNELS else [said["channel"]]
        for channel in channels:
            record_consent(
                self.object,
                purpose=purpose,
                channel=channel,
                state=said["state"],
                source_code=said["source"],
                actor=self.user.get_full_name() or self.user.get_username(),
                event_at=said["event_at"] or self.now,
                wording_version=said["wording_version"],
                evidence={"note": said["note"]} if said["note"] else None,
            )
        messages.success(self.request, _("This has been recorded and holds from now on."))
        return page_of(self.object, "consents")
