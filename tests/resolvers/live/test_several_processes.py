"""Several processes on one database: what is written through one, those who watch another hear of."""

import asyncio
from contextlib import AsyncExitStack
from uuid import UUID, uuid4

import asyncpg

from tests.resolvers.live.watchers import WAYS, Watcher, watcher
from tests.resolvers.live.watching import until
from tests.support.processes import command_running
from tests.support.service import Api, client_of

# So seldom that what arrives came by a notification.
NEVER = "3600"
CREATE = """mutation { createJob(input: {type: "t"}) {
  ... on CreateJobPayload { job { latestEvent { id } } } } }"""
EVENTS = "subscription { jobEvents { node { id } } }"
COUNTS = "subscription { statusCounts(everySeconds: 0.2) { status count { value } } }"
LISTENING = """SELECT count(*) FROM pg_stat_activity WHERE datname = current_database()
    AND application_name = 'joblens listen' AND query LIKE 'LISTEN%' AND state = 'idle'"""
MOST_WATCHERS = 120


async def create(api: Api, org_id: UUID) -> str:
    """Create a job; get the id of its event."""
    made = await api.query(CREATE, Joblens_Org=str(org_id))
    event_id: str = made["createJob"]["job"]["latestEvent"]["id"]
    return event_id


async def all_hear(api: Api, org_id: UUID, watchers: list[Watcher]) -> list[str]:
    """Write until all of them have been told of something; get the ids of all that was written."""
    written: list[str] = []
    while not all(each.told for each in watchers):
        written.append(await create(api, org_id))
        await asyncio.sleep(0.05)
    await until(lambda: all(each.ids()[-1] == written[-1] for each in watchers))
    return written


def queued(counts: Watcher) -> int:
    found = {each["status"]: each["count"]["value"] for each in counts.told[-1]["statusCounts"]}
    return int(found["QUEUED"])


async def test_a_write_to_one_process_is_heard_of_at_the_other(database_url: str) -> None:
    org_id = uuid4()
    async with AsyncExitStack() as stack:
        apis = []
        for _ in range(2):
            running = command_running(database_url, live_poll_seconds=NEVER)
            _, base = await stack.enter_async_context(running)
            apis.append(Api(await stack.enter_async_context(client_of(base))))

        async def all_watch(query: str) -> list[Watcher]:
            ways = [(api, way) for api in apis for way in WAYS]
            watchers = [watcher(*each, query, org_id=org_id) for each in ways]
            return [await stack.enter_async_context(each) for each in watchers]

        events = await all_watch(EVENTS)
        written = await all_hear(apis[0], org_id, events)
        counts = await all_watch(COUNTS)
        await until(lambda: all(each.told for each in counts))
        for api in (*apis, *apis):
            written.append(await create(api, org_id))
            await until(lambda: all(each.ids()[-1] == written[-1] for each in events))
            await until(lambda: all(queued(each) == len(written) for each in counts))
        for each in events:
            assert each.ids() == written[written.index(each.ids()[0]) :]


async def test_a_write_to_any_worker_is_heard_of_at_all(database_url: str) -> None:
    """Who serves a connection is up to the system: so many are opened that both workers do."""
    org_id = uuid4()
    tables = await asyncpg.connect(database_url)
    async with AsyncExitStack() as stack:
        stack.push_async_callback(tables.close)
        running = command_running(database_url, "--workers", "2", live_poll_seconds=NEVER)
        _, base = await stack.enter_async_context(running)
        api = Api(await stack.enter_async_context(client_of(base)))
        watchers: list[Watcher] = []
        while await tables.fetchval(LISTENING) < 2:
            assert len(watchers) < MOST_WATCHERS
            watching = [watcher(api, way, EVENTS, org_id=org_id) for way in WAYS for _ in range(3)]
            watchers += [await stack.enter_async_context(each) for each in watching]
        written = await all_hear(api, org_id, watchers)
        for writer in watchers:
            if writer.socket is not None:
                # Over the connection of one who watches: so through each worker.
                await writer.socket.subscribe("write", CREATE)
                await until(lambda: all(each.ids()[-1] != written[-1] for each in watchers))
                written.append(writer.ids()[-1])
        for each in watchers:
            assert each.ids() == written[written.index(each.ids()[0]) :]
