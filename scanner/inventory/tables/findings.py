"""Findings: what somebody must act on."""
