"""`python -m hoody_pipe.cli`, where the script is not installed."""

from hoody_pipe.cli import main

main()
