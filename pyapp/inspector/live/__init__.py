"""A server of agents in the page: the connection, new sessions, the chat, permissions, the requests that were made.

Pure, as the rest of the inspector. A token passes through in one message and one effect; the model never has it.
"""
