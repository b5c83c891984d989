"""Django's tags and filters for texts, in every template without `load`; `translate` looks a constant up only once.

A page translates a hundred texts, and they do not change while a process runs. A template that loads `i18n` itself has
Django's own tags.
"""

from __future__ import annotations

from django import template
from django.template.base import FilterExpression, Node, Parser, Token, Variable
from django.templatetags import i18n
from django.templatetags.i18n import TranslateNode
from django.utils.translation import get_language

register = template.Library()
register.tags.update(i18n.register.tags)
register.filters.update(i18n.register.filters)


class ConstantText(Node):
    """A text that depends on nothing but the reader's language."""

    def __init__(self, translated: TranslateNode) -> None:
        self.translated = translated
        self._texts: dict[str | None, str] = {}

    def render(self, context: template.Context) -> str:
        """Return it in the reader's language, translated where that is new."""
        language = get_language()
        text = self._texts.get(language)
        if text is None:
            text = self._texts[language] = str(self.translated.render(context))
        return text


@register.tag("translate")
@register.tag("trans")
def translate(parser: Parser, token: Token) -> Node:
    """Translate as Django does; a text in quotes without filter, context or `as` is kept."""
    node: TranslateNode = i18n.do_translate(parser, token)
    is_plain = not (node.noop or node.asvar or node.message_context)
    return ConstantText(node) if is_plain and _is_constant(node.filter_expression) else node


def _is_constant(text: FilterExpression) -> bool:
    return not text.filters and not (isinstance(text.var, Variable) and text.var.lookups)
