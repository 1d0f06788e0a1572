"""What a customer receives: the overview, preferences, newsletters, interests, and saying no to everything."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from typing import Any, TypeVar

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.utils.formats import date_format
from django.utils.timezone import localtime
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext

from common.time import local_date
from customers import consents
from customers.models import Consent, Customer, Purpose, Wording
from labels.models import Label
from mijnmenu import actions
from mijnmenu.actions.choices import may_choose
from mijnmenu.views.base import CustomerView
from newsletter.models import Newsletter
from vouchers.models import Voucher
from website.models import Site

T = TypeVar("T")
HISTORY = 10
LEDGER = 500
CHANNELS = {
    "email": gettext_lazy("by e-mail"),
    "post": gettext_lazy("by post"),
    "phone": gettext_lazy("by telephone"),
    "sms": gettext_lazy("by text message (SMS)"),
}


@dataclass(frozen=True)
class Switch:
    """One purpose over one channel, as a box to tick. ``value`` is ``code:channel``."""

    value: str
    label: str
    why: str
    is_on: bool
    is_closed: bool = False  # a child cannot switch it on itself


@dataclass(frozen=True)
class Told:
    """An answer of the ledger in plain words."""

    at: dt.datetime
    said: str
    about: str
    through: str
    confirmed: str


class Overview(CustomerView):
    part = "index"
    template_name = "mijnmenu/index.html"

    def get(self, request: HttpRequest) -> HttpResponse:
        states = consents.states_of(self.customer, now=self.now)
        vouchers = Voucher.objects.filter(customer=self.customer)
        return self.show(
            websites=Site.objects.with_pages(),
            allowed=sum(state.is_allowed and may_choose(state.purpose) for state in states),
            subscriptions=[one for one, is_subscribed in newsletters_of(self.customer, now=self.now) if is_subscribed],
            chosen=chosen_labels(self.customer),
            open_vouchers=vouchers.open(on=local_date(self.now)).count(),
        )


class Preferences(CustomerView):
    part = "preferences"
    template_name = "mijnmenu/preferences.html"

    def get(self, request: HttpRequest) -> HttpResponse:
        newsletters = set(Newsletter.objects.values_list("purpose_id", flat=True))
        words = wordings(self.now)
        groups: dict[Purpose, list[Switch]] = {}
        services: list[Purpose] = []
        for state in consents.states_of(self.customer, now=self.now):
            if may_choose(state.purpose) and state.purpose.pk not in newsletters:
                state.purpose.description = words.get(state.purpose.pk, state.purpose.description)
                groups.setdefault(state.purpose, []).append(_switch(state))
            elif state.purpose.is_public and state.purpose.rule == Purpose.Rule.SERVICE:
                services = [*services, *([] if state.purpose in services else [state.purpose])]
        said = told(self.customer, HISTORY + 1)
        return self.show(
            groups=list(groups.items()),
            services=services,
            history=said[:HISTORY],
            has_more=len(said) > HISTORY,
            read=stamp(self.now),
        )

    def post(self, request: HttpRequest) -> HttpResponse:
        wanted = _read(request, _pairs(request, "wanted"), allowed_pairs(self.customer, self.now), self.now)
        changed = actions.save_preferences(self.customer, shown=_pairs(request, "shown"), wanted=wanted, now=self.now)
        _tell(request, changed)
        return redirect("mijnmenu:preferences")


class Said(CustomerView):
    """Everything the customer, or a parent, ever allowed or refused."""

    part = "preferences"
    template_name = "mijnmenu/said.html"

    def get(self, request: HttpRequest) -> HttpResponse:
        return self.show(history=told(self.customer, LEDGER))


class Children(CustomerView):
    part = "children"
    template_name = "mijnmenu/children.html"

    def get(self, request: HttpRequest) -> HttpResponse:
        words = wordings(self.now)
        children = [(child, self.groups(child, words)) for child in actions.wards_of(self.customer, now=self.now)]
        return self.show(children=children, read=stamp(self.now))

    def groups(self, child: Customer, words: dict[int, str]) -> list[tuple[Purpose, list[Switch]]]:
        found: dict[Purpose, list[Switch]] = {}
        for state in consents.states_of(child, now=self.now):
            if may_choose(state.purpose):
                state.purpose.description = words.get(state.purpose.pk, state.purpose.description)
                found.setdefault(state.purpose, []).append(_switch(state, for_parent=True))
        return list(found.items())


class ChildPreferences(CustomerView):
    part = "children"
    http_method_names = ["post"]

    def post(self, request: HttpRequest, pk: int) -> HttpResponse:
        child = get_object_or_404(actions.wards_of(self.customer, now=self.now), pk=pk)
        changed = actions.save_preferences(
            child,
            shown=_pairs(request, "shown"),
            wanted=_read(request, _pairs(request, "wanted"), allowed_pairs(child, self.now), self.now),
            now=self.now,
            guardian=self.customer,
        )
        _tell(request, changed)
        return redirect("mijnmenu:children")


class Newsletters(CustomerView):
    part = "newsletters"
    template_name = "mijnmenu/newsletters.html"

    def get(self, request: HttpRequest) -> HttpResponse:
        child = consents.is_child(self.customer.birth_date, on=local_date(self.now))
        words = wordings(self.now)
        newsletters = [
            (one, is_subscribed, words.get(one.purpose_id, ""))
            for one, is_subscribed in newsletters_of(self.customer, now=self.now)
        ]
        return self.show(
            newsletters=newsletters, address=email_of(self.customer), asks_guardian=child, read=stamp(self.now)
        )

    def post(self, request: HttpRequest) -> HttpResponse:
        present = {one.pk for one, is_subscribed in newsletters_of(self.customer, now=self.now) if is_subscribed}
        wanted = _read(request, _ids(request, "wanted"), present, self.now)
        changed = actions.save_subscriptions(self.customer, shown=_ids(request, "shown"), wanted=wanted, now=self.now)
        _tell(request, changed)
        return redirect("mijnmenu:newsletters")


class Objection(CustomerView):
    part = "preferences"
    template_name = "mijnmenu/objection.html"

    def get(self, request: HttpRequest) -> HttpResponse:
        return self.show()

    def post(self, request: HttpRequest) -> HttpResponse:
        actions.object_to_everything(self.customer, now=self.now)
        messages.success(request, _("We no longer send you newsletters, tips and offers. It holds at once."))
        return redirect("mijnmenu:preferences")


def newsletters_of(customer: Customer, *, now: Any) -> list[tuple[Newsletter, bool]]:
    """All newsletters, each with whether the customer gets it."""
    return [
        (newsletter, newsletter.subscribers(now=now).filter(pk=customer.pk).exists())
        for newsletter in Newsletter.objects.filter(is_active=True)
    ]


def chosen_labels(customer: Customer) -> list[Label]:
    """What the customer chose out of the labels that may be chosen."""
    held = customer.label_assignments.filter(until=None).values("label")
    return list(Label.objects.for_customers().filter(pk__in=held))


def email_of(customer: Customer) -> str:
    """The primary e-mail address, or nothing."""
    return (
        customer.contact_points.filter(channel="email", is_primary=True).values_list("value", flat=True).first() or ""
    )


def wordings(now: dt.datetime) -> dict[int, str]:
    """The words to which people say yes now, by the id of the purpose."""
    return {one.purpose_id: one.text for one in Wording.objects.current(now=now)}


def stamp(now: dt.datetime) -> str:
    """Return a mark of the words in use: what somebody read before he answered."""
    used = sorted(Wording.objects.current(now=now).values_list("pk", flat=True))
    return ".".join(map(str, used))


def _read(request: HttpRequest, wanted: set[T], present: set[T], now: dt.datetime) -> set[T]:
    """Return what is wanted; without a new yes when the words have changed since the page was shown: a yes is one to
    the words that were read. A no always counts.
    """
    used = stamp(now)
    if request.POST.get("read", used) == used or not wanted - present:
        return wanted
    messages.warning(request, _("Our texts have just changed. Please read them and choose again."))
    return wanted & present


def allowed_pairs(customer: Customer, now: dt.datetime) -> set[tuple[str, str]]:
    """What is on now, as (code of the purpose, channel)."""
    return {
        (state.purpose.code, str(state.channel)) for state in consents.states_of(customer, now=now) if state.is_allowed
    }


def told(customer: Customer, most: int) -> list[Told]:
    """The customer's ledger in plain words, newest first; at most ``most`` answers."""
    ledger = Consent.objects.filter(customer=customer).select_related("purpose", "source")
    rows = list(ledger.order_by("-event_at", "-id")[:most])
    parents = {row.guardian_id for row in rows if row.guardian_id}
    names = Customer.everyone.in_bulk(parents) if parents else {}
    return [_told(row, names.get(row.guardian_id or 0)) for row in rows]


def _told(row: Consent, guardian: Customer | None) -> Told:
    said = {
        "granted": _("You said yes"),
        "withdrawn": _("You said no"),
        "objected": _("You objected"),
        "retracted": _("A yes from a file was taken back"),
    }[row.state]
    by_parent = {
        "granted": _("%(name)s said yes for you"),
        "withdrawn": _("%(name)s said no for you"),
        "objected": _("%(name)s objected for you"),
    }
    if row.guardian_id and row.state in by_parent:
        said = by_parent[row.state] % {"name": guardian or _("A parent")}
    about = row.purpose.name
    if row.purpose.code not in consents.PROCESSING:
        about = f"{about}, {CHANNELS[row.channel]}"
    confirmed = _("You confirmed it by e-mail.") if row.evidence.get("confirmed_at") else ""
    return Told(row.event_at, said, about, row.source.name, confirmed)


def _switch(state: consents.State, *, for_parent: bool = False) -> Switch:
    value = f"{state.purpose.code}:{state.channel}"
    label = _("Yes, that is fine") if state.purpose.code in consents.PROCESSING else str(CHANNELS[state.channel])
    is_closed = state.asks_guardian and not for_parent and not state.is_allowed
    return Switch(value, label, _why(state, for_parent=for_parent), state.is_allowed, is_closed)


def _why(state: consents.State, *, for_parent: bool) -> str:
    """Why it is on or off, in words for the customer."""
    day = date_format(localtime(state.consent.event_at)) if state.consent else ""
    if state.verdict == consents.RESTRICTED:
        return _("Off: we do not use your details at the moment, as you asked.")
    if state.asks_guardian and not for_parent and not state.is_allowed:
        return _("Are you under 16? Then a parent or guardian switches this on, on the parent's own page.")
    if state.guardian:
        return _("%(name)s answered on %(day)s.") % {"name": state.guardian, "day": day}
    if for_parent and state.consent is None and not state.is_allowed:
        return _("Nobody has said yes to this.")
    if for_parent and state.basis in (consents.CUSTOMER_RELATION, consents.LEGITIMATE_INTEREST):
        return _("On, because your child is or was a member and nobody objected.")
    if state.basis == consents.CUSTOMER_RELATION:
        return _("On, because you are a paying member and did not say no.")
    if state.basis == consents.LEGITIMATE_INTEREST:
        return _("On, because you are or were a member and did not object.")
    if state.verdict in (consents.UNDER_AGE, consents.DECEASED):
        return _("You did not say yes to this.")
    words = {
        consents.ALLOWED: _("You said yes on %(day)s."),
        consents.WITHDRAWN: _("You said no on %(day)s."),
        consents.OBJECTION: _("You objected on %(day)s."),
        consents.NO_PERMISSION: _("You did not say yes to this."),
    }
    return words[state.verdict] % {"day": day}


def _pairs(request: HttpRequest, name: str) -> set[tuple[str, str]]:
    """Read ``code:channel`` values."""
    parts = (value.partition(":") for value in request.POST.getlist(name))
    return {(code, channel) for code, _colon, channel in parts}


def _ids(request: HttpRequest, name: str) -> set[int]:
    return {int(value) for value in request.POST.getlist(name) if value.isdecimal() and len(value) < 19}


def _tell(request: HttpRequest, changed: int) -> None:
    if changed:
        text = ngettext("Saved: %(count)s change.", "Saved: %(count)s changes.", changed) % {"count": changed}
        messages.success(request, text)
    else:
        messages.info(request, _("Nothing was changed: this is how it was already."))
