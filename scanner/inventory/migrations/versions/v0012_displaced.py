"""When others were met at the address of an asset that nothing else tells."""

from __future__ import annotations

from typing import Final

import sqlalchemy as sa
from alembic import op

revision: Final = "0012"
down_revision: Final = "0011"
branch_labels: Final = None
depends_on: Final = None

_SOME: Final = sa.text("displaced IS NOT NULL")
_PLACES: Final = "key_id IN (SELECT id FROM evidence_keys WHERE key = 'address')"
_KNOWN: Final = "SELECT 1 FROM traits AS {0} WHERE {0}.asset_id = {1}.asset_id AND NOT {0}.{2}"
_OTHERS: Final = _KNOWN.format("others", "there", _PLACES)
FIND: Final = f"""
UPDATE assets SET displaced = (
    SELECT min(there.last) FROM traits AS there
    WHERE there.site_id = assets.site_id AND there.{_PLACES} AND there.value = assets.address
    AND there.last > assets.last_seen AND EXISTS ({_OTHERS})
)
WHERE NOT EXISTS (SELECT 1 FROM traits AS mine WHERE mine.asset_id = assets.id AND NOT mine.{_PLACES})
"""  # noqa: S608 - names from above


def upgrade() -> None:
    """Add it, to what tells machines apart as well, and find those that were displaced before."""
    op.add_column("assets", sa.Column("displaced", sa.String(27)))
    op.execute(FIND)
    op.drop_index("ix_assets_site_id_ward_id_identity_id", "assets")
    same = ["site_id", "ward_id", "identity_id", "displaced"]
    op.create_index("ix_assets_site_id_ward_id_identity_id_displaced", "assets", same)
    op.create_index(
        "ix_assets_displaced", "assets", ["displaced"], sqlite_where=_SOME, postgresql_where=_SOME
    )


def downgrade() -> None:
    """An older program would lose what this one wrote.

    Raises:
        NotImplementedError: always; restore a backup instead.
    """
    raise NotImplementedError
