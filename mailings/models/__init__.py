"""What is sent, to whom, what the gate decided, and what came back."""

from mailings.models.confirmations import Confirmation
from mailings.models.content import Content, Picture
from mailings.models.feedback import Click, Link, Suppression
from mailings.models.mailings import Decision, LetterBatch, Mailing, Message
from mailings.models.publications import Publication, PublicationRun, PublishedPerson
from mailings.models.settings import SendingSettings

__all__ = [
    "Click",
    "Confirmation",
    "Content",
    "Decision",
    "LetterBatch",
    "Link",
    "Mailing",
    "Message",
    "Picture",
    "Publication",
    "PublicationRun",
    "PublishedPerson",
    "SendingSettings",
    "Suppression",
]
