"""Static files with hashed names, also inside ES-module imports."""

from functools import lru_cache

from whitenoise.storage import CompressedManifestStaticFilesStorage


class ModuleManifestStorage(CompressedManifestStaticFilesStorage):  # type: ignore[misc]  # untyped
    """Rewrites static and dynamic imports of our modules to the hashed names: no bundler for own code."""

    support_js_module_import_aggregation = True

    @lru_cache(maxsize=1024)  # noqa: B019 - there is one storage, for as long as the process lives
    def url(self, name: str, force: bool = False) -> str:
        """Return the hashed address. The manifest is read once, so it never changes; a page asks thirty times."""
        address: str = super().url(name, force)
        return address
