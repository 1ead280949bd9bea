"""The chat domain: commands go in, events and new state come out. No I/O happens here."""
