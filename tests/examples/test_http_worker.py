"""The workers over HTTP, as processes of their own against a real service: they lose no job."""

import asyncio
import re
import shutil
import subprocess
import sys
import tempfile
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest

from db import embedded, migrations
from db.embedded import clusters
from tests.support.checkout import ROOT
from tests.support.node import node
from tests.support.patience import PATIENCE_SECONDS
from tests.support.service import Service, serving

FOLDER = ROOT / "examples" / "http_worker"
LANGUAGES = ("python", "javascript")
JOB = "status result lastErrorCode attempts { outcome errorCode }"
NEVER = "100000"


@pytest.fixture(scope="module")
async def service(database_url: str) -> AsyncIterator[Service]:
    async with serving(database_url) as running:
        yield running


@pytest.fixture(params=LANGUAGES)
def language(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture
def queue() -> str:
    return uuid4().hex


def url_of(service: Service) -> str:
    return f"{str(service.client.base_url).rstrip('/')}/graphql"


@asynccontextmanager
async def working(url: str, language: str, queue: str, silent: str = NEVER) -> AsyncIterator[Any]:
    """Run a worker of this queue."""
    program = (sys.executable, "-u", str(FOLDER / "worker.py"))
    if language == "javascript":
        program = (node(), "--", str(FOLDER / "worker.mjs"))
    process = await asyncio.create_subprocess_exec(
        *program,
        env={"URL": url, "QUEUE": queue, "SILENT_SECONDS": silent},
        stderr=subprocess.PIPE,
    )
    yield process
    assert process.returncode is None, (await process.communicate())[1].decode()
    process.kill()
    await process.communicate()


async def create(service: Service, queue: str, **fields: Any) -> str:
    job = {"type": "invoice.render", "queue": queue, "payload": {"pages": 3}, **fields}
    query = """mutation ($input: CreateJobInput!) {
      createJob(input: $input) { ... on CreateJobPayload { job { id } } }
    }"""
    made = await service.query(query, {"input": job})
    return str(made["createJob"]["job"]["id"])


async def change(service: Service, job_id: str, **fields: Any) -> Any:
    query = """mutation ($input: TransitionJobInput!) {
      transitionJob(input: $input) { __typename ... on JobPayload { job { attempt } } }
    }"""
    return (await service.query(query, {"input": {"id": job_id, **fields}}))["transitionJob"]


async def ended(service: Service, job_id: str, *statuses: str) -> Any:
    """Wait until a job has one of these statuses, and get it."""
    async with asyncio.timeout(PATIENCE_SECONDS):
        while True:
            query = f"query ($id: ID!) {{ job(id: $id) {{ startedAt {JOB} }} }}"
            job = (await service.query(query, {"id": job_id}))["job"]
            if job["status"] in statuses:
                return job
            await asyncio.sleep(0.1)


def outcomes(job: Any) -> list[str]:
    return [attempt["outcome"] for attempt in job["attempts"]]


async def test_the_most_urgent_first_then_the_oldest(
    service: Service, language: str, queue: str
) -> None:
    jobs = [await create(service, queue, priority=number) for number in (0, 5, 0, 5, 1)]
    later = await create(service, queue, priority=9, scheduledAt="2999-01-01T00:00:00Z")
    other = await create(service, queue, type="of another worker")
    async with working(url_of(service), language, queue):
        done = [await ended(service, job, "SUCCEEDED") for job in jobs]
    assert [job["result"] for job in done] == [{"pages": 3}] * 5
    starts = [job["startedAt"] for job in done]
    assert [starts.index(start) for start in sorted(starts)] == [1, 3, 4, 0, 2]
    for left in (later, other):
        assert (await ended(service, left, "QUEUED"))["attempts"] == []


async def test_a_failure_is_retried_and_given_up_at_last(
    service: Service, language: str, queue: str
) -> None:
    failing = {"payload": None, "maxAttempts": 3, "backoffPolicy": "NONE"}
    job = await create(service, queue, **failing)
    waiting = await create(service, queue, **failing | {"backoffPolicy": "FIXED"})
    async with working(url_of(service), language, queue):
        done = await ended(service, job, "DEAD_LETTER")
        # Its retry is due only later, and so it is left alone.
        assert outcomes(await ended(service, waiting, "QUEUED")) == ["FAILED"]
    assert outcomes(done) == ["FAILED"] * 3
    assert done["lastErrorCode"] == "TypeError"


async def test_a_job_whose_worker_died(service: Service, language: str, queue: str) -> None:
    again = await create(service, queue)
    last = await create(service, queue, maxAttempts=1)
    unsettled = await create(service, queue, backoffPolicy="NONE")
    for job in (again, last, unsettled):
        assert (await change(service, job, to="RUNNING"))["job"]["attempt"] == 1
    await change(service, unsettled, to="FAILED", errorCode="OOPS")
    async with working(url_of(service), language, queue, silent="1"):
        for job in (again, unsettled):
            assert (await ended(service, job, "SUCCEEDED"))["result"] == {"pages": 3}
        lost = await ended(service, last, "DEAD_LETTER")
    assert outcomes(await ended(service, again, "SUCCEEDED")) == ["QUEUED", "SUCCEEDED"]
    assert outcomes(await ended(service, unsettled, "SUCCEEDED")) == ["FAILED", "SUCCEEDED"]
    assert (outcomes(lost), lost["lastErrorCode"]) == (["FAILED"], "WORKER_LOST")


async def test_a_run_that_tells_of_itself_is_left_alone(
    service: Service, language: str, queue: str
) -> None:
    alive = await create(service, queue)
    await change(service, alive, to="RUNNING")
    async with working(url_of(service), language, queue, silent="5"):
        for _ in range(10):
            note = "mutation ($input: RecordJobEventInput!) { recordJobEvent(input: $input) { __typename } }"
            await service.query(note, {"input": {"id": alive, "detail": {"progress": 0.1}}})
            await asyncio.sleep(0.7)
        assert (await ended(service, alive, "RUNNING"))["attempts"][0]["outcome"] is None
    late = await change(service, alive, **{"from": "RUNNING", "to": "SUCCEEDED", "attempt": 1})
    assert late["__typename"] == "JobPayload"


@asynccontextmanager
async def losing(service: Service, is_lost: Callable[[str], bool]) -> AsyncIterator[str]:
    """A proxy to the service that drops the response to the first request of a given kind."""
    lost: list[str] = []

    async def pass_on(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        head = (await reader.readuntil(b"\r\n\r\n")).decode()
        length = re.search(r"content-length: (\d+)", head, re.IGNORECASE)
        assert length is not None
        body = await reader.readexactly(int(length[1]))
        headers = {"content-type": "application/json"}
        answer = await service.client.post("/graphql", content=body, headers=headers)
        if is_lost(body.decode()) and not lost:
            lost.append(body.decode())
        else:
            size = f"content-length: {len(answer.content)}\r\nconnection: close\r\n\r\n"
            writer.write(f"HTTP/1.1 {answer.status_code} OK\r\n{size}".encode() + answer.content)
            await writer.drain()
        writer.close()

    server = await asyncio.start_server(pass_on, "127.0.0.1", 0)
    host, port = server.sockets[0].getsockname()
    yield f"http://{host}:{port}/graphql"
    server.close()
    assert lost


async def test_a_start_whose_answer_was_lost(service: Service, language: str, queue: str) -> None:
    """The worker leaves the job, and it is given back later: rather one run too many than none."""
    job = await create(service, queue)
    async with (
        losing(service, lambda body: '"to": "RUNNING"' in spaced(body)) as url,
        working(url, language, queue, silent="2"),
    ):
        done = await ended(service, job, "SUCCEEDED")
    assert outcomes(done) == ["QUEUED", "SUCCEEDED"]


@pytest.mark.parametrize("to", ["SUCCEEDED", "FAILED"])
async def test_an_end_whose_answer_was_lost(
    service: Service, language: str, queue: str, to: str
) -> None:
    payload = {"pages": 3} if to == "SUCCEEDED" else None
    job = await create(service, queue, payload=payload, maxAttempts=1)
    async with (
        losing(service, lambda body: f'"to": "{to}"' in spaced(body)) as url,
        working(url, language, queue),
    ):
        done = await ended(service, job, "SUCCEEDED", "DEAD_LETTER")
    assert outcomes(done) == [to]


def spaced(body: str) -> str:
    """Get the JSON as Python writes it."""
    return re.sub(r'":"', '": "', body)


@pytest.fixture
async def cluster() -> AsyncIterator[tuple[Path, str]]:
    """A database server of its own, to stop and start."""
    folder = Path(tempfile.mkdtemp(prefix="joblens-"))
    server = embedded.start(folder)
    await migrations.upgrade(server.url)
    yield folder / "postgres", server.url
    server.stop()
    shutil.rmtree(folder)


async def test_it_outlasts_a_database_that_is_away(
    cluster: tuple[Path, str], language: str, queue: str
) -> None:
    folder, url = cluster
    async with serving(url) as service, working(url_of(service), language, queue) as process:
        clusters.stop(folder)
        told = b""
        async with asyncio.timeout(PATIENCE_SECONDS):
            while b"UNAVAILABLE" not in told:
                told += await process.stderr.readline()
        assert told.startswith(b"no answer: ")
        clusters.start(folder)
        job = await create(service, queue)
        assert outcomes(await ended(service, job, "SUCCEEDED")) == ["SUCCEEDED"]
