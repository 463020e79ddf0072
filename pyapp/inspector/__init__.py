"""The inspector page as one loop of pure functions: `update(model, message)` and `view(model)`.

Nothing here reads, writes or waits: what is to be done is returned as effects, which
`pyapp.runner` carries out.
"""
