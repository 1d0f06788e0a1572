"""The four base campaigns to start with: drafts in Dutch that a library makes its own before it starts them.

The texts are data, in the language of the customers; staff change them like any other.
"""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from itertools import count
from typing import TYPE_CHECKING, Any

from django.db import transaction
from django.utils.translation import gettext as _

from campaigns.actions import add_step, create_action, create_campaign, create_trigger
from campaigns.models import Action, Campaign, Trigger
from common.errors import Refused
from customers.models import Purpose
from mailings.actions import save_content
from mailings.models import Mailing
from selections.actions import create_selection
from selections.models import Selection

if TYPE_CHECKING:
    from django.contrib.auth.models import User

MARKETING, SERVICE = "marketing", "service"


@dataclass(frozen=True)
class Audience:
    """A selection that a campaign needs: its name and the one criterion it consists of."""

    name: str
    criterion: str
    params: dict[str, Any]


@dataclass(frozen=True)
class Letter:
    """One step: on which day, for which purpose, and what it says. A blank line parts paragraphs."""

    day: int
    name: str
    subject: str
    text: str
    purpose: str = MARKETING
    channels: str = Mailing.Channels.EMAIL


@dataclass(frozen=True)
class Plan:
    """One base campaign, with the trigger that brings people in; ``only_for`` narrows it."""

    kind: str
    name: str
    goal: str
    trigger_name: str
    trigger_kind: str
    trigger_params: dict[str, Any]
    letters: tuple[Letter, ...]
    leave_when: Audience | None = None
    may_reenter: bool = True
    only_for: Audience | None = None


HAS_SUBSCRIPTION = Audience("Heeft een lopend abonnement", "subscriptions.has", {})
BORROWED_LATELY = Audience(
    "Leende in de afgelopen 30 dagen", "facts.count", {"kind": "loan", "op": "at_least", "times": 1, "within_days": 30}
)

PLANS = (
    Plan(
        kind=Campaign.Kind.WELCOME,
        name="Welkom",
        goal="Nieuwe leden leren in hun eerste drie maanden kennen wat ze met hun lidmaatschap kunnen.",
        trigger_name="Nieuw lid: naar Welkom",
        trigger_kind="subscription_started",
        trigger_params={"days": 1, "which": "first"},
        may_reenter=False,
        letters=(
            Letter(
                0,
                "Welkom: de eerste dag",
                "Welkom bij {{ organisation }}",
                """
                Beste {{ salutation }},

                Fijn dat u lid bent geworden. Met uw pas (nummer {{ customer_number }}) leent u in al onze
                vestigingen. Uw vestiging is {{ branch_name }}.

                U kiest zelf waarover u van ons wilt horen. Onderaan elke e-mail van ons staat een persoonlijke link
                waarmee dat kan; aan de balie kan het ook.
                """,
                purpose=SERVICE,
                channels=Mailing.Channels.EMAIL_OR_LETTER,
            ),
            Letter(
                14,
                "Welkom: na twee weken",
                "Haalt u alles uit uw lidmaatschap?",
                """
                Beste {{ salutation }},

                U bent nu twee weken lid. Wist u dat u ook e-books leent, kunt reserveren wat uitgeleend is en
                welkom bent bij onze activiteiten?

                Loop eens binnen bij {{ branch_name }}: wij denken graag met u mee.
                """,
            ),
            Letter(
                90,
                "Welkom: na drie maanden",
                "Drie maanden lid: hoe bevalt het?",
                """
                Beste {{ salutation }},

                U bent drie maanden lid. Wij horen graag wat u ervan vindt en wat u nog mist.

                Beantwoord gerust dit bericht, of vertel het ons aan de balie.
                """,
            ),
        ),
    ),
    Plan(
        kind=Campaign.Kind.LOYALTY,
        name="Loyaliteit",
        goal="Trouwe leden laten merken dat wij ze zien, zodat ze lid blijven en over ons vertellen.",
        trigger_name="Jubileum: naar Loyaliteit",
        trigger_kind="membership_years",
        trigger_params={"years": "1, 5, 10, 25, 40", "counted_from": "subscription"},
        only_for=HAS_SUBSCRIPTION,
        letters=(
            Letter(
                0,
                "Loyaliteit: bedankt",
                "Vandaag vieren wij uw lidmaatschap",
                """
                Beste {{ salutation }},

                Vandaag vieren wij een jubileum: het uwe. Dank u wel dat u lid bent van {{ organisation }}.

                Zonder leden geen bibliotheek. Wij hopen u nog lang te zien in {{ branch_name }}.
                """,
            ),
            Letter(
                30,
                "Loyaliteit: vertel het verder",
                "Kent u iemand die ook van lezen houdt?",
                """
                Beste {{ salutation }},

                Veel nieuwe leden komen bij ons omdat iemand hun over de bibliotheek vertelde. Kent u iemand voor
                wie een lidmaatschap iets is? Neem diegene eens mee naar {{ branch_name }}.
                """,
            ),
        ),
    ),
    Plan(
        kind=Campaign.Kind.RETENTION,
        name="Retentie",
        goal="Leden die niet meer lenen weer laten ontdekken wat wij hebben, voordat ze opzeggen.",
        trigger_name="Half jaar niet geleend: naar Retentie",
        trigger_kind="fact_days_ago",
        trigger_params={"kind": "loan", "days": 180, "which": "last"},
        only_for=HAS_SUBSCRIPTION,
        leave_when=BORROWED_LATELY,
        letters=(
            Letter(
                0,
                "Retentie: wij missen u",
                "Wij hebben u al even niet gezien",
                """
                Beste {{ salutation }},

                Het is een tijd geleden dat u iets leende. Er staat veel nieuws in {{ branch_name }}.

                Weet u niet waar te beginnen? Onze medewerkers geven u graag een tip.
                """,
            ),
            Letter(
                21,
                "Retentie: kunnen wij helpen?",
                "Kunnen wij iets voor u doen?",
                """
                Beste {{ salutation }},

                Past het lidmaatschap nog bij u? Misschien is een ander abonnement handiger, of leent u liever
                e-books.

                Beantwoord dit bericht of kom langs: wij zoeken samen wat bij u past.
                """,
            ),
        ),
    ),
    Plan(
        kind=Campaign.Kind.WINBACK,
        name="Winback",
        goal="Oud-leden die er niets op tegen hebben, uitnodigen om terug te komen.",
        trigger_name="Maand na opzeggen: naar Winback",
        trigger_kind="subscription_ended",
        trigger_params={"days": 30},
        leave_when=HAS_SUBSCRIPTION,
        letters=(
            Letter(
                0,
                "Winback: wij zouden u graag terugzien",
                "Wij zouden u graag terugzien",
                """
                Beste {{ salutation }},

                Een maand geleden stopte uw lidmaatschap. Jammer dat u weg bent, en dank voor de tijd dat u lid was.

                U bent altijd welkom om in {{ branch_name }} te lezen of te werken. Weer lid worden kan aan de balie
                en op onze website.
                """,
                channels=Mailing.Channels.EMAIL_OR_LETTER,
            ),
            Letter(
                60,
                "Winback: wat er nieuw is",
                "Er is veel nieuws in de bibliotheek",
                """
                Beste {{ salutation }},

                Sinds u weg bent is er veel bijgekomen: boeken, activiteiten en plekken om te werken.

                Komt u eens kijken? Wie weer lid wordt, houdt zijn oude klantnummer.
                """,
            ),
        ),
    ),
)


@transaction.atomic
def install_standard_campaigns(*, by: User | None, now: dt.datetime) -> list[Campaign]:
    """Make those of the four base campaigns that are not there yet, as drafts with their triggers off; return them.

    Raises Refused when a purpose they need was removed.
    """
    present = set(Campaign.objects.exclude(state=Campaign.State.FINISHED).values_list("kind", flat=True))
    return [_install(plan, by=by, now=now) for plan in PLANS if plan.kind not in present]


def _install(plan: Plan, *, by: User | None, now: dt.datetime) -> Campaign:
    campaign = create_campaign(
        name=_free_name(Campaign.objects, plan.name),
        kind=plan.kind,
        goal=plan.goal,
        leave_when=_selection(plan.leave_when, by=by, now=now),
        may_reenter=plan.may_reenter,
        by=by,
        now=now,
    )
    for letter in plan.letters:
        add_step(campaign, action=_action(letter, by=by, now=now), day=letter.day, by=by, now=now)
    create_trigger(
        name=_free_name(Trigger.objects, plan.trigger_name),
        kind=plan.trigger_kind,
        params=plan.trigger_params,
        selection=_selection(plan.only_for, by=by, now=now),
        campaign=campaign,
        by=by,
        now=now,
    )
    return campaign


def _action(letter: Letter, *, by: User | None, now: dt.datetime) -> Action:
    """Return the action of that name, so that a draft thrown away and made again does not double its actions."""
    known = Action.objects.in_use().filter(name=letter.name).first()
    if known:
        return known
    action = create_action(
        name=_free_name(Action.objects, letter.name),
        purpose=_purpose(letter.purpose),
        channels=letter.channels,
        by=by,
        now=now,
    )
    text = "".join(f"<p>{' '.join(paragraph.split())}</p>" for paragraph in letter.text.strip().split("\n\n"))
    blocks = [{"type": "text", "data": {"text": text}}]
    save_content(action.content, name=action.name, subject=letter.subject, blocks=blocks, by=by, now=now)
    return action


def _selection(audience: Audience | None, *, by: User | None, now: dt.datetime) -> Selection | None:
    if audience is None:
        return None
    condition = {"criterion": audience.criterion, "params": audience.params}
    known = Selection.objects.filter(name=audience.name).first()
    rule = {"version": 2, "op": "all", "children": [condition]}
    return known or create_selection(name=audience.name, rule=rule, by=by, now=now)


def _purpose(code: str) -> Purpose:
    purpose = Purpose.objects.filter(code=code).first()
    if purpose is None:
        raise Refused("no_purpose", _("The purpose “%s” does not exist. Have it made first.") % code)
    return purpose


def _free_name(manager: Any, name: str) -> str:
    taken = set(manager.filter(name__startswith=name).values_list("name", flat=True))
    return name if name not in taken else next(free for n in count(2) if (free := f"{name} {n}") not in taken)
