"""The network: the only part of the hub that knows HTTP."""
