"""What the criteria about mailings share: which mailings are meant, in which window, and how that is said."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Literal, TypeVar

from django import forms
from django.db.models import Model, Q, QuerySet
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from common.errors import Refused
from common.remembering import remembered
from common.time import local_date
from customers.criteria import wording
from customers.criteria.moments import day_of
from customers.criteria.several import Codes, Ids, SeveralCriterion
from customers.criteria.windows import WindowForm, WindowParams
from customers.models import Purpose
from mailings.models import Mailing, Message

SHOWN = 300  # mailings to choose from, the latest first
GROUP = gettext_lazy("Mailings")

M = TypeVar("M", bound=Model)

ORIGINS = {
    "action": gettext_lazy("by hand, an action"),
    "trigger": gettext_lazy("a trigger"),
    "step": gettext_lazy("a step of a campaign"),
    "edition": gettext_lazy("a newsletter"),
}
BY_CHANNEL = {
    "email": gettext_lazy("by e-mail"),
    "post": gettext_lazy("by letter"),
    "sms": gettext_lazy("by text message"),
    "phone": gettext_lazy("by telephone"),
}


class MailingParams(WindowParams):
    """Mailings by id, purpose, where they come from and channel (none: any), and a window."""

    mailing: Ids = ()
    purpose: Codes = ()
    origin: tuple[Literal["action", "trigger", "step", "edition"], ...] = ()
    channel: Literal["", "email", "post", "sms", "phone"] = ""


@remembered
def latest() -> list[tuple[int, str]]:
    """Return mailings to choose from, with their day."""
    found = Mailing.objects.order_by("-id").values_list("pk", "name", "created_at")[:SHOWN]
    return [(pk, f"{name} ({local_date(at):%d-%m-%Y})") for pk, name, at in found]


@remembered
def purposes() -> wording.Choices:
    """Return the purposes mail can be sent for."""
    return list(Purpose.objects.values_list("code", "name"))


class MailingForm(WindowForm):
    mailing = forms.TypedMultipleChoiceField(
        label=gettext_lazy("Mailing"),
        coerce=int,
        required=False,
        choices=latest,
        help_text=gettext_lazy("None chosen: any of them."),
    )
    purpose = forms.MultipleChoiceField(label=gettext_lazy("Purpose"), required=False, choices=purposes)
    origin = forms.MultipleChoiceField(label=gettext_lazy("Came from"), required=False, choices=list(ORIGINS.items()))
    channel = forms.ChoiceField(
        label=gettext_lazy("Channel"),
        required=False,
        choices=[("", gettext_lazy("any channel")), *Message.Channel.choices],
    )

    MAILING = ("mailing", *WindowForm.WINDOW, "purpose", "origin", "channel")
    field_order: tuple[str, ...] = MAILING


class MailingCriterion(SeveralCriterion):
    """What the criteria share: the mailings must exist, and what is in no list is left out."""

    group = GROUP

    def check(self, params: Any) -> None:
        missing = set(params.mailing) - set(Mailing.objects.filter(pk__in=params.mailing).values_list("pk", flat=True))
        if missing:
            message = _("This mailing does not exist (any more). Choose another.")
            raise Refused("unknown_mailing", message, field="mailing")
        wording.require_known(params.purpose, dict(purposes()), field="purpose")


def of_mailings(rows: QuerySet[M], params: MailingParams, through: str = "") -> QuerySet[M]:
    """Keep the messages or decisions of the mailings that are meant; ``through`` leads to the message, as "message__"
    does from a click.
    """
    q = Q()
    if params.mailing:
        q &= Q(**{f"{through}mailing__in": params.mailing})
    if params.purpose:
        q &= Q(**{f"{through}mailing__purpose__code__in": params.purpose})
    if params.origin:
        q &= from_origins(params, f"{through}mailing__origin")
    if params.channel:
        q &= Q(**{f"{through}channel": params.channel})
    return rows.filter(q)


def from_origins(params: MailingParams, field: str) -> Q:
    """Return the condition that a mailing comes from one of the chosen origins ("step:12" is of a step)."""
    q = Q()
    for origin in params.origin:
        q |= Q(**{f"{field}__startswith": f"{origin}:"})
    return q


def mailing_words(params: MailingParams, *, none: bool = False) -> str:
    """Return which mailings are meant: "the mailing “Spring”", "a message (Marketing, by letter)".

    With ``none`` as what somebody has none of: "no message", "none of the mailings “Spring” and “Summer”".
    """
    name = _("no message") if none else _("a message")
    if params.mailing:
        names = dict(Mailing.objects.filter(pk__in=params.mailing).values_list("pk", "name"))
        titles = [names.get(pk, "?") for pk in params.mailing]
        name = _none_of(titles) if none else wording.one_of(_("the mailing “%(name)s”") % {"name": n} for n in titles)
    parts = []
    if params.purpose:
        parts.append(wording.one_of(wording.named(params.purpose, purposes())))
    if params.origin:
        parts.append(_("from %s") % wording.one_of(ORIGINS[origin] for origin in params.origin))
    if params.channel:
        parts.append(str(BY_CHANNEL[params.channel]))
    return f"{name} ({', '.join(parts)})" if parts else name


def _none_of(titles: Sequence[str]) -> str:
    if len(titles) == 1:
        return _("not the mailing “%(name)s”") % {"name": titles[0]}
    first = ", ".join(f"“{title}”" for title in titles[:-1])
    return _("none of the mailings %(first)s and %(last)s") % {"first": first, "last": f"“{titles[-1]}”"}


def seen_last(rows: QuerySet[Any], field: str) -> str:
    """Return how many rows there are of one customer and the last of them, with its mailing; "never" of none."""
    times = rows.count()
    last = rows.order_by(f"-{field}").values_list(field, "mailing__name").first()
    if last is None:
        return _("never")
    values = {"n": times, "day": day_of(last[0]), "name": last[1]}
    return _("%(n)d ×, last on %(day)s: “%(name)s”") % values
