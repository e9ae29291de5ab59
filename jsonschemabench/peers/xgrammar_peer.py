"""XGrammar behind the harness: masks on demand, extra properties as the schema says, one thread."""

from importlib.metadata import version

import numpy as np
import xgrammar

from harness import Refused, main

CACHE_BYTES = 2 << 30  # with masks on demand the compiler's cache knows no limit of its own


class Engine:
    name = "xgrammar"

    def __init__(self, vocabulary):
        self.version = version("xgrammar")
        tokenizer = xgrammar.TokenizerInfo(
            vocabulary.tokens,
            xgrammar.VocabType.RAW,
            vocab_size=vocabulary.width,
            stop_token_ids=list(vocabulary.eos),
        )
        self.eos = vocabulary.eos[0]
        self.compiler = xgrammar.GrammarCompiler(
            tokenizer, max_threads=1, enable_dynamic_compilation=True
        )
        self.rows = xgrammar.allocate_token_bitmask(1, vocabulary.width)
        self.row = self.rows.numpy()[0]

    def compile(self, schema):
        try:
            return self.compiler.compile_json_schema(schema, strict_mode=False)
        except Exception as error:
            raise Refused(str(error)) from None

    def matcher(self, compiled):
        return xgrammar.GrammarMatcher(compiled)

    def start(self, fresh, compiled):
        fresh.reset()
        if self.compiler.get_cache_size_bytes() > CACHE_BYTES:
            self.compiler.clear_cache()
        return fresh

    def fill_mask(self, matcher):
        if not matcher.fill_next_token_bitmask(self.rows):
            self.rows.fill_(-1)  # "no need to apply": everything is allowed

    def accept(self, matcher, token):
        return matcher.accept_token(token)

    def accepts_end(self, matcher):
        return matcher.accept_token(self.eos)

    def trivial_call(self, matcher):
        return matcher.is_terminated

    def keyword(self, message):
        return "other"


main(Engine)
