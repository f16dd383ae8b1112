"""The Celery application. In production: `celery -A project worker -Q default`, `… -Q long`, `celery -A project beat`."""

import os

from celery import Celery

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "project.settings")

app = Celery("zhuxue")
app.config_from_object("django.conf:settings", namespace="CELERY")
app.autodiscover_tasks()
