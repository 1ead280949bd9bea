"""``python -m deskhub`` is the command line."""

from deskhub.cli import main

main()
