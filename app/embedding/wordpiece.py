"""The tokenizer of all-MiniLM-L6-v2: token ids for the model, counts and spans for the splitter."""

from tokenizers import Tokenizer

from app.embedding.protocol import UnusableWeights

# The model card's max_seq_length: [CLS], 254 tokens, [SEP].
MAX_SEQUENCE = 256


class WordPiece:
    """A `tokenizer.json` with its own padding and truncation switched off; safe to call from several threads."""

    max_tokens = MAX_SEQUENCE - 2

    def __init__(self, tokenizer_json: bytes) -> None:
        self._tokenizer = Tokenizer.from_buffer(tokenizer_json)
        # The official file pads and truncates everything to 128; the model's own limit is 256.
        self._tokenizer.no_padding()
        self._tokenizer.no_truncation()
        first, last = self._tokenizer.token_to_id("[CLS]"), self._tokenizer.token_to_id("[SEP]")
        if first is None or last is None:
            raise UnusableWeights("the tokenizer lacks [CLS] or [SEP]")
        self._first, self._last = first, last

    def ids(self, text: str) -> list[int]:
        """Input ids with [CLS] and [SEP], at most `MAX_SEQUENCE`: tokens beyond 254 are cut off."""
        inner = self._tokenizer.encode(encodable(text), add_special_tokens=False).ids[: self.max_tokens]
        return [self._first, *inner, self._last]

    def count(self, text: str) -> int:
        """Number of tokens in `text`, special tokens not counted, nothing cut off."""
        return len(self._tokenizer.encode(encodable(text), add_special_tokens=False).ids)

    def spans(self, text: str) -> list[tuple[int, int]]:
        """(start, end) of each token in characters of `text`, ascending."""
        return list(self._tokenizer.encode(encodable(text), add_special_tokens=False).offsets)


def encodable(text: str) -> str:
    """`text` with lone surrogates, which UTF-8 cannot carry, replaced one for one, so that spans stay true."""
    return text.encode("utf-8", "replace").decode("utf-8")
