"""A visit with two phones, as the tests of the field pages share it, and what the server keeps of it."""

from __future__ import annotations

import hashlib
import io
import uuid
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from flask.testing import FlaskClient
from PIL import Image
from sqlalchemy import select
from sqlalchemy.orm import joinedload
from werkzeug.test import TestResponse

from tests.builders import measured
from tests.web.desk_fixtures import Site, counted, page, site  # noqa: F401 - a fixture
from workflow.data import audit
from workflow.data.audit import AuditEntry
from workflow.data.files import StoredFile
from workflow.data.inspections import Inspection, InspectionPhoto
from workflow.documents import storage
from workflow.extensions import db, settings
from workflow.services import inspections as inspection_service

DEVICE = str(uuid.UUID(int=5))
NINGBO = "29.8683777,121.54401"


def gps_jpeg(seed: int = 0) -> bytes:
    """A small photo that says where, when and with what it was taken."""
    picture = Image.frombytes("RGB", (96, 64), hashlib.shake_256(str(seed).encode()).digest(96 * 64 * 3))
    exif = Image.Exif()
    exif[0x0110], exif[0x9003] = "Phone 12", "2020:02:15 09:30:00"
    exif.get_ifd(0x8825).update({1: "N", 2: (29.0, 52.0, 6.0), 3: "E", 4: (121.0, 32.0, 38.0)})
    output = io.BytesIO()
    picture.save(output, "JPEG", exif=exif)
    return output.getvalue()


def uid(number: int) -> str:
    """A name as phones make them."""
    return str(uuid.UUID(int=9000 + number))


@dataclass(slots=True)
class Visit:
    """A planned visit: ids, item codes, and the browsers of its two inspectors."""

    id: int
    case_id: int
    codes: list[str]
    first: FlaskClient
    second: FlaskClient
    logins: list[str] = field(default_factory=list)

    def put(self, number: int, content: bytes, client: FlaskClient | None = None, **headers: str) -> TestResponse:
        """Send a photo as the phone does; headers with _ for -."""
        sent = {
            "X-Sha256": hashlib.sha256(content).hexdigest(),
            "X-Code": "",
            "X-Caption": "%E5%A4%A7%E9%97%A8",
            "X-Taken-At": "2020-02-15T09:30:00+08:00",
            "X-Source": "camera",
            "X-Place": NINGBO,
            "Content-Type": "image/jpeg",
            **{k.replace("_", "-"): v for k, v in headers.items()},
        }
        return (client or self.first).put(f"/field/{self.id}/photos/{uid(number)}", data=content, headers=sent)


@pytest.fixture
def visit(site: Site) -> Visit:  # noqa: F811
    """A visit arranged for tomorrow."""
    with site.building() as world:
        case = world.scheduled()
        planned = inspection_service.planned(case)
        assert planned is not None
        logins = [a.login for a in world.inspectors()]
        made = (planned.id, case.id, [i.code for i in planned.items])
    return Visit(*made, *(site.browser(login) for login in logins), logins)


@dataclass(slots=True)
class Kept:
    """What the server keeps of a visit's photos, read in contexts of their own: requests must not share these."""

    site: Site
    visit_id: int

    def photos(self) -> list[InspectionPhoto]:
        """The rows, with the rows of their files."""
        with self.site.app.app_context():
            query = select(InspectionPhoto).where(InspectionPhoto.inspection_id == self.visit_id)
            found = list(db.session.scalars(query.options(joinedload(InspectionPhoto.original)).order_by("id")))
            db.session.expunge_all()
        return found

    def history(self) -> list[AuditEntry]:
        """The history of the visit's case."""
        with self.site.app.app_context():
            found = audit.of_case(db.session.get_one(Inspection, self.visit_id).case_id)
            db.session.expunge_all()
        return found

    def path(self, stored: StoredFile | None) -> Path:
        """Where a file lies."""
        assert stored is not None
        with self.site.app.app_context():
            folder = storage.open_store(settings().files_url).folder
        assert folder is not None
        return folder / stored.key

    def incoming(self) -> list[Path]:
        """What lies in the folder of files that are being received."""
        with self.site.app.app_context():
            return list((settings().var_dir / "incoming").iterdir())


@pytest.fixture
def stored(site: Site, visit: Visit) -> Kept:  # noqa: F811
    """What is kept of the visit's photos."""
    return Kept(site, visit.id)


def op(visit: Visit, number: int, **changes: Any) -> dict[str, Any]:
    """A tap as the phone sends it."""
    code = visit.codes[number % len(visit.codes)]
    return {
        "op_id": uid(number),
        "kind": "mark",
        "inspection_id": visit.id,
        "code": code,
        "base_revision": 0,
        "result": "conform",
        "measured": measured(code),
        "note": "",
        "rectify_by_on": "",
        "device_at": "2020-02-15T09:30:00+08:00",
        **changes,
    }


def sync(client: FlaskClient, *ops: object, code: int = 200) -> list[dict[str, Any]]:
    """Send operations; what became of each."""
    answer = client.post("/field/sync", json={"device_id": DEVICE, "ops": list(ops)})
    assert answer.status_code == code, answer.get_data(as_text=True)
    return list(answer.get_json().get("results", []))


def day(client: FlaskClient) -> dict[str, Any]:
    """What the phone takes along."""
    answer = client.get("/field/day.json")
    assert answer.status_code == 200
    assert answer.headers["Cache-Control"] == "no-store"
    return dict(answer.get_json())


def items(visit: dict[str, Any]) -> dict[str, dict[str, Any]]:
    """The items of a visit by code."""
    return {i["code"]: i for g in visit["groups"] for i in g["items"]}
