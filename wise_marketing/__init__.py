"""Composition of the product: settings, Celery, root URLs and the embedded servers. Imported by no app."""

from wise_marketing.celery import app as celery_app

__all__ = ["celery_app"]
