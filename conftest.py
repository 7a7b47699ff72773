"""For tests and notebooks alike: notebooks are compared with a tolerance (tests/nbval_tolerance.py)."""

pytest_plugins = ["nbval_tolerance"]
