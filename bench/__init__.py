"""Measures the built page in a real Chromium: `make bench`, or `python -m bench` after `make build`."""
