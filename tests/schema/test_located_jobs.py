"""Filters whose jobs are located: what is read at their locations, and what by their ids."""

import pytest

from tests.support.service import Service

CREATE = """mutation ($input: [CreateJobInput!]!) {
  createJobs(input: $input) { ... on CreateJobsPayload { jobs { id } } }
}"""
WANTED = '{payloadContains: {is: "wanted"}}'
RANGE = 'from: "2026-01-01T00:00:00Z", until: "2028-01-01T00:00:00Z"'
LOCATED = {
    "jobs": f"{{ it: jobs(filter: {WANTED}) {{ nodes {{ id }} count {{ value }} }} }}",
    "by status": f"{{ it: jobs(filter: {{status: [QUEUED, RUNNING], and: [{WANTED}]}}) "
    "{ nodes { id } pageInfo { hasPreviousPage } } }",
    "counts": f"{{ it: statusCounts(filter: {WANTED}) {{ count {{ value }} }} }}",
    "bounded counts": f"{{ it: statusCounts(filter: {WANTED}, atMost: 5) {{ count {{ value }} }} }}",
    "groups": f"{{ it: jobGroups(by: [TYPE], filter: {WANTED}) {{ count }} }}",
}
BY_IDS = {
    "events": f"{{ it: jobEvents(filter: {{job: {WANTED}}}) {{ nodes {{ ts }} }} }}",
    "children": "{ it: jobs(first: 5) { nodes { children(first: 2, filter: "
    + WANTED
    + ") { nodes { id } count { value } } } } }",
    "timeline": f"{{ it: timeline({RANGE}, bucket: WEEK, filter: {WANTED}) {{ created }} }}",
    "error groups": f"{{ it: errorGroups(filter: {WANTED}) {{ nodes {{ id }} }} }}",
    "counts at a time": f'{{ it: statusCounts(at: "2026-01-01T00:00:00Z", filter: {WANTED}) '
    "{ count { value } } }",
}


async def create(service: Service) -> None:
    jobs = [{"type": "t", "payload": {"is": "wanted" if n == 7 else "other"}} for n in range(20)]
    await service.query(CREATE, {"input": jobs})


def reads_locations(statement: str) -> bool:
    return "ctid" in statement and "SELECT job.id \nFROM job \nWHERE" not in statement


@pytest.mark.parametrize("name", LOCATED)
async def test_jobs_are_read_at_their_locations(service: Service, name: str) -> None:
    await create(service)
    with service.recorded() as statements:
        await service.query(LOCATED[name])
    of_jobs = [each for each in statements if "payload @>" in each or "ctid" in each]
    assert of_jobs
    assert all(map(reads_locations, of_jobs))


@pytest.mark.parametrize("name", BY_IDS)
async def test_other_tables_are_read_by_ids(service: Service, name: str) -> None:
    """PostgreSQL would look through all locations for each of their rows."""
    await create(service)
    with service.recorded() as statements:
        await service.query(BY_IDS[name])
    assert any("joblens_rows_containing" in each for each in statements)
    assert not any(map(reads_locations, statements))
