"""What is generated and done to stores on purpose; what needs a browser for it is in tests/browser/faults/."""
