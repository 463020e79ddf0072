"""Carries out what the inspector wants: reads the store, runs long work, sends what changed to the page.

It knows its surroundings by the Protocol `World` alone, so that the whole page runs on CPython too.
"""
