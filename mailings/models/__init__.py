"""What is sent, to whom, what the gate decided, and what came back."""

from mailings.models.bounces import Bounce
from mailings.models.checks import LinkCheck
from mailings.models.confirmations import Confirmation
from mailings.models.content import Content, Picture
from mailings.models.drafts import Draft
from mailings.models.feedback import Click, Hit, Link, MachineClick, Suppression, UnsubscribeReason
from mailings.models.limits import CapRule, ClosingDay
from mailings.models.mailings import Decision, EarlierDecision, LetterBatch, Mailing, Message
from mailings.models.publications import Publication, PublicationRun, PublishedPerson
from mailings.models.relays import DomainLimit, Relay
from mailings.models.saved import SavedBlock
from mailings.models.settings import SendingSettings
from mailings.models.styles import HouseStyle
from mailings.models.testing import SentTest

__all__ = [
    "Bounce",
    "CapRule",
    "Click",
    "ClosingDay",
    "Confirmation",
    "Content",
    "Decision",
    "DomainLimit",
    "Draft",
    "EarlierDecision",
    "Hit",
    "HouseStyle",
    "LetterBatch",
    "Link",
    "LinkCheck",
    "MachineClick",
    "Mailing",
    "Message",
    "Picture",
    "Publication",
    "PublicationRun",
    "PublishedPerson",
    "Relay",
    "SavedBlock",
    "SendingSettings",
    "SentTest",
    "Suppression",
    "UnsubscribeReason",
]
