"""What goes wrong between the centre and its sites; no message holds a secret.

::

    VetusteError
    └── FleetError            exit code 3: the centre's database refuses, or is not as it should be
        └── LinkError         the same: the database cannot be reached now; the next call tries again
"""

from __future__ import annotations

from scanner.errors import VetusteError


class FleetError(VetusteError):
    """The centre's database cannot do what was asked of it."""


class LinkError(FleetError):
    """The centre's database cannot be reached."""
