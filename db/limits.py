"""Limits of a job's fields, the same for the API, JobRepository and imports."""

# characters: type, queue, requested_by, idempotency_key, last_error_code, worker, batch, a tag
MAX_NAME_LENGTH = 255
MAX_TAGS = 20  # of a job
MAX_MESSAGE_LENGTH = 10_000  # characters: last_error_message
MAX_JSON_BYTES = 256 * 1024  # of compact JSON: payload, result, an event's detail

MIN_INT32, MAX_INT32 = -(2**31), 2**31 - 1  # the range of an `integer` column
MIN_INT64, MAX_INT64 = -(2**63), 2**63 - 1  # the range of a time in microseconds

MAX_JSON_DEPTH = 100  # levels
MAX_ATTEMPTS = 1_000  # how often a job may be started
MAX_BACKOFF_SECONDS = 366 * 86_400  # the wait before a retry
MAX_BATCH = 1_000  # jobs created or changed by one call
MAX_SOURCES = 100  # sources of an organisation
MAX_FACTS = 1_000  # facts of one call
MAX_TRANSITIONS = 500  # transitions of one call, each with its own values

# JSON numbers keep all digits within this range. Beyond it only values that a double represents
# exactly are accepted: jsonb stores 1e30 as a 31-digit integer, which readers parse as a double.
MIN_JSON_NUMBER, MAX_JSON_NUMBER = -(2**63), 2**64 - 1
MAX_JSON_DECIMALS = 1_100  # enough for every double in full
