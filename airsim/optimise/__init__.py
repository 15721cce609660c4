"""Least-cost choice of measures (HiGHS), and the precise emergency list."""
