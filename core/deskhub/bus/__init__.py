"""Wake-ups between processes; the log is the truth, and losing one costs a moment."""
