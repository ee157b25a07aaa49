"""On a hot standby queries and subscriptions are answered, and mutations refused with a code."""

import pytest

from db.checks import check_database
from db.database_errors import ReadOnlyDatabaseError
from db.engine import create_engine
from joblens import JobRepository, session_scope
from tests.resolvers.live.clients import EVENTS
from tests.resolvers.live.clients import socket as live_socket
from tests.support.background import until
from tests.support.service import ORG, Service
from tests.support.standby import Pair

CREATE = 'mutation { createJob(input: {type: "t"}) { __typename } }'
CREATE_JOBS = 'mutation { createJobs(input: [{type: "t"}]) { __typename } }'
COUNT = "{ jobs { count { value } } }"


async def count(service: Service) -> int:
    found: int = (await service.query(COUNT))["jobs"]["count"]["value"]
    return found


@pytest.mark.parametrize("mutation", [CREATE, CREATE_JOBS])
async def test_a_mutation(standby: Service, mutation: str) -> None:
    answer = await standby.post(mutation)
    assert answer.status_code == 200
    (error,) = answer.json()["errors"]
    assert error["extensions"] == {"code": "READ_ONLY_DATABASE"}
    assert "recovery" not in answer.text


async def test_queries_have_what_the_primary_wrote(primary: Service, standby: Service) -> None:
    before = await count(standby)
    await primary.query(CREATE)
    assert await count(primary) == before + 1

    async def has_arrived() -> bool:
        return await count(standby) == before + 1

    await until(has_arrived)


async def test_it_is_ready(standby: Service) -> None:
    assert (await standby.client.get("/readyz")).status_code == 200


async def test_events_arrive_by_polling(primary: Service, standby: Service) -> None:
    async with live_socket(standby) as client:
        await client.init()
        await client.subscribe("1", EVENTS)
        await client.ask("2", COUNT)
        await primary.query(CREATE)
        event = await client.receive()
    assert event["payload"]["data"]["jobEvents"]["node"]["nextStatus"] == "QUEUED"


async def test_the_repository(pair: Pair, standby: Service) -> None:
    engine = create_engine(pair.standby)
    with pytest.raises(ReadOnlyDatabaseError):
        async with session_scope(ORG, engine=engine) as session:
            await JobRepository(session).create_job("t")
    await engine.dispose()


async def test_doctor_says_so(pair: Pair, standby: Service) -> None:
    found = [
        check
        async for check in check_database(
            pair.standby, connections_wanted=1, connect_timeout_seconds=60
        )
    ]
    assert [check.name for check in found if not check.ok] == ["standby"]
    assert not any(check.is_wrong for check in found)
