// One token under a potential: what the methods share.
//
// prepare asks the potential what it knows and makes rows of the tokens that may be drawn: those
// surely allowed (`known`), those to be tested (`open`), or for methods that test everything both
// in one. Special ids spell no text and are never drawn. draw puts the exclusions of the draw
// before it back, then runs the method.
//
// With a proposal q the method runs on q, which gives E[w 1{i}] = q_i c_i, and the weight is
// multiplied by p_i / q_i. With logits the weight is divided by the sum over all tokens.

#include "espalier/step_sampler.h"

#include <algorithm>
#include <cmath>
#include <optional>
#include <utility>
#include <vector>

#include "engine/mask_bits.h"
#include "engine/sampling/awrs.h"
#include "engine/sampling/chance.h"
#include "engine/sampling/evaluator.h"
#include "engine/sampling/token_row.h"

namespace espalier {
namespace {

constexpr double kMinusInfinity = -std::numeric_limits<double>::infinity();

Random open_stream(const StreamKey& key) {
  const uint64_t sequence = mix64(key.seed + kGoldenGamma) + key.sequence;
  return Random(mix64(sequence + kGoldenGamma) + key.step);
}

bool is_adaptive(StepMethod method) {
  return method == StepMethod::kAwrs || method == StepMethod::kAwrsGeometric ||
         method == StepMethod::kAwrsTwoLoop || method == StepMethod::kAwrsWithReplacement;
}

bool any(std::span<const MaskWord> words) {
  return std::any_of(words.begin(), words.end(), [](MaskWord word) { return word != 0; });
}

/// Ids that may ever be drawn: ordinary tokens and ends of sequence.
std::vector<MaskWord> drawable(const Vocabulary& vocabulary) {
  std::vector<MaskWord> words(vocabulary.row_words(), 0);
  for (TokenId id = 0; id < static_cast<TokenId>(vocabulary.size()); ++id) {
    if (!vocabulary.is_special(id) && !vocabulary.bytes(id).empty()) set_mask_bit(words, id);
  }
  for (const TokenId eos : vocabulary.eos_ids()) set_mask_bit(words, eos);
  return words;
}

}  // namespace

std::string_view to_string(StepMethod method) {
  switch (method) {
    case StepMethod::kAuto:
      return "auto";
    case StepMethod::kLocal:
      return "local";
    case StepMethod::kNormalizer:
      return "normalizer";
    case StepMethod::kThreeValued:
      return "three-valued";
    case StepMethod::kAwrs:
      return "awrs";
    case StepMethod::kAwrsGeometric:
      return "awrs-geometric";
    case StepMethod::kAwrsTwoLoop:
      return "awrs-two-loop";
    case StepMethod::kAwrsWithReplacement:
      return "awrs-with-replacement";
  }
  return "";
}

std::string_view to_string(StepOutcome outcome) {
  switch (outcome) {
    case StepOutcome::kAccepted:
      return "accepted";
    case StepOutcome::kRejected:
      return "rejected";
    case StepOutcome::kNoSupport:
      return "no_support";
    case StepOutcome::kBudget:
      return "budget";
    case StepOutcome::kFailed:
      return "failed";
  }
  return "";
}

struct StepSampler::Impl {
  explicit Impl(const StepOptions& options_in) : options(options_in) {}

  Status check(std::span<const float> proposal) const {
    const auto invalid = [](const char* message, const char* place) {
      return Status(StatusCode::kInvalidArgument, message, place);
    };
    if (options.max_accepts < 2) return invalid("At least two accepts are needed.", "max_accepts");
    if (options.max_rejects == 0) return invalid("The bound must be positive.", "max_rejects");
    if (options.method == StepMethod::kAwrsTwoLoop && options.max_rejects != kUnlimited) {
      return invalid("The two-loop estimator has no bound on refusals.", "max_rejects");
    }
    const size_t width = cursor->vocabulary().width();
    if (row.size() != width || (!proposal.empty() && proposal.size() != width)) {
      return invalid("A row has not the vocabulary's width.", "row");
    }
    return Status();
  }

  Status prepare(PotentialCursor* cursor_in, std::span<const float> row_in,
                 std::span<const float> proposal) {
    cursor = cursor_in;
    row = row_in;
    has_proposal = !proposal.empty();
    draws = has_proposal ? proposal : row;
    normalizer.reset();
    knowledge = Knowledge::kNone;
    if (Status bad = check(proposal); !bad.ok()) return bad;
    if (Status bad = ask(); !bad.ok()) return bad;
    choose_method();
    if (has_proposal) {
      if (Status bad = scratch.start(row, base); !bad.ok()) return bad;
      drop_impossible(known_words);
      drop_impossible(open_words);
    }
    // Each entry is read once: the larger row checks what neither supports.
    const bool any_open = any(open_words);
    known.clear();
    open.clear();
    if (!any_open || any(known_words)) {
      const auto unsupported = any_open ? Unsupported::kSkip : Unsupported::kCheck;
      if (Status bad = known.start(draws, known_words, unsupported); !bad.ok()) return bad;
    }
    if (any_open) {
      if (Status bad = open.start(draws, open_words); !bad.ok()) return bad;
    }
    return scale();
  }

  /// The log of what weights are divided by.
  Status scale() {
    log_scale = 0;
    if (options.row == RowKind::kLogProbabilities) return Status();
    // With a proposal nothing of the row is summed yet, else all but the tokens not drawn from.
    rest.assign(base.size(), ~MaskWord{0});
    for (size_t i = 0; i < rest.size() && !has_proposal; ++i) {
      rest[i] = ~(known_words[i] | open_words[i]);
    }
    if (const size_t tail = row.size() % 32; tail != 0) rest.back() &= (MaskWord{1} << tail) - 1;
    log_scale = has_proposal ? kMinusInfinity : log_add(known.log_total(), open.log_total());
    if (any(rest)) {
      if (Status bad = scratch.start(row, rest, Unsupported::kSkip); !bad.ok()) return bad;
      log_scale = log_add(log_scale, scratch.log_total());
    }
    if (std::isinf(log_scale)) log_scale = 0;
    return Status();
  }

  /// Fills the rows of what may be drawn.
  Status ask() {
    const Vocabulary& vocabulary = cursor->vocabulary();
    if (base_uid != vocabulary.uid()) {
      base = drawable(vocabulary);
      base_uid = vocabulary.uid();
    }
    const size_t words = vocabulary.row_words();
    allowed.resize(words);
    unknown.resize(words);
    const Result<Knowledge> found = cursor->fill(allowed, unknown);
    if (!found.ok()) return found.status();
    knowledge = *found;
    known_words.assign(words, 0);
    open_words = base;
    if (knowledge == Knowledge::kNone) return Status();
    for (size_t i = 0; i < words; ++i) {
      known_words[i] = base[i] & static_cast<MaskWord>(allowed[i]);
      open_words[i] = base[i] & static_cast<MaskWord>(unknown[i]);
    }
    return Status();
  }

  void choose_method() {
    method = options.method;
    if (method == StepMethod::kAuto) {
      method = knowledge == Knowledge::kFull      ? StepMethod::kNormalizer
               : knowledge == Knowledge::kPartial ? StepMethod::kThreeValued
                                                  : StepMethod::kAwrs;
    }
    if (is_adaptive(method) && knowledge != Knowledge::kNone) {
      for (size_t i = 0; i < known_words.size(); ++i) {
        open_words[i] |= std::exchange(known_words[i], 0);
      }
    }
  }

  /// Under a proposal, tokens that the model excludes.
  void drop_impossible(std::span<MaskWord> words) const {
    for (size_t i = 0; i < words.size(); ++i) {
      for (MaskWord bits = words[i]; bits != 0; bits &= bits - 1) {
        const size_t token = i * 32 + static_cast<size_t>(std::countr_zero(bits));
        if (!(row[token] > kMinusInfinity)) clear_mask_bit(words, static_cast<TokenId>(token));
      }
    }
  }

  WeightedToken run(Evaluator* evaluator, Chance* chance) {
    const AwrsBounds bounds{options.max_accepts, options.max_rejects};
    switch (method) {
      case StepMethod::kAwrs:
        return awrs_recursive(&open, evaluator, chance, bounds);
      case StepMethod::kAwrsGeometric:
        return awrs_geometric(&open, evaluator, chance, bounds);
      case StepMethod::kAwrsTwoLoop:
        return awrs_two_loop(&open, evaluator, chance);
      case StepMethod::kAwrsWithReplacement:
        return awrs_with_replacement(&open, evaluator, chance, bounds);
      case StepMethod::kThreeValued:
        return draw_three_valued(&known, &open, evaluator, chance, bounds);
      case StepMethod::kLocal:
        return draw_locally(&known, &open, evaluator, chance);
      case StepMethod::kNormalizer:
      case StepMethod::kAuto:
        break;
    }
    return draw_normalized(&known, &open, evaluator, chance);
  }

  StepDraw draw(Chance* chance) {
    StepDraw draw{.method = method, .status = status};
    if (!status.ok()) return draw;
    known.restore();
    open.restore();
    const bool none_open = open.empty();
    Evaluator evaluator(cursor, options);
    const WeightedToken drawn = run(&evaluator, chance);
    draw.token = drawn.token;
    draw.outcome = drawn.outcome;
    draw.constraint_evaluations = evaluator.count();
    if (drawn.outcome == StepOutcome::kFailed) draw.status = cursor->status();
    if (drawn.outcome != StepOutcome::kAccepted) return draw;
    draw.log_weight = drawn.log_weight;
    if (method != StepMethod::kLocal) {
      draw.log_weight -= log_scale;
      if (has_proposal) {
        const auto token = static_cast<size_t>(drawn.token);
        draw.log_weight += static_cast<double>(row[token]) - static_cast<double>(draws[token]);
      }
    }
    draw.exact = !has_proposal &&
                 (method == StepMethod::kLocal || method == StepMethod::kNormalizer || none_open);
    return draw;
  }

  double log_normalizer() {
    if (!normalizer) {
      normalizer = kMinusInfinity;
      if (status.ok() && knowledge == Knowledge::kFull &&
          scratch.start(row, as_mask_words(allowed)).ok()) {
        normalizer = scratch.log_total() - log_scale;
      }
    }
    return *normalizer;
  }

  const StepOptions options;
  PotentialCursor* cursor = nullptr;
  std::span<const float> row;
  std::span<const float> draws;  ///< the proposal if there is one
  bool has_proposal = false;
  Status status{StatusCode::kInvalidArgument, "No step was prepared.", "prepare"};
  Knowledge knowledge = Knowledge::kNone;
  StepMethod method = StepMethod::kAuto;
  double log_scale = 0;
  std::optional<double> normalizer;
  std::vector<int32_t> allowed, unknown;
  uint64_t base_uid = 0;
  std::vector<MaskWord> base, known_words, open_words, rest;
  TokenRow known, open, scratch;
};

StepSampler::StepSampler(const StepOptions& options) : impl_(std::make_unique<Impl>(options)) {}
StepSampler::~StepSampler() = default;
StepSampler::StepSampler(StepSampler&&) noexcept = default;
StepSampler& StepSampler::operator=(StepSampler&&) noexcept = default;

Status StepSampler::prepare(PotentialCursor* cursor, std::span<const float> row,
                            std::span<const float> proposal) {
  return impl_->status = impl_->prepare(cursor, row, proposal);
}
StepDraw StepSampler::draw(const StreamKey& stream) {
  RandomChance chance(open_stream(stream));
  return impl_->draw(&chance);
}
StepDraw StepSampler::draw(Chance* chance) { return impl_->draw(chance); }

Knowledge StepSampler::knowledge() const { return impl_->knowledge; }
std::span<const int32_t> StepSampler::allowed() const {
  if (knowledge() == Knowledge::kNone) return {};
  return impl_->allowed;
}
std::span<const int32_t> StepSampler::unknown() const {
  if (knowledge() == Knowledge::kNone) return {};
  return impl_->unknown;
}
double StepSampler::log_normalizer() const { return impl_->log_normalizer(); }

}  // namespace espalier
