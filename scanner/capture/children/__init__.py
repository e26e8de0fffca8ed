"""The program that hears an interface and nothing else; it runs in a process of its own, imported nowhere."""
