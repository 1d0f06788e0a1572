"""The questions an audience can be made of: who somebody is, holds, did and allows. One module per noun."""

from common.criteria import criteria
from customers.criteria.consents import Allowed
from customers.criteria.facts import FirstTime, HowMuch, HowOften, LastTime, NotAtAll
from customers.criteria.homes import HouseholdSize, LivesIn, Reachable
from customers.criteria.notes import HasNote
from customers.criteria.origins import CRITERIA as ORIGINS
from customers.criteria.people import AgeBetween, BirthdayAhead, Gender, Kind, OfBranch, RegisteredSince
from customers.criteria.quality import CRITERIA as QUALITY
from customers.criteria.subscriptions import EndsSoon, HadSubscription, HasSubscription, MemberYears

for _criterion in (
    Kind(),
    OfBranch(),
    AgeBetween(),
    BirthdayAhead(),
    Gender(),
    LivesIn(),
    HouseholdSize(),
    RegisteredSince(),
    Reachable(),
    HasSubscription(),
    MemberYears(),
    EndsSoon(),
    HadSubscription(),
    HowOften(),
    NotAtAll(),
    LastTime(),
    FirstTime(),
    HowMuch(),
    HasNote(),
    Allowed(),
    *QUALITY,
    *ORIGINS,
):
    criteria.register(_criterion)
