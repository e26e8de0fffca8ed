"""Programs that hold a raw socket and nothing else; each runs in processes of its own, imported nowhere."""
