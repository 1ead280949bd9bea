"""An adapter in its own process: the process, its stand-in here, and what it may ask of us."""
