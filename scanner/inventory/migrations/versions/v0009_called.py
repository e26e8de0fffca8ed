"""Finding what an asset is called by any part of it: SQLite's index of all runs of three letters."""

from __future__ import annotations

from typing import Final

from alembic import op

revision: Final = "0009"
down_revision: Final = "0008"
branch_labels: Final = None
depends_on: Final = None

_NAMES: Final = ("address", "name", "fqdn", "domain", "mac")
_BEFORE, _AFTER = (", ".join(f"{row}.{name}" for name in ("id", *_NAMES)) for row in ("old", "new"))
_COLUMNS: Final = ", ".join(_NAMES)
_OUT: Final = f"INSERT INTO called (called, rowid, {_COLUMNS}) VALUES ('delete', {_BEFORE});"  # noqa: S608 - names from above
_IN: Final = f"INSERT INTO called (rowid, {_COLUMNS}) VALUES ({_AFTER});"  # noqa: S608 - the same
_CHANGED: Final = " OR ".join(f"old.{name} <> new.{name}" for name in _NAMES)
_TOLD: Final = " || ".join(_NAMES)
_FOREIGN: Final = f"length(CAST({_TOLD} AS BLOB)) <> length({_TOLD})"
_OPTIONS: Final = "content = 'assets', content_rowid = 'id', tokenize = 'trigram', detail = 'none'"
_UPDATE: Final = f"AFTER UPDATE OF {_COLUMNS} ON assets WHEN {_CHANGED}"


def upgrade() -> None:
    """Add it, and keep it up by triggers; of other databases nothing is asked that not each of them has."""
    if op.get_bind().dialect.name != "sqlite":
        return
    # https://www.sqlite.org/fts5.html, sections 4.3.5 and 4.4.3: the text stays in the table that it is of.
    for statement in (
        f"CREATE VIRTUAL TABLE called USING fts5({_COLUMNS}, {_OPTIONS})",
        "INSERT INTO called (called) VALUES ('rebuild')",
        f"CREATE TRIGGER called_new AFTER INSERT ON assets BEGIN {_IN} END",
        f"CREATE TRIGGER called_gone AFTER DELETE ON assets BEGIN {_OUT} END",
        f"CREATE TRIGGER called_changed {_UPDATE} BEGIN {_OUT} {_IN} END",
        # Whose case or spelling that index may know otherwise than we do.
        f"CREATE INDEX ix_assets_foreign ON assets (id) WHERE {_FOREIGN}",
    ):
        op.execute(statement)


def downgrade() -> None:
    """An older program would lose what this one wrote.

    Raises:
        NotImplementedError: always; restore a backup instead.
    """
    raise NotImplementedError
