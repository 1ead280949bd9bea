"""An adapter in a process of its own, and the frames between it and the hub."""
