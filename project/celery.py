"""The Celery application.

In production: `celery -A project worker -Q default`, another with `-Q long`, and one `celery -A project beat`.
"""

import os

from celery import Celery

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "project.settings")


def configured(app: Celery) -> Celery:
    app.config_from_object("django.conf:settings", namespace="CELERY")
    app.autodiscover_tasks()
    return app


app = configured(Celery("zhuxue"))
