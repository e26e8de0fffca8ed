"""Alembic's environment and one file a version of the schema. A version that was released never changes."""
