"""What the marketeer of Bibliotheek Waterland makes: selections, a voucher, actions, a campaign, triggers.

Everything goes through the actions that the workbench calls. The texts are those of a Dutch library.
"""

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from django.contrib.auth.models import User

from campaigns.actions import (
    activate_trigger,
    add_step,
    create_action,
    create_campaign,
    create_trigger,
    enrol,
    start_campaign,
)
from campaigns.models import Action, Campaign
from common.time import local_date
from customers.models import Purpose
from demo.drawings import draw_evening, draw_logo
from labels.actions import create_group, create_label, follow_rules, give_label, set_rule
from labels.models import Label
from mailings.actions import add_picture, change_sending_settings, save_content, save_style
from mailings.models import Mailing
from newsletter.actions import create_edition, create_newsletter, save_item
from selections.actions import count_selection, create_selection
from selections.compiler import members
from selections.models import Selection
from vouchers.actions import activate, define_voucher
from vouchers.models import Definition

SITE = "https://www.bibliotheekwaterland.example.nl"
INTERESTS = {
    "Voorleesmiddagen": "Voorlezen en knutselen voor kinderen tot 8 jaar.",
    "Schrijversavonden": "Lezingen en gesprekken met schrijvers.",
    "Theater en muziek": "Voorstellingen en concerten in de buurt.",
    "Digitaal leren": "Cursussen over computer, telefoon en DigiD.",
}


@dataclass(frozen=True)
class Maker:
    """Who makes the plans, and when."""

    by: User
    now: dt.datetime

    def settle_sender(self) -> None:
        """Say who sends and how it looks; a demo is looked at at any hour, so it sends at any hour."""
        change_sending_settings(
            organisation="Bibliotheek Waterland", postal_address="Waterlandlaan 40, 1441 MP Purmerend",
            sender_name="Bibliotheek Waterland", sender_email="bibliotheek@example.nl", privacy_url=f"{SITE}/privacy",
            send_from_hour=0, send_until_hour=24, by=self.by,
        )  # fmt: skip
        logo = add_picture(file=draw_logo(), alt="Bibliotheek Waterland", by=self.by, now=self.now)
        social = {"facebook": f"{SITE}/facebook", "instagram": f"{SITE}/instagram"}
        save_style(None, accent="#0b5563", logo=logo, social=social, by=self.by)

    # What people may choose themselves, and one label by hand.

    def make_labels(self) -> None:
        """Create the labels customers choose in MijnMenu."""
        group = create_group(name="Interesses")
        for name, description in INTERESTS.items():
            create_label(
                name=name, description=description, kind=Label.Kind.CUSTOMER, group=group, colour=Label.Colour.GREEN,
                by=self.by, now=self.now,
            )  # fmt: skip

    def label_by_hand(self, selection: Selection) -> None:
        """Give an own label to everybody in a selection, as a batch change does."""
        label = create_label(
            name="Leesclub Spanning", description="Uitnodigen voor de leesclub voor thrillers.",
            kind=Label.Kind.OWN, colour=Label.Colour.BLUE, by=self.by, now=self.now,
        )  # fmt: skip
        give_label(
            label, members(selection, now=self.now), by=self.by.username, reason=str(selection), how="selection",
            through=selection.pk, now=self.now,
        )  # fmt: skip
        self.label_by_rule(selection)

    def label_by_rule(self, selection: Selection) -> None:
        """Let a label follow a selection, in a group whose labels are steps."""
        group = create_group(
            name="Band met ons", description="Hoe ver iemand met ons is, van laag naar hoog.", is_exclusive=True,
            colour=Label.Colour.TEAL, by=self.by,
        )  # fmt: skip
        labels = [
            create_label(
                name=name, description=words, kind=Label.Kind.OWN, group=group, colour=Label.Colour.TEAL, by=self.by,
                now=self.now,
            )
            for name, words in (
                ("Kent ons", "Iedereen die wij kennen."),
                ("Bevlogen", "Wie vaak en graag bij ons is, volgens de selectie die dit label volgt."),
            )
        ]  # fmt: skip
        set_rule(labels[0], rule={"version": 2, "op": "all", "children": []}, by=self.by, now=self.now)
        set_rule(labels[1], selection=selection, by=self.by, now=self.now)
        follow_rules(now=self.now, due_key="demo")

    # Audiences

    def select(
        self, name: str, description: str, *conditions: dict[str, Any], picks: Sequence[dict[str, Any]] = ()
    ) -> Selection:
        """Save a selection of customers who meet all conditions, or of those that are picked of them; and count it."""
        selection = create_selection(
            name=name, description=description, by=self.by, now=self.now,
            rule={"version": 2, "op": "all", "children": list(conditions), "picks": list(picks)},
        )  # fmt: skip
        count_selection(selection, now=self.now)
        return selection

    def select_newcomers(self) -> Selection:
        """Members who registered in the past week."""
        return self.select(
            "Nieuwe leden",
            "Leden die zich de afgelopen week inschreven; zij krijgen de welkomstcampagne.",
            {"criterion": "customer.kind", "params": {"kinds": ["member"]}},
            {"criterion": "customer.registered", "params": {"within_days": 7}},
        )

    def select_members(self) -> Selection:
        """Everybody who is a member."""
        return self.select(
            "Alle leden",
            "Iedereen met een lopend lidmaatschap.",
            {"criterion": "customer.kind", "params": {"kinds": ["member"]}},
        )

    def select_thriller_readers(self) -> Selection:
        """Adults whose first world is suspense and who borrow a lot: labels and facts together."""
        return self.select(
            "Thrillerlezers",
            "Volwassenen met spanning als eerste wereld die het afgelopen half jaar minstens vier keer leenden.",
            {"criterion": "labels.has", "params": {"labels": ["world-1-spanning"]}},
            {"criterion": "customer.age", "params": {"at_least": 18}},
            {"criterion": "facts.count", "params": {"kind": "loan", "within_days": 182, "times": 4}},
        )

    # Birthday

    def define_birthday_voucher(self) -> Definition:
        """Five euros off a theatre ticket, for the customer on it, a month long."""
        definition = define_voucher(
            name="Verjaardagsbon theater",
            purpose="Leden op hun verjaardag laten merken dat wij aan hen denken, en het theater laten ontdekken.",
            conditions="Geldig op één kaartje in het theater. Laat de bon zien aan de balie.",
            benefit="fixed", amount_cents=500, product="theaterkaart", holder=Definition.Holder.CUSTOMER, valid_days=30,
            by=self.by, now=self.now,
        )  # fmt: skip
        return activate(definition, by=self.by)

    def make_birthday_action(self, definition: Definition) -> Action:
        """Congratulations with a voucher, by mail or else by letter; commercial, so it needs permission."""
        return self._action(
            "Verjaardag: gefeliciteerd!",
            "marketing",
            Mailing.Channels.EMAIL_OR_LETTER,
            'Gefeliciteerd, {{ first_name | default: "lezer" }}! Een cadeautje van de bibliotheek',
            ("heading", {"text": 'Van harte gefeliciteerd, {{ first_name | default: "lezer" }}!'}),
            (
                "text",
                {
                    "text": "<div>Vandaag is het feest. Daarom trakteren wij: met de bon hieronder krijgt u €&nbsp;5 "
                    "korting op een kaartje voor het theater.</div>"
                },
            ),
            ("voucher", {"definition": definition.pk}),
            ("button", {"text": "Bekijk de voorstellingen", "url": f"{SITE}/theater/agenda"}),
        )

    def congratulate(self, action: Action, audience: Selection) -> None:
        """Do it on every member's birthday from today on."""
        trigger = create_trigger(
            name="Jarig vandaag", kind="birthday", params={"days_before": 0}, selection=audience, action=action,
            by=self.by, now=self.now,
        )  # fmt: skip
        activate_trigger(trigger, by=self.by, now=self.now)

    # Welcome

    def make_welcome_campaign(self) -> Campaign:
        """Three mails in the first three weeks."""
        campaign = create_campaign(
            name="Welkom bij de bibliotheek",
            kind=Campaign.Kind.WELCOME,
            goal="Nieuwe leden binnen drie weken hun eerste boek laten lenen en de activiteiten laten kennen.",
            by=self.by,
            now=self.now,
        )
        for day, action in ((0, self._welcome()), (7, self._tips()), (21, self._activities())):
            add_step(campaign, action=action, day=day, by=self.by, now=self.now)
        return start_campaign(campaign, by=self.by, now=self.now)

    def welcome(self, campaign: Campaign, newcomers: Selection) -> int:
        """Let this week's newcomers in, and from now on whoever becomes one; return how many came in now."""
        trigger = create_trigger(
            name="Nieuw lid", kind="enters_selection", params={"selection": newcomers.pk}, campaign=campaign,
            by=self.by, now=self.now,
        )  # fmt: skip
        activate_trigger(trigger, by=self.by, now=self.now)
        return enrol(campaign, members(newcomers, now=self.now), by=self.by.get_full_name(), now=self.now)

    def _welcome(self) -> Action:
        return self._action(
            "Welkom: uw lidmaatschap",
            "service",
            Mailing.Channels.EMAIL,
            'Welkom bij Bibliotheek Waterland, {{ first_name | default: "lezer" }}',
            ("heading", {"text": "Fijn dat u lid bent"}),
            (
                "text",
                {
                    "text": "<div>Uw lidmaatschap is ingegaan. Met uw pas leent u in al onze vestigingen, en via de "
                    "website verlengt en reserveert u thuis.</div>"
                },
            ),
            ("button", {"text": "Zo werkt lenen", "url": f"{SITE}/lenen"}),
        )

    def _tips(self) -> Action:
        return self._action(
            "Welkom: tips om te lezen",
            "marketing",
            Mailing.Channels.EMAIL,
            "Wat wordt uw volgende boek?",
            ("heading", {"text": "Zo vindt u uw volgende boek"}),
            (
                "article",
                {
                    "title": "Loop eens langs een andere wereld",
                    "text": "<div>Onze boeken staan bij elkaar zoals u ze zoekt: spanning, reizen, koken.</div>",
                    "link": f"{SITE}/werelden",
                    "link_text": "Bekijk de werelden",
                },
            ),
            ("heading", {"text": "Liever samen lezen of schrijven?"}),
            (
                "products",
                {
                    "title_1": "Leesclub, een seizoen",
                    "price_cents_1": 2500,
                    "link_1": f"{SITE}/leesclub",
                    "title_2": "Cursus verhalen schrijven",
                    "price_cents_2": 9500,
                    "link_2": f"{SITE}/cursus",
                    "title_3": "Een uur met een leescoach",
                    "price_cents_3": 0,
                    "link_3": f"{SITE}/leescoach",
                },
            ),
        )

    def _activities(self) -> Action:
        evening = add_picture(file=draw_evening(), alt="Een lamp boven een rij boeken", by=self.by, now=self.now)
        return self._action(
            "Welkom: activiteiten",
            "marketing",
            Mailing.Channels.EMAIL,
            "Ook voor u: schrijvers, cursussen en theater",
            ("heading", {"text": "Meer dan boeken"}),
            (
                "text",
                {"text": "<div>Elke week is er iets te doen: van voorleesmiddag tot schrijversavond.</div>"},
            ),
            (
                "event",
                {
                    "title": "Schrijversavond: een huis aan de dijk",
                    "day": (local_date(self.now) + dt.timedelta(days=40)).isoformat(),
                    "starts_at": "20:00",
                    "place": "Bibliotheek Purmerend",
                    "price_cents": 750,
                    "text": "<div>Een avond over wonen onder zeeniveau, met een gesprek na.</div>",
                    "picture": evening.pk,
                    "alt": "Een lamp boven een rij boeken",
                    "link": f"{SITE}/agenda/schrijversavond",
                },
            ),
            (
                "columns",
                {
                    "layout": "1-1",
                    "columns": [
                        [
                            {"type": "heading", "data": {"text": "Voor kinderen"}},
                            {
                                "type": "text",
                                "data": {"text": "<div>Elke woensdagmiddag voorlezen, vanaf vier jaar.</div>"},
                            },
                        ],
                        [
                            {"type": "heading", "data": {"text": "Voor ouders"}},
                            {"type": "text", "data": {"text": "<div>Een kop koffie en een tafel vol leestips.</div>"}},
                        ],
                    ],
                },
            ),
            ("button", {"text": "Naar de agenda", "url": f"{SITE}/agenda"}),
            ("social", {"title": "Volg ons:"}),
        )

    # Newsletter

    def prepare_newsletter(self, thriller_readers: Selection) -> None:
        """Make the general newsletter with an edition in draft, of which one item is for thriller readers only."""
        newsletter = create_newsletter(
            name="Nieuws van de bibliotheek",
            description="Elke maand tips, activiteiten en nieuws uit uw vestiging.",
            purpose=Purpose.objects.get(code="newsletter"),
            by=self.by,
            now=self.now,
        )
        edition = create_edition(
            newsletter,
            subject="Lezen bij de kachel",
            introduction="<div>De dagen worden korter, de avonden langer. Tijd om te lezen.</div>",
            by=self.by,
            now=self.now,
        )
        items = (
            ("Nieuw in de kast", "<div>Honderd nieuwe titels, van reisgids tot roman.</div>", None),
            ("De leesclub zoekt thrillerlezers", "<div>Lees mee met vier spannende boeken.</div>", thriller_readers),
            ("Cadeautip: een abonnement", "<div>Geef een jaar lang lezen cadeau.</div>", None),
        )
        for title, body, selection in items:
            save_item(edition, title=title, body=body, link=SITE, selection=selection, by=self.by, now=self.now)

    def _action(
        self, name: str, purpose: str, channels: str, subject: str, *blocks: tuple[str, dict[str, Any]]
    ) -> Action:
        action = create_action(
            name=name,
            purpose=Purpose.objects.get(code=purpose),
            channels=channels,
            subject=subject,
            by=self.by,
            now=self.now,
        )
        save_content(
            action.content, name=name, subject=subject, by=self.by, now=self.now,
            blocks=[
                {"id": f"b{place}", "type": code, "data": data, "audience": None}
                for place, (code, data) in enumerate(blocks, start=1)
            ],
        )  # fmt: skip
        action.refresh_from_db()
        return action
