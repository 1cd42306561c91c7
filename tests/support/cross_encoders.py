"""Tiny cross-encoders with random weights, made where they are needed: the adapter's real path, without a download."""

import os
import string
from collections.abc import Sequence
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from tests.support.environment import real_part_missing

SPECIAL = ("[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]")
LETTERS = string.ascii_lowercase + string.digits
MAX_LENGTH = 64
# Texts that a batch, a tokenizer or a length may treat unlike others.
LONG = [" ".join(f"{word} {n}" for n in range(90)) for word in ("salary", "budget", "audit")]
# Around every power of two a batched implementation changes its shape.
LENGTHS = [" ".join(["p"] * n) for n in (1, 2, 7, 8, 9, 15, 16, 17, 30, 31, 32, 33, 50, 60, 64, 300)]
PASSAGES = [
    "Staff are entitled to 25 days of paid holiday a year.",
    "The valve of the cooling pump is made of stainless steel.",
    "Grüße aus Zürich: Ferien gibt es ab dem ersten Tag.",
    "休暇は年に二十五日です。",
    "",
    " \n\t ",
    "a\x00b \ud800 [SEP] [PAD]",
    *LONG,
    *LENGTHS,
]


def sentence_transformers_needed() -> None:
    """Skip with a reason where the extra is not installed; fail instead under CLEARANCE_REQUIRE_REAL=1."""
    if find_spec("sentence_transformers") is None:
        real_part_missing("the sentence-transformers extra is not installed (requirements-torch.txt)")
    # Read when the libraries are imported: no test phones home.
    os.environ["HF_HUB_DISABLE_TELEMETRY"] = "1"


def made_in(
    folder: Path, *, seed: int = 1, outputs: int = 1, headless: bool = False, labels: Sequence[str] = ()
) -> str:
    """The folder with a model of two layers that reads letters; `outputs` numbers a pair, or one for each label."""
    sentence_transformers_needed()
    import torch  # noqa: PLC0415  # an extra
    import transformers  # noqa: PLC0415

    transformers.utils.logging.disable_progress_bar()
    torch.manual_seed(seed)
    config = transformers.BertConfig(
        vocab_size=len(SPECIAL) + 2 * len(LETTERS),
        hidden_size=32,
        num_hidden_layers=2,
        num_attention_heads=4,
        intermediate_size=64,
        max_position_embeddings=MAX_LENGTH,
        **({"id2label": dict(enumerate(labels))} if labels else {"num_labels": outputs}),
        # Far from the usual .02, with which all pairs would have nearly one score.
        initializer_range=0.5,
    )
    kind = transformers.BertModel if headless else transformers.BertForSequenceClassification
    kind(config).save_pretrained(folder)
    _tokenizer().save_pretrained(folder)
    return str(folder)


def _tokenizer() -> Any:
    import transformers  # noqa: PLC0415  # an extra
    from tokenizers import Tokenizer, models, normalizers, pre_tokenizers, processors  # noqa: PLC0415

    words = [*SPECIAL, *LETTERS, *(f"##{letter}" for letter in LETTERS)]
    reads = Tokenizer(models.WordPiece({word: n for n, word in enumerate(words)}, unk_token="[UNK]"))
    reads.normalizer = normalizers.BertNormalizer()
    reads.pre_tokenizer = pre_tokenizers.BertPreTokenizer()
    reads.post_processor = processors.BertProcessing(("[SEP]", 3), ("[CLS]", 2))
    return transformers.PreTrainedTokenizerFast(
        tokenizer_object=reads,
        pad_token="[PAD]",
        unk_token="[UNK]",
        cls_token="[CLS]",
        sep_token="[SEP]",
        mask_token="[MASK]",
        model_max_length=MAX_LENGTH,
        model_input_names=["input_ids", "token_type_ids", "attention_mask"],
    )
