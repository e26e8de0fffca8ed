"""What was where and when: one asset's past, what changed between two moments, figures over time."""
