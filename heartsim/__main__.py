"""`python -m heartsim`, the command where its script is not on the path."""

from heartsim.cli import main

main()
