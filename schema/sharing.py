"""The responses of a subscription: one a moment, worked out once for all who ask the same."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Hashable, Iterator
from contextlib import AbstractAsyncContextManager
from typing import TYPE_CHECKING, Any

import orjson
from graphql import FieldNode, FragmentDefinitionNode, OperationDefinitionNode, VariableNode
from graphql.language import Node

from resolvers.context import Context, Viewer
from resolvers.errors import ErrorCode, UnavailableError
from resolvers.live.hub import Hub
from resolvers.live.inboxes import Answer, Happening
from resolvers.live.streams import Stream

if TYPE_CHECKING:
    from schema.execution import Operation, Request, Response

OpenContext = Callable[[], AbstractAsyncContextManager[Context]]
Run = Callable[[Any, Context], Awaitable["Response"]]
# What is told, and the response that tells it; none where there is nothing to tell.
Told = tuple[Any, "Response | None"]

# While the database is away: what was heard is told when it is back.
RETRIES = 30
RETRY_SECONDS = 1.0


def answer_key(operation: "Operation", request: "Request", viewer: Viewer) -> Hashable:
    """Say which subscriptions get equal responses to the same happening.

    Variables that only the root field's arguments use are left out: they chose what is told, and
    each subscriber that resumes has another cursor.
    """
    used = set(_variables_below_root(operation))
    shaping = {name: value for name, value in request.variables.items() if name in used}
    text = orjson.dumps(shaping, option=orjson.OPT_SORT_KEYS)
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


class Responses(AsyncIterator["Response"]):
    """A subscription's responses, until it completes.

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

    async def __anext__(self) -> "Response":
        try:
            return await self._next()
        except StopAsyncIteration:
            self._is_over = True
            raise
        except Exception as error:  # noqa: BLE001 - the last response tells of it
            self._is_over = True
            return self._refuse(error)

    async def _next(self) -> "Response":
        while not self._is_over:
            happening = await anext(self._stream)
            answer = happening.answers.get(self._key)
            if answer is None or not answer.done:
                answer = await self._answered(happening)
            response: Response | None = answer.response
            if answer.told is None and response is not None:
                self._is_over = True
                return response
            verdict = self._stream.judge(answer.told)
            self._is_over = verdict.is_last
            if verdict.is_told and response is not None:
                return response
        raise StopAsyncIteration

    async def aclose(self) -> None:
        """End the subscription, and free what it holds."""
        self._is_over = True
        await self._stream.aclose()

    async def _answered(self, happening: Happening) -> Answer:
        """Get the answer that others get too: the first who comes works it out, the others wait."""
        answers = happening.answers
        while (answer := answers.get(self._key)) is not None:
            if answer.done:
                return answer
            answer.waiting = answer.waiting or asyncio.Event()
            await answer.waiting.wait()
        answer = answers[self._key] = Answer()
        try:
            answer.told, answer.response = await self._tell(happening)
            answer.done = True
        finally:
            # Where the first one left meanwhile, the next one tries.
            if not answer.done:
                del answers[self._key]
            if answer.waiting is not None:
                answer.waiting.set()
        return answer

    async def _tell(self, happening: Happening) -> Told:
        for _ in range(RETRIES):
            told, response = await self._tell_once(happening)
            if response is None or ErrorCode.UNAVAILABLE not in response.codes():
                return told, response
            if self._hub.is_closing:
                break
            await asyncio.sleep(RETRY_SECONDS)
        # Not with a part missing: the event is still behind the last cursor, so nothing is lost.
        return None, self._refuse(UnavailableError())

    async def _tell_once(self, happening: Happening) -> Told:
        async with self._open_context() as context:
            try:
                told = await self._stream.read(happening, context)
            except Exception as error:  # noqa: BLE001 - told, and tried again if that may help
                return None, self._refuse(error)
            if told is None:
                return None, None
            return told, await self._run(told, context)
