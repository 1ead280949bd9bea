"""The conformance kit: every rule of the quality scale, executed against a simulator."""
