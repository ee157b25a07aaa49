"""Jobs that a test makes through the API, as workers and other clients do."""

from dataclasses import dataclass
from typing import Any

import httpx

from tests.support.patience import PATIENCE_SECONDS

JOB = "... on JobPayload { job { id status attempt } }"
CREATE = """mutation ($input: CreateJobInput!) { createJob(input: $input) {
  __typename ... on CreateJobPayload { job { id } } ... on InvalidInput { field message } } }"""
TRANSITION = f"""mutation ($input: TransitionJobInput!) {{ transitionJob(input: $input) {{
  __typename {JOB} }} }}"""
RETRY = f"mutation ($id: ID!) {{ retryJob(id: $id) {{ __typename {JOB} }} }}"
EVENT = """mutation ($input: RecordJobEventInput!) {
  recordJobEvent(input: $input) { __typename } }"""
FACTS = """mutation ($source: SourceInput!, $facts: [FactInput!]!) {
  recordFacts(source: $source, facts: $facts) { recorded } }"""


@dataclass(frozen=True, slots=True)
class Ledger:
    """A server whose jobs a test may change, by the token of an admin."""

    url: str
    token: str

    def ask(self, query: str, **variables: Any) -> Any:
        """Send an operation, and get its data."""
        answer = httpx.post(
            f"{self.url}graphql",
            json={"query": query, "variables": variables},
            headers={"Authorization": f"Bearer {self.token}"},
            timeout=PATIENCE_SECONDS,
        ).json()
        assert "errors" not in answer, answer["errors"]
        return answer["data"]

    def create(self, **job: Any) -> str:
        """Create a job, and get its id."""
        created = self.ask(CREATE, input={"type": "test.job", "queue": "tests"} | job)["createJob"]
        assert created["__typename"] == "CreateJobPayload", created
        id_: str = created["job"]["id"]
        return id_

    def change(self, id_: str, to: str, **more: Any) -> None:
        """Change the status of a job, as its worker does."""
        changed = self.ask(TRANSITION, input={"id": id_, "to": to} | more)["transitionJob"]
        assert changed["__typename"] == "JobPayload", changed

    def fail(self, id_: str, code: str, message: str) -> None:
        """Start a job, and let its run fail."""
        self.change(id_, "RUNNING", worker="worker-1")
        self.change(id_, "FAILED", errorCode=code, errorMessage=message)

    def retry(self, id_: str) -> None:
        """Queue a job again."""
        self.ask(RETRY, id=id_)

    def progress(self, id_: str, fraction: float, step: str) -> None:
        """Report the progress of a running job."""
        progress = {"fraction": fraction, "step": step}
        self.ask(EVENT, input={"id": id_, "progress": progress})

    def record(self, **fact: Any) -> str:
        """Record a fact of a job of another system, and get the job's id."""
        source = {"name": "billing", "kind": "celery"}
        self.ask(FACTS, source=source, facts=[{"type": "invoice.send", "queue": "billing"} | fact])
        query = "query ($id: String) { jobs(filter: {externalId: {eq: $id}}) { nodes { id } } }"
        ((job),) = self.ask(query, id=fact["externalId"])["jobs"]["nodes"]
        id_: str = job["id"]
        return id_

    def job(self, id_: str, fields: str) -> Any:
        """Read fields of a job."""
        return self.ask(f"query ($id: ID!) {{ job(id: $id) {{ {fields} }} }}", id=id_)["job"]
