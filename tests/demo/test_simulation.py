"""The demo's simulated workers, on a real service: they retry, and are never in anybody's way."""

import asyncio
import http.server
import json
import threading
import time
from collections.abc import AsyncIterator, Callable, Iterator
from dataclasses import replace
from typing import Any

import pytest

from db.statuses import BackoffPolicy
from demo import simulation
from demo.kinds import KINDS
from demo.simulation import simulated_workers
from tests.support.patience import PATIENCE_SECONDS
from tests.support.service import Service, serving

# So quick that a job's life takes no time; every other run fails.
QUICK = replace(
    KINDS[0],
    wait_seconds=0,
    run_seconds=0.01,
    failure_rate=0.5,
    errors=("SMTP_TIMEOUT",),
    max_attempts=3,
    backoff_policy=BackoffPolicy.NONE,
)
INTERVALS = (0.5, 100.0, 100.0)
JOBS = """query ($status: [JobStatus!]) { jobs(filter: {status: $status}, first: 20) {
  nodes { id status attempt attempts { outcome } }
} }"""

CANCEL = "mutation { cancelJobs(filter: {status: [QUEUED, RUNNING, FAILED]}) { changed } }"


@pytest.fixture
async def service(database_url: str) -> AsyncIterator[Service]:
    async with serving(database_url, rate_points_per_minute="0") as running:
        yield running


@pytest.fixture
def no_patience(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(simulation, "SHUTDOWN_SECONDS", 0.1)


async def until(service: Service, status: str, is_so: Callable[[Any], bool]) -> Any:
    """Ask for the jobs of this status until there is one that is so; get it."""
    async with asyncio.timeout(PATIENCE_SECONDS):
        while True:
            answer = await service.query(JOBS, {"status": [status]})
            if found := [job for job in answer["jobs"]["nodes"] if is_so(job)]:
                return found[0]
            await asyncio.sleep(0.05)


def troubles(caplog: pytest.LogCaptureFixture) -> list[str]:
    """Get what was logged of the workers; no line has a traceback."""
    records = [each for each in caplog.records if each.name == "joblens.demo"]
    assert not any(each.exc_info for each in records)
    return [each.getMessage() for each in records]


def url_of(service: Service) -> str:
    return f"{service.client.base_url}/graphql".replace("//graphql", "/graphql")


async def test_jobs_are_retried(
    service: Service, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    # What leads elsewhere must not matter.
    monkeypatch.setenv("http_proxy", "http://127.0.0.1:9")
    with simulated_workers(url_of(service), (QUICK,), INTERVALS):
        job = await until(service, "SUCCEEDED", lambda job: job["attempt"] == 2)
        assert [each["outcome"] for each in job["attempts"]] == ["FAILED", "SUCCEEDED"]
        job = await until(service, "DEAD_LETTER", lambda job: True)
        assert [each["outcome"] for each in job["attempts"]] == ["FAILED"] * 3
    assert troubles(caplog) == []


async def test_what_trying_again_does_not_help_stays_failed(service: Service) -> None:
    final = replace(QUICK, errors=("MAILBOX_UNKNOWN",), failure_rate=1, type="final")
    with simulated_workers(url_of(service), (final,), INTERVALS):
        job = await until(service, "FAILED", lambda job: True)
        await until(service, "FAILED", lambda other: other["id"] != job["id"])
        assert await until(service, "FAILED", lambda other: other["id"] == job["id"]) == job


async def test_a_job_that_somebody_cancels_is_left(
    service: Service, no_patience: None, caplog: pytest.LogCaptureFixture
) -> None:
    with simulated_workers(url_of(service), (QUICK,), INTERVALS):
        while not (await service.query(CANCEL))["cancelJobs"]["changed"]:
            pass
        job = await until(service, "CANCELED", lambda job: True)
        await until(service, "SUCCEEDED", lambda other: other["id"] > job["id"])
        assert await until(service, "CANCELED", lambda other: other["id"] == job["id"]) == job
    assert troubles(caplog) == []


ANSWERS = {
    "errors": (200, json.dumps({"errors": [{"message": "no"}]}).encode()),
    "unavailable": (503, b"{}"),
    "no JSON": (200, b"<html>"),
    "no object": (200, b"[]"),
    "no data": (200, b'{"data": null}'),
    "another answer": (200, b'{"data": {"createJob": {"job": null}}}'),
    "nothing": (0, b""),
}


@pytest.fixture(params=ANSWERS)
def wrong_url(request: pytest.FixtureRequest) -> Iterator[str]:
    """The URL of something that is no Joblens, or one that is ill."""
    status, body = ANSWERS[request.param]

    class Handler(http.server.BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            if status:
                self.send_response(status)
                self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_arguments: object) -> None:
            pass

    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        threading.Thread(target=server.serve_forever).start()
        yield f"http://127.0.0.1:{server.server_port}/graphql"
        server.shutdown()


def test_trouble_is_one_line(
    wrong_url: str,
    no_patience: None,
    caplog: pytest.LogCaptureFixture,
    capfd: pytest.CaptureFixture[str],
) -> None:
    with simulated_workers(wrong_url, (QUICK,), (0.05, 0.05, 0.05)):
        # One for each organisation, though each starts many jobs.
        until = time.monotonic() + PATIENCE_SECONDS
        while len(troubles(caplog)) < 3:
            assert time.monotonic() < until
            time.sleep(0.01)
    assert len(troubles(caplog)) == 3
    assert "Traceback" not in "".join(capfd.readouterr())
