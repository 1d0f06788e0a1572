"""The Celery application and its schedule.

Beat only rings: every task looks in the database for what is due, and each due run has a unique key there. A
tick that is lost, doubled or late does no harm.
"""

import os

from celery import Celery
from celery.schedules import crontab
from django.core.management import call_command

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "wise_marketing.settings")

app = Celery("wise_marketing")
app.config_from_object("django.conf:settings", namespace="CELERY")
app.autodiscover_tasks()

# A tick that no worker took before the next one is worthless, so it expires.
app.conf.beat_schedule = {
    "run due campaigns": {"task": "campaigns.tasks.run_due", "schedule": 60.0, "options": {"expires": 60}},
    "send due editions": {
        "task": "newsletter.tasks.send_due_editions",
        "schedule": 60.0,
        "options": {"expires": 60},
    },
    "send queued mail": {"task": "mailings.tasks.send_queued", "schedule": 10.0, "options": {"expires": 10}},
    "recover stale messages": {
        "task": "mailings.tasks.recover_stale",
        "schedule": 60.0,
        "options": {"expires": 60},
    },
    "answer customers": {"task": "mijnmenu.tasks.answer_customers", "schedule": 60.0, "options": {"expires": 60}},
    "run waiting imports": {
        "task": "customers.tasks.run_waiting_imports",
        "schedule": 60.0,
        "options": {"expires": 60},
    },
    "maintain customers": {
        "task": "customers.tasks.maintain_nightly",
        "schedule": crontab(hour="2", minute="30"),
    },
    "clear sessions": {"task": "wise_marketing.clear_sessions", "schedule": crontab(hour="4", minute="10")},
    "refresh system labels": {
        "task": "labels.tasks.refresh_system_labels_nightly",
        "schedule": crontab(hour="3", minute="30"),
    },
    "count selections": {
        "task": "selections.tasks.count_selections_nightly",
        "schedule": crontab(hour="4", minute="15"),
    },
}


@app.task(name="wise_marketing.clear_sessions")
def clear_sessions() -> None:
    """Drop the sessions that have expired; nothing else would."""
    call_command("clearsessions")
