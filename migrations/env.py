"""How Alembic reaches the database: through the engine that `app.storage.migrate` hands over."""

from alembic import context

from app.storage.tables import metadata

database = context.config.attributes["database"]
with database.connect() as connection:
    context.configure(
        connection=connection,
        target_metadata=metadata,
        transaction_per_migration=True,
    )
    with context.begin_transaction():
        context.run_migrations()
    if connection.in_transaction():
        connection.commit()
