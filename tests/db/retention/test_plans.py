"""What pruning sends reads ranges of indexes, however long the history is."""

from functools import partial
from uuid import UUID

import pytest

from db.engine import Scope
from db.retention import pruning
from db.retention.pruning import create_prune_engine
from tests.db.history import LARGEST, NEWEST
from tests.db.plans import caught, explain_sent
from tests.db.retention.test_pruning import DAY, NOW, keep

INDEXED = {"Limit", "Result", "Sort", "LockRows", "ModifyTable", "Index Scan", "Index Only Scan"}


@pytest.mark.parametrize("org_id", [LARGEST, NEWEST], ids=["largest", "newest"])
async def test_no_table_is_scanned(large_database_url: str, org_id: UUID) -> None:
    for status, type_ in ((None, "report.*"), ("failed", None), ("succeeded", "email.send")):
        await keep(large_database_url, org_id, DAY, status, type_)
    engine = create_prune_engine(large_database_url)
    scope = Scope(org_id, statement_timeout_seconds=60, read_only=False)
    delete = partial(pruning._delete, org_id=org_id, now=NOW, after=None, batch_size=500)
    statements = await caught(engine, scope, delete)
    await engine.dispose()
    # The INSERT locks the sums.
    assert {sql.split()[0] for sql, _ in statements} == {"SELECT", "INSERT", "DELETE"}
    of_jobs = [each for each in statements if "FROM job" in each[0]]
    # Found in one page or some, locked, and deleted.
    *_, locking, deleting = (sql for sql, _ in of_jobs)
    assert "FOR UPDATE" in locking
    assert deleting.startswith("DELETE")
    for sql, parameters in of_jobs:
        for plan in await explain_sent(large_database_url, scope, sql, parameters):
            assert plan.kinds <= INDEXED, sql
            assert max(plan.rows_read) <= 500
            assert sql in {locking, deleting} or plan.indexes == {"idx_job_org_finished"}
