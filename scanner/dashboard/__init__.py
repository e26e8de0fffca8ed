"""The dashboard: the inventory for people who look rather than type.

Pages are modules under ``pages``, one subject each, found by being there. What a browser needs all comes
with the package; nothing is asked of anybody else. Pages are whole without JavaScript.
"""
