"""Indexes for orders and filters of long lists, and functions that search payloads and messages."""

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
# The hashes of each three letters that follow each other, in lower case. lower() may write a sigma
# or an i differently beside other letters: these differences are dropped, so that the trigrams of a
# part are among those of the whole. `space` begins with the organisation.
TRIGRAMS = """
CREATE FUNCTION joblens_trigrams(content text, space text) RETURNS bigint[]
LANGUAGE plpgsql IMMUTABLE STRICT PARALLEL SAFE
AS $$
DECLARE
    seed bigint := hashtextextended(space COLLATE "C", 0);
    letters text[] := string_to_array(
        translate(lower(content), chr(962) || chr(305) || chr(775), chr(963) || 'i'), NULL
    );
BEGIN
    RETURN ARRAY(
        SELECT hashtextextended((a || b || c) COLLATE "C", seed)
        FROM unnest(letters, letters[2:], letters[3:]) AS trigram (a, b, c) WHERE c IS NOT NULL
    );
END
$$
"""
# As db.url_credentials, which a test compares.
CREDENTIALS = (
    r"://[^ \t\n\r\f\v/?#:]*"
    r"(?::(?![0-9]{1,5}[/?#])[^ \t\n\r\f\v/?#]*(?:[/?#][^ \t\n\r\f\v:]*)?)?@"
)
# The trigrams of a message as those see it who may not see credentials. If that is not all of it,
# those of the stored message have a space of their own, which is not searched for them.
_ERROR_TRIGRAMS = """
CREATE FUNCTION joblens_error_trigrams(org uuid, message text) RETURNS bigint[]
LANGUAGE plpgsql IMMUTABLE STRICT PARALLEL SAFE COST 10000
AS $$
DECLARE
    shown text := message;
BEGIN
    IF strpos(message, '://') > 0 THEN
        shown := regexp_replace(message, 'CREDENTIALS', '://[redacted]@', 'g');
    END IF;
    IF shown = message THEN
        RETURN joblens_trigrams(message, org::text);
    END IF;
    RETURN joblens_trigrams(shown, org::text) || joblens_trigrams(message, org || ' stored');
END
$$
"""
ERROR_TRIGRAMS = _ERROR_TRIGRAMS.replace("CREDENTIALS", CREDENTIALS)
# As joblens_jobs_containing. Jobs of which only the trigrams match are among the answer, so that
# it depends on nothing but the trigrams that the caller may search.
ERROR_SEARCH = """
CREATE FUNCTION joblens_jobs_with_error_text(part text, most integer, as_stored boolean)
RETURNS uuid[]
LANGUAGE plpgsql STABLE SECURITY DEFINER
SET enable_seqscan = off
AS $$
DECLARE
    org uuid := nullif(current_setting('joblens.org_id', true), '')::uuid;
    wanted bigint[] := joblens_trigrams(part, org::text);
    stored bigint[] := joblens_trigrams(part, org || ' stored');
    found uuid[];
BEGIN
    IF org IS NULL THEN
        RETURN ARRAY[]::uuid[];
    END IF;
    IF cardinality(wanted) = 0 OR (
        SELECT count(*) FROM (
            SELECT last_error_message AS message FROM job WHERE org_id = org
            ORDER BY created_at DESC, id DESC LIMIT 2000
        ) AS newest
        WHERE strpos(message, '://') = 0 AND strpos(lower(message), lower(part)) > 0
    ) >= 40 THEN
        RETURN NULL;
    END IF;
    IF as_stored THEN
        found := ARRAY(
            SELECT id FROM job
            WHERE last_error_message IS NOT NULL AND (
                joblens_error_trigrams(org_id, last_error_message) @> wanted
                OR joblens_error_trigrams(org_id, last_error_message) @> stored
            )
            LIMIT most + 1
        );
    ELSE
        found := ARRAY(
            SELECT id FROM job
            WHERE last_error_message IS NOT NULL
                AND joblens_error_trigrams(org_id, last_error_message) @> wanted
            LIMIT most + 1
        );
    END IF;
    RETURN CASE WHEN cardinality(found) <= most THEN found END;
END
$$
"""
# The function that another one calls is found with any search_path, as in maintenance.
PLACE = """
DO $$
DECLARE
    schema text := quote_ident(current_schema());
BEGIN
    EXECUTE 'ALTER FUNCTION joblens_error_trigrams(uuid, text) SET search_path = ' || schema
        || ', pg_temp';
END
$$
"""
# Only who may create functions in a schema may own one there. The right is taken back at once.
OWN = """
DO $$
DECLARE
    schema text := quote_ident(current_schema());
    search text;
BEGIN
    EXECUTE 'GRANT USAGE, CREATE ON SCHEMA ' || schema || ' TO joblens_search';
    FOREACH search IN ARRAY ARRAY[
        'joblens_jobs_containing(jsonb, integer)',
        'joblens_jobs_with_error_text(text, integer, boolean)'
    ] LOOP
        EXECUTE 'ALTER FUNCTION ' || search || ' SET search_path = ' || schema || ', pg_temp';
        EXECUTE 'REVOKE ALL ON FUNCTION ' || search || ' FROM PUBLIC';
        EXECUTE 'GRANT EXECUTE ON FUNCTION ' || search || ' TO joblens_app';
        EXECUTE 'ALTER FUNCTION ' || search || ' OWNER TO joblens_search';
    END LOOP;
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
# The columns that the searches read.
READ = "org_id, id, payload, last_error_message, created_at"
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
    # jobs(filter: {search: ...}), which finds keys by their beginning.
    op.drop_index("uq_job_org_idempotency", "job")
    create_key_index("idempotency_key text_pattern_ops")
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

    create_searches()


def create_searches() -> None:
    # jobs(filter: {payloadContains: ...}), by a function.
    op.create_index(
        "idx_job_payload",
        "job",
        [sa.text(f"({DOCUMENT}) jsonb_path_ops")],
        postgresql_using="gin",
        postgresql_where=sa.text("payload IS NOT NULL"),
    )
    op.execute(TRIGRAMS)
    op.execute(ERROR_TRIGRAMS)
    op.execute(PLACE)
    # jobs(filter: {lastErrorMessage: {contains: ...}}) and `search`, by a function.
    op.create_index(
        "idx_job_error_trigrams",
        "job",
        [sa.text("joblens_error_trigrams(org_id, last_error_message)")],
        postgresql_using="gin",
        postgresql_where=sa.text("last_error_message IS NOT NULL"),
    )
    create_role()
    op.execute(f"GRANT SELECT ({READ}) ON job TO joblens_search")
    op.execute("CREATE POLICY job_search ON job FOR SELECT TO joblens_search USING (true)")
    op.execute(SEARCH)
    op.execute(ERROR_SEARCH)
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
    op.execute("DROP FUNCTION joblens_jobs_with_error_text")
    op.execute("DROP FUNCTION joblens_jobs_containing")
    op.execute("DROP POLICY job_search ON job")
    op.execute(f"REVOKE ALL ({READ}) ON job FROM joblens_search")
    op.drop_index("idx_job_error_trigrams", "job")
    op.execute("DROP FUNCTION joblens_error_trigrams")
    op.execute("DROP FUNCTION joblens_trigrams")
    op.drop_index("idx_job_payload", "job")
    op.execute(REVOKE)
    op.execute(DROP_ROLE)
    op.drop_index("idx_job_event_org_status", "job_event")
    for name in reversed(INDEXES):
        op.drop_index(name, "job")
    op.drop_index("uq_job_org_idempotency", "job")
    create_key_index("idempotency_key")


def create_key_index(key: str) -> None:
    op.create_index(
        "uq_job_org_idempotency",
        "job",
        [sa.text("org_id"), sa.text(key)],
        unique=True,
        postgresql_where=sa.text("idempotency_key IS NOT NULL"),
    )


def create_job_index(
    name: str, *leading: str, where: str | None = None, also: tuple[str, ...] = ()
) -> None:
    columns = [sa.text(column) for column in ("org_id", *leading, "id DESC")]
    condition = sa.text(where) if where else None
    op.create_index(name, "job", columns, postgresql_where=condition, postgresql_include=also)
