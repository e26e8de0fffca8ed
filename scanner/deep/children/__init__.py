"""Programs of their own, imported nowhere: each knows the standard library and one other.

They are run as files by an isolated interpreter (``python -I``), each in a child process.
"""
