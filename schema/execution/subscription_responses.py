"""The responses of a subscription, each computed once for all subscribers who get the same."""

import asyncio
import json
from collections.abc import AsyncIterator, Callable, Hashable, Iterator
from contextlib import AbstractAsyncContextManager
from typing import Any

from graphql import FieldNode, FragmentDefinitionNode, OperationDefinitionNode, VariableNode
from graphql.language import Node

from resolvers.context import Context
from resolvers.errors import ErrorCode, UnavailableError
from resolvers.live.streams import Stream
from resolvers.live.subscriber_queue import LiveEvent, SharedResponse
from resolvers.viewer import Viewer
from schema.execution.executor import Executor
from schema.execution.models import Operation, Request, Response
from schema.execution.results import failed, run_all
from schema.execution.running import Run

OpenContext = Callable[[], AbstractAsyncContextManager[Context]]
# An event's value and its response; None for both where there is nothing to send.
ValueAndResponse = tuple[Any, Response | None]

# While the database is unavailable: events are delivered when it is back.
RETRIES = 30
RETRY_SECONDS = 1.0


def response_key(operation: Operation, request: Request, viewer: Viewer) -> Hashable:
    """Get the key of subscriptions whose responses to the same event are equal.

    Variables that only the root field's arguments use are left out: they select events, and each
    subscriber that resumes has another cursor.
    """
    used = set(_variables_below_root(operation))
    shaping = {name: value for name, value in request.variables.items() if name in used}
    # Not by orjson: it refuses half of a surrogate pair.
    text = json.dumps(shaping, sort_keys=True)
    return (operation.text, operation.name, text, viewer)


def _variables_below_root(operation: Operation) -> Iterator[str]:
    for definition in operation.document.definitions:
        if isinstance(definition, FragmentDefinitionNode):
            yield from _variables(definition)
        elif isinstance(definition, OperationDefinitionNode):
            for selection in definition.selection_set.selections:
                if isinstance(selection, FieldNode):
                    yield from _variables(selection.selection_set)
                    yield from _variables(selection.directives)
                else:
                    yield from _variables(selection)


def _variables(part: Any) -> Iterator[str]:
    if isinstance(part, VariableNode):
        yield part.name.value
    elif isinstance(part, Node):
        for name in part.keys:
            if name != "loc":
                yield from _variables(getattr(part, name))
    elif isinstance(part, list | tuple):
        for each in part:
            yield from _variables(each)


class SubscriptionResponses(AsyncIterator[list[Response]]):
    """A subscription's responses, in lists of those that are ready together.

    A `refused` one reports the error that ended the subscription, and is the last. Call `aclose`
    however they end: it frees what the subscription holds.
    """

    def __init__(
        self,
        stream: Stream,
        execution: Run | Executor,
        operation: Operation,
        request: Request,
        open_context: OpenContext,
    ) -> None:
        self._stream = stream
        self._execution = execution
        self._operation = operation
        hub = execution.context.live
        assert hub is not None
        self._hub = hub
        self._key = response_key(operation, request, execution.context.viewer)
        self._open_context = open_context
        self._has_ended = False

    async def __anext__(self) -> list[Response]:
        try:
            return await self._next()
        except StopAsyncIteration:
            self._has_ended = True
            raise
        except Exception as error:  # noqa: BLE001 - the last response reports it
            self._has_ended = True
            return [failed(error)]

    async def _next(self) -> list[Response]:
        while not self._has_ended:
            responses: list[Response] = []
            for shared in await self._shared(await anext(self._stream)):
                response: Response | None = shared.response
                if shared.value is None and response is not None:
                    self._has_ended = True
                    return [*responses, response]
                delivery = self._stream.delivery(shared.value)
                if delivery.is_sent and response is not None:
                    responses.append(response)
                if delivery.is_last:
                    self._has_ended = True
                    break
            if responses:
                return responses
        raise StopAsyncIteration

    async def aclose(self) -> None:
        """End the subscription, and free what it holds."""
        self._has_ended = True
        await self._stream.aclose()

    async def _shared(self, events: list[LiveEvent]) -> list[SharedResponse]:
        """Get the events' responses: the first subscriber computes them, the others wait."""
        key = self._key
        while True:
            shared = [event.responses.get(key) for event in events]
            done = [each for each in shared if each is not None and each.is_done]
            if len(done) == len(events):
                return done
            if None in shared:
                await self._compute([each for each in events if key not in each.responses])
                continue
            # The last first: responses are computed in batches, and one wait is enough for a batch.
            pending = next(each for each in reversed(shared) if each and not each.is_done)
            pending.settled = pending.settled or asyncio.Event()
            await pending.settled.wait()

    async def _compute(self, events: list[LiveEvent]) -> None:
        key = self._key
        shared = [SharedResponse() for _ in events]
        for event, each in zip(events, shared, strict=True):
            event.responses[key] = each
        try:
            computed = await self._respond(events)
            for each, (value, response) in zip(shared, computed, strict=True):
                each.value, each.response, each.is_done = value, response, True
        finally:
            for event, each in zip(events, shared, strict=True):
                # If this subscriber was cancelled, the next one computes it.
                if not each.is_done:
                    del event.responses[key]
                if each.settled is not None:
                    each.settled.set()

    async def _respond(self, events: list[LiveEvent]) -> list[ValueAndResponse]:
        for _ in range(RETRIES):
            computed = await self._respond_once(events)
            if len(events) > 1 and _has_too_much(computed):
                # What is too much for all may be enough for each.
                return [one for each in events for one in await self._respond([each])]
            if not _has(ErrorCode.UNAVAILABLE, computed):
                return computed
            if self._hub.is_closing:
                break
            await asyncio.sleep(RETRY_SECONDS)
        # No response with a part missing: a client that resumes gets the event again.
        unavailable = failed(UnavailableError())
        return [
            (None, unavailable) if _has(ErrorCode.UNAVAILABLE, [each]) else each
            for each in computed
        ]

    async def _respond_once(self, events: list[LiveEvent]) -> list[ValueAndResponse]:
        """Compute the responses of events in one snapshot, so that their reads are batched."""
        async with self._open_context() as context:
            try:
                values = [await self._stream.read(each, context) for each in events]
            except Exception as error:  # noqa: BLE001 - reported, and retried if that may help
                return [(None, failed(error)) for _ in events]
            executions = [
                self._execution.for_event(value, context) for value in values if value is not None
            ]
            responses = iter(await run_all(executions, self._operation))
            return [(value, None if value is None else next(responses)) for value in values]


def _has_too_much(computed: list[ValueAndResponse]) -> bool:
    return _has(ErrorCode.TIMEOUT, computed) or _has(ErrorCode.RESPONSE_TOO_LARGE, computed)


def _has(code: ErrorCode, computed: list[ValueAndResponse]) -> bool:
    return any(response is not None and code in response.codes() for _, response in computed)
