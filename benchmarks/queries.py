"""What is asked."""

NESTED = """\
query FailedJobs {
  jobs(first: 50, filter: {status: [FAILED]}) {
    nodes {
      id type queue status priority attempt maxAttempts requestedBy
      lastErrorCode lastErrorMessage createdAt startedAt finishedAt
      events(first: 8) { nodes { id ts prevStatus nextStatus attempt detail } }
    }
  }
}
"""

FLAT = """\
query Jobs {
  jobs(first: 200) {
    nodes {
      id type queue status isTerminal priority attempt maxAttempts backoffPolicy idempotencyKey
      requestedBy result lastErrorCode lastErrorMessage createdAt updatedAt scheduledAt startedAt
      finishedAt waitSeconds runSeconds
    }
  }
}
"""

STATUS_COUNTS = "{ statusCounts { status count { value isExact } } }"
STATUS_COUNTS_AT_MOST = "{ statusCounts(atMost: 1000) { status count { value isExact } } }"
JOB_GROUPS = "{ jobGroups(by: [TYPE, STATUS]) { key { type status } count } }"

# By the names that --only takes.
SINGLE = {
    "flat": ("page of 200 jobs, all scalars but `payload`", FLAT),
    "statusCounts": ("`statusCounts`", STATUS_COUNTS),
    "statusCountsAtMost": ("`statusCounts(atMost: 1000)`", STATUS_COUNTS_AT_MOST),
    "jobGroups": ("`jobGroups(by: [TYPE, STATUS])`", JOB_GROUPS),
}
