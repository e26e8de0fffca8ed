"""Which asset an observation is of: one machine stays one machine, whatever address it has today.

What a machine is known by (``traits.toml``) is compared with what assets were known by before: each trait
that both have speaks for them, each that differs against. An address alone decides nothing but where nothing
else is known. :mod:`.traits` finds the traits of a host, :mod:`.weighing` weighs, :mod:`.choosing` decides,
:mod:`.memory` knows what was there before, :mod:`.ties` joins and parts.
"""
