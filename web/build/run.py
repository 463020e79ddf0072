"""Serves dist/ as serve.py does, and an agent's server beside it: what `make run` does once the page is built.

The agent's server listens on this machine alone, at port 2468 or the next that is free; its agent follows a script.
Where npm has no server for the machine, the page is served alone. Run it as `python -m web.build.run`.
"""

from __future__ import annotations

from contextlib import ExitStack

from examples.agent.server import (
    USUAL_PORT,
    NoServerError,
    Server,
    ServerDidNotStartError,
    data_folder,
    end_orderly,
    free_port,
)
from web.build.serve import page_server


def main() -> None:
    end_orderly()
    with page_server() as page, ExitStack() as stack:
        port = page.server_port
        try:
            print(f"Ready: http://127.0.0.1:{port}/")
            try:
                server = start_agent_server(stack, port)
            except (NoServerError, ServerDidNotStartError) as error:
                print(f"There is no agent to talk to: {error}", flush=True)
            else:
                print(f"An agent that follows a script: {server.address}")
                print("Open the first, press Connect… there, and give it the second. Ctrl+C ends both.", flush=True)
            page.serve_forever()
        except KeyboardInterrupt:
            print()


def start_agent_server(stack: ExitStack, port: int) -> Server:
    """An agent's server for the page at this port, until the stack is left."""
    origins = [f"http://{host}:{port}" for host in ("127.0.0.1", "localhost")]
    folder = stack.enter_context(data_folder(None))
    return stack.enter_context(Server(folder, port=free_port(first=USUAL_PORT), origins=origins))


if __name__ == "__main__":
    main()
