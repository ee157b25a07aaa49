"""What is asked of ten million jobs: lists, counts, charts and search boxes of a dashboard."""

from db.error_groups.fingerprints import fingerprint_of

PAGE = "{{ jobs(first: 50{}) {{ nodes {{ id type queue status createdAt }} }} }}"
COUNTS = "{{ statusCounts{} {{ status count {{ value isExact }} }} }}"
EVENTS = "{{ jobEvents(first: 50, filter: {}) {{ nodes {{ id ts nextStatus }} }} }}"
GROUPS = "{{ jobGroups(by: {}) {{ key {{ type queue status }} count }} }}"
TIMELINE = """{{ timeline(from: "{}T00:00:00Z", until: "2026-01-01T00:00:00Z", bucket: {})
  {{ start created started succeeded failed canceled deadLettered }} }}"""
SUGGEST = "{{ suggest(field: {}) {{ value count {{ value isExact }} }} }}"
_ERROR = fingerprint_of("SEGFAULT", "the worker 7 gave up after 7 seconds: segfault")
assert _ERROR is not None
GROUP = f"error-group:{_ERROR.id}"
LAST_DAY = '{createdAt: {gte: "2025-12-31T00:00:00Z"}}'


def _page(filter_: str) -> str:
    return PAGE.format(f", filter: {filter_}")


def _ordered(field: str, direction: str) -> str:
    return PAGE.format(f", orderBy: {{field: {field}, direction: {direction}}}")


LISTS = {
    "page of 50": PAGE.format(""),
    **{
        f"by {field}, {direction}": _ordered(field, direction)
        for field in ("UPDATED_AT", "FINISHED_AT", "PRIORITY", "SCHEDULED_AT", "STARTED_AT")
        for direction in ("ASC", "DESC")
    },
    "failed, with events and attempts": """{ jobs(first: 50, filter: {status: [FAILED]}) {
        nodes { id events(first: 8) { nodes { id ts nextStatus } } attempts { number outcome } }
    } }""",
    "one status": _page("{status: [DEAD_LETTER]}"),
    "queued or running": _page("{status: [QUEUED, RUNNING]}"),
    "one type": _page('{type: {eq: "ledger.close"}}'),
    "one queue": _page('{queue: {eq: "nightly"}}'),
    "several types": _page('{type: {in: ["ledger.close", "import.rows", "no.such"]}}'),
    "type and status": _page('{type: {eq: "ledger.close"}, status: [DEAD_LETTER]}'),
    "type and status, of which there is none": _page(
        '{type: {eq: "no.such"}, status: [QUEUED, RUNNING]}'
    ),
    "stuck: `runningLongerThan`": _page("{runningLongerThan: 86400}"),
    "idempotency key": _page('{idempotencyKey: {eq: "key-50000"}}'),
    "`jobEvents` of a rare status": EVENTS.format("{nextStatus: [DEAD_LETTER]}"),
    "`jobEvents` of two rare statuses": EVENTS.format("{nextStatus: [DEAD_LETTER, CANCELED]}"),
}
COUNTED = {
    "`statusCounts(atMost: 10000)`": COUNTS.format("(atMost: 10000)"),
    "`statusCounts`": COUNTS.format(""),
    "`jobs { count }`": "{ jobs { count { value } } }",
    "`jobGroups` of the last day": GROUPS.format(f"[TYPE, STATUS], filter: {LAST_DAY}"),
    "`jobGroups(by: [TYPE, STATUS])`": GROUPS.format("[TYPE, STATUS]"),
    "`timeline` of two days by hour": TIMELINE.format("2025-12-30", "HOUR"),
    "`timeline` of 30 days by day": TIMELINE.format("2025-12-02", "DAY"),
    "`timeline` of a year by week": TIMELINE.format("2025-01-01", "WEEK"),
    "`timeline` of a year by week, with percentiles": TIMELINE.format("2025-01-01", "WEEK").replace(
        "created", "created wait { p50 } run { p95 }"
    ),
    "`timelineBy(by: TYPE)` of a year by week": """{ timelineBy(by: TYPE,
        from: "2025-01-01T00:00:00Z", until: "2026-01-01T00:00:00Z", bucket: WEEK) {
        key { type } isRest buckets { start failed } } }""",
    "`statusCounts(at:)`": COUNTS.format('(at: "2025-09-15T10:20:30Z")'),
    "`statusCounts(at:)` of a type": COUNTS.format(
        '(at: "2025-09-15T10:20:30Z", filter: {type: {eq: "email.send"}})'
    ),
    "`jobGroups(by: [LAST_ERROR_CODE])`": """{ jobGroups(by: [LAST_ERROR_CODE]) {
        key { lastErrorCode } count } }""",
    "`jobGroups(by: [ERROR_GROUP, STATUS])`": """{ jobGroups(by: [ERROR_GROUP, STATUS]) {
        key { errorGroup { message } status } count } }""",
    "`errorGroups`, with trends": """{ errorGroups(first: 20) {
        nodes { message types count { value } firstSeenAt trend(bucket: DAY) sample { id } }
        count { value } } }""",
    "`errorGroups` of a type": """{ errorGroups(filter: {type: {eq: "ledger.close"}}) {
        nodes { message count { value } } } }""",
}
SEARCHES = {
    "`payloadContains`, one old job": _page("{payloadContains: {order: 77}}"),
    "`payloadContains`, none": _page("{payloadContains: {order: -1}}"),
    "`payloadContains`, one in eleven": _page('{payloadContains: {region: "region-3"}}'),
    "`payloadContains`, two conditions": _page(
        '{payloadContains: {region: "region-3", customer: 77}}'
    ),
    "`payloadContains`, count": """{ jobs(filter: {payloadContains: {customer: 77}}) {
        count { value }
    } }""",
    "`requestedBy`, one of many": _page('{requestedBy: {eq: "user-77@example.com"}}'),
    "`requestedBy`, none": _page('{requestedBy: {eq: "nobody"}}'),
    "`requestedBy: {startsWith}`": _page('{requestedBy: {startsWith: "user-77"}}'),
    "`requestedBy: {startsWith}`, none": _page('{requestedBy: {startsWith: "nobody"}}'),
    "`lastErrorCode`": _page('{lastErrorCode: {eq: "SEGFAULT"}}'),
    "`lastErrorCode`, none": _page('{lastErrorCode: {eq: "NO_SUCH"}}'),
    "`type: {contains}`": _page('{type: {contains: "close"}}'),
    "`type: {contains}`, none": _page('{type: {contains: "nowhere"}}'),
    "`lastErrorMessage: {contains}`": _page('{lastErrorMessage: {contains: "worker 7 gave up"}}'),
    "`lastErrorMessage: {contains}`, none": _page('{lastErrorMessage: {contains: "nowhere"}}'),
    "the same, of the last day": _page(
        f'{{lastErrorMessage: {{contains: "nowhere"}}, {LAST_DAY[1:]}'
    ),
    "`lastErrorMessage: {contains}`, a few old ones": _page(
        '{createdAt: {lt: "2025-01-08T00:00:00Z"},'
        ' lastErrorMessage: {contains: "worker 7 gave up after 7 s"}}'
    ),
    "`lastErrorMessage: {containsIgnoreCase}`, none": _page(
        '{lastErrorMessage: {containsIgnoreCase: "NoWhere"}}'
    ),
    "`lastErrorMessage: {contains}`, count": """{
        jobs(filter: {lastErrorMessage: {contains: "worker 7 gave up"}}) { count { value } }
    }""",
    "`search`": _page('{search: "EXPORT"}'),
    "`search`, a requester and few": _page('{search: "user-4321"}'),
    "`search`, an idempotency key": _page('{search: "key-50000"}'),
    "`search`, messages": _page('{search: "Worker 7 gave up"}'),
    "`search`, count": '{ jobs(filter: {search: "EXPORT"}) { count(atMost: 1000) { value } } }',
    "`search`, `statusCounts(atMost: 1000)`": COUNTS.format(
        '(atMost: 1000, filter: {search: "EXPORT"})'
    ),
    "`search`, none": _page('{search: "nowhere"}'),
    "`search`, none, count": '{ jobs(filter: {search: "nowhere"}) { count { value } } }',
    "`search`, none, `statusCounts`": COUNTS.format('(filter: {search: "nowhere"})'),
    "`search`, none, of the last day": _page(f'{{search: "nowhere", {LAST_DAY[1:]}'),
    "`suggest` types": SUGGEST.format("TYPE"),
    "`suggest` requesters": SUGGEST.format('REQUESTED_BY, prefix: "user"'),
}
WHY = {
    "`Job.waiting`, page of 200": """{ jobs(first: 200, filter: {status: [QUEUED]}) { nodes {
        id waiting { reasons dueAt ahead { value isExact } running { value } startsPerMinute eta
        lastStartInQueue } } } }""",
    "`Job.health`, page of 200": """{ jobs(first: 200, filter: {status: [QUEUED, RUNNING]}) {
        nodes { id health { verdict since expectedSeconds p95Seconds sample } } } }""",
    **{
        f"`health: {verdict}`": _page(f"{{health: {verdict}}}")
        for verdict in ("STUCK", "SLOW", "FLAPPING", "UNKNOWN")
    },
    "`health: STUCK`, count": "{ jobs(filter: {health: STUCK}) { count { value } } }",
    "`health: STUCK`, count up to 1,000": (
        "{ jobs(filter: {health: STUCK}) { count(atMost: 1000) { value } } }"
    ),
    "`health: [LATE, STUCK]`, `statusCounts`": COUNTS.format("(filter: {health: [LATE, STUCK]})"),
    "`queues`": """{ queues { name due { value isExact } scheduled { value } running { value }
        latencySeconds started succeeded failed drainEta } }""",
    "`queues`, with durations": """{ queues { name oldestDueAt started wait { p50 p95 }
        run { p50 p95 } } }""",
    "`queues(minutes: 60)`": "{ queues(minutes: 60) { name started failed } }",
    "`workers`": "{ workers { name running { value } lastSeenAt } }",
    "`worker`": _page('{worker: {eq: "worker-7"}}'),
    "`Job.worker` and `Job.progress`, page of 200": """{ jobs(first: 200,
        filter: {status: [RUNNING]}) { nodes { id worker progress { fraction at } } } }""",
    "parent with 10,000 children": """{ jobs(first: 1, filter: {tags: ["root"]}) { nodes { id
        children(first: 50) { nodes { id status } count { value } } } } }""",
    "parents and children, page of 200": """{ jobs(first: 200) { nodes { id parent { id status }
        children(first: 5) { nodes { id } } } } }""",
    "batch of 100,000: counts": """{ node(id: "batch:import") { ... on Batch { fraction
        statusCounts { status count { value } } firstCreatedAt lastFinishedAt } } }""",
    "batch of 100,000: page": """{ node(id: "batch:import") { ... on Batch {
        jobs(first: 50) { nodes { id status } count { value } } } } }""",
    "batches of a page of 200": """{ jobs(first: 200, filter: {batch: {startsWith: "batch-"}}) {
        nodes { id batch { name fraction statusCounts { status count { value } } } } } }""",
    "`jobGroups(by: [BATCH])`": "{ jobGroups(by: [BATCH]) { key { batch } count } }",
    "`tags`, many": _page('{tags: ["eu"]}'),
    "`tags`, two": _page('{tags: ["eu", "tier-3"]}'),
    "`tags`, none": _page('{tags: ["nowhere"]}'),
    "`tags`, count": '{ jobs(filter: {tags: ["eu", "tier-3"]}) { count { value } } }',
    "`Job.at`, page of 200": """{ jobs(first: 200) { nodes { id
        at(time: "2025-12-31T12:00:00Z") { status attempt since } } } }""",
    "`errorGroups` of the last hour": """{ errorGroups(orderBy: FIRST_SEEN, first: 20) {
        nodes { message count { value } firstSeenAt trend sample { id } } } }""",
    "jobs of an error group": f"""{{ jobs(first: 50, filter: {{errorGroup: "{GROUP}"}}) {{ nodes {{
        id errorGroup {{ id message count {{ value }} }} }} }} }}""",
    "jobs of an error group, count": (
        f'{{ jobs(filter: {{errorGroup: "{GROUP}"}}) {{ count {{ value }} }} }}'
    ),
}
SECTIONS = {"Why": WHY, "Lists": LISTS, "Counts and charts": COUNTED, "Searches": SEARCHES}
