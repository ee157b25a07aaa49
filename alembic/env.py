"""Runs the migrations on the connection from db.migrations, or prints their SQL."""

from alembic import context

from db.distribution import statements_of_migration
from db.tables import metadata

# Serializes concurrent migrations; the second process then has nothing to do.
MIGRATION_LOCK = 7_306_034_117_001

if context.is_offline_mode():
    context.configure(
        dialect_name="postgresql",
        # Other styles double each %.
        dialect_opts={"paramstyle": "named"},
        target_metadata=metadata,
        literal_binds=True,
    )
    with context.begin_transaction():
        context.run_migrations()
else:
    connection = context.config.attributes["connection"]
    context.configure(connection=connection, target_metadata=metadata)
    with context.begin_transaction():
        connection.exec_driver_sql(f"SELECT pg_advisory_xact_lock({MIGRATION_LOCK})")
        context.run_migrations()
        for statement in statements_of_migration(connection):
            connection.exec_driver_sql(statement)
