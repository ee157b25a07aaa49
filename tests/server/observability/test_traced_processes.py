"""The real command under OpenTelemetry's auto-instrumentation, also with several processes."""

import signal
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.server.cli.conftest import command
from tests.support.background import until
from tests.support.collector import Collector, collecting
from tests.support.processes import command_with_urls
from tests.support.service import client_of

CREATE = """
mutation { createJob(input: {type: "t"}) {
  ... on CreateJobPayload { job { events(first: 2) { nodes { detail } } } }
} }"""
VIEWER = {"query": "{ viewer { subject } }"}
INSTRUMENTED = [str(Path(sys.executable).with_name("opentelemetry-instrument")), *command()]
# As versions of it leave a process that take their folder off the path: its children have no SDK.
ALONE = """
from opentelemetry.instrumentation.auto_instrumentation import initialize
initialize()
from joblens.__main__ import app
app()
"""
PROGRAMS = {"the tool": INSTRUMENTED, "a path without it": [sys.executable, "-c", ALONE]}


@pytest.fixture
def collector() -> Iterator[Collector]:
    with collecting() as made:
        yield made


def sdk(collector: Collector, export_after_ms: int) -> dict[str, str]:
    """Make the variables of the SDK. Spans say of which process they are."""
    return {
        "OTEL_TRACES_EXPORTER": "otlp",
        "OTEL_METRICS_EXPORTER": "none",
        "OTEL_LOGS_EXPORTER": "none",
        "OTEL_EXPORTER_OTLP_PROTOCOL": "http/protobuf",
        "OTEL_EXPORTER_OTLP_ENDPOINT": collector.url,
        "OTEL_EXPERIMENTAL_RESOURCE_DETECTORS": "process",
        "OTEL_BSP_SCHEDULE_DELAY": str(export_after_ms),
    }


async def ask(base: str) -> None:
    # Each on a connection of its own, which any process may accept.
    async with client_of(base) as client:
        assert (await client.post("/graphql", json=VIEWER)).status_code == 200


@pytest.mark.parametrize("program", PROGRAMS)
async def test_each_process_exports(database_url: str, collector: Collector, program: str) -> None:
    async with command_with_urls(
        database_url,
        *("--workers", "2"),
        program=PROGRAMS[program],
        variables=sdk(collector, 50),
        traces="true",
    ) as (process, urls):

        async def both_have() -> bool:
            await ask(urls["health"].removesuffix("/healthz"))
            return len(collector.pids("query")) == 2

        await until(both_have)
        # Neither is the one that starts them.
        assert process.pid not in collector.pids("query")
        process.send_signal(signal.SIGTERM)
        _, errors = await process.communicate()
        assert b"Traceback" not in errors


@pytest.mark.parametrize("workers", ["1", "2"])
async def test_the_end_of_a_process_exports(
    database_url: str, collector: Collector, workers: str
) -> None:
    async with command_with_urls(
        database_url,
        *("--workers", workers),
        program=INSTRUMENTED,
        variables=sdk(collector, 3_600_000),
        traces="true",
    ) as (process, urls):
        for _ in range(5):
            await ask(urls["health"].removesuffix("/healthz"))
        assert not collector.spans
        process.send_signal(signal.SIGTERM)
        await process.communicate()
    assert len(collector.named("query")) == 5


async def test_a_job_keeps_its_trace_without_an_sdk(database_url: str) -> None:
    trace = "0af7651916cd43dd8448eb211c80319c"
    async with (
        command_with_urls(database_url, traces="true") as (_process, urls),
        client_of(urls["health"].removesuffix("/healthz")) as client,
    ):
        details = []
        for headers in ({"traceparent": f"00-{trace}-b7ad6b7169203331-01"}, {}):
            answer = await client.post("/graphql", json={"query": CREATE}, headers=headers)
            job = answer.json()["data"]["createJob"]["job"]
            details += [event["detail"] for event in job["events"]["nodes"]]
    assert [each.get("trace_id") for each in details] == [trace, None]


@pytest.mark.long
async def test_no_collector(database_url: str, collector: Collector) -> None:
    """The end of a process waits for an exporter for a few seconds only, and is no failure."""
    variables = sdk(collector, 3_600_000) | {"OTEL_EXPORTER_OTLP_ENDPOINT": "http://127.0.0.1:1"}
    async with command_with_urls(
        database_url,
        *("--workers", "2"),
        program=INSTRUMENTED,
        variables=variables,
        traces="true",
    ) as (process, urls):
        await ask(urls["health"].removesuffix("/healthz"))
        process.send_signal(signal.SIGTERM)
        await process.communicate()
    assert process.returncode == 0
