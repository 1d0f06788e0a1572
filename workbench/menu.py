"""The menu of the workbench, in one list. An entry shows when its address exists and the visitor may go there."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

from django.conf import settings
from django.contrib.auth.models import AnonymousUser, User
from django.urls import NoReverseMatch, reverse
from django.utils.translation import gettext_lazy as _

if TYPE_CHECKING:
    from django.utils.functional import _StrPromise


@dataclass(frozen=True)
class Entry:
    """A line: ``permission`` is a codename of common.roles.PERMISSIONS; ``demo_only`` hides it in production.

    ``also`` are addresses of pages that belong to it and lie elsewhere.
    """

    label: _StrPromise
    url_name: str
    permission: str
    icon: str
    demo_only: bool = False
    also: tuple[str, ...] = ()


@dataclass(frozen=True)
class Section:
    label: _StrPromise | str
    entries: tuple[Entry, ...]


@dataclass(frozen=True)
class Link:
    """An entry as shown to one visitor."""

    label: _StrPromise
    url: str
    icon: str
    active: bool


NEWSLETTERS = ("/editions/", "/items/")

MENU = (
    Section(
        "",
        (
            Entry(_("Dashboard"), "workbench:dashboard", "view_workbench", "layout-dashboard"),
            Entry(_("Step by step"), "workbench:roadmap", "view_workbench", "milestone"),
        ),
    ),
    Section(
        _("Customers"),
        (
            Entry(_("Customers"), "workbench:customer_list", "view_customers", "users"),
            Entry(_("Duplicates"), "workbench:duplicate_list", "change_customers", "copy", also=("/merges/",)),
            Entry(_("Imports"), "workbench:import_list", "run_imports", "file-up"),
            Entry(_("Sources"), "workbench:source_list", "run_imports", "database", also=("/feeds/",)),
            Entry(_("Activities"), "workbench:fact_kind_list", "view_customers", "activity"),
            Entry(_("Web statistics"), "workbench:web_statistics", "view_workbench", "chart-line"),
            Entry(_("Data quality"), "workbench:quality", "view_customers", "gauge"),
            Entry(_("Labels"), "workbench:label_list", "manage_labels", "tags"),
            Entry(_("System labels"), "workbench:system_label_list", "manage_labels", "sliders-horizontal"),
            Entry(_("Computed values"), "workbench:value_list", "manage_labels", "calculator"),
            Entry(_("Shifts"), "workbench:shift_matrix", "manage_labels", "arrow-left-right"),
            Entry(
                _("Selections"), "workbench:selection_list", "manage_selections", "list-filter", also=("/result-sets/",)
            ),
        ),
    ),
    Section(
        _("Reach"),
        (
            Entry(_("Actions"), "workbench:action_list", "manage_campaigns", "zap", also=("/triggers/", "/content/")),
            Entry(_("Campaigns"), "workbench:campaign_list", "manage_campaigns", "route"),
            Entry(_("Calendar"), "workbench:calendar", "manage_campaigns", "calendar-days"),
            Entry(_("Newsletters"), "workbench:newsletter_list", "manage_newsletters", "newspaper", also=NEWSLETTERS),
            Entry(_("Mailings"), "workbench:mailing_list", "manage_mailings", "send"),
            Entry(_("A/B tests"), "workbench:experiment_list", "manage_mailings", "flask-conical"),
            Entry(_("Returned post"), "workbench:post_return_list", "change_customers", "mailbox"),
            Entry(_("Saved blocks"), "workbench:saved_list", "manage_mailings", "bookmark"),
        ),
    ),
    Section(
        _("Vouchers"),
        (
            Entry(_("Vouchers"), "workbench:voucher_list", "manage_vouchers", "ticket-percent"),
            Entry(_("Counter"), "counter:index", "redeem_vouchers", "scan-barcode"),
        ),
    ),
    Section(
        _("Management"),
        (
            Entry(_("Publications"), "workbench:publication_list", "export_customers", "share-2"),
            Entry(_("Changes to take over"), "workbench:handover", "export_customers", "arrow-right-left"),
            Entry(_("Purposes and consents"), "workbench:purpose_list", "manage_users", "handshake"),
            Entry(_("Privacy"), "workbench:privacy", "manage_privacy", "shield"),
            Entry(_("School holidays"), "workbench:school_holiday_list", "manage_selections", "calendar-days"),
            Entry(_("Places and distance"), "workbench:place_list", "manage_selections", "map-pin"),
            Entry(_("Sending"), "workbench:sending_settings", "manage_users", "settings-2"),
            Entry(_("Mail servers"), "workbench:relay_list", "manage_users", "server"),
            Entry(_("House style"), "workbench:style_list", "manage_users", "palette"),
            Entry(_("Websites"), "workbench:site_list", "manage_integrations", "globe"),
            Entry(_("Users"), "workbench:user_list", "manage_users", "user-cog"),
            Entry(_("API and integrations"), "workbench:integration_list", "manage_integrations", "plug"),
            Entry(_("Demo mailbox"), "workbench:mailbox", "view_workbench", "inbox", demo_only=True),
        ),
    ),
)


def address(url_name: str, *args: object) -> str:
    """Return the address of a name, or nothing when no page of that name exists."""
    try:
        return reverse(url_name, args=args)
    except NoReverseMatch:
        return ""


def active_entry(shown: dict[Entry, str], path: str) -> Entry | None:
    """Return the entry under whose address ``path`` lies; the longest address wins, the root only matches itself."""
    places = [(start, entry) for entry, url in shown.items() for start in (url, *entry.also)]
    matches = [place for place in places if path == place[0] or (place[0] != "/" and path.startswith(place[0]))]
    return max(matches, key=lambda place: len(place[0]))[1] if matches else None


def menu_for(user: User | AnonymousUser, path: str) -> Iterator[tuple[Section, list[Link]]]:
    """Yield the sections with the links this visitor may follow, skipping empty ones."""
    shown = {
        entry: url
        for section in MENU
        for entry in section.entries
        if (settings.DEMO or not entry.demo_only) and user.has_perm(f"common.{entry.permission}")
        if (url := address(entry.url_name))
    }
    active = active_entry(shown, path)
    for section in MENU:
        links = [
            Link(entry.label, shown[entry], entry.icon, entry is active) for entry in section.entries if entry in shown
        ]
        if links:
            yield section, links
