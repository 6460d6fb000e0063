"""What an off-line page needs to be kept on a phone: its files by version, its service worker and its manifest."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from flask import current_app, jsonify, make_response, render_template, url_for
from werkzeug.wrappers import Response

WORKER = "offline/sw.js"
"""The template of the service worker, the same for every off-line page."""


@dataclass(frozen=True)
class Shell:
    """The page called ``name``: the files in ``static/<name>`` and ``beside`` them, templates in ``templates/<name>``.

    ``routes`` are endpoints that give one of its files at an address below the page's own.
    """

    name: str
    beside: tuple[str, ...]
    routes: tuple[str, ...] = ()

    @property
    def _templates(self) -> Path:
        return Path(current_app.root_path).parent / (current_app.template_folder or "")

    def files(self) -> list[Path]:
        """Everything static that the page needs when there is no signal."""
        root = Path(current_app.static_folder or "")
        return sorted((root / self.name).iterdir()) + [root / name for name in self.beside]

    def assets(self) -> list[str]:
        """The addresses of those files."""
        root = Path(current_app.static_folder or "")
        static = [url_for("static", filename=str(path.relative_to(root))) for path in self.files()]
        return static + [url_for(endpoint) for endpoint in self.routes]

    def digest(self) -> str:
        """A digest of all the page is made of."""
        found = hashlib.sha256()
        for path in [*self.files(), *sorted((self._templates / self.name).iterdir()), self._templates / WORKER]:
            found.update(path.name.encode() + b"\0" + path.read_bytes())
        return found.hexdigest()[:16]

    def answer(self, html: str) -> Response:
        """The shell with its version, by which its service worker knows it."""
        response = make_response(html)
        response.headers["X-Shell-Version"] = version(self)
        return response

    def worker(self, page: str) -> Response:
        """The service worker of the page at the address ``page``."""
        script = render_template(WORKER, name=self.name, assets=self.assets(), version=version(self), page=page)
        response = make_response(script)
        response.headers["Content-Type"] = "text/javascript; charset=utf-8"
        response.headers["Cache-Control"] = "no-cache"
        return response

    def manifest(self, page: str, name: str, short_name: str) -> Response:
        """What a phone needs to know to install the page; its icons are the folder's own."""
        sizes = (("icon-192.png", "192x192", "any"), ("icon-512.png", "512x512", "any maskable"))
        response = jsonify(
            name=name,
            short_name=short_name,
            start_url=page,
            scope=page,
            display="standalone",
            background_color="#f5f7f9",
            theme_color="#0f3866",
            icons=[
                {
                    "src": url_for("static", filename=f"{self.name}/{file}"),
                    "sizes": size,
                    "type": "image/png",
                    "purpose": use,
                }
                for file, size, use in sizes
            ],
        )
        response.headers["Content-Type"] = "application/manifest+json"
        return response


@cache
def version(shell: Shell) -> str:
    """The digest of a page's files, made once a process: another one makes phones fetch them all anew."""
    return shell.digest()
