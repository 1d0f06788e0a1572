"""How often each link was followed, and where it stands in the mail."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass

from django.conf import settings
from django.utils.html import format_html
from django.utils.safestring import SafeString, mark_safe

from common.sql import rows
from mailings.compiling import Compiled
from mailings.experiments.arms import in_arm
from mailings.fields import merge_fields
from mailings.models import Arm, Mailing, SendingSettings
from mailings.recipients import samples_of_blocks
from mailings.rendering import fill_all
from mailings.reports.scope import SENT, Scope

_MARK = "#wise-link-"
_ANCHOR = re.compile(rf'(<a\b[^>]*?href="){_MARK}(\d+)("[^>]*>)(.*?)</a>', re.DOTALL | re.IGNORECASE)
#: From this share of the most followed link on, in per cent: background and ink, of enough contrast each.
_HEAT = ((60, "#8a1c1c", "#ffffff"), (25, "#c2410c", "#ffffff"), (1, "#fde68a", "#1f2933"), (0, "#e5e7eb", "#1f2933"))


@dataclass(frozen=True)
class LinkFigures:
    """``readers`` followed it, ``share`` of all who clicked anything (per cent), ``clicks`` times; ``machines``: times
    by programs.
    """

    id: int
    mailing: int
    position: int
    url: str
    readers: int
    clicks: int
    machines: int
    share: float


def link_figures(scope: Scope, *, version: int | None = None) -> list[LinkFigures]:
    """Return the links with their clicks within the days of the scope, the most followed first; of readers of one
    ``version`` in a test when given: its id, or 0 for who was in none.
    """
    of_version = "" if version is None else "AND coalesce(message.arm_id, 0) = %(version)s"
    found = rows(
        f"""WITH own AS (
            SELECT click.link_id, click.message_id FROM mailings_link AS link
            JOIN mailings_click AS click ON click.link_id = link.id
            JOIN mailings_message AS message ON message.id = click.message_id
            WHERE link.mailing_id = ANY(%(mailings)s) AND {SENT} AND click.clicked_at <= message.sent_at + %(window)s
            {of_version}
        ), person AS (SELECT link_id, count(*) AS clicks, count(DISTINCT message_id) AS readers FROM own
            GROUP BY link_id
        ), machine AS (
            SELECT click.link_id, count(*) AS machines FROM mailings_link AS link
            JOIN mailings_machineclick AS click ON click.link_id = link.id
            JOIN mailings_message AS message ON message.id = click.message_id
            WHERE link.mailing_id = ANY(%(mailings)s) {of_version} GROUP BY click.link_id)
        SELECT link.id, link.mailing_id AS mailing, link.position, link.url, coalesce(person.readers, 0) AS readers,
            coalesce(person.clicks, 0) AS clicks, coalesce(machine.machines, 0) AS machines,
            round(100.0 * coalesce(person.readers, 0) /
                  greatest((SELECT count(DISTINCT message_id) FROM own), 1), 1)::float AS share
        FROM mailings_link AS link LEFT JOIN person ON person.link_id = link.id
        LEFT JOIN machine ON machine.link_id = link.id
        WHERE link.mailing_id = ANY(%(mailings)s)
        ORDER BY readers DESC, clicks DESC, link.mailing_id, link.position""",  # noqa: S608 - our own SQL
        {**scope.values, "version": version},
    )
    return [LinkFigures(**row) for row in found]


def click_map(mailing: Mailing, links: Mapping[int, LinkFigures], *, version: Arm | None = None) -> SafeString:
    """Return the mail as it was sent, every block of it, with at each link how many readers followed it.

    ``links`` is position -> figures; ``version`` is the one in a test whose mail is shown. Fields show examples, links
    lead nowhere. An address that stands twice has one count, which stands at both.
    """
    compiled: Compiled = in_arm(mailing.compiled, version.compiled if version else None)
    identity = SendingSettings.load()
    values = {field.code: field.example for field in merge_fields} | {"organisation": identity.organisation}
    values |= samples_of_blocks(compiled, medium="email")
    values |= {f"link:{position}": f"{_MARK}{position}" for position in range(len(compiled["links"]))}
    values |= {"unsubscribe_url": "#", "preferences_url": "#", "privacy_url": "#"}
    audiences = {audience for audience, _pieces in compiled["html"]}
    done = fill_all(compiled["html"], values, audiences, as_html=True)
    most = max((link.readers for link in links.values()), default=0)

    def badge(found: re.Match[str]) -> str:
        link = links.get(int(found[2]))
        shown = _badge(link.readers, link.share, most) if link else ""
        return f"{found[1]}#{found[3]}{found[4]}{shown}</a>"

    return mark_safe(_ANCHOR.sub(badge, done).replace(f'src="{settings.BASE_URL}/', 'src="/'))


def _badge(readers: int, share: float, most: int) -> SafeString:
    warmth = 100 * readers / most if most else 0
    _from, background, ink = next(step for step in _HEAT if warmth >= step[0])
    return format_html(
        '<span style="display:inline-block;margin:2px 4px;padding:1px 7px;border-radius:9px;border:1px solid #1f2933;'
        "background:{};color:{};font:bold 12px/16px Arial,sans-serif;text-decoration:none;letter-spacing:0;"
        'text-transform:none;white-space:nowrap;vertical-align:middle">{} · {}%</span>',
        background,
        ink,
        readers,
        f"{share:.1f}".replace(".", ","),
    )
