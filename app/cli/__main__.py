"""`python -m app.cli` is `tidings`: role processes are started this way, whatever stands on PATH."""

from app.cli import main

main()
