"""The stores on databases: the contract, upstream's files, faults."""
