"""Every event once, however late it commits and whatever the clocks say; resumes without a gap."""

import asyncio
import base64
from collections import defaultdict
from collections.abc import AsyncIterator
from random import Random
from typing import Any
from uuid import UUID

import asyncpg
import orjson
import pytest

from db.restored_events import clear_transaction_ids, count_restored_orgs
from db.snapshots import MAX_RUNNING_IN_TEXT, Snapshot
from db.transfer import import_records
from resolvers.live import replay
from tests.resolvers.live.watching import EVENTS, NEVER, Watching, until, watching
from tests.support.effort import first

LIST = "{ jobEvents(first: 3) { edges { cursor node { id } } pageInfo { startCursor endCursor } } }"
# So short that nothing below could arrive by it.
TINY_WINDOW = 0.001


async def listed(watched: Watching) -> Any:
    """Read the newest events as a list."""
    return (await watched.answer(LIST))["jobEvents"]


async def test_an_event_may_be_as_late_as_it_likes(database_url: str) -> None:
    """By the clock of its writer, or by its commit."""
    async with watching(database_url, poll_seconds=0.05, window_seconds=TINY_WINDOW) as watched:
        slow, quick = await watched.job(), await watched.job()
        subscriber = await watched.subscribe()
        assert await subscriber.is_quiet()
        behind = await watched.happen(quick, ago=86_400)
        assert await subscriber.ids(1) == [behind]
        other = await asyncpg.connect(database_url)
        transaction = other.transaction()
        await transaction.start()
        late = await watched.happen(slow, writer=other, ago=3_600)
        for _ in range(3):
            written = await watched.happen(quick)
            assert await subscriber.ids(1) == [written]
        feed = watched.hub._feeds[watched.org_id]
        polls = feed.polls
        await until(lambda: feed.polls > polls + 3)
        await transaction.commit()
        await other.close()
        assert await subscriber.ids(1) == [late]


async def test_a_long_transaction_elsewhere_holds_nothing_back(
    database_url: str, cluster_url: str
) -> None:
    elsewhere = await asyncpg.connect(cluster_url)
    here = await asyncpg.connect(database_url)
    async with (
        watching(database_url, poll_seconds=NEVER) as watched,
        elsewhere.transaction(),
        here.transaction(),
    ):
        for connection in (elsewhere, here):
            await connection.execute("SELECT pg_current_xact_id()")
        row = await watched.job()
        first = await watched.subscribe()
        await watched.listens()
        written = [await watched.happen(row) for _ in range(5)]
        edges = [await first.data() for _ in range(5)]
        assert [edge["node"]["id"] for edge in edges] == written
        # Nor does a resume go back to where that transaction began.
        second = await watched.subscribe(EVENTS, {"after": edges[2]["cursor"]})
        assert await second.ids(2) == written[3:]
        written.append(await watched.happen(row))
        assert await second.ids(1) == written[-1:]
    await elsewhere.close()
    await here.close()


async def test_what_a_savepoint_wrote_arrives_and_what_it_undid_does_not(
    database_url: str,
) -> None:
    async with watching(database_url, poll_seconds=NEVER) as watched:
        row, other = await watched.job(), await watched.job()
        subscriber = await watched.subscribe()
        await watched.listens()
        async with watched.writer.transaction():
            kept = [await watched.happen(row), await watched.happen(row)]
            undone = watched.writer.transaction()
            await undone.start()
            await watched.happen(other)
            await undone.rollback()
            kept.append(await watched.happen(other))
        assert sorted(await subscriber.ids(3)) == sorted(kept)
        assert await subscriber.is_quiet()


async def test_imported_events_arrive(database_url: str) -> None:
    """However old: they are new to the ledger. And at once: the import notifies."""
    async with watching(database_url, poll_seconds=NEVER) as watched:
        subscriber = await watched.subscribe()
        await watched.listens()
        record = {
            "type": "t",
            "status": "succeeded",
            "created_at": "2019-01-01T00:00:00Z",
            "started_at": "2019-01-01T00:00:01Z",
            "finished_at": "2019-01-01T00:00:02Z",
        }
        lines = [orjson.dumps({**record, "payload": n}) for n in range(40)]
        await import_records(database_url, watched.org_id, lines)
        told = await subscriber.ids(120)
        assert len(set(told)) == 120
        by_job: dict[str, list[str]] = defaultdict(list)
        for each in told:
            job_id, _, seq = each.partition(":")
            by_job[job_id].append(seq)
        assert set(map(tuple, by_job.values())) == {("1", "2", "3")}


async def test_a_list_goes_on_as_a_subscription_without_gap_or_repetition(
    database_url: str,
) -> None:
    async with watching(database_url, poll_seconds=NEVER) as watched:
        row, late_row = await watched.job(), await watched.job()
        for ago in (50, 40, 30, 20, 10):
            await watched.happen(row, ago=ago)
        other = await asyncpg.connect(database_url)
        transaction = other.transaction()
        await transaction.start()
        late = await watched.happen(late_row, writer=other, ago=100)
        page = await listed(watched)
        newer = [await watched.happen(row)]
        for cursor in (
            page["edges"][0]["cursor"],
            page["edges"][-1]["cursor"],
            page["pageInfo"]["startCursor"],
            page["pageInfo"]["endCursor"],
        ):
            subscriber = await watched.subscribe(EVENTS, {"after": cursor})
            assert await subscriber.ids(1) == newer
        await watched.listens()
        await transaction.commit()
        await other.close()
        for subscriber in watched.open:
            assert await subscriber.ids(1) == [late]
        assert (await listed(watched))["edges"][0]["node"]["id"] == newer[0]


@pytest.mark.parametrize("size", [3, 1_000])
async def test_a_resume_within_one_large_transaction_goes_forward(
    database_url: str, size: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A client that is cut off again and again comes to the end, though all is one transaction."""
    monkeypatch.setattr(replay, "PAGE_SIZE", size)
    async with watching(database_url, poll_seconds=NEVER, queue_size=6) as watched:
        rows = [await watched.job() for _ in range(5)]
        start = (await listed_after_first(watched, rows[0]))["edges"][0]["cursor"]
        async with watched.writer.transaction():
            written = [await watched.happen(row) for _ in range(8) for row in rows]
        told: list[str] = []
        cursor = start
        resumes = 0
        while set(told) != set(written):
            subscriber = await watched.subscribe(EVENTS, {"after": cursor})
            for _ in range(min(12, size + 1)):
                if set(told) == set(written):
                    break
                edge = await subscriber.data()
                cursor = edge["cursor"]
                if edge["node"]["id"] not in told:
                    told.append(edge["node"]["id"])
            await subscriber.close()
            resumes += 1
            assert resumes < 60
        for row in rows:
            own = [each for each in told if each.startswith(str(row["id"]))]
            assert own == [each for each in written if each.startswith(str(row["id"]))]


async def listed_after_first(watched: Watching, row: Any) -> Any:
    await watched.happen(row)
    return await listed(watched)


async def test_who_comes_in_a_burst_is_not_told_of_what_was_before(database_url: str) -> None:
    """A feed that is far behind takes a newcomer in at once, and tells it what commits from then."""
    async with watching(database_url, poll_seconds=NEVER, queue_size=4) as watched:
        row = await watched.job()
        first = await watched.subscribe()
        await watched.listens()
        async with watched.writer.transaction():
            burst = [await watched.happen(row) for _ in range(60)]
        feed = watched.hub._feeds[watched.org_id]
        assert await first.ids(1) == burst[:1]
        second = await watched.subscribe()
        after = await watched.happen(row)
        assert await first.ids(60) == [*burst[1:], after]
        assert await second.ids(1) == [after]
        await until(lambda: not any(each.since for each in feed._subscribers))


async def test_notifications_without_end_keep_no_poll_away(database_url: str) -> None:
    async with watching(database_url, poll_seconds=0.05) as watched:
        await watched.subscribe()
        await watched.listens()
        feed = watched.hub._feeds[watched.org_id]
        polls = feed.polls
        storm = asyncio.create_task(notify_for_ever(watched))
        await until(lambda: feed.polls >= polls + 5)
        assert not storm.done()
        storm.cancel()


async def notify_for_ever(watched: Watching) -> None:
    while True:
        watched.hub._wake_feed(watched.org_id)
        await asyncio.sleep(0)


@pytest.fixture
async def foreign(database_url: str) -> AsyncIterator[Watching]:
    """An organisation whose events come from a server that had counted more transactions."""
    async with watching(database_url, poll_seconds=0.05) as watched:
        row = await watched.job()
        await watched.happen(row, ago=86_400)
        await watched.writer.execute(
            "UPDATE job_event SET xid = '1000000000000' WHERE job_id = $1", row["id"]
        )
        yield watched


async def test_events_of_another_server_are_no_news(foreign: Watching) -> None:
    """Restored from a dump: times tell what is new, until transaction ids can."""
    row, slow = await foreign.job(), await foreign.job()
    subscriber = await foreign.subscribe()
    other = await asyncpg.connect(foreign.url)
    transaction = other.transaction()
    await transaction.start()
    late = await foreign.happen(slow, writer=other, ago=10)
    written = [await foreign.happen(row) for _ in range(3)]
    edges = [await subscriber.data() for _ in range(3)]
    assert [edge["node"]["id"] for edge in edges] == written
    await transaction.commit()
    await other.close()
    assert await subscriber.ids(1) == [late]
    resumed = await foreign.subscribe(EVENTS, {"after": edges[0]["cursor"]})
    assert set(await resumed.ids(4)) == {*written, late}
    new = await foreign.happen(row)
    assert await resumed.ids(1) == await subscriber.ids(1) == [new]


async def test_a_cursor_of_another_server_resumes_by_its_time(database_url: str) -> None:
    async with watching(database_url, poll_seconds=NEVER) as watched:
        row = await watched.job()
        first = await watched.subscribe()
        await watched.listens()
        written = [await watched.happen(row)]
        cursor = with_snapshot((await first.data())["cursor"], "999999999999:")
        written += [await watched.happen(row) for _ in range(3)]
        second = await watched.subscribe(EVENTS, {"after": cursor})
        assert await second.ids(4) == written
        new = await watched.happen(row)
        assert await second.ids(1) == [new]


@pytest.mark.parametrize(
    "text",
    [
        "",
        "x",
        "1",
        "-1:",
        "5:7",
        "5:3,2",
        "5:3,3",
        "5:3,",
        "99999999999999999999:",
        5,
        None,
        "5:1:2",
    ],
)
async def test_a_forged_mark_is_refused(database_url: str, text: Any) -> None:
    async with watching(database_url, poll_seconds=NEVER) as watched:
        row = await watched.job()
        page = await listed_after_first(watched, row)
        cursor = with_snapshot(page["edges"][0]["cursor"], text)
        error = await watched.refused(EVENTS, {"after": cursor})
        assert error["extensions"]["code"] == "INVALID_CURSOR"


def with_snapshot(cursor: str, text: Any) -> str:
    parts = orjson.loads(base64.urlsafe_b64decode(cursor + "=" * (-len(cursor) % 4)))
    parts[-1] = [text]
    return base64.urlsafe_b64encode(orjson.dumps(parts)).rstrip(b"=").decode()


def test_a_snapshot_is_its_text() -> None:
    for snapshot in (Snapshot(0), Snapshot(7, (3, 5)), Snapshot(2**40, (1,))):
        assert Snapshot.parse(snapshot.text()) == snapshot
    many = Snapshot(10_000, tuple(range(100, 200, 2)))
    short = Snapshot.parse(many.text())
    assert len(short.running) == MAX_RUNNING_IN_TEXT
    assert all(many.sees(xid) for xid in range(10_000) if short.sees(xid))


@pytest.mark.parametrize("seed", range(200))
def test_an_advanced_snapshot_sees_what_it_says(seed: int) -> None:
    random = Random(seed)

    def draw(least: int) -> Snapshot:
        xmax = least + random.randrange(12)
        return Snapshot(xmax, tuple(x for x in range(xmax) if random.random() < 0.3))

    before = draw(3)
    later = draw(before.xmax)
    # What was seen once is seen ever after.
    now = Snapshot(later.xmax, tuple(x for x in later.running if not before.sees(x)))
    xid = random.randrange(now.xmax + 1)
    advanced = before.advanced(xid, now)
    for each in range(now.xmax + 3):
        assert advanced.sees(each) == (before.sees(each) or (each < xid and now.sees(each)))


class Writers:
    """Connections that write events in transactions which overlap as chance has it."""

    def __init__(self, watched: Watching, random: Random, jobs: list[dict[str, Any]]) -> None:
        self.watched = watched
        self.random = random
        self.jobs = jobs
        self.open: dict[Any, list[str]] = {}
        self.transactions: dict[Any, Any] = {}
        self.idle: list[Any] = []
        self.committed: list[str] = []
        # Jobs whose rows a transaction has locked.
        self.locked: dict[UUID, Any] = {}

    async def step(self) -> None:
        choice = self.random.random()
        if self.idle and (choice < 0.3 or not self.open):
            connection = self.idle.pop(self.random.randrange(len(self.idle)))
            self.open[connection] = []
            self.transactions[connection] = connection.transaction()
            await self.transactions[connection].start()
            if self.random.random() < 0.5:
                # Its id is drawn long before it writes.
                await connection.execute("SELECT pg_current_xact_id()")
        elif self.open and choice < 0.8:
            connection = self.random.choice(list(self.open))
            row = self.random.choice(self.jobs)
            if self.locked.setdefault(row["id"], connection) is connection:
                ago = self.random.choice([0, 0, 5, 3_600])
                notify = self.random.random() < 0.5
                written = await self.watched.happen(row, writer=connection, ago=ago, notify=notify)
                self.open[connection].append(written)
        elif self.open:
            await self.end(self.random.choice(list(self.open)))

    async def end(self, connection: Any, *, commits: bool | None = None) -> None:
        written = self.open.pop(connection)
        keeps = self.random.random() < 0.8 if commits is None else commits
        transaction = self.transactions.pop(connection)
        await (transaction.commit() if keeps else transaction.rollback())
        self.committed += written if keeps else []
        self.locked = {k: v for k, v in self.locked.items() if v is not connection}
        self.idle.append(connection)


@pytest.mark.parametrize("seed", first(3, range(12)))
async def test_overlapping_transactions_of_many_writers(
    database_url: str, seed: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Each committed event once, those of one job in order, for who stays and for who resumes."""
    monkeypatch.setattr(replay, "PAGE_SIZE", 3)
    random = Random(seed)
    async with watching(database_url, poll_seconds=0.02, queue_size=200) as watched:
        # Small pieces, though the queues are not.
        jobs = [await watched.job() for _ in range(6)]
        stays = await watched.subscribe()
        watched.hub._feeds[watched.org_id]._batch_size = random.choice([1, 2, 5, 50])
        writers = Writers(watched, random, jobs)
        writers.idle = [await asyncpg.connect(database_url) for _ in range(5)]
        told: list[str] = []
        resumed: list[str] = []
        cursor: str | None = None
        for _ in range(6):
            for _ in range(25):
                await writers.step()
            missing = len(writers.committed) - len(told)
            edges = [await stays.data() for _ in range(missing)]
            told += [edge["node"]["id"] for edge in edges]
            if cursor is None and edges:
                cursor = edges[0]["cursor"]
                resumed.append(edges[0]["node"]["id"])
            if cursor is not None:
                other = await watched.subscribe(EVENTS, {"after": cursor})
                while not set(told) <= set(resumed):
                    edge = await other.data()
                    cursor = edge["cursor"]
                    resumed += [edge["node"]["id"]] * (edge["node"]["id"] not in resumed)
                await other.close()
        for connection in list(writers.open):
            await writers.end(connection, commits=True)
        told += await stays.ids(len(writers.committed) - len(told))
        assert sorted(told) == sorted(writers.committed)
        assert set(resumed) <= set(told)
        for row in jobs:
            for seen in (told, resumed):
                seqs = [int(each.split(":")[1]) for each in seen if each.startswith(str(row["id"]))]
                assert seqs == sorted(seqs)
        for connection in writers.idle:
            await connection.close()


async def test_a_migration_makes_restored_events_history(foreign: Watching) -> None:
    restored = await count_restored_orgs(foreign.url)
    assert restored >= 1
    assert await clear_transaction_ids(foreign.url) == restored
    assert await count_restored_orgs(foreign.url) == await clear_transaction_ids(foreign.url) == 0
    subscriber = await foreign.subscribe()
    row = await foreign.job()
    late = await foreign.happen(row, ago=86_400)
    assert await subscriber.ids(1) == [late]
