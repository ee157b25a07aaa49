"""What is asked."""

from benchmarks.ledger import ORG

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

# An event's id is its job's and its number.
NESTED_OF_POSTGRAPHILE = f"""\
query FailedJobs {{
  jobs: allJobs(
    first: 50
    condition: {{orgId: "{ORG}", status: "failed"}}
    orderBy: [CREATED_AT_DESC, ROW_ID_DESC]
  ) {{
    nodes {{
      id: rowId type queue status priority attempt maxAttempts requestedBy
      lastErrorCode lastErrorMessage createdAt startedAt finishedAt
      events: jobEventsByOrgIdAndJobId(first: 8, orderBy: SEQ_ASC) {{
        nodes {{ jobId seq ts prevStatus nextStatus attempt detail }}
      }}
    }}
  }}
}}
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

CYCLE = """\
query Cycle {
  jobs(first: 50, filter: {status: [FAILED]}) {
    nodes { id type events(first: 8) { nodes { id nextStatus job { id type queue status } } } }
  }
}
"""

LATEST = """\
query Latest {
  jobs(first: 50) {
    nodes {
      id status
      latestEvent { id ts nextStatus attempt detail }
      attempts { number startedAt finishedAt outcome errorCode errorMessage }
    }
  }
}
"""

EDGES = """\
query Edges {
  jobs(last: 100) {
    edges { cursor node { id type status createdAt finishedAt } }
    pageInfo { hasNextPage hasPreviousPage startCursor endCursor }
  }
}
"""

ONE = "{ jobs(first: 1) { nodes { id type status } } }"

STATUS_COUNTS = "{ statusCounts { status count { value isExact } } }"
STATUS_COUNTS_AT_MOST = "{ statusCounts(atMost: 1000) { status count { value isExact } } }"
JOB_GROUPS = "{ jobGroups(by: [TYPE, STATUS]) { key { type status } count } }"

# By the names that --only takes.
SINGLE = {
    "cycle": ("50 jobs, their 400 events, the job of each", CYCLE),
    "latest": ("50 jobs, `latestEvent` and `attempts`", LATEST),
    "edges": ("edges and cursors of the last 100 jobs", EDGES),
    "one": ("one job", ONE),
    "typename": ("`{ __typename }`, no SQL", "{ __typename }"),
    "statusCounts": ("`statusCounts`", STATUS_COUNTS),
    "statusCountsAtMost": ("`statusCounts(atMost: 1000)`", STATUS_COUNTS_AT_MOST),
    "jobGroups": ("`jobGroups(by: [TYPE, STATUS])`", JOB_GROUPS),
}
