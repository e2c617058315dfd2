"""Alembic runs this for each command; the connection comes from `vdx.store.migrate`."""

from alembic import context

context.configure(connection=context.config.attributes["connection"], transactional_ddl=False)
context.run_migrations()
