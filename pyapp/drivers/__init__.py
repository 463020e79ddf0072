"""Session stores: one contract (`base`), one module for each place where sessions can live."""
