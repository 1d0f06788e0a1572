"""What is sent, to whom, what the gate decided, and what came back."""

from mailings.models.bounces import Bounce
from mailings.models.calls import Call, CallSettings
from mailings.models.checks import LinkCheck, SeenWarnings
from mailings.models.confirmations import Confirmation
from mailings.models.content import Content, Picture
from mailings.models.doubts import Settlement
from mailings.models.drafts import Draft
from mailings.models.experiments import Arm, Experiment
from mailings.models.feedback import Click, Hit, Link, MachineClick, Suppression, UnsubscribeReason
from mailings.models.letters import LetterBatch, PostReturn, PrintedLetter
from mailings.models.limits import CapRule, ClosingDay
from mailings.models.mailings import Decision, EarlierDecision, Mailing, Message
from mailings.models.notices import StaffNotice
from mailings.models.publications import Publication, PublicationRun, PublishedPerson
from mailings.models.relays import DomainLimit, Relay
from mailings.models.saved import SavedBlock
from mailings.models.settings import SendingSettings
from mailings.models.styles import HouseStyle
from mailings.models.tallies import MessageStates, Tally, TallyChange, message_count
from mailings.models.testing import SentTest
from mailings.models.texts import SentText, ShortText, TextReply, TextSettings

__all__ = [
    "Arm",
    "Bounce",
    "Call",
    "CallSettings",
    "CapRule",
    "Click",
    "ClosingDay",
    "Confirmation",
    "Content",
    "Decision",
    "DomainLimit",
    "Draft",
    "EarlierDecision",
    "Experiment",
    "Hit",
    "HouseStyle",
    "LetterBatch",
    "Link",
    "LinkCheck",
    "MachineClick",
    "Mailing",
    "Message",
    "MessageStates",
    "Picture",
    "PostReturn",
    "PrintedLetter",
    "Publication",
    "PublicationRun",
    "PublishedPerson",
    "Relay",
    "SavedBlock",
    "SeenWarnings",
    "SendingSettings",
    "SentTest",
    "SentText",
    "Settlement",
    "ShortText",
    "StaffNotice",
    "Suppression",
    "Tally",
    "TallyChange",
    "TextReply",
    "TextSettings",
    "UnsubscribeReason",
    "message_count",
]
