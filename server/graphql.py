"""The endpoint /graphql: a request's way from HTTP to the schema and back."""

import orjson
from graphql import OperationType
from starlette.requests import Request as HttpRequest
from starlette.responses import Response as HttpResponse

from resolvers.context import Role, Viewer
from resolvers.errors import ErrorCode, JoblensError
from resolvers.ids import parse_uuid
from schema.execution import Response, execute, prepare
from server import pages
from server.negotiation import preferred
from server.requests import JSON, read_get, read_post
from server.state import State

ORG_HEADER = "joblens-org"
GRAPHQL_RESPONSE = "application/graphql-response+json"
HTML = "text/html"
ANSWERS = (GRAPHQL_RESPONSE, JSON)


async def graphql(http: HttpRequest) -> HttpResponse:
    """Answer a GraphQL request, or a browser with GraphiQL."""
    accept = http.headers.get("accept", "*/*")
    if http.method != "POST" and preferred(accept, (*ANSWERS, HTML)) == HTML:
        return pages.graphiql()
    media_type = preferred(accept, ANSWERS)
    if media_type is None:
        return write_error(
            JoblensError(
                ErrorCode.NOT_ACCEPTABLE, f"Accept must admit {GRAPHQL_RESPONSE} or {JSON}."
            )
        )
    try:
        response = await _respond(http)
    except JoblensError as error:
        return write_error(error, media_type)
    return write(response, media_type)


async def _respond(http: HttpRequest) -> Response:
    state: State = http.app.state.joblens
    if http.method == "POST":
        request = await read_post(http, state.settings.max_body_bytes)
    else:
        request = read_get(http)
    viewer = _viewer(http, state)
    operation = prepare(request)
    if isinstance(operation, Response):
        return operation
    if http.method != "POST" and operation.type is not OperationType.QUERY:
        raise JoblensError(ErrorCode.METHOD_NOT_ALLOWED, "GET answers queries only; use POST.")
    context = state.context(viewer)
    try:
        return await execute(operation, request, context)
    finally:
        await context.close()


def _viewer(http: HttpRequest, state: State) -> Viewer:
    """Say for whom a request acts: for anybody until there are credentials."""
    org_id = state.settings.org
    header = http.headers.get(ORG_HEADER)
    if header is not None:
        parsed = parse_uuid(header)
        if parsed is None:
            raise JoblensError(ErrorCode.BAD_REQUEST, "Joblens-Org must be a UUID.")
        org_id = parsed
    return Viewer(org_id, "anonymous", (Role.ADMIN,))


def write(response: Response, media_type: str) -> HttpResponse:
    """Write a response. What was run gets 200, even with errors; see `ErrorCode` for the rest."""
    try:
        body = orjson.dumps(response.body(), option=orjson.OPT_UTC_Z)
    except orjson.JSONEncodeError as error:
        if str(error) != "Recursion limit reached":
            raise
        message = "The answer is nested too deeply to be written."
        return write_error(JoblensError(ErrorCode.BAD_USER_INPUT, message), media_type)
    headers = {"content-type": f"{media_type}; charset=utf-8"}
    return HttpResponse(body, _status(response, media_type), headers)


def write_error(
    error: JoblensError, media_type: str = JSON, status: int | None = None
) -> HttpResponse:
    """Write an error that came before any response, with the status of its code."""
    body = {"errors": [{"message": error.message, "extensions": {"code": error.code.value}}]}
    headers = {"content-type": f"{media_type}; charset=utf-8"}
    if error.code is ErrorCode.METHOD_NOT_ALLOWED:
        headers["allow"] = "POST"
    return HttpResponse(orjson.dumps(body), status or error.code.status, headers)


def _status(response: Response, media_type: str) -> int:
    codes = response.codes()
    if response.refused:
        # Clients of the older media type take any other status for a broken server.
        return 200 if media_type == JSON else min(ErrorCode[code].status for code in codes)
    nothing = response.data is None or all(value is None for value in response.data.values())
    return ErrorCode.UNAVAILABLE.status if nothing and codes == {ErrorCode.UNAVAILABLE} else 200
