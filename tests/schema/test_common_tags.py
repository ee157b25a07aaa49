"""Jobs of a tag that so many of the newest jobs have that they are not found by their ids."""

from tests.support.service import Service

JOBS = 60
CREATE = """mutation ($input: [CreateJobInput!]!) {
  createJobs(input: $input) { __typename }
}"""
FIND = """{
  jobs(first: 5, filter: {tags: ["common"]}) { nodes { tags } count { value isExact } }
  statusCounts(filter: {tags: ["common"]}) { status count { value } }
  failed: jobs(filter: {tags: ["common"], status: [FAILED]}) { count { value } }
  typed: jobs(filter: {tags: ["common"], type: {eq: "t"}}) { count { value } }
  rare: jobs(filter: {tags: ["common", "rare"]}) { count { value } nodes { tags } }
}"""


async def test_they_are_listed_and_counted(service: Service) -> None:
    tags = [["common", "rare"] if number == 0 else ["common"] for number in range(JOBS)]
    await service.query(CREATE, {"input": [{"type": "t", "tags": each} for each in tags]})
    await service.query(CREATE, {"input": [{"type": "t", "tags": ["other"]}]})
    data = await service.query(FIND)
    assert len(data["jobs"]["nodes"]) == 5
    assert all("common" in each["tags"] for each in data["jobs"]["nodes"])
    assert data["jobs"]["count"] == {"value": JOBS, "isExact": True}
    counts = {each["status"]: each["count"]["value"] for each in data["statusCounts"]}
    assert counts["QUEUED"] == JOBS == sum(counts.values())
    assert data["failed"]["count"]["value"] == 0
    assert data["typed"]["count"]["value"] == JOBS
    assert data["rare"]["count"]["value"] == 1
    assert data["rare"]["nodes"] == [{"tags": ["common", "rare"]}]
