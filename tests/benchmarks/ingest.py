"""From a PDF to searchable pages: upload, read in the sandbox, index by words, then by meaning."""

from __future__ import annotations

import io
import random
import time
import urllib.request
from typing import Any

from reportlab.lib.pagesizes import A4
from reportlab.pdfgen.canvas import Canvas

from tests.benchmarks.figures import figure, progress
from tests.benchmarks.stack import Person, Stack, stack

PAGES = {"quick": 100, "standard": 300, "full": 1000}
_WORDS = [
    "Wartung",
    "Turm",
    "Getriebe",
    "Temperatur",
    "Schicht",
    "Boot",
    "Kran",
    "Wetter",
    "Welle",
    "Wind",
    "Prüfung",
    "Sensor",
    "Leitwarte",
    "Filter",
    "Bremse",
    "Öl",
    "Rotor",
    "Blatt",
    "Kabel",
    "Anlage",
    "Bericht",
    "Störung",
    "Meldung",
    "Hafen",
    "Lager",
    "Auftrag",
    "Vertrag",
    "Lieferung",
    "Rechnung",
    "Termin",
]
_CHUNK_BYTES = 4 * 1024 * 1024
_LONGEST_SECONDS = 900


def make_pdf(pages: int) -> bytes:
    """Return a PDF with about 2,000 letters a page and one word per page that stands nowhere else."""
    source = random.Random(7)
    target = io.BytesIO()
    canvas = Canvas(target, pagesize=A4, invariant=1)
    for number in range(1, pages + 1):
        canvas.setFont("Helvetica-Bold", 14)
        canvas.drawString(60, 780, f"Abschnitt {number}")
        canvas.setFont("Helvetica", 10)
        for line in range(36):
            own = (
                [f"Kennwort{number:04}"] if line == 17 else []
            )  # in the text: headers that repeat are left out
            canvas.drawString(60, 750 - line * 18, " ".join([*own, *source.choices(_WORDS, k=9)]) + ".")
        canvas.showPage()
    canvas.save()
    return target.getvalue()


def upload(running: Stack, person: Person, name: str, content: bytes) -> str:
    """Upload in parts and return the file's id."""
    begun = running.call(person, "POST", "/api/v1/files/", {"name": name, "size_bytes": len(content)})
    for start in range(0, len(content), _CHUNK_BYTES):
        part = content[start : start + _CHUNK_BYTES]
        request = urllib.request.Request(
            f"{running.base_url}/api/v1/files/{begun['id']}/content", data=part, method="PUT",
            headers={
                "Authorization": f"Bearer {person.api_key}", "Content-Type": "application/octet-stream",
                "Content-Range": f"bytes {start}-{start + len(part) - 1}/{len(content)}",
            },
        )  # fmt: skip
        urllib.request.urlopen(request, timeout=60).read()
    return str(begun["id"])


def finds(running: Stack, person: Person, word: str) -> bool:
    """Return whether a search for the word has a hit."""
    answer: dict[str, Any] = running.call(person, "GET", f"/api/v1/search/?q={word}")
    return any(word.casefold() in str(hit).casefold() for hit in answer["results"])


def run(size: str) -> None:
    """Print the figures."""
    pages = PAGES[size]
    content = make_pdf(pages)
    with stack(quick=False, CHATSYSTEM_REQUESTS_PER_MINUTE="1000000") as running:
        owner = running.person("owner")
        begun = time.perf_counter()
        file_id = upload(running, owner, "bench.pdf", content)
        uploaded = time.perf_counter() - begun
        document = running.call(owner, "POST", "/api/v1/documents/", {"file": file_id})["id"]
        begun = time.perf_counter()
        first = wait(lambda: finds(running, owner, "Kennwort0001"))
        last = wait(lambda: finds(running, owner, f"Kennwort{pages:04}"))
        done = wait(lambda: running.call(owner, "GET", f"/api/v1/documents/{document}/")["state"] == "ready")
        progress(f"first {first - begun:.1f} s, last {last - begun:.1f} s, ready {done - begun:.1f} s")
        figure(bench="ingest", name="upload", value=uploaded, unit="s")
        figure(bench="ingest", name="first_page_searchable", value=first - begun, unit="s", goal=10)
        figure(
            bench="ingest", name=f"pages a second, {pages} searchable by text", value=pages / (last - begun), unit="pages/s",
            goal=8, better="higher",
        )  # fmt: skip
        goal = 90.0 * pages / 100
        figure(
            bench="ingest",
            name=f"all_{pages}_pages_searchable",
            value=max(last, done) - begun,
            unit="s",
            goal=goal,
        )


def wait(condition: Any) -> float:
    """Return the moment at which the condition became true."""
    deadline = time.perf_counter() + _LONGEST_SECONDS
    while not condition():
        if time.perf_counter() > deadline:
            raise RuntimeError("it took too long")
        time.sleep(0.1)
    return time.perf_counter()
