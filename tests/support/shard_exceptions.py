"""The functions whose statements need not go to one shard, or are not those of shards, and why."""

_BY_ID = "takes the id of a token or a policy of any organisation, as the owner of the tables"
_LISTS = "lists all organisations, as the owner of the tables"
_DEMO = "removes the demo's organisations, as the owner of the tables"
_RESTORED = "searches all organisations for restored events; on Citus it returns none"
_DOCTOR = "counts in all organisations, as the owner of the tables"
# They are about all organisations, as the owner of the tables.
ALL_ORGANISATIONS: dict[str, str] = {
    "db/restored_events.py:count_restored_orgs": _RESTORED,
    "db/restored_events.py:clear_transaction_ids": _RESTORED,
    "db/checks.py:check_tokens": _DOCTOR,
    "db/checks.py:is_ledger_empty": _DOCTOR,
    "db/commands/tokens.py:revoke_token": _BY_ID,
    "db/retention/store.py:remove_policy": _BY_ID,
    "db/retention/store.py:list_policies": _LISTS,
    "db/queries/tokens.py:list_tokens": _LISTS,
    "db/queries/orgs.py:list_orgs": _LISTS,
    "db/queries/orgs.py:list_org_ids_of_jobs": _LISTS,
    "db/commands/deletion.py:delete_all_jobs": _DEMO,
    # The rows are those of a temporary table, which COPY filled for one organisation.
    "db/transfer/loads.py:_write": "inserts from a temporary table",
}
# Their statements are others on Citus, or there are none.
NOT_ON_CITUS: dict[str, str] = {
    "db/commands/events.py:change_with_events": "sends three statements on Citus",
    "db/tallies/summing.py:sum_once": "there are no tallies on Citus",
    "db/tallies/summing.py:add": "there are no tallies on Citus",
    "db/tallies/removal.py:remove_from_tallies": "there are no tallies on Citus",
    "db/tallies/withdrawal.py:withdraw": "there are no tallies on Citus",
    "db/tallies/error_jobs.py:recount": "there are no tallies on Citus",
    "db/commands/deletion.py:delete_all_jobs": _DEMO,
    "db/migrations.py:upgrade": "is about tables, not about rows of one organisation",
}
# What they read is the database of a queue, or they only ask how a statement would be run.
OTHER_DATABASES: dict[str, str] = {
    "db/explain.py:explain": "plans of statements that were sent before",
    "mirror/poll.py:poll": "the queue's tables",
    "mirror/poll.py:backfill": "the queue's tables",
    "mirror/reading.py:find_queues": "the queue's tables",
    "mirror/reading.py:read_rows": "the queue's tables",
    "mirror/checking.py:rights_of": "the queue's tables",
    "mirror/checking.py:estimated_jobs": "the queue's tables",
}
# Sent by other processes than those of the tests, or by other targets than `make test`.
NOT_SENT: dict[str, str] = {
    "db/checks.py:is_ledger_empty": "`joblens demo` does, as a process of its own",
    "db/commands/deletion.py:delete_all_jobs": "`joblens demo --fresh` does, as a process of its own",
    "db/pooling.py:_keeps_statements": "only through a pooler, as `make test-pgbouncer` does",
    "mirror/slot.py:_resolve": "reads the queue's tables, in `make test-mirror`",
    "server/cli/demo_queue.py:_create_database": "`make test-mirror` does",
    "server/operations.py:prepare_operation": "prepares an operation, which is no statement",
}
