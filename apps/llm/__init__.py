"""The model gateway: one door to language models, with budget, ledger and a ladder that never ends in
nothing.

Owns the provider protocol and the OpenAI-compatible client, the usage ledger (`UsageEntry`) and the budget of
an organization's day. Which model answers, and where it is, is the operator's setting (`CHATSYSTEM_LLM_*`);
nobody else can name an address.

Public: `services.gateway.complete_stream` (one model call, streamed), `services.ladder.answer_stream` (model,
else extract), `services.embedding.embed`, `services.registry` (what lower rungs register with),
`selectors.usage`, `types`, `errors`. Events out: none.
"""
