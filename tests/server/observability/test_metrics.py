"""What the metrics of a process say of what it did, read with a token from its own address."""

import asyncio
from collections.abc import AsyncIterator
from typing import Any

import asyncpg
import pytest

from db.observation import is_observed
from server.observability.catalogue import METRICS
from server.observability.measures import NOTED
from server.settings import Settings, SettingsError
from tests.conftest import create_database, database_in, drop_database
from tests.resolvers.live.clients import EVENTS, socket
from tests.support.background import until
from tests.support.metrics import TOKEN, Scrape
from tests.support.service import ORG, Service, serving

CREATE = 'mutation { createJob(input: {type: "t"}) { __typename } }'
JOBS = "query Mine { jobs { nodes { id } } }"


@pytest.fixture(scope="module")
async def measured(database_url: str) -> AsyncIterator[Service]:
    settings = {"metrics_token": TOKEN, "metrics_ledger": ORG, "metrics_ledger_seconds": "1"}
    settings["tally_interval_seconds"] = "0.1"
    async with serving(database_url, **settings) as running:
        yield running


async def scrape(service: Service) -> Scrape:
    answer = await service.client.get("/metrics", headers={"authorization": f"Bearer {TOKEN}"})
    assert answer.status_code == 200
    return Scrape(answer.text)


async def test_operations_are_counted_and_timed(measured: Service) -> None:
    before = await scrape(measured)
    await measured.query(CREATE)
    for _ in range(3):
        await measured.query(JOBS)
    await measured.post("{ nothing }")
    await measured.post('{ job(id: "nonsense") { id } }')
    after = await scrape(measured)

    def more(name: str, **labels: str) -> float:
        return after.get(name, **labels) - before.get(name, **labels)

    total = "joblens_operations_total"
    # A client's own name is not a label.
    assert more(total, type="query", operation="other", code="OK") == 3
    assert after.get(total, operation="Mine") == 0
    assert more(total, type="mutation", code="OK") == 1
    assert more(total, type="none") == 1
    assert more(total, type="query", code="BAD_USER_INPUT") == 1
    assert more("joblens_errors_total", code="BAD_USER_INPUT") == 1
    assert more("joblens_cost_points_total") > 3
    for part in ("", "_sql", "_wait", "_executor"):
        assert more(f"joblens_operation{part}_seconds_count", type="query") == 4
    whole = more("joblens_operation_seconds_sum")
    parts = [more(f"joblens_operation_{part}_seconds_sum") for part in ("sql", "wait", "executor")]
    assert all(part > 0 for part in parts)
    assert sum(parts) == pytest.approx(whole)
    assert more("joblens_statements_total", outcome="ok") >= 3 + 2
    assert more("joblens_statement_seconds_count") == more("joblens_statements_total")


async def test_every_one_of_many_is_counted(measured: Service) -> None:
    """Also those that are noted, and those that were counted before."""
    before = await scrape(measured)
    for number in (NOTED - 1, 2):
        for _ in range(number):
            await measured.query("{ jobs(first: 1) { nodes { id } } }")
        after = await scrape(measured)
    total = NOTED + 1
    for name in (
        "joblens_operations_total",
        "joblens_operation_seconds_count",
        "joblens_operation_executor_seconds_count",
        "joblens_statement_seconds_count",
    ):
        found = after.get(name) - before.get(name)
        assert found >= total if "statement" in name else found == total, name


async def test_a_registered_operation_has_its_name(measured: Service) -> None:
    documents = measured.state.rules.documents
    assert documents._texts
    text = min((each for each in documents._texts if "query Viewer" in each), key=len)
    await measured.query(text)
    after = await scrape(measured)
    assert after.get("joblens_operations_total", type="query", operation="Viewer") >= 1


async def test_failed_statements_are_counted(database_url: str) -> None:
    """Of both ways in which statements are run."""
    settings = {"metrics_token": TOKEN, "statement_timeout_seconds": "0.2"}
    lock = await asyncpg.connect(database_url)
    async with serving(database_url, **settings) as service, lock.transaction():
        await lock.execute("LOCK TABLE job")
        for number, query in enumerate((JOBS, CREATE), start=1):
            (error,) = (await service.post(query)).json()["errors"]
            assert error["extensions"]["code"] == "TIMEOUT"
            found = await scrape(service)
            assert found.get("joblens_statements_total", outcome="error") == number
        assert found.get("joblens_operations_total", code="TIMEOUT", type="mutation") == 1
    await lock.close()


async def test_rate_refusals(database_url: str) -> None:
    async with serving(database_url, metrics_token=TOKEN, rate_points_per_minute="1") as service:
        await service.post("{ jobs(first: 50) { nodes { id } } }")
        await service.post("{ jobs(first: 50) { nodes { id } } }")
        found = await scrape(service)
    assert found.get("joblens_rate_refusals_total") >= 1
    refused = found.get("joblens_errors_total", code="RATE_LIMITED")
    assert refused == found.get("joblens_rate_refusals_total")


async def test_live_updates(measured: Service) -> None:
    before = await scrape(measured)
    async with socket(measured) as live:
        await live.init()
        await live.subscribe("1", EVENTS)

        async def is_subscribed() -> bool:
            return (await scrape(measured)).get("joblens_subscribers") == 1

        await until(is_subscribed)
        await measured.query(CREATE)
        assert (await live.receive())["type"] == "next"
        after = await scrape(measured)
    assert after.get("joblens_feeds") == 1
    assert after.get("joblens_connections") == 1
    for name in (
        "joblens_live_events_total",
        "joblens_live_event_lag_seconds_count",
        "joblens_deliveries_total",
    ):
        assert after.get(name) - before.get(name) == 1, name
    subscribed = {"type": "subscription", "code": "OK"}
    assert after.get("joblens_operations_total", **subscribed) == 1

    async def is_over() -> bool:
        found = await scrape(measured)
        return found.get("joblens_feeds") == found.get("joblens_subscribers") == 0

    await until(is_over)


async def test_the_ledger(measured: Service) -> None:
    await measured.query(CREATE)

    counts = (await measured.query("{ statusCounts { status count { value } } }"))["statusCounts"]
    (count,) = [each["count"]["value"] for each in counts if each["status"] == "QUEUED"]

    async def is_summed() -> bool:
        found = await scrape(measured)
        return found.get("joblens_ledger_jobs", organisation=ORG, status="queued") == count

    await until(is_summed)
    found = await scrape(measured)
    assert found.get("joblens_ledger_due_jobs", organisation=ORG) == count
    assert found.get("joblens_ledger_oldest_due_seconds", organisation=ORG) > 0
    assert found.get("joblens_ledger_failures", organisation=ORG) == 0
    assert found.get("joblens_ledger_read_failing") == 0
    assert found.get("joblens_tally_lag_seconds") > 0
    assert found.get("joblens_background_runs_total", task="tally") > 0


async def test_all_organisations(database_url: str) -> None:
    settings = {"metrics_token": TOKEN, "metrics_ledger": "all", "metrics_ledger_max": "1"}
    async with serving(database_url, **settings) as service:
        await service.query(CREATE)
        found = await scrape(service)
    assert found.get("joblens_ledger_due_jobs", organisation=ORG) >= 1
    assert found.get("joblens_ledger_read_failing") == 0


async def test_the_ledger_is_read_once_for_all(database_url: str) -> None:
    settings = {"metrics_token": TOKEN, "metrics_ledger": ORG, "metrics_ledger_seconds": "3600"}
    async with serving(database_url, **settings) as service:
        with service.recorded() as statements:
            await asyncio.gather(*(scrape(service) for _ in range(5)))
        assert 4 <= len([each for each in statements if "job" in each]) <= 8


async def test_an_unreadable_ledger_hides_no_other_metric(
    cluster_url: str,
) -> None:
    name = await create_database(cluster_url)
    settings = {"metrics_token": TOKEN, "metrics_ledger": ORG, "tally_interval_seconds": "0"}
    async with serving(database_in(cluster_url, name), **settings) as service:
        found = await scrape(service)
    await drop_database(cluster_url, name)
    assert found.get("joblens_ledger_read_failing") == 1
    assert found.get("joblens_processes") == 1


async def test_each_metric_is_in_the_catalogue_and_has_its_meaning(measured: Service) -> None:
    found = await scrape(measured)
    names = {name.removesuffix("_total"): each for name, each in METRICS.items()}
    assert set(found.families) <= set(names)
    for name, family in found.families.items():
        assert family.documentation == names[name].meaning
        assert family.type == names[name].kind
    plain = {name for name, each in names.items() if not each.labels and not each.is_read}
    assert plain <= set(found.families)
    assert all(each.meaning.endswith((".", "`.")) for each in METRICS.values())


@pytest.mark.parametrize(
    "given", [None, "", "Bearer", "Bearer x", f"bearer {TOKEN}", f"Bearer {TOKEN}x", "Bearer ä"]
)
async def test_a_wrong_token_is_refused(measured: Service, given: str | None) -> None:
    headers: Any = {} if given is None else {"authorization": given.encode()}
    answer = await measured.client.get("/metrics", headers=headers)
    assert answer.status_code == 401
    assert "joblens_" not in answer.text


async def test_there_are_none_unless_wanted(service: Service) -> None:
    answer = await service.client.get("/metrics", headers={"authorization": f"Bearer {TOKEN}"})
    assert answer.status_code == 404
    assert not is_observed(service.engine)


@pytest.mark.parametrize(
    "given",
    [
        {"METRICS_TOKEN": "short"},
        {"METRICS_LEDGER": "none"},
        {"METRICS_LEDGER": f"all,{ORG}"},
        {"METRICS_PORT": "8000"},
    ],
)
async def test_settings_that_are_refused(given: dict[str, str]) -> None:
    with pytest.raises(SettingsError):
        Settings.read({f"JOBLENS_{name}": value for name, value in given.items()})
