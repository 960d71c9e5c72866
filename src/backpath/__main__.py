"""``python -m backpath``"""

from backpath.cli import main

main()
