"""Parents, batches and tags of jobs, and the function that searches tags."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import JSONB

revision: str = "0009"
down_revision: str | None = "0008"
branch_labels: str | None = None
depends_on: str | None = None

# Texts only: null stands for no tags.
ARE_TEXTS = (
    "jsonb_typeof(tags) = 'array' AND NOT "
    """jsonb_path_exists(tags, 'strict $[*] ? (@.type() <> "string")')"""
)
# As in 0007 for payloads: each tag is in the index with its organisation.
DOCUMENT = "jsonb_set('{}'::jsonb, ARRAY[org_id::text], tags)"
# As joblens_jobs_containing of 0007, for tags. `wanted` is a list.
_SEARCH = """
CREATE FUNCTION joblens_jobs_with_tags(wanted jsonb, most integer) RETURNS uuid[]
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
    IF wanted = '[]' OR (
        SELECT count(*) FROM (
            SELECT tags FROM job WHERE org_id = org ORDER BY created_at DESC, id DESC LIMIT 2000
        ) AS newest WHERE newest.tags @> wanted
    ) >= 40 THEN
        RETURN NULL;
    END IF;
    found := ARRAY(
        SELECT id FROM job
        WHERE DOCUMENT @> jsonb_set('{}'::jsonb, ARRAY[org::text], wanted)
            AND tags IS NOT NULL AND tags @> wanted
        LIMIT most + 1
    );
    RETURN CASE WHEN cardinality(found) <= most THEN found END;
END
$$
"""
SEARCH = _SEARCH.replace("DOCUMENT", DOCUMENT)
# As in 0007: only who may create functions in a schema may own one there.
OWN = """
DO $$
DECLARE
    schema text := quote_ident(current_schema());
    search text := 'joblens_jobs_with_tags(jsonb, integer)';
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
    # No foreign key: a parent may be deleted before its children, which keep its id.
    op.add_column("job", sa.Column("parent_id", sa.Uuid))
    op.add_column("job", sa.Column("batch", sa.Text))
    op.add_column("job", sa.Column("tags", JSONB))
    op.create_check_constraint("ck_job_tags", "job", ARE_TEXTS)
    # Job.children, and jobs(filter: {parentId: ...}).
    op.create_index(
        "idx_job_org_parent",
        "job",
        [sa.text(column) for column in ("org_id", "parent_id", "created_at DESC", "id DESC")],
        postgresql_where=sa.text("parent_id IS NOT NULL"),
    )
    # As in 0007, a prefix is one range of the index.
    # Batch, whose counts and times are read of it alone, and jobs(filter: {batch: ...}).
    op.create_index(
        "idx_job_org_batch",
        "job",
        [
            sa.text(column)
            for column in ("org_id", "batch text_pattern_ops", "created_at DESC", "id DESC")
        ],
        postgresql_include=("status", "finished_at"),
        postgresql_where=sa.text("batch IS NOT NULL"),
    )
    # jobs(filter: {tags: ...}), by a function.
    op.create_index(
        "idx_job_tags",
        "job",
        [sa.text(f"({DOCUMENT}) jsonb_path_ops")],
        postgresql_using="gin",
        postgresql_where=sa.text("tags IS NOT NULL"),
    )
    op.execute("GRANT SELECT (tags) ON job TO joblens_search")
    op.execute(SEARCH)
    op.execute(OWN)


def downgrade() -> None:
    op.execute("DROP FUNCTION joblens_jobs_with_tags")
    op.execute("REVOKE SELECT (tags) ON job FROM joblens_search")
    for name in ("idx_job_tags", "idx_job_org_batch", "idx_job_org_parent"):
        op.drop_index(name, "job")
    op.drop_constraint("ck_job_tags", "job")
    for column in ("tags", "batch", "parent_id"):
        op.drop_column("job", column)
