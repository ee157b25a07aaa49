"""The audits of graphql-http: what the draft demands, advises and permits, asked from outside."""

from pathlib import Path

from tests.support.node import run_script
from tests.support.service import Service

SCRIPT = Path(__file__).parent / "node" / "audits.mjs"
AUDITS = 61


async def test_every_audit_is_passed(service: Service) -> None:
    url = str(service.client.base_url.join("/graphql"))
    found = await run_script(SCRIPT, url, patience_seconds=60)
    assert len({audit["id"] for audit in found}) == AUDITS
    # Neither errors, nor warnings, nor notices.
    assert [audit for audit in found if audit["status"] != "ok"] == []
