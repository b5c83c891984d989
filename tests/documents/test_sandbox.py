"""The parsing process: what it gives, what it cannot reach, and what happens when a file breaks it."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import threading
from pathlib import Path

import pytest

from apps.documents.parsing import sniff
from apps.documents.parsing.errors import ErrorCode, ParseError
from apps.documents.parsing.types import Limits, PageFailed, ParsedPage
from apps.documents.sandbox import client, frames, walls
from tests.documents import samples
from tests.documents.checks import check, read

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture
def stored(tmp_path):
    def store(data: bytes) -> Path:
        path = tmp_path / "stored"
        path.write_bytes(data)
        return path

    return store


@pytest.fixture
def processes(monkeypatch):
    """Every process the client starts; none may be left at the end."""
    started: list[subprocess.Popen[bytes]] = []
    real = subprocess.Popen

    def start(*args, **options):
        process = real(*args, **options)
        started.append(process)
        return process

    monkeypatch.setattr(client.subprocess, "Popen", start)
    yield started
    assert started
    assert all(process.poll() is not None for process in started)


def texts(pages):
    return [page.text if isinstance(page, ParsedPage) else page.code for page in pages]


@pytest.mark.parametrize(
    ("make", "media_type"),
    [
        (lambda: samples.handbook_pdf(sections=6), sniff.PDF),
        (samples.word_file, sniff.DOCX),
        (lambda: samples.workbook(300), sniff.XLSX),
        (lambda: b"# One\n\nText.\n" * 300, sniff.MARKDOWN),
        (lambda: b"<h1>One</h1><p>Text.</p>", sniff.HTML),
        (lambda: "a;b\nä;2\n".encode("cp1252") * 500, sniff.CSV),
        (lambda: ("Grüße. " * 900).encode("utf-16"), sniff.TEXT),
    ],
)
def test_pages_are_the_same_as_parsed_here(make, media_type, stored, processes):
    data = make()
    path = stored(data)
    pages = list(client.iter_pages(path, media_type))
    assert pages == read(data, media_type)
    opened = client.open_document(path, media_type)
    assert opened.outline.page_count == len(pages)
    assert list(opened.pages) == pages
    assert len(processes) == 2
    for page in pages:
        assert isinstance(page, ParsedPage)
        check(page)


def test_one_page_again_and_the_rest_from_the_middle(stored, processes):
    path = stored(samples.text_pdf(["one", "two", "three"]))
    assert texts(client.iter_pages(path, sniff.PDF, 2, last_page=2)) == ["two"]
    assert texts(client.iter_pages(path, sniff.PDF, 2)) == ["two", "three"]
    assert texts(client.iter_pages(path, sniff.PDF, 4)) == []


def test_page_image_is_a_png_of_the_asked_width(stored, processes):
    path = stored(samples.text_pdf(["one", "two"]))
    image = client.render_page(path, 2, 640)
    assert image.startswith(b"\x89PNG")
    assert int.from_bytes(image[16:20]) == 640
    with pytest.raises(ParseError) as caught:
        client.render_page(path, 3, 640)
    assert caught.value.code is ErrorCode.CORRUPT


@pytest.mark.parametrize(
    ("make", "media_type", "code"),
    [
        (samples.encrypted_pdf, sniff.PDF, ErrorCode.ENCRYPTED),
        (lambda: b"%PDF-1.7 nothing", sniff.PDF, ErrorCode.CORRUPT),
        (samples.zip_bomb, sniff.DOCX, ErrorCode.BOMB),
        (lambda: samples.word_file()[:-300], sniff.DOCX, ErrorCode.CORRUPT),
        (lambda: b"text", "image/png", ErrorCode.UNSUPPORTED_TYPE),
    ],
)
def test_refusals_keep_their_code(make, media_type, code, stored, processes):
    path = stored(make())
    for ask in (client.open_document, lambda *args: list(client.iter_pages(*args))):
        with pytest.raises(ParseError) as caught:
            ask(path, media_type)
        assert caught.value.code is code


def test_a_page_without_end_costs_only_itself(stored, processes):
    path = stored(samples.pdf_with_endless_pages(["first page", None, "third page"]))
    limits = Limits(page_seconds=1.5)
    assert texts(client.iter_pages(path, sniff.PDF, limits=limits)) == [
        "first page",
        ErrorCode.TIMEOUT,
        "third page",
    ]
    assert len(processes) == 2


def test_a_page_that_eats_memory_costs_only_itself(stored, processes):
    path = stored(samples.pdf_with_huge_page(600 * 2**20))
    limits = Limits(memory_bytes=400 * 2**20)
    found = texts(client.iter_pages(path, sniff.PDF, limits=limits))
    assert found == ["first page", ErrorCode.OUT_OF_MEMORY, "third page"]


def test_cpu_time_ends_the_process_as_a_timeout(stored, processes):
    path = stored(samples.pdf_with_endless_pages(["first page", None, "third page"]))
    limits = Limits(cpu_seconds=2, page_seconds=20)
    assert texts(client.iter_pages(path, sniff.PDF, limits=limits)) == [
        "first page",
        ErrorCode.TIMEOUT,
        "third page",
    ]


def test_memory_ends_an_office_document_with_its_code(stored, processes):
    sheet = b"<w:p><w:r><w:t>" + b"word " * 60 + b"</w:t></w:r></w:p>"
    space = b'<w:document xmlns:w="http://schemas.openxmlformats.org/wordprocessingml/2006/main"><w:body>'
    big = space + sheet * 150_000 + b"</w:body></w:document>"
    path = stored(samples.rewritten(samples.word_file(), {"word/document.xml": big}))
    with pytest.raises(ParseError) as caught:
        client.open_document(
            path,
            sniff.DOCX,
            Limits(memory_bytes=200 * 2**20, archive_ratio=10_000, characters=10**9, pages=10**6),
        )
    assert caught.value.code is ErrorCode.OUT_OF_MEMORY


def test_a_killed_process_keeps_what_it_gave_and_goes_on(stored, processes):
    path = stored(samples.handbook_pdf(sections=40, paragraphs=12))
    opened = client.open_document(path, sniff.PDF)
    count = opened.outline.page_count
    opened.pages.close()
    pages = []
    for page in client.iter_pages(path, sniff.PDF):
        pages.append(page)
        if len(pages) == 2:
            os.kill(processes[-1].pid, signal.SIGKILL)
    failed = [page for page in pages if isinstance(page, PageFailed)]
    assert [page.number for page in pages] == list(range(1, count + 1))
    assert [page.code for page in failed] == [ErrorCode.OUT_OF_MEMORY]


def test_after_five_dead_pages_the_rest_is_told_as_failed(stored, processes):
    path = stored(samples.pdf_with_endless_pages([None] * 8))
    found = list(client.iter_pages(path, sniff.PDF, limits=Limits(page_seconds=0.3)))
    assert found == [PageFailed(number, ErrorCode.TIMEOUT) for number in range(1, 9)]
    assert len(processes) == 5


def test_time_for_the_document_fails_the_rest(stored, processes):
    path = stored(samples.pdf_with_endless_pages(["first page", None, "third page"]))
    found = texts(client.iter_pages(path, sniff.PDF, limits=Limits(document_seconds=1.5)))
    assert found == ["first page", ErrorCode.TIMEOUT, ErrorCode.TIMEOUT]
    assert len(processes) == 1
    with pytest.raises(ParseError) as caught:
        list(client.iter_pages(path, sniff.PDF, limits=Limits(document_seconds=0)))
    assert caught.value.code is ErrorCode.TIMEOUT


def test_leaving_early_ends_the_process(stored, processes):
    pages = client.iter_pages(stored(samples.handbook_pdf(sections=40)), sniff.PDF)
    next(pages)
    pages.close()
    assert processes[0].poll() is not None


def test_the_process_ends_with_the_thread_that_started_it(stored, processes):
    path = stored(samples.handbook_pdf(sections=40, paragraphs=12))
    kept = []

    def start():
        pages = client.iter_pages(path, sniff.PDF)
        kept.append(pages)
        next(pages)

    thread = threading.Thread(target=start)
    thread.start()
    thread.join()
    assert processes[0].wait(timeout=10) == -signal.SIGKILL
    kept[0].close()


@pytest.mark.parametrize(
    "answer",
    [
        b"",
        b"garbage that is no frame at all",
        frames.header(frames.READY, 2**31) + b"x",
        frames.header(frames.READY, 2) + b"[]" + frames.header(frames.OUTLINE, 4) + b"null",
        frames.header(frames.READY, 2) + b"[]" + frames.header(frames.ERROR, 6) + b'"what"',
        frames.header(frames.READY, 2) + b"[]" + frames.header(frames.OUTLINE, 2) + b"{}",
    ],
)
def test_a_process_taken_over_by_its_file_is_not_believed(answer, stored, tmp_path, monkeypatch):
    liar = tmp_path / "liar.py"
    liar.write_text(f"import sys\nsys.stdout.buffer.write({answer!r})\n")
    monkeypatch.setattr(client, "_CHILD", liar)
    with pytest.raises(ParseError) as caught:
        client.open_document(stored(b"x"), sniff.TEXT)
    assert caught.value.code in {ErrorCode.CORRUPT, ErrorCode.TOO_LARGE}


PROBE = """
import ctypes, json, os, signal, socket, subprocess, sys, threading
sys.path.insert(0, sys.argv[1])
from apps.documents.sandbox.walls import raise_walls
standing = raise_walls(memory_bytes=2**29, cpu_seconds=20, parent=int(sys.argv[3]))

def attempt(action):
    try:
        action()
    except BaseException as error:
        return type(error).__name__
    return "done"

def thread():
    worker = threading.Thread(target=lambda: None)
    worker.start()
    worker.join()

print(json.dumps({
    "standing": sorted(standing),
    "modules": sorted(name for name in sys.modules if name.split(".")[0] in {"django", "celery", "psycopg"}),
    "socket": attempt(lambda: socket.socket().connect(("127.0.0.1", 9))),
    "unix": attempt(lambda: socket.socket(socket.AF_UNIX)),
    "program": attempt(lambda: subprocess.run(["/bin/true"], check=True)),
    "fork": attempt(os.fork),
    "read": attempt(lambda: open(sys.argv[2]).read()),
    "passwd": attempt(lambda: open("/etc/passwd").read()),
    "write": attempt(lambda: open("/tmp/probe-written", "w").write("x")),
    "signal": attempt(lambda: os.kill(os.getppid(), signal.SIGUSR1)),
    "memory": attempt(lambda: bytearray(2**30)),
    "own": attempt(lambda: open(os.__file__).read()),
    "thread": attempt(thread),
}))
"""


def test_what_the_process_cannot_do(tmp_path):
    secret = tmp_path / "other-customer.txt"
    secret.write_text("secret")
    arguments = [str(ROOT), str(secret), str(os.getpid())]
    run = subprocess.run(
        [sys.executable, "-I", "-c", PROBE, *arguments],
        capture_output=True,
        text=True,
        check=True,
        timeout=30,
    )
    found = json.loads(run.stdout)
    standing = set(found["standing"])
    assert found["modules"] == []
    assert found["own"] == found["thread"] == "done"
    assert found["memory"] == "MemoryError"
    assert found["write"] != "done"
    assert {walls.LIMITS, walls.PARENT} <= standing
    assert standing & {walls.NAMESPACE, walls.CALLS}, "network must be out of reach one way or the other"
    refused = {"PermissionError", "OSError"}
    expected = {
        walls.CALLS: ("socket", "unix", "program", "fork", "signal"),
        walls.FILES: ("read", "passwd"),
    }
    for wall in standing & expected.keys():
        assert all(found[name] in refused for name in expected[wall]), found


def test_standing_walls_are_told():
    assert {walls.LIMITS, walls.PARENT} <= client.standing_walls()


def test_the_process_loads_no_django():
    code = (
        "import sys; sys.path.insert(0, sys.argv[1]); import apps.documents.sandbox.child; "
        "import apps.documents.parsing.pdf.source, apps.documents.parsing.docx, apps.documents.parsing.xlsx; "
        "print('django' in sys.modules)"
    )
    run = subprocess.run(
        [sys.executable, "-I", "-c", code, str(ROOT)], capture_output=True, text=True, check=True
    )
    assert run.stdout.strip() == "False"
