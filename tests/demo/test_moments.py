"""What the demo's jobs were at any time, against its records, which are read without the database."""

from datetime import UTC, datetime, timedelta
from typing import Any

import orjson
import pytest

from db.transfer import import_records
from demo.history import ORGS, sample_history
from tests.support.service import serving

NOW = datetime(2025, 6, 3, 14, 30, 12, 345678, tzinfo=UTC)
RECORDS = {record["id"]: record for org, record in sample_history(NOW) if org == ORGS[0]}
AT = """query ($ids: [ID!]!, $time: DateTime!) { jobs(filter: {ids: $ids}, first: 200) { nodes {
  id at(time: $time) { status attempt since } } } }"""


def moment(record: dict[str, Any], time: datetime) -> Any:
    """Go through the events of a record up to a time."""
    found = None
    for event in record["events"]:
        ts = datetime.fromisoformat(event["ts"])
        if ts <= time and event["prev_status"] != event["next_status"]:
            found = (event["next_status"].upper(), event["attempt"], ts)
    return found


@pytest.fixture(scope="module")
def ids() -> list[str]:
    return list(RECORDS)


async def test_every_job_was_what_its_record_says(database_url: str, ids: list[str]) -> None:
    lines = [orjson.dumps(record) for record in RECORDS.values()]
    assert (await import_records(database_url, ORGS[0], lines)).imported == len(ids)
    async with serving(database_url) as service:
        for ago in (0, 1, 6, 24, 50, 400):
            time = NOW - timedelta(hours=ago)
            told = {}
            for start in range(0, len(ids), 200):
                given = {"ids": ids[start : start + 200], "time": time.isoformat()}
                data = await service.query(AT, given, Joblens_Org=str(ORGS[0]))
                told |= {node["id"]: node["at"] for node in data["jobs"]["nodes"]}
            assert {id_: read(each) for id_, each in told.items()} == {
                id_: moment(record, time) for id_, record in RECORDS.items()
            }


def read(told: Any) -> Any:
    """Read a JobMoment of an answer."""
    return told and (told["status"], told["attempt"], datetime.fromisoformat(told["since"]))
