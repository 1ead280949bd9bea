"""REST: thin translations of requests into calls of the hub, one module for each subject."""
