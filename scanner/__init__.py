"""vetuste: find the machines of a hospital that nobody maintains any more.

Addresses become endpoints, endpoints are probed, answers become evidence, data classifies the evidence
into candidates, dates turn candidates into a verdict, and the inventory remembers.
"""
