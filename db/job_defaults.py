"""The values of a job's fields that its creator leaves out."""

from db.statuses import BackoffPolicy

DEFAULT_QUEUE = "default"
DEFAULT_PRIORITY = 0
DEFAULT_MAX_ATTEMPTS = 5
DEFAULT_BACKOFF_POLICY = BackoffPolicy.EXPONENTIAL

# The wait before a retry; see db.backoff.
DEFAULT_BACKOFF_BASE_SECONDS = 10.0
DEFAULT_BACKOFF_CAP_SECONDS = 3_600.0
