"""`python -m airsim`: the command line."""

from __future__ import annotations

from airsim.cli import main

if __name__ == "__main__":
    main()
