"""What somebody must act on, and what became of it."""

from __future__ import annotations

from typing import Final

revision: Final = "0006"
down_revision: Final = "0005"
branch_labels: Final = None
depends_on: Final = None


def upgrade() -> None:
    """Add the tables."""


def downgrade() -> None:
    """An older program would lose what this one wrote.

    Raises:
        NotImplementedError: always; restore a backup instead.
    """
    raise NotImplementedError
