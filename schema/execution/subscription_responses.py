"""The responses of a subscription, each worked out once for all who ask the same."""

import asyncio
import json
from collections.abc import AsyncIterator, Awaitable, Callable, Hashable, Iterator
from contextlib import AbstractAsyncContextManager
from typing import TYPE_CHECKING, Any

from graphql import FieldNode, FragmentDefinitionNode, OperationDefinitionNode, VariableNode
from graphql.language import Node

from resolvers.context import Context, Viewer
from resolvers.errors import ErrorCode, UnavailableError
from resolvers.live.hub import Hub
from resolvers.live.streams import Stream
from resolvers.live.subscriber_queue import LiveEvent, SharedResponse

if TYPE_CHECKING:
    from schema.execution.run import Operation, Request, Response

OpenContext = Callable[[], AbstractAsyncContextManager[Context]]
Run = Callable[[list[Any], Context], Awaitable[list["Response"]]]
# What is told, and the response that tells it; none where there is nothing to tell.
Told = tuple[Any, "Response | None"]

# While the database is away: what was heard is told when it is back.
RETRIES = 30
RETRY_SECONDS = 1.0


def response_key(operation: "Operation", request: "Request", viewer: Viewer) -> Hashable:
    """Say which subscriptions get equal responses to the same happening.

    Variables that only the root field's arguments use are left out: they chose what is told, and
    each subscriber that resumes has another cursor.
    """
    used = set(_variables_below_root(operation))
    shaping = {name: value for name, value in request.variables.items() if name in used}
    # Not by orjson: one may be no text, such as half of a surrogate pair.
    text = json.dumps(shaping, sort_keys=True)
    return (operation.text, operation.name, text, viewer)


def _variables_below_root(operation: "Operation") -> Iterator[str]:
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


class SubscriptionResponses(AsyncIterator[list["Response"]]):
    """A subscription's responses, in lists of what is ready together, until it completes.

    One that is `refused` tells why it was ended, and is the last. However it ends, `aclose` must be
    called: it frees what the subscription holds.
    """

    def __init__(
        self,
        stream: Stream,
        key: Hashable,
        hub: Hub,
        open_context: OpenContext,
        run: Run,
        refuse: Callable[[Exception], "Response"],
    ) -> None:
        self._stream = stream
        self._key = key
        self._hub = hub
        self._open_context = open_context
        self._run = run
        self._refuse = refuse
        self._is_over = False

    async def __anext__(self) -> list["Response"]:
        try:
            return await self._next()
        except StopAsyncIteration:
            self._is_over = True
            raise
        except Exception as error:  # noqa: BLE001 - the last response tells of it
            self._is_over = True
            return [self._refuse(error)]

    async def _next(self) -> list["Response"]:
        while not self._is_over:
            responses: list[Response] = []
            for answer in await self._answers(await anext(self._stream)):
                response: Response | None = answer.response
                if answer.told is None and response is not None:
                    self._is_over = True
                    return [*responses, response]
                verdict = self._stream.judge(answer.told)
                if verdict.is_told and response is not None:
                    responses.append(response)
                if verdict.is_last:
                    self._is_over = True
                    break
            if responses:
                return responses
        raise StopAsyncIteration

    async def aclose(self) -> None:
        """End the subscription, and free what it holds."""
        self._is_over = True
        await self._stream.aclose()

    async def _answers(self, happenings: list[LiveEvent]) -> list[SharedResponse]:
        """Get the answers that others get too: who comes first works them out, the others wait."""
        key = self._key
        while True:
            answers = [happening.answers.get(key) for happening in happenings]
            done = [answer for answer in answers if answer is not None and answer.done]
            if len(done) == len(happenings):
                return done
            if None in answers:
                await self._work_out([each for each in happenings if key not in each.answers])
                continue
            # The last first: answers are worked out many at a time, and one wait does for them.
            busy = next(each for each in reversed(answers) if each is not None and not each.done)
            busy.settled = busy.settled or asyncio.Event()
            await busy.settled.wait()

    async def _work_out(self, happenings: list[LiveEvent]) -> None:
        key = self._key
        answers = [SharedResponse() for _ in happenings]
        for happening, answer in zip(happenings, answers, strict=True):
            happening.answers[key] = answer
        try:
            all_told = await self._tell(happenings)
            for answer, (told, response) in zip(answers, all_told, strict=True):
                answer.told, answer.response, answer.done = told, response, True
        finally:
            for happening, answer in zip(happenings, answers, strict=True):
                # Where the first one left meanwhile, the next one tries.
                if not answer.done:
                    del happening.answers[key]
                if answer.settled is not None:
                    answer.settled.set()

    async def _tell(self, happenings: list[LiveEvent]) -> list[Told]:
        for _ in range(RETRIES):
            all_told = await self._tell_once(happenings)
            if len(happenings) > 1 and _has_too_much(all_told):
                # What is too much for all may do for each.
                return [told for each in happenings for told in await self._tell([each])]
            if not _has(ErrorCode.UNAVAILABLE, all_told):
                return all_told
            if self._hub.is_closing:
                break
            await asyncio.sleep(RETRY_SECONDS)
        # Not with a part missing: the event is still behind the last cursor, so nothing is lost.
        refusal = self._refuse(UnavailableError())
        return [
            (None, refusal) if _has(ErrorCode.UNAVAILABLE, [each]) else each for each in all_told
        ]

    async def _tell_once(self, happenings: list[LiveEvent]) -> list[Told]:
        """Tell of all of them in one snapshot, so that what they need is read for all at once."""
        async with self._open_context() as context:
            try:
                told = [await self._stream.read(each, context) for each in happenings]
            except Exception as error:  # noqa: BLE001 - told, and tried again if that may help
                return [(None, self._refuse(error)) for _ in happenings]
            responses = iter(await self._run([each for each in told if each is not None], context))
            return [(each, next(responses) if each is not None else None) for each in told]


def _has_too_much(all_told: list[Told]) -> bool:
    return _has(ErrorCode.TIMEOUT, all_told) or _has(ErrorCode.RESPONSE_TOO_LARGE, all_told)


def _has(code: ErrorCode, all_told: list[Told]) -> bool:
    return any(response is not None and code in response.codes() for _, response in all_told)
