"""Serve Canaille, the identity provider inside pytest-iam. Runs in its own environment.

``iam_serve.py PORT``. People sign in with the password that the lab prints; clients register
themselves. ``POST /_lab/sign-in {"user"}`` opens the session of one person for everybody.
"""

from __future__ import annotations

import json
import os
import sys
import uuid
from typing import Any

from canaille import create_app
from canaille.app import models
from canaille.backends import Backend
from flask import Response, request
from joserfc.jwk import JWKRegistry
from pytest_iam import Server

PEOPLE = {
    "ann": ("Ann Berg", "ann@acme.example", ["support"]),
    "bob": ("Bob Lee", "bob@acme.example", ["support", "support-leads"]),
}


def configuration(port: int) -> dict[str, Any]:
    """Return what Canaille is told; everything is in memory."""
    key = JWKRegistry.generate_key("RSA", 2048)
    key.ensure_kid()
    return {
        "TESTING": True,
        "ENV_FILE": None,
        "SECRET_KEY": str(uuid.uuid4()),
        "WTF_CSRF_ENABLED": False,
        "PREFERRED_URL_SCHEME": "http",
        "SERVER_NAME": f"localhost:{port}",
        "CANAILLE": {
            "DATABASE": "memory",
            "JAVASCRIPT": False,
            "ACL": {"DEFAULT": {"PERMISSIONS": ["use_oidc", "manage_oidc"]}},
        },
        "CANAILLE_OIDC": {
            "DYNAMIC_CLIENT_REGISTRATION_OPEN": True,
            "ACTIVE_JWKS": [key.as_dict(private=True)],
        },
    }


def main(port: int) -> None:
    """Serve until the process ends."""
    os.environ["AUTHLIB_INSECURE_TRANSPORT"] = "1"
    app = create_app(config=configuration(port))
    server = Server(app, port, Backend.instance)
    with app.app_context():
        _populate()

    @app.post("/_lab/sign-in")  # type: ignore[untyped-decorator]  # where Flask is not installed
    def sign_in() -> Response:
        wanted = json.loads(request.get_data())["user"]
        server.logout()
        if wanted:
            user = Backend.instance.get(models.User, user_name=wanted)
            server.login(user)
            server.consent(user)
        return Response(status=204)

    server.httpd.serve_forever()


def _populate() -> None:
    members: dict[str, list[Any]] = {}
    for name, (shown, email, groups) in PEOPLE.items():
        given, family = shown.split()
        user = models.User(
            user_name=name, formatted_name=shown, given_name=given, family_name=family,
            emails=[email], password="deskhub-lab",  # noqa: S106  known to everybody
        )  # fmt: skip
        Backend.instance.save(user)
        for group in groups:
            members.setdefault(group, []).append(user)
    for group, users in members.items():
        Backend.instance.save(models.Group(display_name=group, members=users))


if __name__ == "__main__":
    main(int(sys.argv[1]))
