"""Run the command line by ``python -m neurocode``."""

from neurocode.cli import main

main()
