"""Tell programs that follow links and load pictures from people who do. Reads what a request says; runs no query.

What cannot be told from one request (within seconds after delivery, many links at once) is found when hits are judged.
"""

from __future__ import annotations

import re
from collections.abc import Mapping

from mailings.models import MachineClick
from website.hits import is_bot

Reason = MachineClick.Reason

_PREFETCH_HEADERS = ("Sec-Purpose", "Purpose", "X-Purpose", "X-Moz")
#: Those that guard mailboxes, as far as they give a name; the rest dress up as browsers.
_SCANNERS = re.compile(
    r"barracuda|proofpoint|mimecast|symantec|messagelabs|trend ?micro|fireeye|forcepoint|cisco|ironport|sophos"
    r"|zscaler|cloudmark|microsoft office|ms-office|skypeuripreview|googleimageproxy|slackbot|whatsapp|telegram",
    re.IGNORECASE,
)
#: These load a picture at the moment somebody looks at the mail, on his behalf.
_PROXIES = re.compile(r"googleimageproxy|yahoomailproxy", re.IGNORECASE)
#: Apple's Mail Privacy Protection loads all pictures of all mails, whether they are read or not, and says no more.
_APPLE = "Mozilla/5.0"


def reason_of_click(method: str, headers: Mapping[str, str]) -> str:
    """Return why this request is no person's click, a value of MachineClick.Reason; empty when it may well be."""
    agent = headers.get("User-Agent", "")
    if method == "HEAD":
        return Reason.HEAD
    if any("fetch" in headers.get(name, "") for name in _PREFETCH_HEADERS):
        return Reason.PREFETCH
    if is_bot(agent) or _SCANNERS.search(agent):
        return Reason.AGENT
    return "" if headers.get("Accept-Language") else Reason.HEADERS


def is_machine_opening(headers: Mapping[str, str]) -> bool:
    """Tell whether a picture was loaded by a program of its own accord."""
    agent = headers.get("User-Agent", "")
    return agent == _APPLE or (not _PROXIES.search(agent) and (is_bot(agent) or bool(_SCANNERS.search(agent))))
