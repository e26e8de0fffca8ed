"""Campaigns: scans that are sealed for an audit."""
