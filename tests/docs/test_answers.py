"""What the docs say that the demo answers, compared with the demo as their reader begins it."""

import json
import re
import urllib.parse
import urllib.request
from typing import Any

import pytest

from tests.docs.pages import block, page, shows

TUTORIAL = page("docs/tutorial/first-steps.md")
FIND_JOBS = page("docs/how-to/find-jobs.md")
ANSWERED = re.compile(r"```graphql\n(.*?)```\n(?:\n[^`]*)?\n```json\n(.*?)```", re.DOTALL)
ANSWERS = ANSWERED.findall(TUTORIAL)


def ask(url: str, query: str, **headers: str) -> Any:
    body = json.dumps({"query": query}).encode()
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    request = urllib.request.Request(
        f"{url}/graphql", body, {"Content-Type": "application/json", **named}
    )
    with urllib.request.urlopen(request) as answer:
        return json.load(answer)


@pytest.mark.parametrize("number", range(len(ANSWERS)))
def test_the_tutorial(demo_url: str, number: int) -> None:
    query, shown = ANSWERS[number]
    answer = ask(demo_url, query)
    del answer["extensions"]
    assert shows(json.loads(shown), answer), (shown, answer)


def test_each_answer_of_the_tutorial_is_compared() -> None:
    assert len(ANSWERS) == TUTORIAL.count("```json") == 7


def test_numbers_in_the_words_of_the_tutorial(demo_url: str) -> None:
    count = "{ jobs { count { value } } }"
    (own,) = re.findall(r"you see the first one's ([\d,]+)\.", TUTORIAL)
    (all_,) = set(re.findall(r"(?:sample data,|not all) ([\d,]+) jobs", TUTORIAL))
    (other,) = re.findall(r"\nreturns (\d+)\.", TUTORIAL)
    orgs = [f"00000000-0000-0000-0000-{number:012}" for number in (1, 2, 3)]
    counts = [ask(demo_url, count, Joblens_Org=o)["data"]["jobs"]["count"]["value"] for o in orgs]
    assert counts[:2] == [int(own.replace(",", "")), int(other)]
    assert sum(counts) == int(all_.replace(",", ""))
    assert "00000000-0000-0000-0000-000000000002" in page("frontend/src/graphiql/main.tsx")


def test_numbers_of_the_dashboard_in_the_tutorial(demo_url: str) -> None:
    ((failed, dead),) = re.findall(r"(\d+) have failed, (\d+) were\ndead-lettered", TUTORIAL)
    (listed,) = re.findall(r"lists (\d+) jobs", TUTORIAL)
    (ended,) = re.findall(r"(\d+) attempts ended with this error, of three types", TUTORIAL)
    query = """{
      statusCounts { status count { value } }
      errorGroups(first: 50) { nodes { types count { value } } }
    }"""
    data = ask(demo_url, query)["data"]
    counts = {each["status"]: each["count"]["value"] for each in data["statusCounts"]}
    assert (counts["FAILED"], counts["DEAD_LETTER"]) == (int(failed), int(dead))
    assert listed == dead
    groups = [(len(each["types"]), each["count"]["value"]) for each in data["errorGroups"]["nodes"]]
    assert (3, int(ended)) in groups


def test_the_first_query_of_the_readme(demo_url: str) -> None:
    readme = page("README.md")
    (asked,) = re.findall(r"--data-urlencode '(query=[^']+)'", readme)
    (answered,) = re.findall(
        r"With that sample data, the response is:\n\n```json\n(.+)\n```", readme
    )
    name, _, value = asked.partition("=")
    query = urllib.parse.urlencode({name: value})
    with urllib.request.urlopen(f"{demo_url}/graphql?{query}") as answer:
        assert answer.read().decode() == answered


def test_numbers_of_find_jobs(demo_url: str) -> None:
    data = ask(demo_url, block(FIND_JOBS, "graphql", "Omitted, null and empty conditions"))["data"]
    without, gone, others, all_ = (data[name]["count"]["value"] for name in data)
    (told,) = re.findall(r"On the demo: (.+)\.", FIND_JOBS)
    assert told == f"{without}, {gone}, {others}, and {all_}, which is {gone} and {others} together"
    data = ask(demo_url, block(FIND_JOBS, "graphql", "Count without reading everything"))["data"]
    (shown,) = re.findall(r"so the result is `(.+?)`", FIND_JOBS)
    value = data["jobs"]["count"]
    assert re.sub(r'[" ]', "", json.dumps(value)) == re.sub(r'[" ]', "", shown)
    (succeeded,) = re.findall(r"The demo has ([\d,]+) jobs that succeeded", FIND_JOBS)
    exact = ask(demo_url, "{ jobs(filter: {status: [SUCCEEDED]}) { count { value } } }")
    assert exact["data"]["jobs"]["count"]["value"] == int(succeeded.replace(",", ""))


QUERIES = re.findall(r"```graphql\n(.*?)```", FIND_JOBS, re.DOTALL)


@pytest.mark.parametrize("number", range(len(QUERIES)))
def test_every_query_of_find_jobs_finds_something(demo_url: str, number: int) -> None:
    answer = ask(demo_url, QUERIES[number])
    assert "errors" not in answer
    for found in answer["data"].values():
        assert found if isinstance(found, list) else found.get("nodes") or found["count"]["value"]
