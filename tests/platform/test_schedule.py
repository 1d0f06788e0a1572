from django.conf import settings
from kombu.common import ignore_errors

from wise_marketing.celery import app


def test_every_scheduled_name_is_a_task_that_exists() -> None:
    app.loader.import_default_modules()
    missing = {entry["task"] for entry in app.conf.beat_schedule.values()} - set(app.tasks)
    assert missing == set()


def test_nightly_work_is_planned_in_local_time() -> None:
    assert str(app.conf.timezone) == "Europe/Amsterdam"
    plans = {entry["task"]: str(entry["schedule"]) for entry in app.conf.beat_schedule.values()}
    assert plans["customers.tasks.maintain_nightly"].startswith("<crontab: 30 2 * * *")
    assert plans["labels.tasks.refresh_system_labels_nightly"].startswith("<crontab: 30 3 * * *")


def test_a_tick_expires_when_the_next_one_comes() -> None:
    ticks = [entry for entry in app.conf.beat_schedule.values() if isinstance(entry["schedule"], int | float)]
    assert "mailings.tasks.send_queued" in {entry["task"] for entry in ticks}
    assert all(entry["options"]["expires"] == entry["schedule"] for entry in ticks)


def test_the_queue_keeps_no_results_and_takes_only_json() -> None:
    assert not app.conf.result_backend
    assert app.conf.task_ignore_result
    assert app.conf.accept_content == ["json"]
    assert app.conf.task_acks_late
    assert app.conf.worker_prefetch_multiplier == 1
    assert settings.CELERY_BROKER_URL.startswith(("redis://", "redis+socket://"))


def test_a_line_to_the_broker_that_is_lost_with_work_in_hand_closes_without_ado() -> None:
    with app.connection_for_write() as writing, writing.SimpleQueue("lost line") as queue:
        queue.put("ring")
    line = app.connection_for_read()
    taken = line.default_channel.basic_get("lost line")
    assert taken
    line.transport.client = None  # as Celery leaves it when the broker went away while it was closing
    line.default_channel._disconnect_pools()
    ignore_errors(line, line.close)  # an error of any other kind ends the worker
    with app.connection_for_write() as again, again.SimpleQueue("lost line") as queue:
        queue.clear()
