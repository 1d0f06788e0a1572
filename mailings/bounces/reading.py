"""Read what a mail server, a reader's program or a provider says about a message of ours. No query, no clock.

In the order in which they can be trusted: a delivery report (RFC 3464), a spam complaint (RFC 5965), an automatic
reply, and at last the many ways in which mail servers wrote before there were rules (flufl.bounce).
"""

from __future__ import annotations

import contextlib
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from email import message_from_bytes
from email.errors import HeaderParseError
from email.header import decode_header, make_header
from email.message import Message as Mail
from email.utils import parseaddr
from hashlib import sha256

from flufl.bounce import all_failures

from common.tokens import BadToken
from customers.names import is_email
from mailings.bounces.bounding import bounded
from mailings.links import read_bounce_address, read_id, read_message_id
from mailings.models import Bounce

MOST_REPORTS = 50  # out of one mail: ours go to one reader each
DELIVERED = "delivered"  # no bounce: the mail arrived, which ends a doubt
UNSUBSCRIBED = "unsubscribed"  # no bounce: the reader said no to a provider

_OWN = re.compile(r"\+[0-9a-f]{1,16}-[0-9a-f]{20}@", re.IGNORECASE)
_UNSUBSCRIBE = re.compile(r"/m/u/([\w:-]{20,200})")
_STATUS = re.compile(r"(?<![\d.])([45]\.\d{1,3}\.\d{1,3})(?![\d.])")
_NOBODY = re.compile(
    r"\b(user|recipient|mailbox|address|addressee|account|gebruiker|adres)\b.{0,40}?\b(unknown|not (known|found)"
    r"|(does|do) ?n[o']t exist|doesn.t have|no longer|not (a )?valid|invalid|disabled|unavailable|rejected|onbekend"
    r"|bestaat niet)\b"
    r"|\b(unknown|no such|invalid|non-?existent|not a known) (local |virtual )?"
    r"(user|recipient|mailbox|address|account|domain)"
    r"|no mailbox (here )?by that name|host or domain name not found|couldn.t find any host",
    re.IGNORECASE,
)
_NOT_NOW = re.compile(
    r"quota|\b(mailbox|postvak)\b.{0,20}?\b(full|vol)\b|spam|block|black ?list|policy|too (large|big)|temporar"
    r"|timed? ?out|content|virus|reputation|grey ?list|insufficient|too many",
    re.IGNORECASE,
)
_AUTOMATIC = re.compile(
    r"^(re: ?)?(out of (the )?office|auto(matic(ally)?|matisch)?[ -:]?(re(ply|sponse)|antwoord|bericht)|automatisch"
    r"|afwezig|niet aanwezig|afwezigheid|buiten kantoor|vakantie|on (holiday|vacation|leave)|vacation|i am (away|out)"
    r"|ik ben (er|afwezig|op vakantie)|abwesen|absence|réponse automatique|ontvangstbevestiging)",
    re.IGNORECASE,
)
_CODE = re.compile(r"\b[45]\d\d\b|[45]\.\d\.\d")
_SERVER = re.compile(r"mailer-?daemon|postmaster|mail ?delivery|mdaemon|daemon@|bounce", re.IGNORECASE)


@dataclass(frozen=True)
class Report:
    """What is said about one address: ``kind`` of Bounce.Kind, DELIVERED or UNSUBSCRIBED.

    ``message_id`` is of our message, ``is_proven`` that it was named by an address only its reader's server knows.
    """

    kind: str
    key: str
    address: str = ""
    status: str = ""
    detail: str = ""
    message_id: int | None = None
    is_proven: bool = False


def read_reports(raw: bytes, *, recipients: Sequence[str] = ()) -> list[Report]:
    """Return what a mail that came back reports, about each address; at least one, be it that it cannot be read.

    ``recipients`` are those of its envelope, where that is known.
    """
    try:
        return _read(message_from_bytes(bounded(raw)), sha256(raw).hexdigest(), recipients)
    except RecursionError:  # brackets in brackets, parts in parts: nobody writes that to tell us something
        return [Report(Bounce.Kind.UNKNOWN, sha256(raw).hexdigest())]


def _read(mail: Mail, digest: str, recipients: Sequence[str]) -> list[Report]:
    text = _text_of(mail)
    message_id, is_proven = _message_named(text, recipients)
    name = _header(mail, "Message-ID") or digest
    found = _delivery_reports(mail) or _complaint(mail) or _automatic_reply(mail) or _other_reports(mail, text)
    subject = _header(mail, "Subject")
    return [
        Report(
            kind,
            sha256(f"{name}\n{kind}\n{address}".encode("utf-8", "replace")).hexdigest(),
            address=address,
            status=status,
            detail=(_one_line(detail) or subject)[:300],
            message_id=message_id,
            is_proven=is_proven,
        )
        for kind, address, status, detail in found[:MOST_REPORTS] or [(Bounce.Kind.UNKNOWN, "", "", "")]
    ]


def kind_of(status: str, words: str) -> str:
    """Say what a refusal means: HARD only when the address or its host does not exist, else SOFT.

    That a server does not want this mail, or us, says nothing about the address.
    """
    if status.startswith("4"):
        return Bounce.Kind.SOFT
    if status in {"5.2.1", "5.4.4", "5.1.10"} or re.fullmatch(r"5\.1\.[1-6]", status):
        return Bounce.Kind.HARD
    is_vague = not status or status.startswith(("5.0.", "5.1.0", "5.3.0", "5.4.1"))
    is_nobody = bool(_NOBODY.search(words)) and not _NOT_NOW.search(words)
    return Bounce.Kind.HARD if is_vague and is_nobody else Bounce.Kind.SOFT


def status_in(words: str) -> str:
    """Return the first status of RFC 3463 in a text, such as 5.1.1; empty when there is none."""
    found = _STATUS.search(words)
    return found[1] if found else ""


# --- the four kinds of mail -------------------------------------------------------------------------------------------

_Found = tuple[str, str, str, str]  # kind, address, status, detail


def _delivery_reports(mail: Mail) -> list[_Found]:
    """RFC 3464: one block of fields about the message, then one about each address."""
    found = []
    for block in _blocks(mail, "message/delivery-status"):
        action = _header(block, "Action").lower()
        if not action:
            continue
        address = _address(_header(block, "Original-Recipient")) or _address(_header(block, "Final-Recipient"))
        words = _header(block, "Diagnostic-Code")
        told = status_in(_header(block, "Status"))
        status = status_in(words) if told[1:] in {"", ".0.0"} and status_in(words) else told
        if action in {"delivered", "relayed", "expanded"} and not told.startswith("5"):
            kind = DELIVERED
        elif action == "delayed":
            kind = Bounce.Kind.DELAYED
        else:
            kind = kind_of(status, words)
        found.append((kind, address, status, words.partition(";")[2] or words))
    return found


def _complaint(mail: Mail) -> list[_Found]:
    """RFC 5965: a reader, or his provider for him, says it is spam."""
    for block in _blocks(mail, "message/feedback-report"):
        said = _header(block, "Feedback-Type").lower()
        if not said:
            continue
        address = _address(_header(block, "Original-Rcpt-To")) or _address(_header(block, "Removal-Recipient"))
        kind = Bounce.Kind.AUTO_REPLY if said == "not-spam" else Bounce.Kind.COMPLAINT
        return [(kind, address, "", said)]
    return []


def _automatic_reply(mail: Mail) -> list[_Found]:
    """Somebody's program answers: he is away, it was read. Servers that report a failure call that automatic too."""
    sender = _header(mail, "From")
    if mail.get_content_type() == "multipart/report" and mail.get_param("report-type") == "disposition-notification":
        return [(Bounce.Kind.AUTO_REPLY, _address(parseaddr(sender)[1]), "", "")]
    if _SERVER.search(sender) or "X-Failed-Recipients" in mail:
        return []
    submitted = _header(mail, "Auto-Submitted").lower()
    is_automatic = (
        submitted.startswith("auto")
        or any(name in mail for name in ("X-Autoreply", "X-Autorespond", "X-Auto-Response", "X-Vacation"))
        or _header(mail, "Precedence").lower() == "auto_reply"
        or bool(_AUTOMATIC.search(_header(mail, "Subject")))
    )
    return [(Bounce.Kind.AUTO_REPLY, _address(parseaddr(sender)[1]), "", "")] if is_automatic else []


def _other_reports(mail: Mail, text: str) -> list[_Found]:
    """What servers write in words of their own; a status in the text says more than who wrote it."""
    try:
        temporary, permanent = all_failures(mail)
    except (AssertionError, AttributeError, LookupError, TypeError, ValueError):  # of a mail nobody foresaw
        return []
    words = _told(text)
    status = status_in(words)
    failed = [_address(address.decode("ascii", "replace")) for address in sorted(permanent)]
    delayed = [_address(address.decode("ascii", "replace")) for address in sorted(temporary - permanent)]
    return [
        *((kind_of(status, words), address, status, words) for address in failed),
        *((Bounce.Kind.DELAYED, address, status, words) for address in delayed),
    ]


# --- parts of a mail --------------------------------------------------------------------------------------------------


def _blocks(mail: Mail, content_type: str) -> Iterator[Mail]:
    for part in mail.walk():
        if part.get_content_type() == content_type and isinstance(part.get_payload(), list):
            yield from (block for block in part.get_payload() if isinstance(block, Mail))


def _text_of(mail: Mail) -> str:
    """Return all there is to read, headers included, with what was encoded made plain."""
    done = []
    for part in mail.walk():
        done.append("\n".join(f"{name}: {value}" for name, value in part.items()))
        if not part.is_multipart() and part.get_content_maintype() in {"text", "message"}:
            payload = part.get_payload(decode=True)
            done.append(payload.decode("utf-8", "replace") if isinstance(payload, bytes) else "")
    return "\n".join(done)


def _message_named(text: str, recipients: Sequence[str]) -> tuple[int | None, bool]:
    """Return which message of ours is meant, and whether that was signed: then its reader or his server sent this."""
    for place in (*recipients, text):
        for candidate in _OWN.findall(place):
            if (message_id := read_bounce_address(candidate)) is not None:
                return message_id, True
    for token in _UNSUBSCRIBE.findall(text)[:5]:  # the address to unsubscribe in a copy of our mail
        with contextlib.suppress(BadToken):
            return read_id("unsubscribe", token), True
    return read_message_id(text), False


def _told(text: str) -> str:
    """Return the lines around the first that names an error: what a person would read."""
    body = text.partition("\n\n")[2] or text
    lines = [line.strip()[:300] for line in body.splitlines()[:200] if line.strip()]
    at = next((number for number, line in enumerate(lines) if _names_an_error(line)), 0)
    return " ".join(lines[at : at + 6])[:600]


def _names_an_error(line: str) -> bool:
    """Whether it has a code of an error, or an address with a colon behind it; word by word, as one pattern for all of
    it would look for seconds where a line is nothing but addresses.
    """
    words = (word for word in line.split() if "@" in word[1:])
    return bool(_CODE.search(line)) or any(":" in word[word.index("@", 1) + 2 :] for word in words)


def _header(mail: Mail, name: str) -> str:
    value = mail.get(name, "")
    try:
        return _one_line(str(make_header(decode_header(value))))
    except (HeaderParseError, LookupError, UnicodeError, ValueError):
        return _one_line(str(value))


def _one_line(text: str) -> str:
    return " ".join(text.replace("\x00", "").split())


def _address(text: str) -> str:
    """Return an address out of ``rfc822; <anna@example.nl>``, in lower case; empty when it is none."""
    address = text.rpartition(";")[2].strip().strip("<>").lower()
    return address if is_email(address) else ""
