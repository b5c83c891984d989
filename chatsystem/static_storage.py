"""Static files with hashed names, also inside ES-module imports; the style sheets of every page as one file."""

from collections.abc import Iterator
from functools import lru_cache
from typing import Any

from django.conf import settings
from django.contrib.staticfiles.storage import StaticFilesStorage
from django.core.files.base import ContentFile
from whitenoise.storage import CompressedManifestStaticFilesStorage

Found = dict[str, tuple[StaticFilesStorage, str]]


class ModuleManifestStorage(CompressedManifestStaticFilesStorage):  # type: ignore[misc]  # untyped
    """Rewrites static and dynamic imports of our modules to the hashed names: no bundler for own code."""

    support_js_module_import_aggregation = True
    # Third parties bring bundles: looking for imports through megabytes of them took a third of the time.
    _js_module_import_aggregation_patterns = (
        "js/*.js",
        CompressedManifestStaticFilesStorage._js_module_import_aggregation_patterns[1],  # noqa: SLF001 - Django has no other way
    )

    @lru_cache(maxsize=1024)  # noqa: B019 - there is one storage, for as long as the process lives
    def url(self, name: str, force: bool = False) -> str:
        """Return the hashed address. The manifest is read once, so it never changes; a page asks thirty times."""
        address: str = super().url(name, force)
        return address

    def post_process(self, paths: Found, dry_run: bool = False, **options: Any) -> Iterator[Any]:
        """Join the style sheets first: one request instead of twenty before a page can be drawn."""
        joined = settings.JOINED_STYLESHEET
        if not dry_run:
            self.delete(joined)
            self._save(joined, ContentFile(b"\n".join(_sheets(paths))))
            paths[joined] = (self, joined)
        yield from super().post_process(paths, dry_run, **options)


def _sheets(paths: Found) -> Iterator[bytes]:
    for name in settings.STYLESHEETS:
        storage, path = paths[f"css/{name}.css"]
        with storage.open(path) as file:
            yield file.read()
