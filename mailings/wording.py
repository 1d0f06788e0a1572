"""What the gate decided about one customer in a whole sentence: the reason, and the rule that it follows from."""

from __future__ import annotations

from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext

from customers.consents.rules import CONSENT, CUSTOMER_RELATION, LEGITIMATE_INTEREST, SERVICE
from mailings.models import Decision, EarlierDecision, Message

Outcome = Decision.Outcome

_ACCEPTED = {
    CONSENT: gettext_lazy("May be reached: said yes to “%(purpose)s”."),
    CUSTOMER_RELATION: gettext_lazy("May be reached as a paying customer, and has not said no to “%(purpose)s”."),
    SERVICE: gettext_lazy("May be reached: this is a message that belongs to the service."),
    LEGITIMATE_INTEREST: gettext_lazy(
        "May be reached: the library has a legitimate interest, and there is no objection."
    ),
}
_REASONS = {
    Outcome.RESTRICTED: gettext_lazy("The use of these data is restricted, so nothing is sent."),
    Outcome.DECEASED: gettext_lazy("This customer has died."),
    Outcome.NO_PERMISSION: gettext_lazy("“%(purpose)s” asks for permission, and there was none."),
    Outcome.WITHDRAWN: gettext_lazy("Has said no to “%(purpose)s”."),
    Outcome.OBJECTION: gettext_lazy("Has objected to “%(purpose)s”."),
    Outcome.NO_ADDRESS: gettext_lazy("There was no usable address for this channel."),
    Outcome.POST_RETURNED: gettext_lazy("Post to this address came back, or the customer has left it."),
    Outcome.SUPPRESSED: gettext_lazy(
        "The address is blocked: mail came back, was reported as spam, or you blocked it."
    ),
    Outcome.UNDER_AGE: gettext_lazy("Is a child that said yes itself; a parent has to."),
    Outcome.DUPLICATE: gettext_lazy("Somebody else gets this message at the same address; one is enough."),
}


def words_of(decision: Decision | EarlierDecision, *, purpose: str) -> str:
    """Return the sentence about a decision of a mailing for this purpose; until when somebody waits is not in it."""
    outcome, rule = Outcome(decision.outcome), decision.rule
    told = {"purpose": purpose}
    if outcome == Outcome.ACCEPTED:
        basis = decision.basis if isinstance(decision, Decision) else ""
        return str(_ACCEPTED.get(basis, outcome.label)) % told
    if outcome == Outcome.UNDER_AGE and rule:
        return _("Was younger than %(age)s, the lowest age for these messages.") % {"age": rule}
    if outcome == Outcome.HOLD_OUT and rule:
        return _hold_out(rule)
    if outcome in {Outcome.WAITS, Outcome.FREQUENCY_CAP} and rule:
        limit = {"limit": _limit(rule)}
        if outcome == Outcome.WAITS:
            return _("Has had enough for now, and waits for a turn. The limit: %(limit)s.") % limit
        return _("Had had enough, and no turn came in time. The limit: %(limit)s.") % limit
    return str(_REASONS.get(outcome, outcome.label)) % told


def _hold_out(rule: str) -> str:
    percent, _slash, own = rule.partition("/")
    if own:
        words = _("In the control group of this action, campaign or newsletter: %(percent)s%% gets nothing of it.")
    else:
        words = _("In the general control group: %(percent)s%% gets nothing but service messages.")
    return words % {"percent": percent}


def _limit(rule: str) -> str:
    """Return a limit as ``caps`` wrote it down, "3/7/own/email", in words."""
    messages, days, whose, channel = rule.split("/")
    words = ngettext("%(messages)s message in %(days)s days", "%(messages)s messages in %(days)s days", int(messages))
    parts = [words % {"messages": messages, "days": days}]
    if whose:
        parts.append(_("of this purpose"))
    if channel:
        parts.append(str(dict(Message.Channel.choices).get(channel, channel)).lower())
    return ", ".join(parts)
