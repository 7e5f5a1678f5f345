"""lamina timed against whatever else is installed; run it with ``python -m benchmarks``."""
