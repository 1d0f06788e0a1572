"""The Celery application and its schedule.

Beat only rings: every task looks in the database for what is due, and each due run has a unique key there. A
tick that is lost, doubled or late does no harm.
"""

import os
from typing import Any

from celery import Celery
from celery.schedules import crontab
from celery.signals import worker_process_init
from django.core.management import call_command

from wise_marketing import broker  # noqa: F401 - sets how a lost line is told

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "wise_marketing.settings")

app = Celery("wise_marketing")
app.config_from_object("django.conf:settings", namespace="CELERY")
app.autodiscover_tasks()


@worker_process_init.connect
def stand_apart(**_: Any) -> None:
    """Give a process that works a group of its own.

    systemd and Procfile runners stop by a signal to the whole group; that would end a task halfway, where the worker
    lets its tasks finish when it alone is told.
    """
    os.setpgid(0, 0)


def tick(task: str, seconds: float) -> dict[str, Any]:
    """Ring every so many seconds; one that no worker took before the next is worthless, so it expires."""
    return {"task": task, "schedule": seconds, "options": {"expires": seconds}}


def nightly(task: str, hour: int, minute: int) -> dict[str, Any]:
    """Ring once a night, at Amsterdam's time."""
    return {"task": task, "schedule": crontab(hour=str(hour), minute=str(minute))}


app.conf.beat_schedule = {
    "send queued mail": tick("mailings.tasks.send_queued", 10),
    "send text messages": tick("mailings.tasks.send_texts", 10),
    "read what came back on text messages": tick("mailings.tasks.read_text_events", 60),
    "recover stale messages": tick("mailings.tasks.recover_stale", 60),
    "decide tests of versions": tick("mailings.tasks.decide_experiments", 60),
    "judge hits on links": tick("mailings.tasks.judge_hits", 10),
    "read what mail servers report": tick("mailings.tasks.read_bounces", 300),
    "give those who wait their turn": tick("mailings.tasks.decide_about_waiting", 3600),
    "publish who may be reached": tick("mailings.tasks.publish_due", 60),
    "tell staff what stopped": tick("mailings.tasks.send_notices", 60),
    "send confirmations": tick("mailings.tasks.send_confirmations", 60),
    "look up links": tick("mailings.tasks.check_links", 60),
    "ask for the links of actions": tick("campaigns.tasks.ask_links_ahead", 900),
    "ask for the links of editions": tick("newsletter.tasks.ask_links_ahead", 900),
    "run due campaigns": tick("campaigns.tasks.run_due", 60),
    "send due editions": tick("newsletter.tasks.send_due_editions", 60),
    "answer customers": tick("mijnmenu.tasks.answer_customers", 60),
    "run waiting imports": tick("customers.tasks.run_waiting_imports", 60),
    "look for deliveries": tick("customers.tasks.look_for_deliveries", 60),
    "follow the precedence of sources": tick("customers.tasks.follow_sources", 60),
    "record visits of websites": tick("website.tasks.record_visits", 300),
    "count hits of websites": nightly("website.tasks.roll_up_nightly", 1, 20),
    "match customers": nightly("customers.tasks.match_nightly", 2, 0),
    "maintain customers": nightly("customers.tasks.maintain_nightly", 2, 30),
    "make copies of data": tick("customers.tasks.make_copies", 60),
    "retention": nightly("customers.tasks.keep_no_longer", 1, 15),
    "tally facts": nightly("customers.tasks.tally_facts", 4, 45),
    "check the ledger of consents": nightly("customers.tasks.check_ledger_nightly", 2, 50),
    "end and count labels": nightly("labels.tasks.end_labels_nightly", 0, 5),
    "work out histories of labels": tick("labels.tasks.work_out_histories", 60),
    "refresh system labels": nightly("labels.tasks.refresh_system_labels_nightly", 3, 30),
    "count quality": nightly("customers.tasks.count_quality", 4, 30),
    "clear sessions": nightly("wise_marketing.clear_sessions", 4, 10),
    "count selections": nightly("selections.tasks.count_selections_nightly", 4, 15),
    "fill waiting result sets": tick("selections.tasks.fill_waiting_sets", 900),
}


@app.task(name="wise_marketing.clear_sessions")
def clear_sessions() -> None:
    """Drop the sessions that have expired; nothing else would."""
    call_command("clearsessions")
