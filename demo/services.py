"""The five processes of the demo, each as it runs in production too, and how to see that it works."""

import os
import sys
from http import HTTPStatus
from pathlib import Path

from django.conf import settings

from wise_marketing.celery import app

from .browser import Browser
from .ports import LOCAL
from .processes import Child, Children

WEB_WORKERS = 2
WORKER_PROCESSES = 2


def open_children(state: Path) -> Children:
    """Return the supervisor for processes that log into the state folder."""
    return Children(state / "log", environment=os.environ)


def start_mailbox(children: Children, folder: Path) -> None:
    """Start the mail server at settings.EMAIL_PORT; ready when it says so."""
    port = settings.EMAIL_PORT
    command = [
        sys.executable, "-m", "demo.mailbox", "--host", LOCAL, "--port", str(port), "--folder", str(folder),
    ]  # fmt: skip
    children.start("mailbox", command, is_ready=lambda child: "mailbox: " in text_of(child))


def start_web(children: Children, port: int) -> None:
    """Start gunicorn; ready when it answers."""
    command = [
        sys.executable, "-m", "gunicorn", "wise_marketing.wsgi", "--bind", f"{LOCAL}:{port}",
        "--workers", str(WEB_WORKERS), "--threads", "4", "--graceful-timeout", "5", "--access-logfile", "-",
    ]  # fmt: skip
    children.start(
        "web", command, is_ready=lambda child: "Listening at" in text_of(child) and answers(settings.BASE_URL)
    )


def start_worker(children: Children) -> None:
    """Start a Celery worker; ready when it answers."""
    command = [
        sys.executable, "-m", "celery", "--app", "wise_marketing", "worker",
        "--concurrency", str(WORKER_PROCESSES), "--loglevel", "INFO", "--without-gossip", "--without-mingle",
    ]  # fmt: skip
    children.start("worker", command, is_ready=lambda _: bool(app.control.ping(timeout=0.5)))


def start_scheduler(children: Children) -> None:
    """Start Celery beat, which rings the worker once a minute."""
    command = [sys.executable, "-m", "celery", "--app", "wise_marketing", "beat", "--loglevel", "INFO", "--pidfile="]
    children.start("scheduler", command, is_ready=lambda child: "beat: Starting" in text_of(child))


def start_entrance(children: Children) -> None:
    """Start what takes reports about mail that could not be delivered; ready when it says so."""
    command = [sys.executable, "-m", "django", "receive_bounces"]
    children.start("entrance", command, is_ready=lambda child: "Taking reports" in text_of(child))


def answers(base_url: str) -> bool:
    """Whether the web process serves."""
    try:
        return Browser(base_url).get("/healthz/").status == HTTPStatus.OK
    except OSError:
        return False


def text_of(child: Child) -> str:
    """Return what the process wrote so far."""
    return child.log.read_text(encoding="utf-8", errors="replace")
