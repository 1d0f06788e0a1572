"""The questions an audience can be made of: who somebody is, holds, did and allows. One module per noun."""

from common.criteria import criteria
from customers.criteria.ages import AgeBetween, RegisteredSince
from customers.criteria.anniversaries import Anniversary, BirthdayAhead
from customers.criteria.consents import CRITERIA as CONSENTS
from customers.criteria.distances import CRITERIA as DISTANCES
from customers.criteria.facts import CRITERIA as FACTS
from customers.criteria.fields import CRITERIA as FIELDS
from customers.criteria.homes import Children, HouseholdSize, LivesIn, Reachable
from customers.criteria.notes import HasNote
from customers.criteria.origins import CRITERIA as ORIGINS
from customers.criteria.people import Gender, Kind, OfBranch
from customers.criteria.quality import CRITERIA as QUALITY
from customers.criteria.subscriptions import EndsSoon, HadSubscription, HasSubscription, MemberYears
from customers.criteria.values import CRITERIA as VALUES

for _criterion in (
    Kind(),
    OfBranch(),
    AgeBetween(),
    BirthdayAhead(),
    Anniversary(),
    Gender(),
    LivesIn(),
    HouseholdSize(),
    Children(),
    *DISTANCES,
    RegisteredSince(),
    Reachable(),
    HasSubscription(),
    MemberYears(),
    EndsSoon(),
    HadSubscription(),
    *FACTS,
    HasNote(),
    *CONSENTS,
    *FIELDS,
    *VALUES,
    *QUALITY,
    *ORIGINS,
):
    criteria.register(_criterion)
