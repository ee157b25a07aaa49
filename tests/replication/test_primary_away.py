"""While the primary is away, the replica answers queries, whatever it lags."""

from db import migrations
from db.embedded import programs
from tests.replication.test_reads import count, replica, until_used
from tests.support.background import until
from tests.support.service import serving
from tests.support.standby import replicated

CREATE = 'mutation { createJob(input: {type: "t"}) { __typename } }'


async def test_queries_are_answered() -> None:
    with replicated() as pair:
        await migrations.upgrade(pair.primary)
        settings = {"replica_url": pair.standby, "replica_max_lag_seconds": "0.8"}
        async with serving(pair.primary, **settings) as service:
            await service.query(CREATE)
            await until_used(service)
            data = pair.primary_data
            programs.run("pg_ctl", "stop", f"--pgdata={data}", "--mode=immediate", cluster=data)

            async def lags() -> bool:
                return float(replica(service).lag_seconds or 0) > 1.6

            await until(lags)
            assert await count(service) == 1
            (error,) = await service.errors(CREATE)
            assert error["extensions"]["code"] == "UNAVAILABLE"
            body = (await service.client.get("/readyz")).json()
            assert body["status"] == "unavailable"
