"""Everything that sends: sockets, and the limits that no probe can reach.

Nothing in the product opens a socket to a scanned host but through :class:`~scanner.transport.gate.Gate`.
"""
