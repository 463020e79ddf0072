"""Names, tags, read positions and the filter of the list: a corner of the page with its own values, messages, update.

`values` has what the model holds, `messages` and `effects` what happens and what is wanted done, `search` the filter,
`update` puts them together.
"""
