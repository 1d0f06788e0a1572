"""(c) The same mails by django-post-office: a template, ``send_many``, then its command with two processes, five
threads each (its own default). The context of each mail is ready before the watch starts, which is generous to it.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from typing import Any

SLOTS = {"pixel_url", "unsubscribe_url", "preferences_url"}
BATCH = 500


def main() -> None:
    """Arguments: id of a mailing of ours, how many mails, number of this process."""
    import django

    django.setup()
    from django.core.management import call_command
    from post_office import mail
    from post_office.models import Email, EmailTemplate

    from benchmarks._mailings.processes import wait_for_the_word

    call_command("migrate", "post_office", verbosity=0)
    count = int(sys.argv[2])
    template, mails = prepare(int(sys.argv[1]), count)
    EmailTemplate.objects.filter(name="bench").delete()
    template = EmailTemplate.objects.create(name="bench", **template)
    wait_for_the_word()
    started = time.perf_counter()
    for first in range(0, count, BATCH):
        mail.send_many([{**one, "template": template} for one in mails[first : first + BATCH]])
    queued = time.perf_counter() - started
    command = [sys.executable, "-m", "django", "send_queued_mail", "--processes", "2"]
    subprocess.run(command, check=True, env=os.environ, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    seconds = time.perf_counter() - started
    sent = Email.objects.filter(status=0).count()
    assert sent == count, f"post_office sent {sent} of {count}"
    Email.objects.all().delete()
    print(json.dumps({"seconds": seconds, "queued": queued}))


def prepare(mailing_id: int, count: int) -> tuple[dict[str, str], list[dict[str, Any]]]:
    """Return the fields of a template with the content of our mailing, and what each mail needs."""
    from common.time import clock
    from mailings.links import click_url, open_url, preferences_url, unsubscribe_url
    from mailings.models import Mailing, Message, SendingSettings
    from mailings.recipients import load_recipients
    from mailings.rendering import message_id_header

    mailing, identity = Mailing.objects.get(pk=mailing_id), SendingSettings.load()
    template = {
        "subject": as_template([["", mailing.compiled["subject"]]]),
        "content": as_template(mailing.compiled["text"]),
        "html_content": as_template(mailing.compiled["html"]),
    }
    pairs = list(Message.objects.filter(mailing=mailing).order_by("id").values_list("id", "customer_id")[:count])
    readers = load_recipients(
        pairs, compiled=mailing.compiled, identity=identity, origin="bench", medium="email", now=clock()
    )
    links = range(len(mailing.compiled["links"]))
    return template, [
        {
            "sender": f"{identity.sender_name} <{identity.sender_email}>",
            "recipients": [reader.address],
            "headers": {
                "Message-ID": message_id_header(mailing.pk, reader.message_id, "waterland.example"),
                "List-Unsubscribe": f"<{unsubscribe_url(reader.message_id)}>",
                "List-Unsubscribe-Post": "List-Unsubscribe=One-Click",
            },
            "context": {
                **reader.values,
                **{f"link_{position}": click_url(reader.message_id, position) for position in links},
                **{audience_name(key): True for key in reader.audiences},
                "unsubscribe_url": unsubscribe_url(reader.message_id),
                "preferences_url": preferences_url(reader.customer_id, reader.link_version),
                "privacy_url": identity.privacy_url,
                "pixel_url": open_url(mailing.pk),
            },
        }
        for reader in readers
    ]


def audience_name(key: str) -> str:
    """Return what an audience is called in the template."""
    return "is_" + key.replace(":", "_")


def as_template(segments: list[Any]) -> str:
    """Write compiled segments in Django's template language."""
    parts = []
    for audience, pieces in segments:
        text = "".join(piece if isinstance(piece, str) else _slot(piece) for piece in pieces)
        parts.append(f"{{% if {audience_name(audience)} %}}{text}{{% endif %}}" if audience else text)
    return "".join(parts)


def _slot(piece: list[str | None]) -> str:
    name = str(piece[0]).replace("link:", "link_").rstrip("!")
    return f'{{{{ {name}|default:"{piece[1]}" }}}}' if piece[1] else f"{{{{ {name} }}}}"


if __name__ == "__main__":
    main()
