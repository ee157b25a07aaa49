"""A small receiver of OTLP over HTTP: what a collector of OpenTelemetry is sent."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import (
    ExportTraceServiceRequest,
    ExportTraceServiceResponse,
)


class Collector:
    """The receiver. `spans`: those that were sent, as the protocol has them.

    `pids`: of the processes that sent spans of a name, if these say so.
    """

    def __init__(self) -> None:
        self.spans: list[Any] = []
        self._pids: list[tuple[str, int]] = []
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), self._handler())
        self.url = f"http://127.0.0.1:{self._server.server_port}"
        self._thread = threading.Thread(target=self._server.serve_forever)

    def named(self, name: str) -> list[Any]:
        return [span for span in self.spans if span.name == name]

    def pids(self, name: str) -> set[int]:
        return {pid for sent, pid in self._pids if sent == name}

    def start(self) -> None:
        self._thread.start()

    def stop(self) -> None:
        self._server.shutdown()
        self._thread.join()
        self._server.server_close()

    def _receive(self, body: bytes) -> None:
        for sent in ExportTraceServiceRequest.FromString(body).resource_spans:
            attributes = {each.key: each.value for each in sent.resource.attributes}
            spans = [span for scope in sent.scope_spans for span in scope.spans]
            self.spans += spans
            if "process.pid" in attributes:
                pid = attributes["process.pid"].int_value
                self._pids += [(span.name, pid) for span in spans]

    def _handler(self) -> type[BaseHTTPRequestHandler]:
        collector = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                collector._receive(self.rfile.read(int(self.headers["content-length"])))
                answer = ExportTraceServiceResponse().SerializeToString()
                self.send_response(200)
                self.send_header("content-type", "application/x-protobuf")
                self.send_header("content-length", str(len(answer)))
                self.end_headers()
                self.wfile.write(answer)

            def log_message(self, format: str, *args: Any) -> None:  # noqa: A002 - its name
                pass

        return Handler


@contextmanager
def collecting() -> Iterator[Collector]:
    """Run a collector."""
    made = Collector()
    made.start()
    yield made
    made.stop()
