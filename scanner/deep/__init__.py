"""Second opinions, only where they are asked for: what other people's programs make of a host.

Each program runs in a child process of its own, and reaches a host only through a
:class:`~scanner.transport.relay.Relay`.
"""
