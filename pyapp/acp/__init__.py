"""The wire of the Agent Client Protocol (https://agentclientprotocol.com): values in, values out, no I/O."""
