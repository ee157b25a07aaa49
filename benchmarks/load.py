"""A load generator: HTTP/1.1 over kept connections, no more than this benchmark needs."""

import asyncio
import time
from dataclasses import dataclass, field
from itertools import count
from statistics import median, quantiles
from typing import Any

import orjson

MAX_REQUESTS = 20_000


@dataclass(slots=True)
class Sample:
    """What one stretch of load showed. Times in seconds."""

    seconds: float = 0.0
    latencies: list[float] = field(default_factory=list)

    @property
    def per_second(self) -> float:
        return len(self.latencies) / self.seconds

    @property
    def p50_ms(self) -> float:
        return median(self.latencies) * 1000

    @property
    def p99_ms(self) -> float:
        # Of few requests, the slowest.
        if len(self.latencies) < 100:  # noqa: PLR2004
            return max(self.latencies) * 1000
        return quantiles(self.latencies, n=100)[-1] * 1000


class Client:
    """One kept connection to a server on this machine."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._reader = reader
        self._writer = writer

    @classmethod
    async def connect(cls, port: int) -> "Client":
        return cls(*await asyncio.open_connection("127.0.0.1", port, limit=1 << 20))

    async def send(self, request: bytes) -> bytes:
        """Send a request and read the body of its answer, which must be 200 and have a length."""
        self._writer.write(request)
        head = await self._reader.readuntil(b"\r\n\r\n")
        status, _, headers = head.lower().partition(b"\r\n")
        _, found, rest = headers.partition(b"content-length:")
        body = await self._reader.readexactly(int(rest.partition(b"\r\n")[0])) if found else b""
        if b" 200 " not in status:
            raise RuntimeError(f"{status.decode()}: {body.decode()[:500]}")
        return body

    async def close(self) -> None:
        """Hang up."""
        self._writer.close()
        await self._writer.wait_closed()


def graphql(
    query: str, authorization: str | None = None, org: str | None = None, **variables: Any
) -> bytes:
    """Write a query as an HTTP request."""
    body = orjson.dumps({"query": query, "variables": variables})
    signed = f"authorization: {authorization}\r\n" if authorization else ""
    if org:
        signed += f"joblens-org: {org}\r\n"
    head = (
        "POST /graphql HTTP/1.1\r\nhost: 127.0.0.1\r\naccept: application/json\r\n"
        f"{signed}content-type: application/json\r\ncontent-length: {len(body)}\r\n\r\n"
    )
    return head.encode() + body


async def load(port: int, request: bytes, *, connections: int, seconds: float) -> Sample:
    """Keep so many connections busy until the time or MAX_REQUESTS is over."""
    sample = Sample()
    clients = [await Client.connect(port) for _ in range(connections)]
    sent = count()
    started = time.perf_counter()

    async def work(client: Client) -> None:
        before = time.perf_counter()
        while before - started < seconds and next(sent) < MAX_REQUESTS:
            await client.send(request)
            after = time.perf_counter()
            sample.latencies.append(after - before)
            before = after

    await asyncio.gather(*map(work, clients))
    sample.seconds = time.perf_counter() - started
    for client in clients:
        await client.close()
    return sample


async def ask(port: int, query: str) -> bytes:
    """Ask once."""
    client = await Client.connect(port)
    answer = await client.send(graphql(query))
    await client.close()
    return answer
