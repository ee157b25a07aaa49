"""How the demo's jobs belong together, against its records, which are read without the database."""

from collections import Counter, defaultdict
from datetime import UTC, datetime
from typing import Any

import orjson
import pytest

from db.statuses import TERMINAL_STATUSES, JobStatus
from db.transfer import import_records
from demo.history import ORGS, sample_history
from tests.support.service import Service

NOW = datetime(2025, 6, 3, 14, 30, 12, 345678, tzinfo=UTC)
RECORDS = {record["id"]: record for org, record in sample_history(NOW) if org == ORGS[0]}
CHILDREN: dict[str, list[str]] = defaultdict(list)
BATCHES: dict[str, list[dict[str, Any]]] = defaultdict(list)
for _id, _record in RECORDS.items():
    CHILDREN[_record["parent_id"]].append(_id)
    BATCHES[_record["batch"]].append(_record)

OF_JOBS = """query ($ids: [ID!]!) { jobs(filter: {ids: $ids}, first: 200) { nodes {
  id tags parent { id type } batch { name }
  children(first: 3, orderBy: {direction: ASC}) { nodes { id } count { value } }
  failed: children(first: 1, filter: {status: [FAILED, DEAD_LETTER]}) { count { value } } } } }"""
OF_BATCHES = """query ($ids: [ID!]!) { nodes(ids: $ids) { ... on Batch {
  name fraction firstCreatedAt lastFinishedAt statusCounts { status count { value } }
  jobs(first: 5, orderBy: {direction: ASC}) { nodes { id } count { value } } } } }"""
COUNT = "query ($filter: JobFilter) { jobs(filter: $filter) { count { value } } }"
GROUPS = "{ jobGroups(by: [BATCH, STATUS], first: 200) { key { batch status } count } }"


@pytest.fixture(scope="module", autouse=True)
async def _ledger(database_url: str) -> None:
    lines = [orjson.dumps(record) for record in RECORDS.values()]
    assert (await import_records(database_url, ORGS[0], lines)).imported == len(RECORDS)


def in_order(ids: list[str]) -> list[str]:
    return sorted(ids, key=lambda id_: (RECORDS[id_]["created_at"], id_))


def time(record: dict[str, Any], name: str) -> datetime:
    return datetime.fromisoformat(record[name])


def test_there_is_something_to_see() -> None:
    assert max(len(ids) for parent, ids in CHILDREN.items() if parent) > 5
    assert {len(records) for batch, records in BATCHES.items() if batch} >= {5, 20}
    assert len({tag for record in RECORDS.values() for tag in record["tags"]}) > 5
    ended = [{r["status"] for r in records} <= TERMINAL_STATUSES for records in BATCHES.values()]
    assert set(ended) == {True, False}


async def test_jobs_have_the_relations_of_their_records(service: Service) -> None:
    ids = list(RECORDS)
    for start in range(0, len(ids), 200):
        data = await service.query(OF_JOBS, {"ids": ids[start : start + 200]})
        for node in data["jobs"]["nodes"]:
            record, children = RECORDS[node["id"]], in_order(CHILDREN[node["id"]])
            parent = record["parent_id"]
            assert node["parent"] == (parent and {"id": parent, "type": RECORDS[parent]["type"]})
            assert node["tags"] == record["tags"]
            assert (node["batch"] and node["batch"]["name"]) == record["batch"]
            assert [child["id"] for child in node["children"]["nodes"]] == children[:3]
            assert node["children"]["count"]["value"] == len(children)
            failed = [c for c in children if RECORDS[c]["status"] in {"failed", "dead_letter"}]
            assert node["failed"]["count"]["value"] == len(failed)


async def test_batches_are_the_sums_of_their_records(service: Service) -> None:
    names = [name for name in BATCHES if name]
    data = await service.query(OF_BATCHES, {"ids": [f"batch:{name}" for name in names]})
    for name, batch in zip(names, data["nodes"], strict=True):
        records = BATCHES[name]
        counts = Counter(record["status"] for record in records)
        ended = [record for record in records if record["status"] in TERMINAL_STATUSES]
        assert batch["name"] == name
        assert batch["fraction"] == len(ended) / len(records)
        assert {each["status"]: each["count"]["value"] for each in batch["statusCounts"]} == {
            status.name: counts[status.value] for status in JobStatus
        }
        first = min(time(record, "created_at") for record in records)
        assert datetime.fromisoformat(batch["firstCreatedAt"]) == first
        last = max((time(record, "finished_at") for record in ended), default=None)
        told = batch["lastFinishedAt"]
        assert (told and datetime.fromisoformat(told)) == (
            last if len(ended) == len(records) else None
        )
        ids = in_order([record["id"] for record in records])
        assert [node["id"] for node in batch["jobs"]["nodes"]] == ids[:5]
        assert batch["jobs"]["count"]["value"] == len(records)


async def test_groups_are_counted_by_batch(service: Service) -> None:
    groups = (await service.query(GROUPS))["jobGroups"]
    assert {(g["key"]["batch"], g["key"]["status"]): g["count"] for g in groups} == Counter(
        (record["batch"], record["status"].upper()) for record in RECORDS.values()
    )


async def test_filters_find_the_same(service: Service) -> None:
    tags = sorted({tag for record in RECORDS.values() for tag in record["tags"]})
    for wanted in ([], tags[:1], tags[-1:], [tags[0], tags[-1]], ["none"], tags):
        found = (await service.query(COUNT, {"filter": {"tags": wanted}}))["jobs"]["count"]
        matching = [r for r in RECORDS.values() if set(wanted) <= set(r["tags"])]
        assert found["value"] == len(matching)
    for parent in list(CHILDREN)[:5]:
        wanted_filter = {"filter": {"parentId": parent}}
        found = (await service.query(COUNT, wanted_filter))["jobs"]["count"]
        assert found["value"] == (len(CHILDREN[parent]) if parent else len(RECORDS))
