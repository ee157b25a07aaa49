"""An index of the jobs that may be FLAPPING, and the function that counts jobs by their tags."""

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
# As joblens_jobs_with_tags of 0009, also if the newest jobs have the tags. `wanted` is a list.
TAGGED = """
CREATE FUNCTION joblens_all_jobs_with_tags(wanted jsonb, most integer) RETURNS uuid[]
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
    IF wanted = '[]' THEN
        RETURN NULL;
    END IF;
    found := ARRAY(
        SELECT id FROM job
        WHERE jsonb_set('{}'::jsonb, ARRAY[org_id::text], tags)
                @> jsonb_set('{}'::jsonb, ARRAY[org::text], wanted)
            AND tags IS NOT NULL AND tags @> wanted
        LIMIT most + 1
    );
    RETURN CASE WHEN cardinality(found) <= most THEN found END;
END
$$
"""
# As in 0007: only who may create functions in a schema may own one there.
OWN = """
DO $$
DECLARE
    schema text := quote_ident(current_schema());
    search text := 'joblens_all_jobs_with_tags(jsonb, integer)';
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
    op.execute(TAGGED)
    op.execute(OWN)


def downgrade() -> None:
    op.execute("DROP FUNCTION joblens_all_jobs_with_tags")
    op.drop_index("idx_job_org_flapping", "job")
