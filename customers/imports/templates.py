"""Mappings for the exports that one meets most, to begin a delivery with; and a guess for all others.

Column names are as these systems write them in their own exports or as their report builders do by default; whoever
exports under other names corrects them on the page.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from django.utils.translation import gettext_lazy as _

from customers.imports.formats import Format

if TYPE_CHECKING:
    from django.utils.functional import _StrPromise

Cell = Mapping[str, Any]


@dataclass(frozen=True)
class Template:
    """A ready mapping for one kind of export. ``mapping`` is as in ``Feed.mapping``."""

    code: str
    name: str | _StrPromise
    delivers: str
    mapping: Mapping[str, Cell]
    delimiter: str = ""
    encoding: str = ""


def _same(**columns: str) -> dict[str, Cell]:
    return {name: {"column": column} for name, column in columns.items()}


_GENDERS = {"Man": "m", "Vrouw": "v", "Onbekend": "", "M": "m", "V": "v", "F": "v", "O": "x"}
TEMPLATES: dict[str, Template] = {
    template.code: template
    for template in (
        Template(
            "wise-customers", _("Wise: members"), "customers",
            {
                **_same(
                    klantnummer="LENERNR", voorletters="VOORLETTERS", voornaam="ROEPNAAM", tussenvoegsel="VOORVOEGSEL",
                    achternaam="ACHTERNAAM", geboortedatum="GEBOORTEDATUM", email="EMAIL", telefoon="TELEFOON",
                    straat="STRAAT", huisnummer="HUISNR", toevoeging="HUISNR_TOEV", postcode="POSTCODE",
                    plaats="WOONPLAATS", vestiging="VESTIGING", inschrijfdatum="INSCHRIJFDATUM",
                    ouder_klantnummer="OUDER_LENERNR",
                ),
                "soort": {"constant": "lid"},
                "geslacht": {"column": "GESLACHT", "values": _GENDERS},
            },
            ";",
        ),
        Template(
            "wise-loans", _("Wise: loans"), "facts",
            {
                **_same(
                    id="TRANSACTIENR", klantnummer="LENERNR", tijdstip="UITLEENDATUM", vestiging="VESTIGING",
                    wereld="WERELD", genre="GENRE",
                ),
                "soort": {"constant": "uitlening"},
                "sector": {"constant": "bibliotheek"},
            },
            ";",
        ),
        Template(
            "wise-subscriptions", _("Wise: subscriptions"), "subscriptions",
            {
                **_same(
                    klantnummer="LENERNR", abonnementnummer="ABONNEMENTNR", soort="ABONNEMENTSOORT",
                    omschrijving="OMSCHRIJVING", prijs="TARIEF", begindatum="INGANGSDATUM", einddatum="EINDDATUM",
                ),
                "betaalwijze": {
                    "column": "BETAALWIJZE",
                    "values": {"Automatische incasso": "incasso", "Acceptgiro": "factuur", "Kas": "contant"},
                },
            },
            ";",
        ),
        Template(
            "wise-profiles", _("Wise: acquisition profiles"), "labels",
            {
                **_same(klantnummer="LENERNR", label="PROFIELCODE", naam="PROFIEL"),
                "groep": {"constant": "Aanwinstprofielen"},
                "versie": {"constant": "1"},
                "meer": {"constant": "ja"},
            },
            ";",
        ),
        Template(
            "wise-consents", _("Wise: message preferences"), "consents",
            {
                **_same(klantnummer="LENERNR", tijdstip="GEWIJZIGD", bron="VASTGELEGD_DOOR"),
                "doel": {"column": "BERICHTSOORT", "values": {"Attendering": "nieuwsbrief", "Aanbieding": "marketing"}},
                "kanaal": {"column": "KANAAL", "values": {"E-mail": "email", "Brief": "post", "SMS": "sms"}},
                "status": {"column": "VOORKEUR", "values": {"J": "ja", "N": "nee"}},
            },
            ";",
        ),
        Template(
            "koha-customers", _("Koha: patrons"), "customers",
            {
                **_same(
                    klantnummer="cardnumber", voorletters="initials", voornaam="firstname", achternaam="surname",
                    geboortedatum="dateofbirth", email="email", telefoon="phone", straat="address",
                    huisnummer="streetnumber", postcode="zipcode", plaats="city", vestiging="branchcode",
                    inschrijfdatum="dateenrolled", tussenvoegsel="middle_name",
                ),
                "soort": {"constant": "lid"},
                "geslacht": {"column": "sex", "values": _GENDERS},
            },
            ",", "utf-8",
        ),
        Template(
            "koha-loans", _("Koha: checkouts"), "facts",
            {
                **_same(
                    id="issue_id", klantnummer="cardnumber", tijdstip="issuedate", vestiging="branchcode", genre="ccode"
                ),
                "soort": {"constant": "uitlening"},
                "sector": {"constant": "bibliotheek"},
            },
            ",", "utf-8",
        ),
        Template(
            "theatre-customers", _("Theatre ticketing: customers"), "customers",
            {
                **_same(
                    klantnummer="Relatienummer", voorletters="Initialen", voornaam="Voornaam",
                    tussenvoegsel="Tussenvoegsel", achternaam="Achternaam", geboortedatum="Geboortedatum",
                    email="E-mail", telefoon="Mobiel", straat="Straat", huisnummer="Huisnummer",
                    toevoeging="Toevoeging", postcode="Postcode", plaats="Plaats",
                ),
                "soort": {"constant": "prospect"},
                "geslacht": {"column": "Geslacht", "values": _GENDERS},
            },
        ),
        Template(
            "theatre-tickets", _("Theatre ticketing: orders"), "facts",
            {
                **_same(
                    id="Orderregel", bestelling="Ordernummer", klantnummer="Relatienummer", tijdstip="Besteldatum",
                    genre="Genre", aantal="Aantal", bedrag="Bedrag",
                ),
                "soort": {"constant": "kaartverkoop"},
                "sector": {"constant": "theater"},
            },
        ),
    )
}  # fmt: skip

#: What a column may be called elsewhere, in plain letters; our own name always counts.
_OTHER_NAMES: dict[str, Sequence[str]] = {
    "klantnummer": ("lenernr", "lenernummer", "pasnummer", "relatienummer", "cardnumber", "borrowernumber", "klantnr"),
    "soort": ("type", "categorie", "categorycode"),
    "voorletters": ("initialen", "initials"),
    "voornaam": ("roepnaam", "firstname"),
    "tussenvoegsel": ("voorvoegsel", "middlename"),
    "achternaam": ("naam", "surname", "lastname", "familienaam"),
    "geboortedatum": ("gebdatum", "dateofbirth", "birthdate"),
    "geslacht": ("sekse", "sex", "gender"),
    "email": ("emailadres", "mail", "mailadres"),
    "telefoon": ("telefoonnummer", "mobiel", "phone", "tel", "telnr"),
    "straat": ("straatnaam", "address", "street"),
    "huisnummer": ("huisnr", "streetnumber", "nummer"),
    "toevoeging": ("huisnrtoev", "huisnummertoevoeging", "toev"),
    "postcode": ("zipcode", "pc"),
    "lat": ("latitude", "breedtegraad", "y"),
    "lon": ("longitude", "lengtegraad", "lng", "long", "x"),
    "plaats": ("woonplaats", "city", "stad"),
    "vestiging": ("vestigingscode", "branchcode", "filiaal", "locatie"),
    "inschrijfdatum": ("dateenrolled", "lidsinds"),
    "overleden": ("overlijdensdatum", "datumoverlijden"),
    "ouder_klantnummer": ("ouder", "ouderlenernr", "guarantorid"),
    "id": ("transactienr", "orderregel", "issueid", "nummer"),
    "tijdstip": ("datum", "datumtijd", "besteldatum", "uitleendatum", "issuedate", "moment"),
    "aantal": ("quantity", "stuks"),
    "bestelling": ("ordernummer", "bestelnummer", "order", "ordernr", "bestelnr", "orderid"),
    "bedrag": ("prijs", "totaal", "amount"),
    "abonnementnummer": ("abonnement", "abonnementnr"),
    "begindatum": ("startdatum", "ingangsdatum"),
    "einddatum": ("vervaldatum", "dateexpiry"),
    "label": ("segment", "code", "mosaic", "mosaictype", "groep"),
    "naam": ("omschrijving", "name"),
}


def guess(format: Format, header: Sequence[str]) -> dict[str, dict[str, str]]:  # noqa: A002 - the domain's word
    """Return a mapping for the columns whose names say what they are; each column of the file is used once."""
    plain = {re.sub(r"[^a-z0-9]", "", column.lower()): column for column in header}
    found: dict[str, dict[str, str]] = {}
    for name in format.names:
        for word in (name.replace("_", ""), *_OTHER_NAMES.get(name, ())):
            if word in plain:
                found[name] = {"column": plain.pop(word)}
                break
    return found
