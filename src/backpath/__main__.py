"""The command ``backpath``, also as ``python -m backpath``."""

import signal


def main() -> None:
    """Run the command line. Ctrl-C while it is still being imported ends it at once, without a traceback."""
    if signal.getsignal(signal.SIGINT) is signal.default_int_handler:  # not ignored, as under nohup
        signal.signal(signal.SIGINT, signal.SIG_DFL)
    from backpath.cli import main as run

    run()


if __name__ == "__main__":
    main()
