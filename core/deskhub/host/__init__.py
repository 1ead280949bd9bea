"""The hub's side of adapters: discovery, life, calls with bounds, and what they may hold."""
