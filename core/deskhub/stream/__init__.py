"""The realtime stream: one protocol and one cursor for every transport."""
