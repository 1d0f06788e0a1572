"""What the gate says about candidates: how many per reason, who they are, and what would change it."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass, replace
from typing import Any, NamedTuple

from django.contrib.auth.models import User
from django.core.paginator import Paginator
from django.db.models import QuerySet
from django.utils.translation import gettext_lazy as _

from customers.models import Customer
from mailings import gate
from mailings.actions import may_need_approval
from mailings.gate import Terms, preview
from mailings.models import Decision, Mailing, SendingSettings
from workbench.base import ROWS_PER_PAGE, TemplatePage, Text
from workbench.menu import address

Outcome = Decision.Outcome
WITH_LETTERS = (Mailing.Channels.LETTER, Mailing.Channels.EMAIL_OR_LETTER)


class Remedy(NamedTuple):
    """What would change an outcome, and the page where that is done."""

    words: Text
    link: Text = ""
    url_name: str = ""
    permission: str = ""


REMEDIES = {
    Outcome.RESTRICTED: Remedy(_("Only ending the restriction, at the customer, under Privacy.")),
    Outcome.NO_PERMISSION: Remedy(
        _("Ask for permission: in MijnMenu, at the counter, or by letter where post is allowed."),
        _("What each purpose asks"),
        "workbench:purpose_list",
        "manage_users",
    ),
    Outcome.WITHDRAWN: Remedy(
        _("Only a new yes of the customer. Choose another purpose only when it truly is another.")
    ),
    Outcome.OBJECTION: Remedy(_("Only the customer can take an objection back.")),
    Outcome.NO_ADDRESS: Remedy(
        _("Ask for an address, or choose “e-mail, or a letter when there is no e-mail address”."),
        _("Who lacks which data"),
        "workbench:quality",
        "view_customers",
    ),
    Outcome.POST_RETURNED: Remedy(
        _("Ask for the new address: as soon as it changes, letters go there again."),
        _("Returned post"),
        "workbench:post_return_list",
        "change_customers",
    ),
    Outcome.SUPPRESSED: Remedy(
        _("Release the address when the customer says that it works again, or ask for another."),
        _("Blocked addresses"),
        "workbench:suppression_list",
        "manage_mailings",
    ),
    Outcome.UNDER_AGE: Remedy(
        _("Being old enough, or the yes of a parent. The minimum age is a setting."),
        _("Sending"),
        "workbench:sending_settings",
        "manage_users",
    ),
    Outcome.WAITS: Remedy(
        _("They get it by themselves when it is their turn. A higher priority lets it go before others."),
        _("Limits on messages"),
        "workbench:sending_settings",
        "manage_users",
    ),
    Outcome.FREQUENCY_CAP: Remedy(
        _("A later day, a higher priority, more days to wait, or a wider limit."),
        _("Limits on messages"),
        "workbench:sending_settings",
        "manage_users",
    ),
    Outcome.HOLD_OUT: Remedy(
        _("A smaller control group. Then there is less to measure by."),
        _("Sending"),
        "workbench:sending_settings",
        "manage_users",
    ),
    Outcome.DUPLICATE: Remedy(_("An address of their own: at each mailbox one message is enough.")),
}


@dataclass(frozen=True)
class Funnel:
    """``rows`` are for c-bars, the accepted first; ``total`` is the number of candidates."""

    rows: list[dict[str, Any]]
    total: int
    accepted: int
    remedies: list[dict[str, Any]]
    letters: int = 0  # envelopes, where some of it goes by post
    letter_cents: int = 0  # what they cost together; 0 when nobody said what one costs
    needs_approval: bool = False  # sent at once to so many, it waits for a colleague


def gate_funnel(terms: Terms, *, candidates: QuerySet[Customer], people: str, user: User, now: dt.datetime) -> Funnel:
    """``people`` is the address of the page with the people behind a row, to which the outcome is added."""
    identity = SendingSettings.load()
    if terms.channels in WITH_LETTERS:
        counts, letters = gate.preview_with_letters(terms, candidates=candidates, now=now)
    else:
        counts, letters = preview(terms, candidates=candidates, now=now), 0
    may_get_it = counts.get(Outcome.ACCEPTED, 0) + counts.get(Outcome.WAITS, 0)
    return replace(
        funnel_of(counts, people=people, user=user),
        letters=letters,
        letter_cents=letters * identity.letter_cents,
        needs_approval=may_need_approval(terms.purpose, identity) and may_get_it >= identity.approval_from,
    )


def funnel_of(counts: dict[str, int], *, people: str, user: User) -> Funnel:
    tones = {Outcome.ACCEPTED: "success", Outcome.WAITS: "brand"}
    found = [Outcome(outcome) for outcome in Outcome.values if outcome in counts]
    rows = [
        {
            "label": outcome.label,
            "value": counts[outcome],
            "url": f"{people}{'' if people.endswith('?') else '&'}outcome={outcome}",
            "tone": tones.get(outcome, "neutral"),
        }
        for outcome in found
    ]
    remedies = [told for outcome in found if (told := remedy_of(outcome, user))]
    return Funnel(rows, sum(counts.values()), counts.get(Outcome.ACCEPTED, 0), remedies)


def remedy_of(outcome: Outcome, user: User) -> dict[str, Any] | None:
    remedy = REMEDIES.get(outcome)
    if remedy is None:
        return None
    may_go = remedy.permission and user.has_perm(f"common.{remedy.permission}")
    url = address(remedy.url_name) if may_go else ""
    return {"label": outcome.label, "words": remedy.words, "link": remedy.link, "url": url}


class FunnelPeople(TemplatePage):
    """The people behind one row of a funnel, a page of them at a time; ``?outcome=`` says which."""

    abstract = True
    template_name = "workbench/funnel_people.html"

    def get_terms(self) -> Terms:
        raise NotImplementedError

    def get_candidates(self) -> QuerySet[Customer]:
        raise NotImplementedError

    def number(self, name: str) -> int:
        """The whole number in the address; 0 when there is none."""
        given = self.request.GET.get(name, "")
        return int(given) if given.isascii() and given.isdigit() and len(given) < 10 else 0

    @property
    def outcome(self) -> Outcome:
        given = self.request.GET.get("outcome", "")
        return Outcome(given) if given in Outcome.values else Outcome.ACCEPTED

    def get_title(self) -> str:
        return str(self.outcome.label)

    def get_context(self, **extra: Any) -> dict[str, Any]:
        first = (max(self.number("page"), 1) - 1) * ROWS_PER_PAGE
        total, ids = gate.people(
            self.get_terms(),
            self.outcome,
            candidates=self.get_candidates(),
            first=first,
            count=ROWS_PER_PAGE,
            now=self.now,
        )
        people = Customer.objects.filter(pk__in=ids).select_related("branch").order_by("pk")
        page = Paginator(range(total), ROWS_PER_PAGE).get_page(self.number("page") or 1)
        return super().get_context(people=people, page=page, remedy=remedy_of(self.outcome, self.user), **extra)
