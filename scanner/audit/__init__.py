"""What a hospital can check of us: who signed a scope, and what of it may not be meant."""

from scanner.audit.signatures import demand_signed

__all__ = ["demand_signed"]
