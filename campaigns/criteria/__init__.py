"""What may be asked about customers and campaigns: who takes part, took part, is how far; who received an action."""

import campaigns.usages  # noqa: F401 - tells selections and labels where they are used
from campaigns.criteria import actions, enrolments, steps
from common.criteria import criteria

for _criterion in (*enrolments.CRITERIA, *steps.CRITERIA, *actions.CRITERIA):
    criteria.register(_criterion)
