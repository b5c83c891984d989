"""What files keep about people."""

from __future__ import annotations

from django.utils.translation import gettext_lazy as _

from apps.core.data_subjects import Fate, SubjectData, register_impersonal, register_subject_data
from apps.files.selectors import personal
from apps.files.services import erasing

register_subject_data(
    SubjectData(
        name="files.files",
        label=_("Files uploaded"),
        fate=Fate.DELETE,
        why=_("Deleted with their content. A file that another person's message or document carries stays there, "
              "without its uploader."),
        order=60,
        links=("files_storedfile.uploader_id",),
        shared=("files_storedfile.name",),
        count=lambda person: personal.files_of(person).count(),
        export=personal.export_files,
        files=personal.contents_of,
        erase=erasing.erase_files_of,
    )
)  # fmt: skip
register_impersonal("says which audience may open which file", "files_filescope")
