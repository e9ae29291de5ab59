"""llguidance behind the harness: the bindings' own entry points, the slices it recommends for JSON.

It tokenizes what a grammar forces, so it is given the vocabulary's own pre-tokenization; the ranks of
byte-level BPE vocabularies are their ids.
"""

import re

import llguidance
import numpy as np
from importlib.metadata import version

from harness import Refused, main


class Engine:
    name = "llguidance"

    def __init__(self, vocabulary):
        self.version = version("llguidance")
        special = set(vocabulary.special) | set(vocabulary.eos)
        tokens = enumerate(vocabulary.tokens)
        self.tokenizer = llguidance.LLTokenizer.from_tiktoken(
            encoder={token: rank for rank, token in tokens if rank not in special and token},
            special_tokens={f"<|special_{rank}|>": rank for rank in sorted(special)},
            pattern=vocabulary.pattern or r"[\s\S]+",
            eos_token=list(vocabulary.eos),
            n_vocab=vocabulary.width,
            slices=llguidance.LLTokenizer.json_slices(),
        )
        self.row = np.zeros(vocabulary.row_words, dtype=np.int32)
        self.address = self.row.ctypes.data
        self.size = self.row.nbytes

    def compile(self, schema):
        try:
            grammar = llguidance.LLMatcher.grammar_from_json_schema(schema)
        except ValueError as error:
            raise Refused(str(error)) from None
        matcher = llguidance.LLMatcher(self.tokenizer, grammar, log_level=0)
        if matcher.is_error():
            raise Refused(matcher.get_error())
        return matcher

    def matcher(self, compiled):
        return compiled

    def start(self, fresh, compiled):
        return fresh.deep_copy()

    def fill_mask(self, matcher):
        matcher.unsafe_compute_mask_ptr(self.address, self.size)

    def accept(self, matcher, token):
        return matcher.consume_token(token)

    def accepts_end(self, matcher):
        return matcher.is_accepting()

    def trivial_call(self, matcher):
        return matcher.is_error

    def keyword(self, message):
        named = re.search(r"Unimplemented keys: \[\"([^\"]*)\"", message) or re.search(
            r"(oneOf|allOf|anyOf|not|format|pattern|uniqueItems|patternProperties|\$ref)", message
        )
        return named.group(1) if named else "other"


main(Engine)
