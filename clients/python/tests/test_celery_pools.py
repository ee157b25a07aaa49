"""Celery's other pools: greenlets of gevent and eventlet, threads, and no pool at all."""

import pytest
from clients.python.tests.support import Ledger, running

WORKER = ("-m", "celery", "-A", "celery_app", "worker", "-c", "4", "-l", "warning")
FAILED = ("QUEUED 0", "RUNNING 1", "FAILED 1")


@pytest.mark.parametrize("pool", ["gevent", "eventlet", "threads", "solo"])
async def test_a_pool(pool: str, ledger: Ledger, environment: dict[str, str]) -> None:
    async with (
        running("celery", "-m", "ask", "celery_app", **environment) as producer,
        running("celery", *WORKER, "-P", pool, **environment) as worker,
    ):
        ids = await producer.ask("[add.delay(n, 1).id for n in range(50)]")
        broken = await producer.ask("broken.delay().id")
        flaky = await producer.ask("flaky.delay('a').id")
        for id_ in ids:
            await ledger.told(id_, "QUEUED 0", "RUNNING 1", "SUCCEEDED 1")
        await ledger.told(broken, *FAILED, "DEAD_LETTER 1")
        await ledger.told(flaky, *FAILED, "QUEUED 1", "RUNNING 2", "SUCCEEDED 2")
        await worker.stop()
