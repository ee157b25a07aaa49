"""What the server tells of itself, and of a client without a token."""

from datetime import UTC, datetime
from importlib.metadata import version
from uuid import uuid4

from tests.support.ledger import insert, job
from tests.support.service import ORG, Service, serving

SERVER = "{ server { version now pageSizeMax maxCost } }"


async def test_the_server_tells_its_version_time_and_limits(database_url: str) -> None:
    async with serving(database_url, page_size_max="77", max_cost="1234") as service:
        before = datetime.now(UTC)
        told = (await service.query(SERVER))["server"]
        assert before <= datetime.fromisoformat(told.pop("now")) <= datetime.now(UTC)
    assert told == {"version": version("joblens"), "pageSizeMax": 77, "maxCost": 1234}


async def test_its_time_is_that_of_what_was_read(service: Service, database_url: str) -> None:
    """Given as `asOf`, it lets through what the same response shows, and nothing later."""
    type_ = uuid4().hex
    await insert(database_url, [job(type=type_)])
    seen = (await service.query(f"{{ jobs {{ nodes {{ id }} }} {SERVER[1:-1]} }}"))["server"]["now"]
    create = f'mutation {{ createJob(input: {{type: "{type_}"}}) {{ __typename }} }}'
    await service.query(create)
    cancel = f"""mutation ($asOf: DateTime) {{
      cancelJobs(filter: {{type: {{eq: "{type_}"}}}}, asOf: $asOf) {{ changed skipped }} }}"""
    answer = (await service.query(cancel, {"asOf": seen}))["cancelJobs"]
    assert answer == {"changed": 1, "skipped": 1}


async def test_without_authentication_nothing_expires(service: Service) -> None:
    viewer = (await service.query("{ viewer { orgId orgName expiresAt } }"))["viewer"]
    assert viewer == {"orgId": ORG, "orgName": None, "expiresAt": None}
