"""The endpoint /graphql: a request's way from HTTP to the schema and back."""

import asyncio

from graphql import OperationType
from starlette.requests import Request as HttpRequest
from starlette.responses import Response as HttpResponse

from resolvers.errors import ErrorCode, JoblensError
from schema.execution import Response, execute, prepare
from server import pages
from server.auth.credentials import from_headers
from server.lapses import Lapsing
from server.negotiation import preferred
from server.operations import just, start
from server.origins import check_origin
from server.requests import JSON, read_get, read_post
from server.responses import ANSWERS, GRAPHQL_RESPONSE, write, write_error
from server.settings import Settings
from server.sse import EVENT_STREAM, EventStream
from server.state import State

HTML = "text/html"
# What the draft reads into a request without an Accept header, and anything else if need be.
UNSAID = f"{GRAPHQL_RESPONSE}, */*;q=0.1"


async def graphql(http: HttpRequest) -> HttpResponse:
    """Answer a GraphQL request, or a browser with GraphiQL."""
    accept = ", ".join(http.headers.getlist("accept") or [UNSAID])
    settings: Settings = http.app.state.joblens.settings
    wants_page = settings.graphiql and http.method != "POST"
    if wants_page and preferred(accept, (*ANSWERS, HTML)) == HTML:
        return pages.graphiql(settings)
    media_type = preferred(accept, (*ANSWERS, EVENT_STREAM))
    if media_type is None:
        words = f"Accept must admit {GRAPHQL_RESPONSE}, {JSON} or {EVENT_STREAM}."
        return write_error(JoblensError(ErrorCode.NOT_ACCEPTABLE, words))
    try:
        check_origin(http.headers, http.app.state.joblens.settings.cors_origins)
        return await _respond(http, accept, media_type)
    except JoblensError as error:
        # What is no request at all gets a status, for which a stream of events has no place.
        return write_error(error, media_type if media_type in ANSWERS else GRAPHQL_RESPONSE)


async def _respond(http: HttpRequest, accept: str, media_type: str) -> HttpResponse:
    state: State = http.app.state.joblens
    # Before the body: of strangers nothing is read.
    credential = await state.authenticator.authenticate(from_headers(http.headers))
    viewer = credential.viewer
    if http.method == "POST":
        settings = state.settings
        request = await read_post(http, settings.max_body_bytes, settings.body_timeout_seconds)
    else:
        request = read_get(http)
    operation = prepare(request, state.rules)
    if isinstance(operation, Response):
        return _write_refusal(operation, media_type)
    _check(operation.type, http.method, accept)
    if operation.type is OperationType.SUBSCRIPTION or media_type == EVENT_STREAM:
        responses = await start(state, viewer, operation, request)
        if isinstance(responses, Response):
            return _write_refusal(responses, media_type)
        # The end of the process ends only what would go on for ever.
        endless = operation.type is OperationType.SUBSCRIPTION
        ending = state.ending if endless else asyncio.Event()
        stream = EventStream(responses, ending, state.settings.sse_ping_seconds)
        return Lapsing(stream, responses, state.connections, credential) if endless else stream
    context = state.context(viewer)
    try:
        return write(await execute(operation, request, context), media_type)
    finally:
        await context.close()


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
