"""Static files with hashed names, also inside ES-module imports."""

from whitenoise.storage import CompressedManifestStaticFilesStorage


class ModuleManifestStorage(CompressedManifestStaticFilesStorage):  # type: ignore[misc]  # untyped
    """Rewrites static and dynamic imports of our modules to the hashed names: no bundler for own code."""

    support_js_module_import_aggregation = True
