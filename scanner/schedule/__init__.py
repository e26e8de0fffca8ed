"""When a site is scanned by itself on this machine, and what became of it (``docs/schedule.md``)."""
