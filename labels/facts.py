"""How far back system labels look at facts: retention may not be shorter, or labels would be lost."""

from django.utils.translation import gettext_lazy as _

from customers.facts import LookBack, look_backs
from labels.system.sectors import LIBRARY_KINDS, SECTOR_MONTHS, THEATRE_KINDS
from labels.system.ticket_quality import FAVOURITE_MONTHS
from labels.system.tickets import TICKET_MONTHS
from labels.system.worlds import WORLD_MONTHS

BORROWING_MONTHS = 12

for _look in (
    LookBack("worlds", ("loan",), WORLD_MONTHS, _("The labels about worlds")),
    LookBack("borrowing", ("loan",), BORROWING_MONTHS, _("The labels about borrowing")),
    LookBack("tickets", ("ticket",), max(TICKET_MONTHS, FAVOURITE_MONTHS), _("The labels about tickets")),
    LookBack("sectors", (*LIBRARY_KINDS, *THEATRE_KINDS), SECTOR_MONTHS, _("The labels about sectors")),
):
    look_backs.register(_look)
