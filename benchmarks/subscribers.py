"""Subscribers for the benchmark of live updates: bare sockets that note what arrives, and when."""

import asyncio
import re
import time
from abc import ABC, abstractmethod
from collections import Counter
from dataclasses import dataclass, field
from uuid import UUID

QUERY = (
    b'{"query": "subscription { jobEvents(filter: {detailContains: {live: true}}) '
    b'{ cursor node { id ts nextStatus } } }"}'
)
EVENT_ID = re.compile(rb'"id":"([0-9a-f-]{36}:\d+)"')

# Of WebSocket's frames: the server's ping with four bytes, a client's pong, the longest short one.
PING = re.compile(rb"\x89\x04(.{4})", re.DOTALL)
PONG = b"\x8a"
LONGEST_SHORT = 125


@dataclass(slots=True)
class Run:
    """What was written and what arrived. Times by time.monotonic()."""

    committed: dict[bytes, tuple[UUID, float]] = field(default_factory=dict)
    arrivals: list[tuple[bytes, float]] = field(default_factory=list)
    ready: int = 0


class Subscriber(asyncio.Protocol, ABC):
    """One connection: asks when it is made, and notes the ids of the events in what it is sent.

    Events come in text that ends at `END`; what comes after the last end waits for the rest.
    """

    END = b""

    def __init__(self, org: UUID, run: Run, port: int) -> None:
        self.org = org
        self.seen: Counter[bytes] = Counter()
        self._run = run
        self._host = b"127.0.0.1:%d" % port
        self._org = str(org).encode()
        self._is_ready = False
        self._rest = b""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Ask, once connected."""
        assert isinstance(transport, asyncio.Transport)
        self._transport = transport
        transport.write(self.greeting())

    def close(self) -> None:
        """Hang up."""
        self._transport.close()

    @abstractmethod
    def greeting(self) -> bytes:
        """Write what asks for the events."""

    @abstractmethod
    def is_answered(self, data: bytes) -> bool:
        """Tell whether this says that the events will come."""

    def data_received(self, data: bytes) -> None:
        """Note the events in what has come, whole ones only."""
        now = time.monotonic()
        if not self._is_ready and self.is_answered(data):
            self._is_ready = True
            self._run.ready += 1
        whole, end, rest = (self._rest + data).rpartition(self.END)
        self._rest = rest
        if end:
            for event_id in EVENT_ID.findall(whole):
                self.seen[event_id] += 1
                self._run.arrivals.append((event_id, now))


class EventSource(Subscriber):
    """A subscriber over Server-Sent Events."""

    END = b"\n\n"

    def greeting(self) -> bytes:
        """Write the request."""
        return (
            b"POST /graphql HTTP/1.1\r\nhost: %s\r\njoblens-org: %s\r\n"
            b"content-type: application/json\r\naccept: text/event-stream\r\n"
            b"content-length: %d\r\n\r\n%s" % (self._host, self._org, len(QUERY), QUERY)
        )

    def is_answered(self, data: bytes) -> bool:
        """Tell whether the first ping is there: it is sent once the subscription has begun."""
        return b":\n\n" in data


class Socket(Subscriber):
    """A subscriber over WebSocket, in graphql-transport-ws."""

    # Of the message, the payload, its extensions and the cost in them.
    END = b"}}}}"

    def greeting(self) -> bytes:
        """Write the handshake."""
        return (
            b"GET /graphql HTTP/1.1\r\nhost: %s\r\njoblens-org: %s\r\nconnection: upgrade\r\n"
            b"upgrade: websocket\r\nsec-websocket-version: 13\r\n"
            b"sec-websocket-key: AAAAAAAAAAAAAAAAAAAAAA==\r\n"
            b"sec-websocket-protocol: graphql-transport-ws\r\n\r\n" % (self._host, self._org)
        )

    def data_received(self, data: bytes) -> None:
        """Subscribe once the handshake is answered; then note the events."""
        if data.startswith(b"HTTP/1.1 101"):
            subscribe = b'{"type":"subscribe","id":"1","payload":%s}' % QUERY
            for text in (b'{"type":"connection_init"}', subscribe, b'{"type":"ping"}'):
                self._transport.write(_frame(text))
        # Of one across two reads the beginning is in the rest; a second pong does no harm.
        for payload in PING.findall(self._rest + data):
            self._transport.write(_frame(payload, PONG))
        super().data_received(data)

    def is_answered(self, data: bytes) -> bool:
        """Tell whether the server has come to the last message, thus to the one before."""
        return b'"pong"' in data


def _frame(text: bytes, head: bytes = b"\x81") -> bytes:
    """Write a client's frame (RFC 6455, section 5.2), of text or another, under a mask of zeros."""
    is_short = len(text) <= LONGEST_SHORT
    length = bytes([0x80 | len(text)]) if is_short else b"\xfe%s" % len(text).to_bytes(2, "big")
    return head + length + bytes(4) + text
