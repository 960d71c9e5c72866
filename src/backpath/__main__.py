"""``python -m backpath``"""

from backpath.cli import main

if __name__ == "__main__":
    main()
