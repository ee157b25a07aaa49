"""The HTTP status of each error code.

It is the status of a request that was refused before it ran, or whose fields all failed because
the database was unavailable. Errors beside data always come with 200.
"""

from collections.abc import Mapping
from types import MappingProxyType

from resolvers.errors import ErrorCode

HTTP_STATUSES: Mapping[ErrorCode, int] = MappingProxyType(
    {
        ErrorCode.BAD_REQUEST: 400,
        ErrorCode.GRAPHQL_PARSE_FAILED: 400,
        ErrorCode.GRAPHQL_VALIDATION_FAILED: 400,
        ErrorCode.LIMIT_EXCEEDED: 400,
        ErrorCode.COST_EXCEEDED: 400,
        ErrorCode.INTROSPECTION_DISABLED: 400,
        ErrorCode.UNTRUSTED_DOCUMENT: 403,
        ErrorCode.PERSISTED_QUERY_NOT_FOUND: 400,
        ErrorCode.PERSISTED_QUERY_NOT_SUPPORTED: 400,
        ErrorCode.OPERATION_RESOLUTION_FAILURE: 400,
        ErrorCode.BAD_USER_INPUT: 400,
        ErrorCode.INVALID_CURSOR: 400,
        ErrorCode.UNAUTHENTICATED: 401,
        ErrorCode.FORBIDDEN: 403,
        ErrorCode.ORIGIN_NOT_ALLOWED: 403,
        ErrorCode.NOT_FOUND: 404,
        ErrorCode.METHOD_NOT_ALLOWED: 405,
        ErrorCode.NOT_ACCEPTABLE: 406,
        ErrorCode.REQUEST_TIMEOUT: 408,
        ErrorCode.PAYLOAD_TOO_LARGE: 413,
        ErrorCode.UNSUPPORTED_MEDIA_TYPE: 415,
        ErrorCode.HOST_NOT_ALLOWED: 421,
        ErrorCode.TOO_MANY_OPERATIONS: 429,
        ErrorCode.HEADERS_TOO_LARGE: 431,
        ErrorCode.TOO_MANY_REQUESTS: 429,
        ErrorCode.TOO_MANY_CONNECTIONS: 429,
        ErrorCode.RATE_LIMITED: 429,
        ErrorCode.OVERLOADED: 503,
        ErrorCode.TIMEOUT: 200,
        ErrorCode.SCAN_TIMEOUT: 200,
        ErrorCode.RESPONSE_TOO_LARGE: 200,
        ErrorCode.UNAVAILABLE: 503,
        ErrorCode.READ_ONLY_DATABASE: 200,
        ErrorCode.COMMIT_UNCERTAIN: 200,
        ErrorCode.SLOW_CONSUMER: 200,
        ErrorCode.TOO_MANY_SUBSCRIPTIONS: 503,
        ErrorCode.INTERNAL_SERVER_ERROR: 200,
    }
)
