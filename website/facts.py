"""What identified visitors do on websites and in apps, as kinds of facts; other web statistics may bring them too."""

from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from customers.facts import FactKind, fact_kinds
from website.models import HitKind

SOURCE = "website"  # the source of these facts, among the base data of customers
SECTOR = "website"
KEEP_MONTHS = 13  # the law is strict about following people on the web: a year, and the same month the year before

for _kind in (
    FactKind(
        HitKind.PAGE_VIEW, _("Page view"), _("looked at a page of the website"), "file-text",
        dutch="paginabezoek", has_duration=True, participle=pgettext_lazy("have", "looked at a page of the website"),
        keep_months=KEEP_MONTHS,
    ),
    FactKind(
        HitKind.SEARCH, _("Search on the website"), _("searched the website"), "search",
        dutch="zoekopdracht", participle=pgettext_lazy("have", "searched the website"), keep_months=KEEP_MONTHS,
    ),
    FactKind(
        HitKind.FORM_POST, _("Form sent"), _("sent a form"), "file-check",
        dutch="formulier", participle=pgettext_lazy("have", "sent a form"), keep_months=KEEP_MONTHS,
    ),
    FactKind(
        HitKind.LOGIN, _("Login"), _("logged in to the website"), "log-in",
        dutch="inlog", participle=pgettext_lazy("have", "logged in to the website"), keep_months=KEEP_MONTHS,
    ),
    FactKind(
        HitKind.APP_USE, _("Use of the app"), _("used the app"), "smartphone",
        dutch="appgebruik", has_duration=True, participle=pgettext_lazy("have", "used the app"),
        keep_months=KEEP_MONTHS,
    ),
):  # fmt: skip
    fact_kinds.register(_kind)
