"""Serve a Roundup tracker. Runs in the tracker's own environment, never in the hub's.

``roundup_serve.py PORT FOLDER`` serves the tracker in FOLDER with Roundup's WSGI handler,
which its documentation recommends for production, one thread for each request.
"""

from __future__ import annotations

import sys
from socketserver import ThreadingMixIn
from wsgiref.simple_server import WSGIRequestHandler, WSGIServer, make_server

from roundup.cgi.wsgi_handler import RequestDispatcher


class Threaded(ThreadingMixIn, WSGIServer):
    """A server with a thread for each request; the process's end ends them."""

    daemon_threads = True


class Quiet(WSGIRequestHandler):
    """A handler that writes no access log."""

    protocol_version = "HTTP/1.0"

    def log_message(self, *_: object) -> None:
        """Say nothing."""


if __name__ == "__main__":
    handler = RequestDispatcher(sys.argv[2])
    make_server(
        "127.0.0.1", int(sys.argv[1]), handler, server_class=Threaded, handler_class=Quiet
    ).serve_forever()
