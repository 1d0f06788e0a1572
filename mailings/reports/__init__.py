"""What came of mailings: from candidates to what people did afterwards, beside who got nothing, per group and in time.

Everything is about a ``Scope``: one mailing, or all of an action, campaign or newsletter, within some days after each
reader's own message. Nothing here writes.
"""

from mailings.reports.afterwards import Afterwards, Comparison, compare
from mailings.reports.clickmap import LinkFigures, click_map, link_figures
from mailings.reports.course import Course, course
from mailings.reports.figures import Figures, afterwards, figures, groups
from mailings.reports.funnel import Funnel, funnel
from mailings.reports.groups import Group
from mailings.reports.people import STEPS, people
from mailings.reports.scope import DAYS, Scope, activity_kinds, latest, report_kinds
from mailings.reports.uplift import Difference, Share, difference

__all__ = [
    "DAYS",
    "STEPS",
    "Afterwards",
    "Comparison",
    "Course",
    "Difference",
    "Figures",
    "Funnel",
    "Group",
    "LinkFigures",
    "Scope",
    "Share",
    "activity_kinds",
    "afterwards",
    "click_map",
    "compare",
    "course",
    "difference",
    "figures",
    "funnel",
    "groups",
    "latest",
    "link_figures",
    "people",
    "report_kinds",
]
