"""What agents keep about people."""

from __future__ import annotations

from django.utils.translation import gettext_lazy as _

from apps.agents.selectors import personal
from apps.agents.services import erasing
from apps.core.data_subjects import Fate, SubjectData, register_subject_data

register_subject_data(
    SubjectData(
        name="agents.answers",
        label=_("Questions and answers"),
        fate=Fate.DELETE,
        why=_("Deleted, and emptied where the answer stands in a conversation."),
        order=35,
        links=("agents_answer.asker_id",),
        shared=(
            "agents_answer.question", "agents_answer.body", "agents_answer.html", "agents_answer.sources",
            "agents_answer.claims", "agents_answer.read",
        ),
        count=lambda person: personal.answers_of(person).count(),
        export=personal.export_answers,
        erase=erasing.erase_answers_of,
    )
)  # fmt: skip
register_subject_data(
    SubjectData(
        name="agents.quotes",
        label=_("Answers to others that used the person's texts"),
        fate=Fate.ANONYMIZE,
        why=_("The answer is removed; the question is another person's and stays."),
        order=36,
        count=personal.count_quoting,
        erase=erasing.erase_quotes_of,
    )
)
register_subject_data(
    SubjectData(
        name="agents.agents",
        label=_("Agents"),
        fate=Fate.KEEP,
        why=_("The principal of an agent is no person."),
        order=900,
        links=("agents_agent.principal_id",),
        shared=("agents_agent.name", "agents_agent.description", "agents_agent.instructions"),
        count=lambda _person: 0,
    )
)
