// Checkpoints in SQLite, written atomically with their cursor.
