"""The job engine: Procrastinate, in the centre's own PostgreSQL, behind :mod:`scanner.fleet.port`.

Its worker finishes a job without asking whether it still holds it, and gives no sign of life after one that
did not get through. So jobs are acknowledged here, each by one statement that holds the fence, and a sign of
life that failed is given again. Nothing listens for notifications: polling passes every pooler, and a new run
waits two seconds at most.
"""

from scanner.fleet.engine.dispatching import JobDispatcher
from scanner.fleet.engine.schema import apply_schema
from scanner.fleet.engine.taking import JobTaker

__all__ = ["JobDispatcher", "JobTaker", "apply_schema"]
