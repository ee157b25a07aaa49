"""Spans as a collector receives them: the real SDK sends them by OTLP over HTTP."""

import asyncio
from collections.abc import AsyncIterator, Iterator
from typing import Any

import asyncpg
import pytest
from opentelemetry import trace
from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor

from tests.resolvers.live.clients import EVENTS, socket
from tests.support.background import until
from tests.support.collector import Collector, collecting
from tests.support.service import ORG, Service, serving

SECRET = "never-to-be-traced"
FIND = f'query Find {{ jobs(filter: {{type: {{eq: "{SECRET}"}}}}) {{ nodes {{ id }} }} }}'
CREATE = f'mutation {{ createJob(input: {{type: "{SECRET}"}}) {{ __typename }} }}'
TRACE, PARENT = "0af7651916cd43dd8448eb211c80319c", "b7ad6b7169203331"
ERROR = 2


@pytest.fixture(scope="module")
def collector() -> Iterator[Collector]:
    with collecting() as made:
        provider = TracerProvider()
        provider.add_span_processor(SimpleSpanProcessor(OTLPSpanExporter(f"{made.url}/v1/traces")))
        trace.set_tracer_provider(provider)
        yield made
        provider.shutdown()


@pytest.fixture
async def traced(database_url: str, collector: Collector) -> AsyncIterator[Service]:
    """A service of one test: it ends with it, so that no late span reaches the next."""
    async with serving(database_url, traces="true") as running:
        yield running


@pytest.fixture(autouse=True)
def _emptied(collector: Collector) -> None:
    collector.spans.clear()


def attributes(span: Any) -> dict[str, Any]:
    return {
        each.key: getattr(each.value, each.value.WhichOneof("value")) for each in span.attributes
    }


async def ended(collector: Collector, name: str) -> Any:
    async def is_there() -> bool:
        return bool(collector.named(name))

    await until(is_there)
    (span,) = collector.named(name)
    return span


async def created(traced: Service, traceparent: str) -> str:
    """Create a job in a trace; get its id."""
    create = 'mutation { createJob(input: {type: "t"}) { ... on CreateJobPayload { job { id } } } }'
    answer = await traced.post(create, traceparent=traceparent)
    return str(answer.json()["data"]["createJob"]["job"]["id"])


async def details(traced: Service, id_: str) -> list[Any]:
    """Get the details of the events of a job."""
    query = f'{{ job(id: "{id_}") {{ events(first: 9) {{ nodes {{ detail }} }} }} }}'
    return [each["detail"] for each in (await traced.query(query))["job"]["events"]["nodes"]]


async def test_a_request_continues_the_trace_of_its_client(
    traced: Service, collector: Collector
) -> None:
    await traced.post(FIND, traceparent=f"00-{TRACE}-{PARENT}-01")
    request = await ended(collector, "POST /graphql")
    (operation,) = collector.named("query")
    statements = collector.named("SELECT")
    assert statements
    assert {span.trace_id.hex() for span in collector.spans} == {TRACE}
    assert request.parent_span_id.hex() == PARENT
    assert operation.parent_span_id == request.span_id
    (level,) = collector.named("Query")
    assert level.parent_span_id == operation.span_id
    assert {span.parent_span_id for span in statements} == {level.span_id}
    for span in statements:
        assert level.start_time_unix_nano < span.start_time_unix_nano < span.end_time_unix_nano
    assert attributes(request)["http.response.status_code"] == 200
    assert attributes(operation)["graphql.operation.name"] == "Find"
    assert attributes(operation)["joblens.organisation"] == ORG
    assert attributes(operation)["joblens.code"] == "OK"
    assert "$1" in attributes(statements[0])["db.query.text"]


async def test_a_created_job_keeps_its_trace(traced: Service, collector: Collector) -> None:
    id_ = await created(traced, f"00-{TRACE}-{PARENT}-01")
    cancel = f'mutation {{ cancelJob(id: "{id_}", reason: "r") {{ __typename }} }}'
    await traced.post(cancel, traceparent=f"00-{'1' * 32}-{PARENT}-01")
    first, last = await details(traced, id_)
    assert first["trace_id"] == TRACE
    assert (last["trace_id"], last["reason"]) == ("1" * 32, "r")


async def test_a_trace_that_its_client_does_not_record(
    traced: Service, collector: Collector
) -> None:
    id_ = await created(traced, f"00-{TRACE}-{PARENT}-00")
    (detail,) = await details(traced, id_)
    assert detail["trace_id"] == TRACE
    await ended(collector, "POST /graphql")
    assert TRACE not in {span.trace_id.hex() for span in collector.spans}


async def test_requests_at_once_keep_their_traces(traced: Service, collector: Collector) -> None:
    ids = [f"{number:032x}" for number in range(1, 9)]
    await asyncio.gather(*(traced.post(FIND, traceparent=f"00-{id_}-{PARENT}-01") for id_ in ids))

    async def are_ended() -> bool:
        return len(collector.named("POST /graphql")) == len(ids)

    await until(are_ended)
    for id_ in ids:
        own = [span for span in collector.spans if span.trace_id.hex() == id_]
        assert {span.name for span in own} == {"POST /graphql", "query", "Query", "SELECT"}


async def test_each_level_has_a_span(traced: Service, collector: Collector) -> None:
    await traced.query(CREATE)
    await ended(collector, "POST /graphql")
    collector.spans.clear()
    await traced.query("{ jobs(first: 3) { nodes { id events(first: 2) { nodes { ts } } } } }")
    await ended(collector, "POST /graphql")
    parents = {span.span_id: span.name for span in collector.spans}
    levels = {
        span.name: parents[span.parent_span_id]
        for span in collector.spans
        if span.name in {"Query", "JobConnection", "Job"}
    }
    assert levels == {"Query": "query", "JobConnection": "Query", "Job": "JobConnection"}
    (jobs,) = collector.named("Job")
    assert attributes(jobs)["joblens.objects"] >= 1
    assert {parents[span.parent_span_id] for span in collector.named("SELECT")} >= {"Query", "Job"}


async def test_a_delivery_is_linked_with_its_subscription(
    traced: Service, collector: Collector
) -> None:
    async with socket(traced) as live:
        await live.init()
        await live.subscribe("1", EVENTS)
        subscription = await ended(collector, "subscription")
        await traced.query(CREATE)
        assert (await live.receive())["type"] == "next"
        delivery = await ended(collector, "deliver")
    (link,) = delivery.links
    assert link.trace_id == subscription.trace_id
    assert delivery.trace_id != subscription.trace_id
    assert attributes(delivery)["joblens.responses"] == 1


async def test_a_mutation_without_a_trace(traced: Service, collector: Collector) -> None:
    await traced.query(CREATE)
    request = await ended(collector, "POST /graphql")
    assert not request.parent_span_id
    (operation,) = collector.named("mutation")
    inserted = collector.named("INSERT")
    assert inserted
    assert {span.parent_span_id for span in inserted} == {operation.span_id}


async def test_failures(database_url: str, traced: Service, collector: Collector) -> None:
    lock = await asyncpg.connect(database_url)
    async with (
        serving(database_url, traces="true", statement_timeout_seconds="0.2") as service,
        lock.transaction(),
    ):
        await lock.execute("LOCK TABLE job")
        await service.post(FIND)
    await lock.close()
    (operation,) = collector.named("query")
    (statement,) = collector.named("SELECT")
    assert (operation.status.code, operation.status.message) == (ERROR, "TIMEOUT")
    assert statement.status.code == ERROR
    assert attributes(statement)["error.type"] == "QueryCanceledError"
    collector.spans.clear()
    await traced.post("{ nothing }")
    refused = await ended(collector, "POST /graphql")
    assert attributes(refused)["joblens.code"] == "GRAPHQL_VALIDATION_FAILED"


async def test_no_span_has_a_value(traced: Service, collector: Collector) -> None:
    await traced.query(CREATE)
    await traced.query(FIND)
    assert len(collector.spans) > 4
    assert SECRET not in str(collector.spans)


async def test_events_are_read_in_no_trace_of_a_subscriber(
    traced: Service, collector: Collector
) -> None:
    """The reads of a feed are of all subscribers: none is a part of the trace of the first."""
    async with socket(traced) as live:
        await live.init()
        await live.subscribe("1", EVENTS)

        async def is_started() -> bool:
            return bool(collector.named("subscription"))

        await until(is_started)
        subscription = collector.named("subscription")[0].trace_id
        collector.spans.clear()
        await traced.query(CREATE)
        assert (await live.receive())["type"] == "next"
        reads = [span for span in collector.spans if "pg_current_snapshot" in str(span.attributes)]
        assert reads
        assert subscription not in {span.trace_id for span in reads}
