"""PostgreSQL, Valkey and the role processes of one machine: started, watched and stopped together."""
