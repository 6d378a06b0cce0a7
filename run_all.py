#!/usr/bin/env python3
"""The door: `python run_all.py` runs the main job, `python run_all.py --help` lists the commands."""

from inmo.harness.cli import main

if __name__ == "__main__":
    raise SystemExit(main())
