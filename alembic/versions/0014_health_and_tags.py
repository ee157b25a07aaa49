"""An index of the jobs that may be FLAPPING, and functions that count jobs by their tags."""

import sqlalchemy as sa
from alembic import op

revision: str = "0014"
down_revision: str | None = "0013"
branch_labels: str | None = None
depends_on: str | None = None

MAY_FLAP = (
    "attempt >= 3 AND error_group IS NOT NULL "
    "AND (status = ANY (ARRAY['queued'::text, 'running'::text]))"
)
# As in 0009: each tag is in the index with its organisation. `wanted` is a list.
_HAVE_TAGS = """
jsonb_set('{}'::jsonb, ARRAY[org_id::text], tags)
        @> jsonb_set('{}'::jsonb, ARRAY[org::text], wanted)
    AND tags IS NOT NULL AND tags @> wanted
"""
_BEGIN = """
LANGUAGE plpgsql STABLE SECURITY DEFINER
SET enable_seqscan = off
AS $$
DECLARE
    org uuid := nullif(current_setting('joblens.org_id', true), '')::uuid;
"""
# As joblens_jobs_with_tags of 0009, also if many of the newest jobs have the tags.
_FIND = """
CREATE FUNCTION joblens_all_jobs_with_tags(wanted jsonb, most integer) RETURNS uuid[]
BODY
    found uuid[];
BEGIN
    IF org IS NULL THEN
        RETURN ARRAY[]::uuid[];
    END IF;
    IF wanted = '[]' THEN
        RETURN NULL;
    END IF;
    found := ARRAY(SELECT id FROM job WHERE HAVE_TAGS LIMIT most + 1);
    RETURN CASE WHEN cardinality(found) <= most THEN found END;
END
$$
"""
_COUNT = """
CREATE FUNCTION joblens_count_jobs_with_tags(wanted jsonb)
RETURNS TABLE (with_status text, jobs bigint)
BODY
BEGIN
    IF org IS NOT NULL AND wanted <> '[]' THEN
        RETURN QUERY SELECT status, count(*) FROM job WHERE HAVE_TAGS GROUP BY status;
    END IF;
END
$$
"""
FIND, COUNT = (
    each.replace("BODY", _BEGIN).replace("HAVE_TAGS", _HAVE_TAGS) for each in (_FIND, _COUNT)
)
FUNCTIONS = (
    "joblens_all_jobs_with_tags(jsonb, integer)",
    "joblens_count_jobs_with_tags(jsonb)",
)
# As in 0007: only who may create functions in a schema may own one there.
_OWN = """
DO $$
DECLARE
    schema text := quote_ident(current_schema());
    search text := 'NAME';
BEGIN
    EXECUTE 'GRANT CREATE ON SCHEMA ' || schema || ' TO joblens_search';
    EXECUTE 'ALTER FUNCTION ' || search || ' SET search_path = ' || schema || ', pg_temp';
    EXECUTE 'REVOKE ALL ON FUNCTION ' || search || ' FROM PUBLIC';
    EXECUTE 'GRANT EXECUTE ON FUNCTION ' || search || ' TO joblens_app';
    EXECUTE 'ALTER FUNCTION ' || search || ' OWNER TO joblens_search';
    EXECUTE 'REVOKE CREATE ON SCHEMA ' || schema || ' FROM joblens_search';
END
$$
"""


def upgrade() -> None:
    # jobs(filter: {health: FLAPPING}).
    op.create_index(
        "idx_job_org_flapping",
        "job",
        [sa.text(column) for column in ("org_id", "created_at DESC", "id DESC")],
        postgresql_where=sa.text(MAY_FLAP),
    )
    # jobs(filter: {tags: ...}) { count }, statusCounts(filter: {tags: ...}).
    op.execute("GRANT SELECT (status) ON job TO joblens_search")
    for create, name in zip((FIND, COUNT), FUNCTIONS, strict=True):
        op.execute(create)
        op.execute(_OWN.replace("NAME", name))


def downgrade() -> None:
    for name in reversed(FUNCTIONS):
        op.execute(f"DROP FUNCTION {name}")
    op.execute("REVOKE SELECT (status) ON job FROM joblens_search")
    op.drop_index("idx_job_org_flapping", "job")
