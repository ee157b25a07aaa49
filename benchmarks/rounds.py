"""The measurements: contestants take turns, so that a noisy machine is noisy for all of them."""

from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from statistics import median
from typing import Any

from benchmarks import queries
from benchmarks.answers import are_equal, data_of, of_postgraphile
from benchmarks.ledger import postmaster
from benchmarks.load import Sample, ask, graphql, load
from benchmarks.processes import Usage
from benchmarks.servers import (
    BARE,
    BARE_FLAT,
    JOBLENS,
    TEXTBOOK,
    Contestant,
    Server,
    check_no_fallback,
    serving,
)

CONNECTIONS = 8
WARM_UP_SECONDS = 1.0


@dataclass(slots=True)
class Measured:
    """What a contestant showed: a sample a round, with one connection and with CONNECTIONS.

    `usage`: the processor time of the latter.
    """

    alone: list[Sample] = field(default_factory=list)
    busy: list[Sample] = field(default_factory=list)
    usage: Usage = field(default_factory=Usage)
    peak_memory: int = 0

    @property
    def per_second(self) -> float:
        return median(sample.per_second for sample in self.busy)

    @property
    def p50_ms(self) -> float:
        return median(sample.p50_ms for sample in self.alone)

    @property
    def p99_ms(self) -> float:
        return median(sample.p99_ms for sample in self.alone)

    @property
    def server_cpu_ms(self) -> float:
        return self.usage.server_seconds * 1000 / self._requests

    @property
    def database_cpu_ms(self) -> float:
        return self.usage.database_seconds * 1000 / self._requests

    @property
    def _requests(self) -> int:
        return sum(len(sample.latencies) for sample in self.busy)


Results = Mapping[Contestant, Measured]


@dataclass(frozen=True, slots=True)
class Bench:
    """Where and how long it is measured. `others`: contestants beside those of this checkout."""

    url: str
    rounds: int
    seconds: float
    besides: Sequence[Contestant] = ()
    postgraphile: Contestant | None = None

    async def nested_page(self) -> Results:
        """Measure the page of 50 failed jobs with their events."""
        asked = dict.fromkeys((BARE, JOBLENS, *self.besides, TEXTBOOK), queries.NESTED)
        if self.postgraphile:
            asked[self.postgraphile] = queries.NESTED_OF_POSTGRAPHILE
        async with self._serving(*asked) as servers:
            data = await self._same_answers(servers, asked)
            assert [len(job["events"]["nodes"]) for job in data["jobs"]["nodes"]] == [8] * 50
            return await self._take_turns(servers, asked)

    async def flat_page(self) -> Results:
        """Measure the page of 200 jobs."""
        asked = dict.fromkeys((BARE_FLAT, JOBLENS, *self.besides), queries.FLAT)
        async with self._serving(*asked) as servers:
            data = await self._same_answers(servers, asked)
            assert len(data["jobs"]["nodes"]) == 200  # noqa: PLR2004
            return await self._take_turns(servers, asked)

    async def single_queries(self, names: list[str]) -> Mapping[str, Results]:
        """Measure these of queries.SINGLE, one after another."""
        async with self._serving(JOBLENS, *self.besides) as servers:
            found = {}
            for name in names:
                asked = dict.fromkeys((JOBLENS, *self.besides), queries.SINGLE[name][1])
                await self._same_answers(servers, asked)
                found[name] = await self._take_turns(servers, asked)
            return found

    @asynccontextmanager
    async def _serving(self, *contestants: Contestant) -> AsyncIterator[list[Server]]:
        """Serve; at the end, none of Joblens' operations may have fallen back."""
        async with AsyncExitStack() as stack:
            servers = [
                await stack.enter_async_context(serving(each, self.url)) for each in contestants
            ]
            yield servers
            for server in servers:
                check_no_fallback(server)

    async def _same_answers(
        self, servers: Sequence[Server], asked: Mapping[Contestant, str]
    ) -> Any:
        answers = []
        for server in servers:
            data = data_of(await ask(server.port, asked[server.contestant]))
            is_joblens = server.contestant != self.postgraphile
            answers.append(data if is_joblens else of_postgraphile(data))
            if not are_equal(answers[0], answers[-1]):
                raise RuntimeError(f"{server.name} answers otherwise than {servers[0].name}")
        return answers[0]

    async def _take_turns(
        self, servers: Sequence[Server], asked: Mapping[Contestant, str]
    ) -> Results:
        measured = {server.contestant: Measured() for server in servers}
        requests = {contestant: graphql(query) for contestant, query in asked.items()}
        for server in servers:
            request = requests[server.contestant]
            await load(server.port, request, connections=CONNECTIONS, seconds=WARM_UP_SECONDS)
        for _ in range(self.rounds):
            for server in servers:
                found = measured[server.contestant]
                await self._measure(server, requests[server.contestant], found)
        for server in servers:
            measured[server.contestant].peak_memory = server.peak_memory()
        return measured

    async def _measure(self, server: Server, request: bytes, found: Measured) -> None:
        seconds = self.seconds
        found.alone.append(await load(server.port, request, connections=1, seconds=seconds))
        with server.measured(found.usage), found.usage.of_database(postmaster()):
            busy = await load(server.port, request, connections=CONNECTIONS, seconds=seconds)
        found.busy.append(busy)
