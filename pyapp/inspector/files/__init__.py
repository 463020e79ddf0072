"""Sessions out of the page as files, with their secrets looked for first, and files from the web into it.

Values, messages, effects and update, as in the other rooms; `views/files.py` draws the dialogs.
"""
