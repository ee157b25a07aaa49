"""Indexes for orders and filters of long lists, and the function that searches payloads."""

import sqlalchemy as sa
from alembic import op

revision: str = "0007"
down_revision: str | None = "0006"
branch_labels: str | None = None
depends_on: str | None = None

# As in 0001: without NULLs one row comparison finds any page.
FUTURE_IF_NULL = """
CASE
    WHEN {0} IS NULL THEN 'infinity'::timestamp with time zone
    ELSE {0}
END"""
# Each scalar of a payload is in the index with the path to it, which begins with the organisation.
DOCUMENT = "jsonb_set('{}'::jsonb, ARRAY[org_id::text], payload)"
# Row level security lets only leakproof operators use an index, and `@>` is none. So a role of its
# own searches the index: it cannot log in, owns only this function, and reads only these columns.
# The path in the condition begins with the organisation of the transaction. The function returns
# ids, with which its caller reads jobs under row level security.
#
# The answer is null where an index would be slower than the newest jobs: if many of them match, or
# more than `most` of all.
_SEARCH = """
CREATE FUNCTION joblens_jobs_containing(document jsonb, most integer) RETURNS uuid[]
LANGUAGE plpgsql STABLE SECURITY DEFINER
SET enable_seqscan = off
AS $$
DECLARE
    org uuid := nullif(current_setting('joblens.org_id', true), '')::uuid;
    found uuid[];
BEGIN
    IF org IS NULL THEN
        RETURN ARRAY[]::uuid[];
    END IF;
    IF (
        SELECT count(*) FROM (
            SELECT payload FROM job WHERE org_id = org ORDER BY created_at DESC, id DESC LIMIT 2000
        ) AS newest WHERE newest.payload @> document
    ) >= 40 THEN
        RETURN NULL;
    END IF;
    found := ARRAY(
        SELECT id FROM job
        WHERE DOCUMENT @> jsonb_set('{}'::jsonb, ARRAY[org::text], document)
            AND payload IS NOT NULL AND payload @> document
        LIMIT most + 1
    );
    RETURN CASE WHEN cardinality(found) <= most THEN found END;
END
$$
"""
SEARCH = _SEARCH.replace("DOCUMENT", DOCUMENT)
# Only who may create functions in a schema may own one there. The right is taken back at once.
OWN = """
DO $$
DECLARE
    schema text := quote_ident(current_schema());
    search text := 'joblens_jobs_containing(jsonb, integer)';
BEGIN
    EXECUTE 'ALTER FUNCTION ' || search || ' SET search_path = ' || schema || ', pg_temp';
    EXECUTE 'GRANT USAGE, CREATE ON SCHEMA ' || schema || ' TO joblens_search';
    EXECUTE 'ALTER FUNCTION ' || search || ' OWNER TO joblens_search';
    EXECUTE 'REVOKE CREATE ON SCHEMA ' || schema || ' FROM joblens_search';
END
$$
"""
REVOKE = """
DO $$
BEGIN
    EXECUTE 'REVOKE ALL ON SCHEMA ' || quote_ident(current_schema()) || ' FROM joblens_search';
END
$$
"""
# Other databases of the cluster may still need it.
DROP_ROLE = """
DO $$
BEGIN
    DROP ROLE joblens_search;
EXCEPTION WHEN dependent_objects_still_exist OR undefined_object OR insufficient_privilege THEN
    NULL;
END
$$
"""
INDEXES = (
    "idx_job_org_scheduled",
    "idx_job_org_started",
    "idx_job_org_type_status",
    "idx_job_org_requested_by",
    "idx_job_org_error_code",
    "idx_job_org_error_message",
)


def upgrade() -> None:
    # jobs(orderBy: {field: SCHEDULED_AT}).
    create_job_index("idx_job_org_scheduled", f"({FUTURE_IF_NULL.format('scheduled_at')}) DESC")
    # jobs(orderBy: {field: STARTED_AT}).
    create_job_index("idx_job_org_started", f"({FUTURE_IF_NULL.format('started_at')}) DESC")
    # jobs(filter: {type: {eq: ...}, status: [...]}) by CREATED_AT, also if none is new.
    create_job_index("idx_job_org_type_status", "type", "status", "created_at DESC")
    # With text_pattern_ops a prefix is one range of the index, whatever the database's collation.
    # jobs(filter: {requestedBy: ...}) by CREATED_AT, also if there are none.
    create_job_index(
        "idx_job_org_requested_by",
        "requested_by text_pattern_ops",
        "created_at DESC",
        where="requested_by IS NOT NULL",
    )
    # jobs(filter: {lastErrorCode: ...}) by CREATED_AT, also if there are none; and
    # jobGroups(by: [LAST_ERROR_CODE, STATUS, TYPE, QUEUE]).
    create_job_index(
        "idx_job_org_error_code",
        "last_error_code text_pattern_ops",
        "created_at DESC",
        where="last_error_code IS NOT NULL",
        also=("status", "type", "queue"),
    )
    # jobs(filter: {lastErrorMessage: ...}) by CREATED_AT: few jobs have one.
    create_job_index(
        "idx_job_org_error_message", "created_at DESC", where="last_error_message IS NOT NULL"
    )
    # Every job that ends well has the other statuses: their events are frequent, and not in it.
    # jobEvents(filter: {nextStatus: [...]}), also if there are none.
    op.create_index(
        "idx_job_event_org_status",
        "job_event",
        [
            sa.text(column)
            for column in ("org_id", "next_status", "ts DESC", "job_id DESC", "seq DESC")
        ],
        postgresql_where=sa.text("next_status IN ('failed', 'canceled', 'dead_letter')"),
    )

    create_payload_search()


def create_payload_search() -> None:
    # jobs(filter: {payloadContains: ...}), by the function below.
    op.create_index(
        "idx_job_payload",
        "job",
        [sa.text(f"({DOCUMENT}) jsonb_path_ops")],
        postgresql_using="gin",
        postgresql_where=sa.text("payload IS NOT NULL"),
    )
    create_role()
    op.execute("GRANT SELECT (org_id, id, payload, created_at) ON job TO joblens_search")
    op.execute("CREATE POLICY job_search ON job FOR SELECT TO joblens_search USING (true)")
    op.execute(SEARCH)
    op.execute("REVOKE ALL ON FUNCTION joblens_jobs_containing FROM PUBLIC")
    op.execute("GRANT EXECUTE ON FUNCTION joblens_jobs_containing TO joblens_app")
    op.execute(OWN)


def create_role() -> None:
    """Create `joblens_search` and grant it to the migrating login, as 0001 does for requests."""
    op.execute(
        """
        DO $$
        BEGIN
            IF NOT EXISTS (SELECT FROM pg_roles WHERE rolname = 'joblens_search') THEN
                CREATE ROLE joblens_search NOLOGIN NOSUPERUSER NOBYPASSRLS NOINHERIT;
            END IF;
        EXCEPTION WHEN duplicate_object OR unique_violation THEN
            NULL;
        END
        $$
        """
    )
    op.execute(
        """
        DO $$
        DECLARE
            privilege text := CASE WHEN current_setting('server_version_num')::int < 160000
                THEN 'MEMBER' ELSE 'SET' END;
        BEGIN
            IF NOT pg_has_role(current_user, 'joblens_search', privilege) THEN
                EXECUTE 'GRANT joblens_search TO ' || quote_ident(current_user);
            END IF;
        END
        $$
        """
    )


def downgrade() -> None:
    op.execute("DROP FUNCTION joblens_jobs_containing")
    op.execute("DROP POLICY job_search ON job")
    op.execute("REVOKE ALL (org_id, id, payload, created_at) ON job FROM joblens_search")
    op.drop_index("idx_job_payload", "job")
    op.execute(REVOKE)
    op.execute(DROP_ROLE)
    op.drop_index("idx_job_event_org_status", "job_event")
    for name in reversed(INDEXES):
        op.drop_index(name, "job")


def create_job_index(
    name: str, *leading: str, where: str | None = None, also: tuple[str, ...] = ()
) -> None:
    columns = [sa.text(column) for column in ("org_id", *leading, "id DESC")]
    condition = sa.text(where) if where else None
    op.create_index(name, "job", columns, postgresql_where=condition, postgresql_include=also)
