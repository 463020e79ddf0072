"""Faults on purpose, in Chromium: killed browsers and renderers, many tabs, generated values, a broken import."""
