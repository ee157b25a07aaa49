"""The endpoint /graphql over HTTP: from a request to its response or stream of events."""

import asyncio
from contextlib import ExitStack
from dataclasses import replace
from http import HTTPStatus

from graphql import OperationType
from starlette.requests import Request as HttpRequest
from starlette.responses import RedirectResponse
from starlette.responses import Response as HttpResponse

from resolvers.errors import ErrorCode, JoblensError
from schema.execution.models import Request, Response
from server.app_state import AppState
from server.auth.credentials import from_headers
from server.http import graphiql
from server.http.event_stream import EVENT_STREAM, EventStream
from server.http.negotiation import HTML, accept_of, preferred
from server.http.origins import check_origin
from server.http.requests import JSON, check_position, read_get, read_post
from server.http.responses import GRAPHQL_RESPONSE, MEDIA_TYPES, write, write_error
from server.limits.admission import viewer_key
from server.logging import audit
from server.operations import answer_operation, prepare_operation, run_operation

# A request without Accept header gets this type (GraphQL over HTTP), or any other if need be.
DEFAULT_ACCEPT = f"{GRAPHQL_RESPONSE}, */*;q=0.1"
# The position in the primary's log that a mutation has reached, and that a query must see.
POSITION = "Joblens-Position"
_OFFERS = (*MEDIA_TYPES, EVENT_STREAM)
_OFFERS_TO_BROWSERS = (*MEDIA_TYPES, HTML)


async def graphql(http: HttpRequest) -> HttpResponse:
    """Respond to a GraphQL request, or to a browser with GraphiQL."""
    state: AppState = http.app.state.joblens
    accept = accept_of(http.headers) or DEFAULT_ACCEPT
    wants_page = state.settings.graphiql and http.method != "POST"
    if wants_page and preferred(accept, _OFFERS_TO_BROWSERS) == HTML:
        return _graphiql(http, state)
    media_type = preferred(accept, _OFFERS)
    if media_type is None:
        message = f"Accept must admit {GRAPHQL_RESPONSE}, {JSON} or {EVENT_STREAM}."
        return write_error(JoblensError(ErrorCode.NOT_ACCEPTABLE, message))
    if media_type == EVENT_STREAM:
        audit.set_event_stream()
    try:
        check_origin(http.headers, state.settings.cors_origins)
        with ExitStack() as held:
            return await _respond(http, state, accept, media_type, held)
    except JoblensError as error:
        audit.log_limits(error.code)
        # A request that is refused gets an HTTP status, which an event stream cannot report.
        return write_error(error, media_type if media_type in MEDIA_TYPES else GRAPHQL_RESPONSE)


async def _respond(
    http: HttpRequest, state: AppState, accept: str, media_type: str, held: ExitStack
) -> HttpResponse:
    # Authentication and the request's slot come before the body is read and held in memory.
    credential = await state.sign_in(from_headers(http.headers))
    viewer = credential.viewer
    slot = held.enter_context(state.admission.enter(viewer))
    request = await _read(http, state)
    operation = await prepare_operation(state, viewer, request)
    if isinstance(operation, Response):
        return _write_refusal(operation, media_type)
    try:
        _check_transport(operation.type, http.method, accept)
    except JoblensError:
        await state.admission.spend(viewer)
        raise
    rate_headers = await state.admission.spend(viewer, operation.cost)
    if operation.type is OperationType.SUBSCRIPTION:
        # From its start it uses a connection, and its request's slot is free again.
        held.enter_context(state.admission.connections.acquire(viewer_key(viewer)))
        revoked = asyncio.Event()
        held.callback(state.connections.watch(credential, revoked.set))
        responses = run_operation(state, viewer, operation, request, slot)
        response: HttpResponse = EventStream(
            responses,
            state.settings.sse_ping_seconds,
            ending=state.ending,
            revoked=revoked,
            held=held.pop_all(),
        )
    elif media_type == EVENT_STREAM:
        responses = run_operation(state, viewer, operation, request, slot)
        seconds = state.settings.sse_ping_seconds
        response = EventStream(responses, seconds, held=held.pop_all())
    else:
        answer = await answer_operation(state, viewer, operation, request, slot, http.receive)
        response = write(answer, media_type)
        if answer.position is not None:
            response.headers[POSITION] = answer.position
    response.raw_headers.extend((k.encode(), v.encode()) for k, v in rate_headers.items())
    return response


async def _read(http: HttpRequest, state: AppState) -> Request:
    settings = state.settings
    if http.method != "POST":
        request = read_get(http)
    else:
        request = await read_post(http, settings.max_body_bytes, settings.body_timeout_seconds)
    position = check_position(http.headers.get(POSITION))
    return request if position is None else replace(request, position=position)


def _graphiql(http: HttpRequest, state: AppState) -> HttpResponse:
    if not http.scope["path"].endswith("/"):
        return graphiql.graphiql(state.settings)
    # The page finds its scripts relative to this path, which a proxy may prefix.
    query = f"?{http.url.query}" if http.url.query else ""
    return RedirectResponse(f"../graphql{query}", HTTPStatus.PERMANENT_REDIRECT)


def _check_transport(type_: OperationType, method: str, accept: str) -> None:
    """Refuse an operation that this method or the accepted media types do not allow."""
    if method != "POST" and type_ is OperationType.MUTATION:
        raise JoblensError(ErrorCode.METHOD_NOT_ALLOWED, "GET answers queries only; use POST.")
    if type_ is not OperationType.SUBSCRIPTION:
        return
    if method == "HEAD":
        raise JoblensError(ErrorCode.METHOD_NOT_ALLOWED, "A subscription has no HEAD.")
    if preferred(accept, (EVENT_STREAM,)) is None:
        message = f"A subscription needs an Accept that admits {EVENT_STREAM}, or a WebSocket."
        raise JoblensError(ErrorCode.NOT_ACCEPTABLE, message)


def _write_refusal(response: Response, media_type: str) -> HttpResponse:
    return EventStream.of(response) if media_type == EVENT_STREAM else write(response, media_type)
