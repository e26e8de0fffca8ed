"""What is no longer kept: observations, attempts and alarms that are older than a site wants them.

Nothing that a figure, a list or an export is made of goes: an asset keeps the observations that its identity
rests on, whatever their age, and where and when it was seen.
"""

from __future__ import annotations

from scanner.inventory.retention.pruning import Keep, Pruned, prune, shrink

__all__ = ["Keep", "Pruned", "prune", "shrink"]
