"""``python -m solidrec.cli``."""

from solidrec.cli import main

main()
