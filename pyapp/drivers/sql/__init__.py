"""Upstream's SQL tables: what every store that has them shares."""
