"""Clients that stop reading from real sockets: they are ended, disturb nobody, and miss nothing."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from uuid import uuid4

import pytest

from tests.resolvers.live.watchers import WAYS, Watcher, Way, watcher
from tests.resolvers.live.watching import until
from tests.server.audit.lines import listening
from tests.support.service import Service, serving

QUEUE_SIZE = 20
DETAIL = {"words": "x" * 32_768}
# Far past what the sockets of one connection can hold between them.
MANY_BYTES = 64 * 1024 * 1024
CREATE = """mutation { createJob(input: {type: "t"}) {
  ... on CreateJobPayload { job { id } } } }"""
RECORD = """mutation ($input: RecordJobEventInput!) { recordJobEvent(input: $input) {
  ... on JobEventPayload { event { id } } } }"""
EVENTS = "subscription { jobEvents%s { cursor node { id detail } } }"


class Writer:
    """Writes the events of one job by the API, and knows their ids."""

    def __init__(self, service: Service) -> None:
        self.service = service
        self.org_id = uuid4()
        self.ids: list[str] = []
        self._job_id = ""

    async def begin(self) -> None:
        made = await self.service.query(CREATE, Joblens_Org=str(self.org_id))
        self._job_id = made["createJob"]["job"]["id"]
        self.ids.append(f"{self._job_id}:1")

    async def write(self) -> None:
        wanted = {"input": {"id": self._job_id, "detail": DETAIL}}
        answer = await self.service.query(RECORD, wanted, Joblens_Org=str(self.org_id))
        self.ids.append(answer["recordJobEvent"]["event"]["id"])


@pytest.fixture
async def service(database_url: str) -> AsyncIterator[Service]:
    # Silent clients are not what this is about: no pings.
    async with serving(
        database_url, live_queue_size=str(QUEUE_SIZE), websocket_ping_seconds="600"
    ) as running:
        yield running


@pytest.fixture
async def writer(service: Service) -> Writer:
    writer = Writer(service)
    await writer.begin()
    return writer


def waiting(service: Service) -> int:
    """Get how many events wait for the subscriber for whom the most do."""
    return max(len(inbox) for inbox in service.state.hub._queues)


def has_ended_one(service: Service) -> bool:
    return any(inbox.has_ended for inbox in service.state.hub._queues)


async def all_hear(writer: Writer, watchers: list[Watcher]) -> None:
    """Write until all of them have been told of something: their subscriptions have begun."""
    while not all(each.told for each in watchers):
        await writer.write()
        await asyncio.sleep(0.05)
    await until(lambda: all(each.ids()[-1] == writer.ids[-1] for each in watchers))


def since_it_began(watching: Watcher, writer: Writer) -> list[str]:
    """Get what was written from the first event on that this one was told."""
    return writer.ids[writer.ids.index(watching.ids()[0]) :]


@pytest.mark.parametrize("way", WAYS)
async def test_a_client_that_does_not_read_is_ended_and_resumes(
    service: Service, writer: Writer, way: Way
) -> None:
    org_id = writer.org_id
    async with AsyncExitStack() as stack:
        slow = await stack.enter_async_context(
            watcher(service, way, EVENTS % "", org_id=org_id, little=True)
        )
        quick = [
            await stack.enter_async_context(watcher(service, each, EVENTS % "", org_id=org_id))
            for each in WAYS
        ]
        await all_hear(writer, [slow, *quick])

        slow.pause()
        most = 0
        while not has_ended_one(service):
            assert len(writer.ids) * len(DETAIL["words"]) < MANY_BYTES
            for _ in range(QUEUE_SIZE // 2):
                await writer.write()
                most = max(most, waiting(service))
            # Those beside it are quick: they have read everything before more is written.
            await until(lambda: all(each.ids()[-1] == writer.ids[-1] for each in quick))
        assert most <= QUEUE_SIZE
        # Nothing is kept for who was ended.
        assert waiting(service) == 0
        for each in quick:
            assert each.ids() == since_it_began(each, writer)
            assert not each.has_ended

        written = writer.ids[-1]
        with listening() as audited:
            slow.go_on()
            await until(lambda: slow.has_ended)
        assert [line["code"] for line in audited.take()] == ["SLOW_CONSUMER"]
        assert slow.codes == ["SLOW_CONSUMER"]
        # In order and without a gap, up to where it was ended.
        told = slow.ids()
        assert told == since_it_began(slow, writer)[: len(told)]
        assert written not in told

        cursor = slow.told[-1]["jobEvents"]["cursor"]
        again = await stack.enter_async_context(
            watcher(service, way, EVENTS % f'(after: "{cursor}")', org_id=org_id)
        )
        await until(lambda: written in again.ids())
        await writer.write()
        await until(lambda: all(each.ids()[-1] == writer.ids[-1] for each in [again, *quick]))
        missing = set(since_it_began(slow, writer)) - {*told, *again.ids()}
        assert missing == set()
        assert again.ids() == since_it_began(again, writer)
