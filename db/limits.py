"""How large the parts of a job may be, whichever way they come in."""

MAX_NAME_LENGTH = 255  # characters: type, queue, requested_by, idempotency_key, last_error_code
MAX_MESSAGE_LENGTH = 10_000  # characters: last_error_message
MAX_JSON_BYTES = 256 * 1024  # written compactly: payload, result, an event's detail

MIN_INT32, MAX_INT32 = -(2**31), 2**31 - 1  # what an `integer` column holds
MIN_INT64, MAX_INT64 = -(2**63), 2**63 - 1  # what times are counted in

MAX_JSON_DEPTH = 100  # levels
MAX_ATTEMPTS = 1_000  # how often a job may be started
MAX_BACKOFF_SECONDS = 366 * 86_400  # for which a retry may wait
MAX_BATCH = 1_000  # jobs that one call may create or change

# Numbers inside JSON keep their digits. Beyond this range they have no more than a double has:
# jsonb writes 1e30 out as an integer of 31 digits, and readers take that for a double again.
MIN_JSON_NUMBER, MAX_JSON_NUMBER = -(2**63), 2**64 - 1
MAX_JSON_DECIMALS = 1_100  # enough for every double, written out in full
