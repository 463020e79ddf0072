"""The client of sandbox-agent: it talks to agents, stores every message, and restores sessions that were lost."""
