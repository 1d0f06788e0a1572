"""The quality of the data: which issues are counted, and the count itself, by statement, of all customers at once.

An issue is an audience criterion with its params, so that each count is a selection to act on. Apps above bring issues
of their own (``mailings/criteria.py``: addresses that bounce).
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from django.utils.translation import gettext_lazy as _

from common.criteria import criteria
from common.registry import Registry
from common.sql import as_subquery, execute
from customers.models import Customer, Source

if TYPE_CHECKING:
    from django.utils.functional import _StrPromise

STALE_YEARS = 3


@dataclass(frozen=True)
class Issue:
    """Something that is wrong with some customers: ``criterion`` with ``params`` finds them, ``remedy`` says what to
    do about it. ``by_source``: the criterion itself takes ``sources``, and per source those of that source count.
    """

    code: str
    group: str | _StrPromise
    name: str | _StrPromise
    criterion: str
    params: Mapping[str, Any] = field(default_factory=dict)
    remedy: str | _StrPromise = ""
    by_source: bool = False

    def params_for(self, source: str) -> dict[str, Any]:
        """Return the params that find those of one source, by its code; only for issues ``by_source``."""
        return {**self.params, "sources": [source]}

    def customers_sql(self, *, now: dt.datetime, source: str = "") -> str:
        """Return the statement that yields ``id`` and ``branch_id`` of who has it, or has it of this source."""
        criterion = criteria[self.criterion]
        params = self.params_for(source) if source else self.params
        found = Customer.objects.filter(criterion.to_q(criterion.params.model_validate(params), now=now))
        return as_subquery(found.order_by().values("id", "branch_id"))


issues: Registry[Issue] = Registry("issue of quality")

MISSING, INVALID, DOUBLE, OLD, OTHER = (
    _("Missing"),
    _("Not right"),
    _("Double"),
    _("Out of date"),
    _("To settle"),
)
for _issue in (
    Issue("missing_email", MISSING, _("No e-mail address"), "quality.missing", {"fields": ["email"]},
          _("Ask for it at the counter, or by letter.")),
    Issue("missing_phone", MISSING, _("No phone number"), "quality.missing", {"fields": ["phone"]}),
    Issue("missing_birth_date", MISSING, _("No birth date"), "quality.missing", {"fields": ["birth_date"]},
          _("Without it nobody knows who is under 16.")),
    Issue("missing_address", MISSING, _("No complete address"), "quality.missing", {"fields": ["address"]}),
    Issue("missing_postal_code", MISSING, _("No postal code"), "quality.missing", {"fields": ["postal_code"]}),
    Issue("missing_branch", MISSING, _("No branch"), "quality.missing", {"fields": ["branch"]}),
    Issue("invalid_email", INVALID, _("E-mail address cannot be right"), "quality.invalid", {"fields": ["email"]}),
    Issue("invalid_phone", INVALID, _("Phone number cannot be right"), "quality.invalid", {"fields": ["phone"]}),
    Issue("invalid_postal_code", INVALID, _("No Dutch postal code"), "quality.invalid",
          {"fields": ["postal_code"]}),
    Issue("invalid_birth_date", INVALID, _("Birth date cannot be right"), "quality.invalid",
          {"fields": ["birth_date"]}),
    Issue("double_pair", DOUBLE, _("May be the same person"), "quality.double", {"what": "pair"},
          _("Judge the pairs in the list of possible duplicates.")),
    Issue("double_email", DOUBLE, _("E-mail address of several people"), "quality.double", {"what": "email"},
          _("This is allowed: families often share one.")),
    Issue("double_phone", DOUBLE, _("Phone number of several people"), "quality.double", {"what": "phone"}),
    Issue("stale", OLD, _("Nothing heard for three years"), "quality.stale", {"years": STALE_YEARS},
          _("Ask whether they still want to belong, or let their data go.")),
    Issue("absent", OLD, _("No longer delivered by a source"), "quality.absent", {},
          _("Ask the source whether they left, and end what still runs."), by_source=True),
    Issue("moved", OLD, _("Moved away"), "quality.post", {"states": ["moved"]}, _("Ask for the new address.")),
    Issue("returned", OLD, _("Post came back"), "quality.post", {"states": ["returned"]},
          _("Ask for the right address.")),
    Issue("deceased", OLD, _("Deceased"), "quality.deceased", {}, _("Nothing is sent to them any more.")),
    Issue("unguarded", OTHER, _("Child without a parent"), "quality.unguarded", {},
          _("Under 16 a parent says what is allowed.")),
    Issue("wordless", OTHER, _("Consent without its words"), "quality.wordless", {},
          _("Ask for it again, with the text of now.")),
):  # fmt: skip
    issues.register(_issue)


def count_sql(*, now: dt.datetime) -> str:
    """Return the statement that counts every issue: of all, per branch, and per source that has a record of them.

    It yields issue, scope, branch_id, source_id, count; the issue with an empty code is everybody.
    """
    everybody = as_subquery(Customer.objects.order_by().values("id", "branch_id"))
    found = [f"SELECT ''::text AS issue, id, branch_id FROM ({everybody}) AS everybody"]  # noqa: S608 - bound
    found += [
        f"SELECT '{issue.code}', id, branch_id FROM ({issue.customers_sql(now=now)}) AS found"  # noqa: S608
        for issue in issues
    ]
    apart = [issue for issue in issues if issue.by_source]
    by_source = [
        f"""UNION ALL SELECT '{issue.code}', 'source', NULL, {pk}, count(*) FROM (
            {issue.customers_sql(now=now, source=code)}) AS found HAVING count(*) > 0"""  # noqa: S608
        for issue in apart
        for pk, code in Source.objects.exclude(kind=Source.Kind.PRODUCT).values_list("pk", "code")
    ]
    return f"""
        WITH found AS MATERIALIZED ({" UNION ALL ".join(found)}),
        known AS MATERIALIZED (
            SELECT DISTINCT customer_id, source_id FROM customers_sourcerecord
        )
        SELECT issue, 'branch' AS scope, branch_id, NULL::bigint AS source_id, count(*) AS count
        FROM found GROUP BY issue, branch_id
        UNION ALL
        SELECT issue, 'all', NULL, NULL, count(*) FROM found GROUP BY issue
        UNION ALL
        SELECT issue, 'source', NULL, source_id, count(*)
        FROM found JOIN known ON known.customer_id = found.id
        WHERE NOT issue = ANY (ARRAY[{", ".join(f"'{issue.code}'" for issue in apart)}]::text[])
        GROUP BY issue, source_id
        {" ".join(by_source)}
    """  # noqa: S608 - codes are ours, values are bound


def count_issues(day: dt.date, *, now: dt.datetime) -> int:
    """Count all issues as those of ``day`` and return how many figures there are; counting again replaces them.

    Call it within a transaction.
    """
    execute("SELECT pg_advisory_xact_lock(hashtext('quality'))")
    execute("DELETE FROM customers_qualitycount WHERE day = %(day)s", {"day": day})
    return execute(
        f"""
        INSERT INTO customers_qualitycount (day, issue, scope, branch_id, source_id, count, counted_at)
        SELECT %(day)s, issue, scope, branch_id, source_id, count, %(now)s FROM ({count_sql(now=now)}) AS counted
        """,  # noqa: S608
        {"day": day, "now": now},
    )
