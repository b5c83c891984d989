"""The local provider: sentence vectors and extractive answers on one machine, without a network.

Owns the model process (`python -m apps.elyza.server`), the only process that loads ONNX Runtime and the
tokenizer; the encoder graph it exports once from the published weights; the model-free vectors for
installations without the `ai` requirements; and the answerer, which picks sentences from passages it is
given.

Public: `services.encoder` (`embed_query`, `embed_bulk`, `score_sentences`, `find_health` and their async
twins), `services.answers` (`answer_from_passages`), `types`, `errors`. Events out: none. Nothing here reads
or writes the database.

`encoding`, `protocol` and `server` import no Django: the model process stays small until it has loaded the
model.
"""
