"""The functions whose statements need not go to one shard, or are not those of shards, and why."""

# They are about all organisations, as the owner of the tables.
ALL_ORGANISATIONS: dict[str, str] = {}
# They send other statements on Citus, or none.
NOT_ON_CITUS: dict[str, str] = {}
# What they read is not the database of Joblens.
OTHER_DATABASES: dict[str, str] = {}
# No test of `make test` sends them.
NOT_SENT: dict[str, str] = {}
