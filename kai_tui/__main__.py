"""`python -m kai_tui`: the same as the command `kai-tui`."""

from kai_tui.cli.main import main

if __name__ == "__main__":
    main()
