// What goes wrong in a step, and what must not: bad rows, empty masks, constraints that throw or
// never accept, budgets; and the documented faults of the reference implementation.
#include <chrono>
#include <cmath>
#include <stdexcept>
#include <thread>

#include "engine_support.h"
#include "espalier/step_sampler.h"
#include "toy_recognizer.h"

namespace espalier::testing {
namespace {

constexpr float kInf = std::numeric_limits<float>::infinity();
constexpr StepMethod kMethods[] = {StepMethod::kAuto,        StepMethod::kLocal,
                                   StepMethod::kNormalizer,  StepMethod::kThreeValued,
                                   StepMethod::kAwrs,        StepMethod::kAwrsGeometric,
                                   StepMethod::kAwrsTwoLoop, StepMethod::kAwrsWithReplacement};

/// `size` - 1 distinct tokens of one or several bytes, and an end of sequence.
std::shared_ptr<const Vocabulary> words(size_t size) {
  std::vector<std::string> tokens;
  for (size_t i = 0; i + 1 < size; ++i) {
    std::string token(1, static_cast<char>('a' + i % 16));
    for (size_t rest = i / 16; rest > 0; rest /= 16) {
      token += static_cast<char>('A' + rest % 16);
    }
    tokens.push_back(token + ";");
  }
  tokens.push_back("");
  return Vocabulary::from_tokens(tokens, {static_cast<TokenId>(size - 1)}).value();
}

std::shared_ptr<const Potential> predicate(std::shared_ptr<const Vocabulary> vocabulary,
                                           std::function<bool(std::string_view)> prefix) {
  return predicate_potential({.prefix = prefix, .complete = prefix}, std::move(vocabulary));
}
bool yes(std::string_view) { return true; }
bool no(std::string_view) { return false; }

/// One draw of a fresh sampler.
StepDraw draw_once(const std::shared_ptr<const Potential>& potential, std::span<const float> row,
                   const StepOptions& options, std::span<const float> proposal = {}) {
  PotentialCursor cursor(potential);
  StepSampler sampler(options);
  const Status status = sampler.prepare(&cursor, row, proposal);
  const StepDraw draw = sampler.draw({1, 2, 3});
  EXPECT_EQ(status.ok(), draw.status.ok() || draw.outcome != StepOutcome::kFailed);
  return draw;
}

void expect_dead(const StepDraw& draw, StepOutcome outcome, StepMethod method) {
  EXPECT_EQ(draw.outcome, outcome) << to_string(draw.outcome) << " by " << to_string(method);
  EXPECT_EQ(draw.log_weight, -std::numeric_limits<double>::infinity());
  EXPECT_EQ(draw.status.ok(), outcome != StepOutcome::kFailed);
}

TEST(StepFaults, RowsWithoutProbabilities) {
  const auto vocabulary = words(40);
  for (const StepMethod method : kMethods) {
    for (const float bad : {std::nanf(""), kInf}) {
      for (const size_t at : {size_t{0}, size_t{20}, size_t{39}}) {
        std::vector<float> row(40, -2);
        row[at] = bad;
        const StepDraw draw = draw_once(predicate(vocabulary, yes), row, {.method = method});
        expect_dead(draw, StepOutcome::kFailed, method);
        EXPECT_EQ(draw.status.code(), StatusCode::kInvalidArgument);
        EXPECT_EQ(draw.token, -1);
        const std::vector<float> good(40, -2);
        expect_dead(draw_once(predicate(vocabulary, yes), good, {.method = method}, row),
                    StepOutcome::kFailed, method);
      }
    }
    const std::vector<float> impossible(40, -kInf);
    for (const RowKind kind : {RowKind::kLogProbabilities, RowKind::kLogits}) {
      expect_dead(
          draw_once(predicate(vocabulary, yes), impossible, {.method = method, .row = kind}),
          StepOutcome::kNoSupport, method);
    }
    const std::vector<float> narrow(39, -2);
    expect_dead(draw_once(predicate(vocabulary, yes), narrow, {.method = method}),
                StepOutcome::kFailed, method);
  }
}

TEST(StepFaults, BadOptions) {
  const std::vector<float> row(40, -2);
  const auto potential = predicate(words(40), yes);
  for (const StepOptions& options :
       {StepOptions{.method = StepMethod::kAwrsGeometric, .max_accepts = 1},
        StepOptions{.method = StepMethod::kAwrs, .max_rejects = 0},
        StepOptions{.method = StepMethod::kAwrsTwoLoop, .max_rejects = 3}}) {
    expect_dead(draw_once(potential, row, options), StepOutcome::kFailed, options.method);
  }
  StepSampler unprepared;
  expect_dead(unprepared.draw({}), StepOutcome::kFailed, StepMethod::kAuto);
}

TEST(StepFaults, EmptyMasksAndMassesOfZero) {
  // Toy lists begin with "[", a digit, a quote or a name; nothing else is in this vocabulary.
  const auto vocabulary = Vocabulary::from_tokens({"[", "]", "1", "x", ""}, {4}).value();
  const auto grammar = Grammar::from_recognizer(std::make_shared<ToyRecognizer>());
  const auto potential = automaton_potential(grammar, vocabulary);
  for (const StepMethod method : kMethods) {
    const std::vector<float> on_refused = {-kInf, -1, -kInf, -1, -1};
    const StepDraw draw = draw_once(potential, on_refused, {.method = method});
    expect_dead(draw, StepOutcome::kNoSupport, method);
    const StepDraw tested = draw_once(without_masks(potential), on_refused,
                                      {.method = method, .max_evaluations = 1000});
    EXPECT_TRUE(tested.outcome == StepOutcome::kRejected || tested.outcome == StepOutcome::kBudget);
    PotentialCursor ended(potential);
    ASSERT_TRUE(ended.accept(2).ok());
    ASSERT_TRUE(ended.accept(4).ok());
    const std::vector<float> row(5, -1);
    StepSampler sampler({.method = method});
    ASSERT_TRUE(sampler.prepare(&ended, row).ok());
    expect_dead(sampler.draw({}), StepOutcome::kNoSupport, method);
  }
}

TEST(StepFaults, PredicatesThatThrow) {
  const auto vocabulary = words(40);
  const std::vector<float> row(40, -3);
  const std::function<bool(std::string_view)> throwing[] = {
      [](std::string_view) -> bool { throw std::runtime_error("no database"); },
      [](std::string_view) -> bool { throw 7; }};
  for (const auto& prefix : throwing) {
    for (const StepMethod method : kMethods) {
      PotentialCursor cursor(predicate(vocabulary, prefix));
      StepSampler sampler({.method = method});
      ASSERT_TRUE(sampler.prepare(&cursor, row).ok());
      const StepDraw draw = sampler.draw({1, 0, 0});
      expect_dead(draw, StepOutcome::kFailed, method);
      EXPECT_EQ(draw.status.place(), "constraint");
      EXPECT_FALSE(cursor.status().ok());
      EXPECT_FALSE(cursor.accept(0).ok());
      EXPECT_FALSE(PotentialCursor(cursor).test(0).ok());
      expect_dead(sampler.draw({1, 0, 1}), StepOutcome::kFailed, method);
    }
  }
}

TEST(StepFaults, PredicatesThatNeverAccept) {
  const auto vocabulary = words(40);
  const std::vector<float> row(40, std::log(1 / 40.0f));
  for (const StepMethod method : kMethods) {
    const StepDraw draw =
        draw_once(predicate(vocabulary, no), row, {.method = method, .max_evaluations = 500});
    const bool endless = method == StepMethod::kAwrsWithReplacement;
    expect_dead(draw, endless ? StepOutcome::kBudget : StepOutcome::kRejected, method);
    EXPECT_EQ(draw.constraint_evaluations, endless ? 500u : 40u);
    const StepDraw cut =
        draw_once(predicate(vocabulary, no), row, {.method = method, .max_evaluations = 7});
    expect_dead(cut, StepOutcome::kBudget, method);
    EXPECT_EQ(cut.constraint_evaluations, 7u);
  }
  // With replacement nothing more is asked after a thousand refusals, as all was.
  const StepDraw draw =
      draw_once(predicate(vocabulary, no), row, {.method = StepMethod::kAwrsWithReplacement});
  expect_dead(draw, StepOutcome::kRejected, StepMethod::kAwrsWithReplacement);
  EXPECT_EQ(draw.constraint_evaluations, 1000u);
}

TEST(StepFaults, TimeBudget) {
  const auto slow = predicate(words(40), [](std::string_view) {
    std::this_thread::sleep_for(std::chrono::milliseconds(2));
    return false;
  });
  const std::vector<float> row(40, -3);
  for (const StepMethod method : kMethods) {
    const StepDraw draw =
        draw_once(slow, row, {.method = method, .max_time = std::chrono::milliseconds(5)});
    expect_dead(draw, StepOutcome::kBudget, method);
    EXPECT_LE(draw.constraint_evaluations, 3u);
  }
}

// Reference fault 1: a weight of zero once the refused mass reaches 1 - 1e-5.
TEST(ReferenceFaults, LittleMassIsNotNone) {
  const auto vocabulary = Vocabulary::from_tokens({"a", "b", "c", ""}, {3}).value();
  for (const double rest : {5e-6, 1e-12, 1e-30, 1e-80, 1e-300}) {
    const std::vector<float> row = {std::log(0.6f), std::log(0.4f),
                                    static_cast<float>(std::log(rest)), -kInf};
    const auto third = [](std::string_view text) { return text == "c"; };
    for (const StepMethod method : {StepMethod::kAuto, StepMethod::kNormalizer, StepMethod::kAwrs,
                                    StepMethod::kThreeValued}) {
      const StepDraw draw = draw_once(predicate(vocabulary, third), row, {.method = method});
      ASSERT_EQ(draw.outcome, StepOutcome::kAccepted) << rest;
      EXPECT_EQ(draw.token, 2);
      EXPECT_NEAR(draw.log_weight, row[2], 1e-5);
    }
    // These estimate, with rare large weights; what counts is that no weight is lost.
    for (const StepMethod method : {StepMethod::kAwrsTwoLoop, StepMethod::kAwrsGeometric}) {
      PotentialCursor cursor(predicate(vocabulary, third));
      StepSampler sampler({.method = method});
      ASSERT_TRUE(sampler.prepare(&cursor, row).ok());
      for (uint64_t i = 0; i < 200; ++i) {
        const StepDraw draw = sampler.draw({9, i, 0});
        ASSERT_EQ(draw.outcome, StepOutcome::kAccepted) << rest;
        ASSERT_EQ(draw.token, 2);
        ASSERT_TRUE(std::isfinite(draw.log_weight));
      }
    }
  }
}

// Reference fault 2: float sums over 128k tokens drift, by 3e-4 for probabilities like these.
TEST(ReferenceFaults, SumsDoNotDrift) {
  constexpr size_t kSize = 128'256;
  const auto vocabulary = words(kSize);
  std::vector<float> row(kSize);
  std::mt19937_64 rng(test_seed());
  double total = 0;
  for (float& value : row) {
    value = static_cast<float>(-8 - std::exponential_distribution<>(0.5)(rng));
    total += std::exp(static_cast<double>(value));
  }
  const auto everything = predicate(vocabulary, yes);
  const StepDraw draw = draw_once(everything, row, {.method = StepMethod::kAwrs});
  EXPECT_NEAR(draw.log_weight, std::log(total), 1e-7);
  EXPECT_NEAR(
      draw_once(everything, row, {.method = StepMethod::kAwrs, .row = RowKind::kLogits}).log_weight,
      0, 1e-12);

  // What is left after many refusals is summed, not subtracted: half of the tokens are refused.
  const auto half = predicate(vocabulary, [](std::string_view text) { return text[0] == 'p'; });
  PotentialCursor cursor(half);
  StepSampler sampler({.method = StepMethod::kNormalizer});
  ASSERT_TRUE(sampler.prepare(&cursor, row).ok());
  double allowed = 0;
  for (size_t i = 0; i + 1 < kSize; ++i) {
    if (vocabulary->bytes(static_cast<TokenId>(i))[0] == 'p')
      allowed += std::exp(static_cast<double>(row[i]));
  }
  for (uint64_t i = 0; i < 2; ++i) {
    EXPECT_NEAR(sampler.draw({3, i, 0}).log_weight, std::log(allowed), 1e-7);
  }
}

// Reference fault 3: as many constraint calls as there are tokens where the length runs out.
TEST(ReferenceFaults, TheLastTokenIsNotSearched) {
  constexpr size_t kSize = 4096;
  const auto vocabulary = words(kSize);
  size_t calls = 0;
  const auto counted = predicate(vocabulary, [&](std::string_view) {
    ++calls;
    return true;
  });
  PotentialCursor cursor(limit_tokens(counted, 1));
  ASSERT_TRUE(cursor.accept(0).ok());
  EXPECT_EQ(cursor.tokens_left(), 0u);
  std::vector<float> row(kSize, -20);
  row[kSize - 1] = std::log(0.25f);
  for (const StepMethod method : kMethods) {
    calls = 0;
    StepSampler sampler({.method = method});
    ASSERT_TRUE(sampler.prepare(&cursor, row).ok());
    const StepDraw draw = sampler.draw({5, 0, 0});
    ASSERT_EQ(draw.outcome, StepOutcome::kAccepted);
    EXPECT_EQ(draw.token, static_cast<TokenId>(kSize - 1));
    EXPECT_LE(calls, 2u) << to_string(method);
    EXPECT_LE(draw.constraint_evaluations, 2u);
    if (method != StepMethod::kLocal) {
      EXPECT_NEAR(draw.log_weight, std::log(0.25), 1e-6);
    }
  }
}

TEST(ReferenceFaults, StreamsDoNotDependOnOrder) {
  const auto potential = predicate(words(300), [](std::string_view text) { return text[0] < 'd'; });
  std::vector<float> row(300);
  for (size_t i = 0; i < row.size(); ++i) row[i] = -6 - static_cast<float>(i % 7);
  for (const StepMethod method : kMethods) {
    PotentialCursor cursor(potential);
    StepSampler sampler({.method = method});
    ASSERT_TRUE(sampler.prepare(&cursor, row).ok());
    std::vector<StepDraw> forward, backward;
    for (uint64_t i = 0; i < 20; ++i) forward.push_back(sampler.draw({7, i, 3}));
    for (uint64_t i = 20; i-- > 0;) backward.push_back(sampler.draw({7, i, 3}));
    for (size_t i = 0; i < 20; ++i) {
      EXPECT_EQ(forward[i].token, backward[19 - i].token);
      EXPECT_EQ(forward[i].log_weight, backward[19 - i].log_weight);
    }
  }
}

}  // namespace
}  // namespace espalier::testing
