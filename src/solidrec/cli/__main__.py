"""Entry point of ``python -m solidrec.cli``."""

from solidrec.cli import main

if __name__ == "__main__":
    main()
