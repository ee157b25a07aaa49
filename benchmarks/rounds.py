"""The measurements: contestants take turns, so that a noisy machine is noisy for all of them."""

import re
from collections.abc import Mapping
from contextlib import AsyncExitStack
from dataclasses import dataclass, field
from statistics import median
from typing import Any

import orjson

from benchmarks import queries
from benchmarks.load import Sample, ask, graphql, load
from benchmarks.servers import COMMANDS, JOBLENS, Server, serving

CONNECTIONS = 8
WARM_UP_SECONDS = 1.0


@dataclass(slots=True)
class Measured:
    """What a contestant showed: a sample a round, with one connection and with CONNECTIONS."""

    alone: list[Sample] = field(default_factory=list)
    busy: list[Sample] = field(default_factory=list)
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


async def nested_page(url: str, *, rounds: int, seconds: float) -> Mapping[str, Measured]:
    """Measure the page of 50 failed jobs with their events, by all contestants in turn."""
    request = graphql(queries.NESTED)
    measured = {name: Measured() for name in COMMANDS}
    async with AsyncExitStack() as stack:
        servers = [await stack.enter_async_context(serving(name, url)) for name in COMMANDS]
        await _check_same_answers(servers)
        for server in servers:
            await load(server.port, request, connections=CONNECTIONS, seconds=WARM_UP_SECONDS)
        for _ in range(rounds):
            for server in servers:
                alone = await load(server.port, request, connections=1, seconds=seconds)
                busy = await load(server.port, request, connections=CONNECTIONS, seconds=seconds)
                measured[server.name].alone.append(alone)
                measured[server.name].busy.append(busy)
        for server in servers:
            measured[server.name].peak_memory = server.peak_memory()
    return measured


async def single_queries(
    url: str, names: list[str], *, rounds: int, seconds: float
) -> tuple[Mapping[str, Measured], int]:
    """Measure these of queries.SINGLE on Joblens, in turn; tell its peak memory too."""
    measured = {name: Measured() for name in names}
    async with serving(JOBLENS, url) as server:
        for round_ in range(rounds + 1):
            for name in names:
                request = graphql(queries.SINGLE[name][1])
                alone = await load(server.port, request, connections=1, seconds=seconds)
                busy = await load(server.port, request, connections=CONNECTIONS, seconds=seconds)
                # The first round is to warm up.
                if round_:
                    measured[name].alone.append(alone)
                    measured[name].busy.append(busy)
        return measured, server.peak_memory()


async def _check_same_answers(servers: list[Server]) -> None:
    answers = [_plain(await ask(server.port, queries.NESTED)) for server in servers]
    for server, answer in zip(servers, answers, strict=True):
        if answer != answers[0]:
            raise RuntimeError(f"{server.name} answers otherwise than {servers[0].name}")
    jobs = answers[0]["jobs"]["nodes"]
    assert [len(job["events"]["nodes"]) for job in jobs] == [8] * 50


def _plain(answer: bytes) -> Any:
    # UTC has two spellings, and only Joblens reports costs.
    return orjson.loads(re.sub(rb"(:\d\d\.\d{6})\+00:00\"", rb'\1Z"', answer))["data"]
