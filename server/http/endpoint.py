"""The endpoint /graphql: a request's way from HTTP to the schema and back."""

import asyncio
from collections.abc import Callable
from contextlib import ExitStack
from http import HTTPStatus

from graphql import OperationType
from starlette.requests import Request as HttpRequest
from starlette.responses import RedirectResponse
from starlette.responses import Response as HttpResponse

from resolvers.context import Viewer
from resolvers.errors import ErrorCode, JoblensError
from schema.execution.run import Operation, Request, Response
from server.app_state import AppState
from server.auth.credentials import Credential, LapsedError, from_headers
from server.http import graphiql
from server.http.event_stream import EVENT_STREAM, EventStream
from server.http.negotiation import preferred
from server.http.origins import check_origin
from server.http.requests import JSON, read_get, read_post
from server.http.responses import ANSWERS, GRAPHQL_RESPONSE, write, write_error
from server.limits.admission import Admission, key
from server.logging import audit
from server.operations import Stream, answer, just, read, start
from server.settings import Settings

HTML = "text/html"
# What the draft reads into a request without an Accept header, and anything else if need be.
UNSAID = f"{GRAPHQL_RESPONSE}, */*;q=0.1"


async def graphql(http: HttpRequest) -> HttpResponse:
    """Answer a GraphQL request, or a browser with GraphiQL."""
    accept = ", ".join(filter(_says_something, http.headers.getlist("accept"))) or UNSAID
    settings: Settings = http.app.state.joblens.settings
    wants_page = settings.graphiql and http.method != "POST"
    if wants_page and preferred(accept, (*ANSWERS, HTML)) == HTML:
        return _to_page(http) if http.scope["path"].endswith("/") else graphiql.graphiql(settings)
    media_type = preferred(accept, (*ANSWERS, EVENT_STREAM))
    if media_type is None:
        words = f"Accept must admit {GRAPHQL_RESPONSE}, {JSON} or {EVENT_STREAM}."
        return write_error(JoblensError(ErrorCode.NOT_ACCEPTABLE, words))
    if media_type == EVENT_STREAM:
        audit.streams()
    try:
        check_origin(http.headers, http.app.state.joblens.settings.cors_origins)
        return await _respond(http, accept, media_type)
    except JoblensError as error:
        audit.limits(error.code)
        # What is no request at all gets a status, for which a stream of events has no place.
        return write_error(error, media_type if media_type in ANSWERS else GRAPHQL_RESPONSE)


def _says_something(accept: str) -> bool:
    return bool(accept.strip(" \t,"))


def _to_page(http: HttpRequest) -> HttpResponse:
    """Lead a browser to the path by which the page finds its scripts; a proxy may prefix it."""
    query = f"?{http.url.query}" if http.url.query else ""
    return RedirectResponse(f"../graphql{query}", HTTPStatus.PERMANENT_REDIRECT)


async def _respond(http: HttpRequest, accept: str, media_type: str) -> HttpResponse:
    state: AppState = http.app.state.joblens
    # Before the body: of strangers nothing is read.
    credential = await state.sign_in(from_headers(http.headers))
    viewer = credential.viewer
    # Before the body, too: what has come of it is held.
    place = state.gate.enter(viewer)
    try:
        request, operation = await _read(http, state, viewer, accept)
    except BaseException:
        place.leave()
        raise
    if isinstance(operation, Response):
        place.leave()
        return _write_refusal(operation, media_type)
    admission = await state.gate.admit(viewer, operation.cost, place)
    if operation.type is OperationType.SUBSCRIPTION or media_type == EVENT_STREAM:
        response = await _stream(state, credential, operation, request, admission)
    else:
        try:
            answered = await answer(state, viewer, operation, request, http.receive)
        finally:
            admission.leave()
        response = write(answered, media_type)
    response.raw_headers.extend((k.encode(), v.encode()) for k, v in admission.headers.items())
    return response


async def _read(
    http: HttpRequest, state: AppState, viewer: Viewer, accept: str
) -> tuple[Request, Operation | Response]:
    if http.method == "POST":
        settings = state.settings
        request = await read_post(http, settings.max_body_bytes, settings.body_timeout_seconds)
    else:
        request = read_get(http)
    operation = await read(state, viewer, request)
    if not isinstance(operation, Response):
        try:
            _check(operation.type, http.method, accept)
        except JoblensError:
            # To read it has cost something, too.
            await state.gate.charge(viewer)
            raise
    return request, operation


async def _stream(
    state: AppState,
    credential: Credential,
    operation: Operation,
    request: Request,
    admission: Admission,
) -> HttpResponse:
    viewer = credential.viewer
    # The end of the process ends only what would go on for ever.
    endless = operation.type is OperationType.SUBSCRIPTION
    ending = state.ending if endless else asyncio.Event()
    with ExitStack() as held:
        if endless:
            # Once it has begun, it is no request in flight but a connection.
            held.callback(admission.leave)
            held.callback(state.gate.connections.take(key(viewer)).leave)
        responses = await start(state, viewer, operation, request, admission)
        if isinstance(responses, Response):
            return _write_refusal(responses, EVENT_STREAM)
        if endless:
            # What it was opened with may lapse: that ends it.
            lapse = _lapse(state, responses)
            held.callback(state.connections.watch(credential, lapse))
        leave = held.pop_all().close
    return EventStream(responses, ending, state.settings.sse_ping_seconds, leave)


def _lapse(state: AppState, responses: Stream) -> Callable[[], None]:
    def lapse() -> None:
        state.hub.spawn(responses.refuse(LapsedError()))

    return lapse


def _check(operation: OperationType, method: str, accept: str) -> None:
    """Refuse an operation that cannot be had by this method, or in any form that is accepted."""
    if method != "POST" and operation is OperationType.MUTATION:
        raise JoblensError(ErrorCode.METHOD_NOT_ALLOWED, "GET answers queries only; use POST.")
    if operation is not OperationType.SUBSCRIPTION:
        return
    if method == "HEAD":
        raise JoblensError(ErrorCode.METHOD_NOT_ALLOWED, "A subscription has no HEAD.")
    if preferred(accept, (EVENT_STREAM,)) is None:
        words = f"A subscription needs an Accept that admits {EVENT_STREAM}, or a WebSocket."
        raise JoblensError(ErrorCode.NOT_ACCEPTABLE, words)


def _write_refusal(response: Response, media_type: str) -> HttpResponse:
    if media_type == EVENT_STREAM:
        return EventStream(just(response), asyncio.Event())
    return write(response, media_type)
