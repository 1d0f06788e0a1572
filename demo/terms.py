"""What the library decided before it began: on what ground it writes to members, and the words they answered."""

import datetime as dt

from django.contrib.auth.models import User

from common.time import start_of_day
from customers.actions.privacy import save_register_texts
from customers.actions.purposes import confirm_relation, save_wording
from customers.models import Purpose

from .library.consents import WORDINGS

WORDS = {
    "marketing": (
        "Ja, mail mij tips, uitnodigingen en aanbiedingen van Bibliotheek Waterland. "
        "Afmelden kan met de link in elke mail of in MijnMenu."
    ),
    "newsletter": "Ja, stuur mij de nieuwsbrief van Bibliotheek Waterland. Afmelden kan met de link in elke brief.",
    "profiling": (
        "Ja, kijk naar de soorten boeken die ik leen en de voorstellingen die ik bezoek, om mij tips op maat te geven. "
        "Titels worden niet bewaard. Ik kan dit altijd weer uitzetten in MijnMenu."
    ),
}


# What only the organisation itself can say in its register of processing; its name stands in copies of data too.
REGISTER = {
    "controller": ("Bibliotheek Waterland\nWaterlandlaan 40, 1441 MP Purmerend\n0299-550100 · bibliotheek@example.nl"),
    "officer": "fg@example.nl",
    "security": "Toegang per rol, versleutelde verbindingen, dagelijkse back-ups, afspraken met leveranciers.",
}


def settle_terms(*, by: User) -> int:
    """Confirm the customer relation, fill in the register, and keep the wordings of the years; return how many."""
    save_register_texts(by=by, now=start_of_day(WORDINGS[0][0]), **REGISTER)
    confirm_relation(Purpose.objects.get(code="marketing"), "email", by=by, now=start_of_day(WORDINGS[0][0]))
    count = 0
    for code, words in WORDS.items():
        for since, version in WORDINGS:
            begins: dt.datetime = start_of_day(since)
            save_wording(Purpose.objects.get(code=code), version=version, text=words, valid_from=begins, by=by)
            count += 1
    return count
