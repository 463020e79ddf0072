"""The model as HTML: one module for each part of the page. Pure, and escaped by htpy.

Ids are stable, so that the page keeps focus and scroll positions when it takes over a new version.
"""
