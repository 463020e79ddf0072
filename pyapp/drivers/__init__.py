"""Session stores: one contract (`base`), one folder or module for each place where sessions can live."""
