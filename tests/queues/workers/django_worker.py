"""Runs django-tasks: adds tasks of every outcome, works on them, and prints what was seen."""

import json
import sys
from datetime import timedelta
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

sys.path.insert(0, str(Path(__file__).parent))
import django
from django.conf import settings
from django.core.management import call_command
from django.utils import timezone

url = urlsplit(sys.argv[1])
where = {name: values[0] for name, values in parse_qs(url.query).items()}
settings.configure(
    INSTALLED_APPS=["django_tasks", "django_tasks_db"],
    USE_TZ=True,
    TASKS={"default": {"BACKEND": "django_tasks_db.DatabaseBackend", "QUEUES": []}},
    DATABASES={
        "default": {
            "ENGINE": "django.db.backends.postgresql",
            "NAME": url.path[1:],
            "USER": url.username,
            "HOST": where.get("host", url.hostname),
            "PORT": where.get("port", url.port),
        }
    },
)
django.setup()
call_command("migrate", verbosity=0)
import django_jobs as jobs

print("ready", flush=True)
sys.stdin.readline()
for number in range(20):
    jobs.email.enqueue(f"user{number}@example.com")
for _ in range(3):
    jobs.report.enqueue()
jobs.email.using(run_after=timezone.now() + timedelta(days=30)).enqueue("later@example.com")
call_command("db_worker", "--batch", "--no-startup-delay", "--queue-name", "*", verbosity=0)
print(json.dumps(jobs.seen))
