"""`python -m tests.matrix`: see `tests.matrix.command`, whose functions other processes must be able to import."""

from tests.matrix.command import main

main()
