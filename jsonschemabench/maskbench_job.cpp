// The MaskBench protocol on one file.
//
// Timed, with a steady clock (two readings, some 25 ns each, are inside every sample):
//   compile          schema text -> grammar                            MaskBench's own "TTFM"
//   first mask       compile + a matcher + the mask of its first state what a client waits for
//   per token        fill_mask + accept, the refused token included    TBM
// The first test goes on from the matcher whose mask was just computed and charges that mask to its
// first token, so the cold mask is in TBM as well, as MaskBench has it; later tests begin with an
// untimed reset. Tests are tokenized before the clock starts, as they are for the peers; checking
// is outside it.
//
// Checked, beyond MaskBench: at every token the mask bit equals what accept answers; a valid
// instance must be accepted at its end, an invalid one may be refused there; at the end the bits of
// the end-of-sequence ids equal is_accepting(). Bits of tokens that the mask leaves unknown
// (patterns with back-references) are not compared: accept is what answers them. A file's category
// is that of its last failing test; a broken check is a validation error whatever follows. For each
// valid instance that was refused it is asked afterwards whether the grammar accepts the same value
// in another spelling, and in what that differs: the profile `generation` writes one order of
// properties, numbers without exponents, and so on.
//
// Example: `{"a": 1}` under `{"type": "array"}`, marked invalid: the first token is refused, one
// sample, the test passes; marked valid: "validation error, token 0 of test 0 is refused".

#include "jsonschemabench/maskbench_job.h"

#include <fmt/format.h>
#include <sys/resource.h>

#include <chrono>
#include <optional>
#include <span>
#include <string_view>
#include <utility>
#include <vector>

#include "backends/python_json.h"
#include "espalier/matcher.h"
#include "espalier/respell.h"

namespace espalier {
namespace {

using Clock = std::chrono::steady_clock;

uint64_t elapsed_ns(Clock::time_point from, Clock::time_point to) {
  return static_cast<uint64_t>(
      std::chrono::duration_cast<std::chrono::nanoseconds>(to - from).count());
}

uint64_t peak_rss_bytes() {
  rusage usage{};
  ::getrusage(RUSAGE_SELF, &usage);
  return static_cast<uint64_t>(usage.ru_maxrss) << 10;
}

bool has_bit(const std::vector<int32_t>& row, TokenId token) {
  return (static_cast<uint32_t>(row[static_cast<size_t>(token) / 32]) >> (token % 32)) & 1;
}

/// Does the text spell a back-reference somewhere? Only their patterns leave tokens unknown, and
/// whoever writes none need not ask for a row of them. (A spelling that is overlooked is slow.)
bool may_refer_back(std::string_view schema) {
  for (size_t at = schema.find("\\\\"); at != schema.npos; at = schema.find("\\\\", at + 2)) {
    if (at + 2 < schema.size() &&
        std::string_view("123456789k").find(schema[at + 2]) != std::string_view::npos) {
      return true;
    }
  }
  return false;
}

class Protocol {
 public:
  Protocol(const std::shared_ptr<const Vocabulary>& vocabulary, FileResult* result)
      : vocabulary_(vocabulary),
        result_(*result),
        row_(vocabulary->row_words()),
        unknown_(vocabulary->row_words()) {}

  void run(const MaskbenchFile& file, const CompileSchema& compile) {
    if (may_refer_back(file.schema)) asked_ = unknown_;
    std::vector<Result<std::vector<TokenId>>> tokens;
    for (const MaskbenchTest& test : file.tests) tokens.push_back(vocabulary_->encode(test.text));
    const auto begin = Clock::now();
    auto grammar = compile(file.schema);
    const auto compiled = Clock::now();
    if (!grammar.ok()) {
      const Status status = grammar.status();
      result_.outcome = Outcome::kCompileError;
      result_.reason = status.message();
      result_.pointer = status.place();
      result_.keyword = refused_keyword(status);
      return;
    }
    matcher_.emplace(*grammar, vocabulary_);
    const auto made = Clock::now();
    const Status mask = matcher_->fill_mask(row_, asked_);
    const auto masked = Clock::now();
    result_.timed = true;
    result_.compile_ns = elapsed_ns(begin, compiled);
    result_.first_mask_ns = elapsed_ns(begin, masked);
    first_mask_ns_ = elapsed_ns(made, masked);
    if (!mask.ok()) return broken(0, fmt::format("the first mask failed: {}", mask.to_string()));
    size_t matcher_bytes = 0;
    for (size_t i = 0; i < file.tests.size() && !broken_; ++i) {
      run_test(file.tests[i], i, tokens[i]);
      matcher_bytes = std::max(matcher_bytes, matcher_->memory_bytes());
    }
    result_.state_bytes = (*grammar)->memory_bytes() + matcher_bytes;
    for (const MaskbenchTest* test : refused_) explain_spelling(**grammar, *test);
  }

 private:
  void run_test(const MaskbenchTest& test, size_t index,
                const Result<std::vector<TokenId>>& tokens) {
    if (!tokens.ok()) {
      return broken(index, fmt::format("encoding failed: {}", tokens.status().to_string()));
    }
    if (index > 0) {
      matcher_->reset();
      first_mask_ns_.reset();
    }
    ++result_.tests;
    std::optional<size_t> refused_at;
    for (size_t t = 0; t < tokens->size() && !refused_at; ++t) {
      if (!step((*tokens)[t], index, t, &refused_at)) return;
    }
    if (!refused_at) {
      const bool accepting = matcher_->is_accepting();
      if (!end_bits_agree(accepting)) return broken(index, "mask disagrees at the end");
      if (!accepting) refused_at = tokens->size();
    }
    judge(test, index, tokens->size(), refused_at);
  }

  bool step(TokenId token, size_t index, size_t position, std::optional<size_t>* refused_at) {
    const bool have_mask = first_mask_ns_.has_value();
    const uint64_t carried = std::exchange(first_mask_ns_, std::nullopt).value_or(0);
    const auto begin = Clock::now();
    const Status mask = have_mask ? Status() : matcher_->fill_mask(row_, asked_);
    const Status accepted = mask.ok() ? matcher_->accept(token) : mask;
    result_.mask_ns.push_back(carried + elapsed_ns(begin, Clock::now()));
    return check(token, index, position, mask, accepted, refused_at);
  }

  bool check(TokenId token, size_t index, size_t position, const Status& mask,
             const Status& accepted, std::optional<size_t>* refused_at) {
    if (!mask.ok()) {
      broken(index, fmt::format("fill_mask failed at token {}: {}", position, mask.to_string()));
      return false;
    }
    if (!accepted.ok() && accepted.code() != StatusCode::kRejected) {
      broken(index, fmt::format("accept failed at token {}: {}", position, accepted.to_string()));
      return false;
    }
    if (!has_bit(unknown_, token) && has_bit(row_, token) != accepted.ok()) {
      broken(index, fmt::format("mask disagrees at token {} ({}): bit {}, accept {}", position,
                                token, has_bit(row_, token) ? 1 : 0, accepted.ok() ? 1 : 0));
      return false;
    }
    if (!accepted.ok()) {
      *refused_at = position;
      refusal_ = accepted.to_string();
    }
    return true;
  }

  bool end_bits_agree(bool accepting) {
    if (!matcher_->fill_mask(row_, asked_).ok()) return false;
    for (TokenId eos : vocabulary_->eos_ids()) {
      if (has_bit(row_, eos) != accepting) return false;
    }
    return true;
  }

  void judge(const MaskbenchTest& test, size_t index, size_t length,
             std::optional<size_t> refused_at) {
    if (test.valid == !refused_at) return;
    result_.failing_test = static_cast<int32_t>(index);
    if (test.valid) {
      ++result_.valid_refused;
      refused_.push_back(&test);
      result_.outcome = Outcome::kValidationError;
      result_.reason = *refused_at == length
                           ? "a valid instance is not accepted at its end"
                           : fmt::format("a valid instance is refused at token {} of {}: {}",
                                         *refused_at, length, refusal_);
    } else {
      ++result_.invalid_accepted;
      result_.outcome = Outcome::kInvalidationError;
      result_.reason = fmt::format("an invalid instance is accepted ({})", test.description);
    }
  }

  // Is the same value accepted in another spelling? Asked when the tests are over, outside the
  // clock.
  void explain_spelling(const Grammar& grammar, const MaskbenchTest& test) {
    const auto respelled = respell(grammar, test.text);
    if (!respelled.ok() || !respelled->difference.any()) return;
    rapidjson::Document given, written;
    if (!python_json_loads(test.text, &given).ok() ||
        !python_json_loads(respelled->text, &written).ok() || given != written) {
      return;
    }
    matcher_->reset();
    if (matcher_->accept_bytes(respelled->text).ok() && matcher_->is_accepting())
      ++result_.respelled[respelled->difference.to_string()];
  }

  void broken(size_t index, std::string reason) {
    broken_ = true;
    result_.outcome = Outcome::kValidationError;
    result_.failing_test = static_cast<int32_t>(index);
    result_.reason = std::move(reason);
  }

  const std::shared_ptr<const Vocabulary>& vocabulary_;
  FileResult& result_;
  std::vector<int32_t> row_;
  std::vector<int32_t> unknown_;
  std::span<int32_t> asked_;  ///< unknown_ where the schema may need it, else empty
  std::optional<Matcher> matcher_;
  std::optional<uint64_t> first_mask_ns_;
  std::string refusal_;
  std::vector<const MaskbenchTest*> refused_;  ///< valid ones
  bool broken_ = false;
};

}  // namespace

FileResult run_maskbench(const MaskbenchFile& file, const std::string& name,
                         const std::shared_ptr<const Vocabulary>& vocabulary,
                         const CompileSchema& compile) {
  FileResult result;
  result.file = name;
  result.split = split_of(std::filesystem::path(name).filename().string());
  Protocol(vocabulary, &result).run(file, compile);
  result.peak_rss_bytes = peak_rss_bytes();
  return result;
}

}  // namespace espalier
