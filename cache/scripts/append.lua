-- Adds an entry to logs alone. KEYS: logs. ARGV: as tell_viewers has it.
tell_viewers(1, 1)
