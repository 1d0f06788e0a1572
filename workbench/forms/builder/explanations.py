"""One line on each criterion for the menu: what it asks, in words a marketeer knows."""

from __future__ import annotations

from typing import Any

from django.utils.translation import gettext_lazy as _

from common.criteria import Criterion
from customers.criteria.fields.choices import ChoiceCriterion
from customers.criteria.fields.dates import DateCriterion, MomentCriterion
from customers.criteria.fields.numbers import CentsCriterion, NumberCriterion
from customers.criteria.fields.texts import TextCriterion

EXPLANATIONS: dict[str, Any] = {
    "customer.kind": _("Member, newsletter only, prospect or former member"),
    "customer.branch": _("The branch somebody belongs to"),
    "customer.no_branch": _("Nobody knows yet which branch they belong to"),
    "customer.age": _("In whole years, today"),
    "customer.birthday": _("Today, tomorrow, or in so many days"),
    "customer.gender": _("As the library registered it"),
    "customer.registered": _("How long they have been known to us"),
    "customer.place": _("Where they live: town, or the first figures of the postal code"),
    "customer.household": _("With how many they live at one address"),
    "customer.reachable": _("Whether there is an address to reach them at; not whether you may"),
    "customer.note": _("What colleagues wrote down, and whether somebody spoke to them"),
    "customer.source": _("Which system they come from: library, theatre, website"),
    "consents.allowed": _("Whether you may reach them for a purpose, by a channel"),
    "consents.said": _("Said yes, no or nothing, themselves or through their parents, and when"),
    "subscriptions.has": _("A subscription that runs now, of any type or one you choose"),
    "subscriptions.years": _("How many years they have been a member in all"),
    "subscriptions.ends": _("The end date comes within so many days"),
    "subscriptions.ended": _("The end date was in the past so many days"),
    "facts.count": _("Borrowing, visits, tickets, purchases: at least, at most or exactly so often"),
    "facts.none": _("Not one loan, visit, ticket or purchase in a period"),
    "facts.last": _("How long ago it was for the last time"),
    "facts.first": _("When they began with it"),
    "facts.sum": _("Euros, pieces or minutes added up"),
    "labels.has": _("One or all of the labels you choose, at this moment"),
    "labels.not_has": _("None of the labels you choose, at this moment"),
    "labels.had_since": _("Had it at some moment of the past so many days"),
    "mailings.received": _("A message of a mailing, or of any mailing, arrived"),
    "mailings.not_received": _("No message of a mailing, or of any mailing, reached them"),
    "mailings.clicked": _("Followed a link in a message"),
    "mailings.blocked": _("Mail came back, or they complained"),
    "vouchers.open": _("A voucher that can still be used"),
    "vouchers.redeemed": _("Used a voucher, at the counter or in the shop"),
    "vouchers.never_redeemed": _("Got vouchers, but never used one"),
    "campaigns.takes_part": _("Is in the middle of a campaign"),
    "campaigns.completed": _("Went through all steps of a campaign"),
    "campaigns.received": _("Got a message of an action"),
    "selections.in": _("Build on a selection that was saved before"),
    "selections.in_set": _("Was in a selection on the day its members were kept"),
    "quality.missing": _("No e-mail address, postal code, birth date and the like"),
    "quality.invalid": _("An address or number that cannot be right"),
    "quality.double": _("Looks like another customer"),
    "quality.stale": _("No sign of life for years"),
    "quality.deceased": _("Registered as deceased"),
    "quality.post": _("Letters do not arrive any more"),
    "quality.unguarded": _("Too young to decide alone, and no parent is known"),
    "quality.wordless": _("A yes of which it is not known what was asked"),
    "quality.absent": _("Was in earlier deliveries of a source, but not in the latest"),
    "customer.anniversary": _(
        "Birthday, or so many years a member: today, or in a period; the tenth, the twenty-fifth"
    ),
    "household.children": _("Adults and others with children at the same address"),
    "customer.distance": _("As the crow flies, from where they live"),
    "customer.nearest_branch": _("The branch that is nearest to where they live"),
    "customer.value": _("Compare a number that is known of everybody: age, how often ever, customer value"),
    "facts.then": _("One thing, and after that another: bought something, then visited the site twice"),
    "facts.interval": _("The usual number of days between two visits"),
    "facts.due": _("Later than they usually are, by their own rhythm"),
    "labels.held_for": _("Has had it for so many days or longer"),
    "labels.got": _("The day on which they got a label"),
    "labels.lost": _("The day on which a label ended"),
    "labels.of_group": _("Any label of a group, or none of it"),
    "labels.moved": _("From one label of a group to another, in a period"),
    "vouchers.received": _("Was given a voucher, used or not"),
    "vouchers.unused": _("A voucher that was given and not used"),
    "vouchers.expires": _("A voucher that can be used until a day that comes soon"),
    "vouchers.refused": _("Tried to use a voucher that was not accepted"),
    "mailings.opened": _("Only of those who let us see that"),
    "mailings.failed": _("A message that could not be delivered"),
    "mailings.unsubscribed": _("Used the link to stop at the end of a message"),
    "mailings.held_back": _("Would have got a message, but was left out, and why"),
    "mailings.hold_out": _("Deliberately got nothing, to compare with"),
    "campaigns.took_part": _("Was in a campaign in some period, finished or not"),
    "campaigns.left": _("Went out of a campaign before its end, and why"),
    "campaigns.step": _("Has come to a step of a campaign"),
}

#: Fields are many, and asked about in the same way when they hold the same.
_OF_FIELDS: tuple[tuple[type[Criterion], Any], ...] = (
    (TextCriterion, _("Exactly so, begins or ends with, holds; or filled in or not")),
    (CentsCriterion, _("At least, at most, between two amounts; or filled in or not")),
    (NumberCriterion, _("At least, at most, between two numbers; or filled in or not")),
    (MomentCriterion, _("In a period, before or after a day")),
    (DateCriterion, _("In a period, before or after a day; or filled in or not")),
    (ChoiceCriterion, _("One or more out of a list, or none of these")),
)


def explanation_of(criterion: Criterion) -> str:
    """Return the line of a criterion, in the active language; empty when nobody wrote one."""
    told = EXPLANATIONS.get(criterion.code)
    if told is None:
        told = next((words for kind, words in _OF_FIELDS if isinstance(criterion, kind)), "")
    return str(told)
