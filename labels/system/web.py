"""Labels from use of the website and the app (WDI): who comes often, searches, logs in, or is seen online no more."""

from __future__ import annotations

from collections.abc import Mapping

from django.utils.translation import gettext_lazy as _

from labels.system.kinds import ONLINE
from labels.system.specs import Family, LabelSpec, Limits, Measure, Threshold, Told, words

EVER = 13  # months: so long is what people do on the web kept at most

_WEB = """
SELECT customer_id, 'web-frequent' AS code FROM label_measure AS measure WHERE {m[days]} >= %(frequent)s
UNION ALL
SELECT customer_id, 'web-searcher' FROM label_measure AS measure WHERE {m[searches]} >= %(searches)s
UNION ALL
SELECT customer_id, 'web-member' FROM label_measure AS measure WHERE {m[logins]} >= %(logins)s
UNION ALL
SELECT customer_id, 'web-app' FROM label_measure AS measure WHERE {m[app]} >= %(app)s
UNION ALL
SELECT customer_id, 'web-inactive' FROM label_measure AS measure WHERE {m[ever]} > 0 AND {m[days]} IS NULL
"""


def _measures(limits: Limits) -> Mapping[str, Measure]:
    months = limits.whole("months")
    return {
        "days": Measure("days", ONLINE, months),
        "searches": Measure("count", ("search",), months),
        "logins": Measure("count", ("login",), months),
        "app": Measure("days", ("app_use",), months),
        "ever": Measure("count", ONLINE, EVER),
    }


FAMILIES = (
    Family(
        code="web",
        name=_("Use of website and app"),
        sql=_WEB,
        thresholds=(
            Threshold("months", _("What was done online in the last … months counts"), "months", 3, 1, EVER - 1),
            Threshold("frequent", _("Frequent visitor from … days with a visit"), "days", 6, 2, 300),
            Threshold("searches", _("Searcher from … searches"), "number", 5, 1, 1000),
            Threshold("logins", _("Online member from … logins"), "number", 1, 1, 1000),
            Threshold("app", _("App user from … days on which the app was used"), "days", 1, 1, 300),
        ),
        measures=_measures,
        params=lambda _now, limits: {code: limits[code] for code in ("frequent", "searches", "logins", "app")},
        is_exclusive=False,
        labels=(
            LabelSpec(
                "web-frequent",
                _("Frequent visitor online"),
                words(
                    _("Visited the website or used the app on %(days)d days or more in the last %(months)d months."),
                    days=Told("web.frequent"),
                    months=Told("web.months"),
                ),
                "blue",
            ),
            LabelSpec(
                "web-searcher",
                _("Searcher"),
                words(
                    _("Searched the website %(times)d times or more in the last %(months)d months."),
                    times=Told("web.searches"),
                    months=Told("web.months"),
                ),
                "blue",
            ),
            LabelSpec(
                "web-member",
                _("Online member"),
                words(
                    _("Logged in %(times)d times or more in the last %(months)d months."),
                    times=Told("web.logins"),
                    months=Told("web.months"),
                ),
                "teal",
            ),
            LabelSpec(
                "web-app",
                _("App user"),
                words(
                    _("Used the app on %(days)d days or more in the last %(months)d months."),
                    days=Told("web.app"),
                    months=Told("web.months"),
                ),
                "teal",
            ),
            LabelSpec(
                "web-inactive",
                _("Inactive online"),
                words(
                    _("Was online in the last %(ever)d months, but not in the last %(months)d."),
                    ever=EVER,
                    months=Told("web.months"),
                ),
                "grey",
            ),
        ),
    ),
)
