"""The table of website with rows about a person; hits themselves have nobody in them."""

from django.utils.translation import gettext_lazy as _

from common.personal import PersonalTable, personal_tables

personal_tables.register(
    PersonalTable(
        "website_identification",
        _("Visits to our websites"),
        unique=(("site_id", "visit"),),
        shown={"site_id": _("website"), "at": _("when")},
    )
)
