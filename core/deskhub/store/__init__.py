"""The database: the log, its writer, the state tables and every query."""
