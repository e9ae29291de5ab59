// The matcher: one sequence's cursor.
//
// All it holds is the current state (a value) and the history; everything costly lives beside the
// grammar and is shared. A token is accepted by stepping its bytes. The questions that do not move
// the cursor (is_allowed, explain) probe instead, so that asking leaves nothing behind.
//
// A mask comes from the memo of masks when its state has been met before, else it is built and
// remembered; see mask_builder.cpp. Over vocabularies in which some byte is no token by itself,
// tokens after which no sequence of tokens completes the text are removed; see token_liveness.cpp.
// The three ways to ask about a token (mask, is_allowed, accept) apply the same rule and agree.

#include "espalier/matcher.h"

#include <algorithm>
#include <unordered_set>

#include "engine/generation/completable_tokens.h"
#include "engine/generation/forced.h"
#include "engine/generation/history.h"
#include "engine/grammars/grammar_store.h"
#include "engine/hash.h"
#include "engine/mask_bits.h"
#include "engine/masks/mask_builder.h"
#include "engine/tokens/segmentation.h"
#include "engine/tokens/token_trie.h"
#include "grammar/recognizer.h"

namespace espalier {

namespace {

/// Working space that the matchers of a thread share, so that a matcher is small.
struct ThreadScratch {
  MaskScratch mask;
  std::vector<MaskWord> row;
};
ThreadScratch& scratch() {
  thread_local ThreadScratch space;
  return space;
}

/// What a matcher and its clones have in common.
struct Context {
  Context(std::shared_ptr<const Grammar> grammar_in,
          std::shared_ptr<const Vocabulary> vocabulary_in, const MatcherOptions& options_in,
          std::shared_ptr<GrammarStore> store_in)
      : grammar(std::move(grammar_in)),
        vocabulary(std::move(vocabulary_in)),
        options(options_in),
        store(std::move(store_in)),
        caches(options.use_caches ? store->caches(*vocabulary)
                                  : std::shared_ptr<VocabularyCaches>()),
        start(store->recognizer().start()),
        filtered(TokenLiveness::needed(*vocabulary)) {}

  const std::shared_ptr<const Grammar> grammar;
  const std::shared_ptr<const Vocabulary> vocabulary;
  const MatcherOptions options;
  const std::shared_ptr<GrammarStore> store;
  const std::shared_ptr<VocabularyCaches> caches;  ///< null when nothing is to be memoized
  const State start;
  const bool filtered;
};

/// What keep_completable found: tokens of a state are completed by these texts.
struct Kept {
  State state;
  std::vector<CompletingText> texts;
};

}  // namespace

struct Matcher::Impl {
  explicit Impl(std::shared_ptr<const Context> context_in) : context(std::move(context_in)) {
    bind();
  }
  Impl(const Impl&) = default;

  void bind() {
    recognizer = &context->store->recognizer();
    vocabulary = context->vocabulary.get();
    caches = context->caches.get();
    filtered = context->filtered;
  }

  State state() const { return history.last() == nullptr ? context->start : history.last()->state; }
  bool terminated() const { return history.last() != nullptr && history.last()->terminated; }
  bool accepting() const { return !terminated() && recognizer->accepting(state()); }

  bool is_ordinary(TokenId token) const {
    return token >= 0 && static_cast<size_t>(token) < vocabulary->size() &&
           !vocabulary->is_special(token) && !vocabulary->bytes(token).empty();
  }
  bool is_eos(TokenId token) const {
    const auto ids = vocabulary->eos_ids();
    return std::find(ids.begin(), ids.end(), token) != ids.end();
  }

  State step_bytes(State s, std::string_view bytes) const {
    for (const char c : bytes) {
      s = recognizer->step(s, static_cast<uint8_t>(c));
      if (s.dead()) break;
    }
    return s;
  }
  State probe_bytes(State s, std::string_view bytes) const {
    for (const char c : bytes) {
      if (s.dead()) break;
      s = recognizer->probe(s, static_cast<uint8_t>(c));
    }
    return s;
  }

  /// Calls `ask` with what is known of completions in tokens.
  template <typename Ask>
  auto ask_liveness(const Ask& ask) const {
    if (caches != nullptr) return ask(caches->liveness);
    TokenLiveness fresh;
    return ask(fresh);
  }

  bool token_live(State s) const {
    if (!filtered) return true;
    return ask_liveness(
        [&](TokenLiveness& liveness) { return liveness.live(*recognizer, *vocabulary, s); });
  }

  /// The state after an ordinary token, dead when it is not allowed.
  State after_token(State s, TokenId token) const {
    const State next = step_bytes(s, vocabulary->bytes(token));
    return !next.dead() && token_live(next) ? next : State();
  }

  bool allowed(State s, TokenId token) const {
    const State looked = probe_bytes(s, vocabulary->bytes(token));
    if (looked.dead()) return false;
    return !(filtered || looked.doubtful()) || !after_token(s, token).dead();
  }

  Status rejected(TokenId token) const {
    if (const Status status = recognizer->status(); !status.ok()) return status;
    return Status(StatusCode::kRejected,
                  "Token " + std::to_string(token) + " is not allowed in this state.");
  }

  /// Writes all of `row` and `unknown`: the mask of s. Without a row for them, unknown tokens are
  /// judged. False when it was remembered.
  bool fill(State s, std::span<MaskWord> row, std::span<MaskWord> unknown = {}) const {
    std::fill(unknown.begin(), unknown.end(), 0);
    const auto bits = row.first(vocabulary->row_words());
    std::fill(row.begin() + static_cast<ptrdiff_t>(bits.size()), row.end(), 0);
    State key = filtered || caches == nullptr
                    ? s
                    : recognizer->representative(s, ContentIndex::of(*vocabulary)->name_heads());
    if (caches != nullptr && caches->masks.fill(key, bits)) return false;
    MaskScratch& space = scratch().mask;
    build_mask(*recognizer, *vocabulary, key, caches != nullptr ? &caches->suffixes : nullptr,
               &space, bits);
    if (!space.doubtful.empty()) {
      settle_doubts(*recognizer, *vocabulary, s, &space, bits);
      key = s;
    }
    if (filtered) drop_dead_ends(s, bits);
    bool complete = true;
    if (!space.unknown.empty()) {
      for_each_mask_bit(space.unknown, [&](TokenId token) {
        if (unknown.empty() && allowed(s, token)) {
          set_mask_bit(bits, token);
          space.parts.tokens.push_back(token);
        } else if (!unknown.empty()) {
          set_mask_bit(unknown, token);
          complete = false;
        }
        return true;
      });
    }
    if (recognizer->accepting(s)) {
      for (const TokenId eos : vocabulary->eos_ids()) {
        set_mask_bit(bits, eos);
        space.parts.tokens.push_back(eos);
      }
    }
    if (complete && caches != nullptr && recognizer->status().ok()) {
      caches->masks.insert(key, space.parts, bits);
    }
    return true;
  }

  void drop_dead_ends(State s, std::span<MaskWord> bits) const {
    std::vector<TokenId> kept;
    for_each_mask_bit(bits, [&](TokenId token) {
      if (!after_token(s, token).dead()) kept.push_back(token);
      return true;
    });
    std::fill(bits.begin(), bits.end(), 0);
    for (const TokenId token : kept) set_mask_bit(bits, token);
    scratch().mask.parts.clear();
    scratch().mask.parts.tokens = std::move(kept);
  }

  /// The state in which a completion is asked for, `first` having been read; terminated states and
  /// the end of sequence need nothing more.
  struct Start {
    State state;
    bool finished = false;
  };
  Result<Start> completion_start(TokenId first) const {
    if (first < 0) return Start{state(), terminated()};
    if (terminated()) return rejected(first);
    if (is_eos(first)) return accepting() ? Result<Start>(Start{state(), true}) : rejected(first);
    if (!is_ordinary(first)) return rejected(first);
    const State next = after_token(state(), first);
    return next.dead() ? Result<Start>(rejected(first)) : Result<Start>(Start{next, false});
  }
  Result<std::vector<TokenId>> complete(State s, size_t max_tokens) const {
    return ask_liveness([&](TokenLiveness& liveness) {
      return liveness.completion(*recognizer, *vocabulary, s, max_tokens);
    });
  }

  /// Did keep_completable keep `token`, which leads to `next`, by one of its texts? Then it is
  /// remembered how `next` is completed.
  bool was_kept(TokenId token, State next, size_t tokens) const {
    if (kept == nullptr || kept->state != state()) return false;
    const auto completes = [&](const CompletingText& text, size_t skipped) {
      if (text.tokens[skipped] > tokens) return false;
      const std::string_view rest = std::string_view(text.bytes).substr(skipped);
      const State end = step_bytes(next, rest);
      if (end.dead() || !recognizer->accepting(end)) return false;
      ask_liveness([&](TokenLiveness& liveness) {
        liveness.remember_path(*recognizer, *vocabulary, next,
                               *shortest_segmentation(vocabulary->trie(), rest));
      });
      return true;
    };
    const CompletingText& own = kept->texts.front();
    return completes(own, std::min(vocabulary->bytes(token).size(), own.bytes.size())) ||
           std::any_of(kept->texts.begin(), kept->texts.end(),
                       [&](const CompletingText& text) { return completes(text, 0); });
  }

  std::shared_ptr<const Context> context;
  Recognizer* recognizer;  ///< these four are the context's
  const Vocabulary* vocabulary;
  VocabularyCaches* caches;
  bool filtered;
  History history;
  std::shared_ptr<const Kept> kept;  ///< of the last state that keep_completable was asked in
};

Matcher::Matcher(std::shared_ptr<const Grammar> grammar,
                 std::shared_ptr<const Vocabulary> vocabulary, const MatcherOptions& options)
    : impl_(std::make_unique<Impl>(std::make_shared<const Context>(grammar, std::move(vocabulary),
                                                                   options, grammar->store()))) {}

Matcher::~Matcher() = default;
Matcher::Matcher(Matcher&&) noexcept = default;
Matcher& Matcher::operator=(Matcher&&) noexcept = default;
Matcher::Matcher(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}

Matcher Matcher::clone() const { return Matcher(std::make_unique<Impl>(*impl_)); }

Status Matcher::fill_mask(std::span<int32_t> row) { return fill_mask(row, {}); }

Status Matcher::fill_mask(std::span<int32_t> row, std::span<int32_t> unknown) {
  const size_t words = impl_->vocabulary->row_words();
  const size_t given = unknown.empty() ? row.size() : std::min(row.size(), unknown.size());
  if (given < words) {
    return Status(StatusCode::kInvalidArgument,
                  "The mask row has " + std::to_string(given) + " words, the vocabulary needs " +
                      std::to_string(words) + ".",
                  "row");
  }
  const std::span<MaskWord> bits = as_mask_words(row);
  const std::span<MaskWord> open = as_mask_words(unknown);
  if (impl_->terminated()) {
    std::fill(bits.begin(), bits.end(), 0);
    std::fill(open.begin(), open.end(), 0);
    return Status();
  }
  impl_->fill(impl_->state(), bits, open);
  Status status = impl_->recognizer->status();
  if (!status.ok()) {
    std::fill(bits.begin(), bits.end(), 0);
    std::fill(open.begin(), open.end(), 0);
  }
  return status;
}

size_t Matcher::prefetch(const PrefetchOptions& options) const {
  if (impl_->terminated() || impl_->caches == nullptr) return 0;
  std::vector<MaskWord>& row = scratch().row;
  row.resize(impl_->vocabulary->row_words());
  size_t made = 0;
  std::unordered_set<State, StateHash> seen;
  const auto make = [&](State s) {
    if (!seen.insert(s).second) return true;
    if (made >= options.max_masks || options.stop.stop_requested()) return false;
    made += impl_->fill(s, row) ? 1 : 0;
    return true;
  };
  const State here = impl_->state();
  // A mask that is new lists the tokens that leave its leaf; where it is not, the next ones rarely
  // are.
  scratch().mask.parts.clear();
  if (!make(here)) return made;
  std::vector<TokenId> leaving;
  scratch().mask.parts.for_each_addition([&](TokenId token) { leaving.push_back(token); });
  const auto after = [&](State s, TokenId token) {
    return impl_->is_ordinary(token) ? impl_->after_token(s, token) : State();
  };
  if (options.likely.empty()) {
    State s = here;
    const std::vector<TokenId> forced = certain_tokens(*impl_->recognizer, *impl_->vocabulary,
                                                       find_forced_bytes(*impl_->recognizer, here));
    for (const TokenId token : forced) {
      s = after(s, token);
      if (s.dead() || !make(s)) return made;
    }
    if (!forced.empty()) return made;
  }
  for (const TokenId token :
       options.likely.empty() ? std::span<const TokenId>(leaving) : options.likely) {
    const State s = after(here, token);
    if (!s.dead() && !make(s)) break;
  }
  return made;
}

bool Matcher::is_allowed(TokenId token) {
  if (impl_->terminated()) return false;
  if (impl_->is_ordinary(token)) return impl_->allowed(impl_->state(), token);
  return impl_->is_eos(token) && impl_->accepting();
}

Status Matcher::accept(TokenId token) {
  if (token < 0 || static_cast<size_t>(token) >= impl_->vocabulary->width()) {
    return Status(StatusCode::kInvalidArgument,
                  "Token " + std::to_string(token) + " is outside of the vocabulary.", "token");
  }
  if (impl_->terminated()) {
    return Status(StatusCode::kRejected, "The sequence has ended.");
  }
  if (!impl_->is_ordinary(token)) {
    if (!impl_->is_eos(token) || !impl_->accepting()) return impl_->rejected(token);
    impl_->history.push(impl_->state(), token, true);
    return Status();
  }
  const State next = impl_->after_token(impl_->state(), token);
  if (next.dead()) return impl_->rejected(token);
  impl_->history.push(next, token, false);
  return Status();
}

size_t Matcher::accept_n(std::span<const TokenId> tokens) {
  size_t count = 0;
  while (count < tokens.size() && accept(tokens[count]).ok()) ++count;
  return count;
}

size_t Matcher::validate(std::span<const TokenId> tokens) {
  if (impl_->terminated()) return 0;
  State s = impl_->state();
  for (size_t i = 0; i < tokens.size(); ++i) {
    if (!impl_->is_ordinary(tokens[i])) {
      return i + (impl_->is_eos(tokens[i]) && impl_->recognizer->accepting(s) ? 1 : 0);
    }
    s = impl_->after_token(s, tokens[i]);
    if (s.dead()) return i;
  }
  return tokens.size();
}

Status Matcher::accept_bytes(std::string_view bytes) {
  if (impl_->terminated()) return Status(StatusCode::kRejected, "The sequence has ended.");
  State s = impl_->state();
  for (size_t i = 0; i < bytes.size(); ++i) {
    s = impl_->recognizer->step(s, static_cast<uint8_t>(bytes[i]));
    if (!s.dead()) continue;
    if (const Status status = impl_->recognizer->status(); !status.ok()) return status;
    return Status(StatusCode::kRejected, "The byte is not allowed here.",
                  "byte " + std::to_string(i));
  }
  impl_->history.push_raw(s, std::string(bytes));
  return Status();
}

Status Matcher::rollback(size_t n) {
  if (n > num_accepted()) {
    return Status(StatusCode::kInvalidArgument,
                  "Cannot undo " + std::to_string(n) + " of " + std::to_string(num_accepted()) +
                      " accepted tokens.",
                  "n");
  }
  impl_->history.pop(static_cast<uint32_t>(n));
  return Status();
}

void Matcher::reset() {
  impl_->history.clear();
  const Context& old = *impl_->context;
  if (auto store = old.grammar->store(); store != old.store) {
    impl_->context =
        std::make_shared<const Context>(old.grammar, old.vocabulary, old.options, std::move(store));
    impl_->bind();
  }
}

size_t Matcher::num_accepted() const { return impl_->history.depth(); }
bool Matcher::is_accepting() { return impl_->accepting(); }
bool Matcher::is_terminated() const { return impl_->terminated(); }

bool Matcher::is_stuck() {
  if (impl_->terminated() || impl_->accepting()) return false;
  std::vector<MaskWord>& row = scratch().row;
  row.resize(impl_->vocabulary->row_words());
  impl_->fill(impl_->state(), row);
  return std::all_of(row.begin(), row.end(), [](MaskWord word) { return word == 0; });
}

std::string Matcher::forced_bytes() {
  if (impl_->terminated()) return std::string();
  return find_forced_bytes(*impl_->recognizer, impl_->state()).bytes;
}

std::vector<TokenId> Matcher::forced_tokens() {
  if (impl_->terminated()) return {};
  const ForcedText forced = find_forced_bytes(*impl_->recognizer, impl_->state());
  std::vector<TokenId> tokens = certain_tokens(*impl_->recognizer, *impl_->vocabulary, forced);
  tokens.resize(validate(tokens));
  return tokens;
}

std::string Matcher::text() const {
  std::vector<std::string_view> pieces;
  pieces.reserve(impl_->history.depth());
  size_t length = 0;
  impl_->history.for_each_backwards([&](const History::Entry& entry, std::string_view raw) {
    if (entry.terminated) return;
    pieces.push_back(entry.token == History::kRaw ? raw : impl_->vocabulary->bytes(entry.token));
    length += pieces.back().size();
  });
  std::string text;
  text.reserve(length);
  for (auto piece = pieces.rbegin(); piece != pieces.rend(); ++piece) text += *piece;
  return text;
}

std::array<uint32_t, 4> Matcher::state_key() const {
  if (impl_->terminated()) return {};
  const State s = impl_->state();
  return {s.frame, s.leaf, s.state, s.text};
}

Refusal Matcher::explain(TokenId token) {
  Refusal refusal;
  refusal.keyword = "syntax";
  if (impl_->terminated()) {
    refusal.sentence = "The sequence has ended.";
    return refusal;
  }
  if (!impl_->is_ordinary(token)) {
    if (!impl_->is_eos(token)) {
      refusal.sentence =
          "Token " + std::to_string(token) + " is special or unused and spells no text.";
    } else if (!impl_->accepting()) {
      refusal.sentence = "The text is not complete here.";
    } else {
      refusal.keyword.clear();
    }
    return refusal;
  }
  const std::string_view bytes = impl_->vocabulary->bytes(token);
  State s = impl_->state();
  for (size_t i = 0; i < bytes.size(); ++i) {
    const auto byte = static_cast<uint8_t>(bytes[i]);
    const State next = impl_->recognizer->step(s, byte);
    if (next.dead()) {
      Explanation why =
          impl_->recognizer->explain(s, text() + std::string(bytes.substr(0, i)), byte);
      return Refusal{std::move(why.instance_path), std::move(why.schema_pointer),
                     std::move(why.keyword), std::move(why.sentence), i};
    }
    s = next;
  }
  if (!impl_->token_live(s)) {
    refusal.keyword = "vocabulary";
    refusal.sentence = "No sequence of tokens completes the text after this token.";
    refusal.byte_offset = bytes.size() - 1;
    return refusal;
  }
  refusal.keyword.clear();
  return refusal;
}

Result<size_t> Matcher::tokens_to_complete(TokenId first) {
  const auto start = impl_->completion_start(first);
  if (!start.ok()) return start.status();
  if (start->finished) return size_t{0};
  return impl_->ask_liveness([&](TokenLiveness& liveness) {
    return liveness.fewest(*impl_->recognizer, *impl_->vocabulary, start->state);
  });
}

bool Matcher::completes_within(TokenId first, size_t tokens) {
  const auto start = impl_->completion_start(first);
  if (!start.ok()) return false;
  if (start->finished) return true;
  const bool within = impl_->ask_liveness([&](TokenLiveness& liveness) {
    return liveness.completes_within(*impl_->recognizer, *impl_->vocabulary, start->state, tokens);
  });
  return within || (impl_->is_ordinary(first) && impl_->was_kept(first, start->state, tokens));
}

void Matcher::keep_completable(std::span<int32_t> row, size_t tokens) {
  if (impl_->terminated()) return;
  impl_->ask_liveness([&](TokenLiveness& liveness) {
    const State state = impl_->state();
    CompletableTokens completable(impl_->recognizer, impl_->vocabulary, &liveness, state);
    completable.keep(as_mask_words(row).first(impl_->vocabulary->row_words()), tokens);
    impl_->kept = std::make_shared<const Kept>(Kept{state, std::move(completable).take_texts()});
  });
}

bool Matcher::completes_with(TokenId first, std::string_view text) {
  if (impl_->terminated()) return first < 0 && text.empty();
  if (first >= 0 && !impl_->is_ordinary(first)) return false;
  const std::string_view head = first >= 0 ? impl_->vocabulary->bytes(first) : std::string_view();
  State s = impl_->probe_bytes(impl_->probe_bytes(impl_->state(), head), text);
  if (s.doubtful()) s = impl_->step_bytes(impl_->step_bytes(impl_->state(), head), text);
  return !s.dead() && impl_->recognizer->accepting(s);
}

Result<std::vector<TokenId>> Matcher::completion(size_t max_tokens) {
  if (impl_->terminated()) return std::vector<TokenId>();
  return impl_->complete(impl_->state(), max_tokens);
}

Status Matcher::status() const { return impl_->recognizer->status(); }
const Vocabulary& Matcher::vocabulary() const { return *impl_->vocabulary; }
const Grammar& Matcher::grammar() const { return *impl_->context->grammar; }

size_t Matcher::memory_bytes() const {
  return sizeof *this + sizeof(Impl) + sizeof(Context) + impl_->history.memory_bytes();
}

}  // namespace espalier
