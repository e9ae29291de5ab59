// Step samplers over vocabularies of at most six tokens, exactly: all random choices are walked
// through with their probabilities, so expectations are sums and not averages.
#include <algorithm>
#include <cmath>
#include <functional>
#include <map>
#include <set>

#include "chance_enumeration.h"
#include "engine_support.h"
#include "espalier/step_sampler.h"

namespace espalier::testing {
namespace {

/// Rows are floats, and so are the weights inside a block.
constexpr double kFloatError = 2e-6;

/// A vocabulary of n - 1 letters and an end of sequence, the model's row, which tokens are allowed,
/// and what of that is known in advance.
struct World {
  std::vector<double> p;
  std::vector<bool> allowed;
  Knowledge knowledge = Knowledge::kNone;
  std::vector<bool> known;       ///< with kPartial and kFull
  std::vector<double> proposal;  ///< empty: none

  double z() const {
    double sum = 0;
    for (size_t i = 0; i < p.size(); ++i) sum += allowed[i] ? p[i] : 0;
    return sum;
  }
};

class WorldState : public PotentialState {
 public:
  explicit WorldState(const World* world) : world_(world) {}
  std::unique_ptr<PotentialState> clone() const override {
    return std::make_unique<WorldState>(*this);
  }
  Result<bool> test(TokenId token) override {
    return bool{world_->allowed[static_cast<size_t>(token)]};
  }
  Status accept(TokenId) override { return Status(); }
  Result<Knowledge> fill(std::span<int32_t> allowed, std::span<int32_t> unknown) override {
    allowed[0] = unknown[0] = 0;
    for (size_t i = 0; i < world_->p.size(); ++i) {
      const bool known = world_->knowledge == Knowledge::kFull ||
                         (world_->knowledge == Knowledge::kPartial && world_->known[i]);
      if (!known) unknown[0] |= 1 << i;
      if (known && world_->allowed[i]) allowed[0] |= 1 << i;
    }
    return world_->knowledge;
  }

 private:
  const World* world_;
};

class WorldPotential : public Potential {
 public:
  explicit WorldPotential(const World& world) : world_(world) {
    std::vector<std::string> tokens;
    for (size_t i = 0; i + 1 < world.p.size(); ++i)
      tokens.push_back(std::string(1, 'a' + static_cast<char>(i)));
    tokens.push_back("");
    vocabulary_ =
        Vocabulary::from_tokens(tokens, {static_cast<TokenId>(tokens.size() - 1)}).value();
  }
  const std::shared_ptr<const Vocabulary>& vocabulary() const override { return vocabulary_; }
  std::unique_ptr<PotentialState> start() const override {
    return std::make_unique<WorldState>(&world_);
  }

 private:
  const World world_;
  std::shared_ptr<const Vocabulary> vocabulary_;
};

std::vector<float> log_row(const std::vector<double>& p) {
  std::vector<float> row;
  for (const double mass : p) row.push_back(static_cast<float>(std::log(mass)));
  return row;
}

/// Those whose number of draws has no bound of its own.
bool counts_draws(StepMethod method) {
  return method == StepMethod::kAwrsGeometric || method == StepMethod::kAwrsWithReplacement;
}

/// What all paths together say.
struct Expectation {
  std::vector<double> weight;  ///< E[w 1{token = i}]
  double evaluations = 0;
  double dead = 0;  ///< probability
  double lost = 0;
  double second_moment = 0;  ///< E[w^2]
};
using Observer = std::function<void(const StepDraw& draw, const Enumeration& enumeration)>;

Expectation enumerate(const World& world, const StepOptions& options,
                      const Observer& observe = nullptr, size_t repeats_cap = SIZE_MAX) {
  PotentialCursor cursor(std::make_shared<WorldPotential>(world));
  const std::vector<float> row = log_row(world.p);
  const std::vector<float> proposal = log_row(world.proposal);
  StepSampler sampler(options);
  const Status status = sampler.prepare(&cursor, row, proposal);
  EXPECT_TRUE(status.ok()) << status.to_string();
  Expectation expectation;
  expectation.weight.assign(world.p.size(), 0);
  Enumeration enumeration;
  if (options.max_rejects != kUnlimited) {
    enumeration.repeats_cap = options.max_rejects;
  } else if (repeats_cap != SIZE_MAX) {
    enumeration.repeats_cap = repeats_cap;
  } else if (counts_draws(options.method)) {
    enumeration.negligible = 1e-9;
  }
  do {
    const StepDraw draw = sampler.draw(&enumeration);
    const double weight = std::exp(draw.log_weight);
    expectation.evaluations +=
        enumeration.probability * static_cast<double>(draw.constraint_evaluations);
    expectation.second_moment += enumeration.probability * weight * weight;
    if (draw.outcome == StepOutcome::kAccepted) {
      EXPECT_GT(weight, 0);
      EXPECT_TRUE(world.allowed[static_cast<size_t>(draw.token)]);
      expectation.weight[static_cast<size_t>(draw.token)] += enumeration.probability * weight;
    } else {
      EXPECT_EQ(weight, 0);
      EXPECT_TRUE(draw.token < 0 || !world.allowed[static_cast<size_t>(draw.token)]);
      expectation.dead += enumeration.probability;
    }
    if (observe) observe(draw, enumeration);
  } while (enumeration.next());
  expectation.lost = enumeration.lost;
  return expectation;
}

void expect_proper(const World& world, const StepOptions& options, const std::string& name) {
  const Expectation expectation = enumerate(world, options);
  ASSERT_LT(expectation.lost, 1e-3) << name;
  const double scale = world.proposal.empty() ? 1 : 100;  // p / q, at most
  for (size_t i = 0; i < world.p.size(); ++i) {
    EXPECT_NEAR(expectation.weight[i], world.allowed[i] ? world.p[i] : 0,
                kFloatError + scale * expectation.lost)
        << name << ", token " << i;
  }
}

std::vector<double> random_distribution(std::mt19937_64& rng, size_t n, double zero_chance) {
  std::vector<double> p(n);
  double total = 0;
  for (double& mass : p) {
    mass = std::exponential_distribution<>()(rng) + 0.02;
    if (std::bernoulli_distribution(zero_chance)(rng)) mass = 0;
    total += mass;
  }
  if (total == 0) return random_distribution(rng, n, zero_chance);
  for (double& mass : p) mass /= total;
  return p;
}

World random_world(std::mt19937_64& rng, size_t n) {
  World world{.p = random_distribution(rng, n, 0.1)};
  for (size_t i = 0; i < n; ++i) {
    world.allowed.push_back(rng() % 2 == 0);
    world.known.push_back(rng() % 2 == 0);
  }
  return world;
}

std::vector<StepOptions> all_settings(StepMethod method) {
  std::vector<StepOptions> settings;
  for (const size_t accepts : {2, 3, 4}) {
    if (accepts > 2 && !counts_draws(method)) continue;
    for (const size_t rejects : {size_t{1}, size_t{2}, size_t{3}, size_t{4}, kUnlimited}) {
      if (method == StepMethod::kAwrsTwoLoop && rejects != kUnlimited) continue;
      settings.push_back({.method = method, .max_accepts = accepts, .max_rejects = rejects});
    }
  }
  return settings;
}

std::string describe(const World& world, const StepOptions& options) {
  std::string text(to_string(options.method));
  text += " accepts " + std::to_string(options.max_accepts) + " rejects " +
          (options.max_rejects == kUnlimited ? "any" : std::to_string(options.max_rejects)) +
          " knowledge " + std::to_string(static_cast<int>(world.knowledge)) + " p";
  for (size_t i = 0; i < world.p.size(); ++i) {
    text += " " + std::to_string(world.p[i]) + (world.allowed[i] ? "+" : "-");
  }
  return text;
}

constexpr StepMethod kProper[] = {StepMethod::kAuto,
                                  StepMethod::kNormalizer,
                                  StepMethod::kThreeValued,
                                  StepMethod::kAwrs,
                                  StepMethod::kAwrsGeometric,
                                  StepMethod::kAwrsTwoLoop,
                                  StepMethod::kAwrsWithReplacement};

TEST(AwrsEnumeration, EveryConstraintIsProperlyWeighted) {
  // The tables of the notes, and every constraint over them.
  const std::vector<std::vector<double>> rows = {
      {.4, .3, .2, .1}, {.6, .2, .1, .05, .05}, {.9, .05, .03, .02}, {.5, .5}};
  for (const std::vector<double>& p : rows) {
    for (unsigned bits = 0; bits < 1u << p.size(); ++bits) {
      World world{.p = p};
      for (size_t i = 0; i < p.size(); ++i) world.allowed.push_back((bits >> i) & 1);
      for (const StepMethod method : {StepMethod::kAwrs, StepMethod::kAwrsTwoLoop}) {
        for (const StepOptions& options : all_settings(method)) {
          expect_proper(world, options, describe(world, options));
        }
      }
    }
  }
}

TEST(AwrsEnumeration, CountingVariantsAreProperlyWeighted) {
  for (const StepMethod method : {StepMethod::kAwrsGeometric, StepMethod::kAwrsWithReplacement}) {
    for (const StepOptions& options : all_settings(method)) {
      const bool endless = options.max_rejects == kUnlimited;
      // Endless paths are cut off where they are rare: on three tokens, most of the mass allowed.
      const std::vector<double> p =
          endless ? std::vector<double>{.7, .2, .1} : std::vector<double>{.4, .3, .2, .1};
      for (unsigned bits = 0; bits < 1u << p.size(); ++bits) {
        World world{.p = p};
        for (size_t i = 0; i < p.size(); ++i) world.allowed.push_back((bits >> i) & 1);
        if (endless && world.z() < 0.65) continue;
        expect_proper(world, options, describe(world, options));
      }
    }
  }
}

TEST(AwrsEnumeration, RandomWorldsWithMasksAndProposals) {
  std::mt19937_64 rng(test_seed());
  for (int round = 0; round < 60; ++round) {
    World world = random_world(rng, 2 + rng() % 5);
    if (round % 2 == 1) {
      world.proposal = random_distribution(rng, world.p.size(), 0);
    }
    for (const Knowledge knowledge : {Knowledge::kNone, Knowledge::kPartial, Knowledge::kFull}) {
      world.knowledge = knowledge;
      for (const StepMethod method : kProper) {
        for (const StepOptions& options : all_settings(method)) {
          if (counts_draws(method) && (options.max_accepts > 2 || options.max_rejects > 3))
            continue;
          expect_proper(world, options, describe(world, options));
        }
      }
    }
  }
}

TEST(AwrsEnumeration, CountingVariantsWithMasksAndProposals) {
  std::mt19937_64 rng(test_seed());
  for (int round = 0; round < 6; ++round) {
    World world = random_world(rng, 2 + rng() % 2);
    if (round % 2 == 1) world.proposal = random_distribution(rng, world.p.size(), 0);
    // Endless paths can be cut off where most of what is drawn is allowed.
    const std::vector<double>& drawn = world.proposal.empty() ? world.p : world.proposal;
    double allowed = 0;
    double total = 0;
    for (size_t i = 0; i < world.p.size(); ++i) {
      if (!(world.p[i] > 0)) continue;
      total += drawn[i];
      allowed += world.allowed[i] ? drawn[i] : 0;
    }
    for (const Knowledge knowledge : {Knowledge::kNone, Knowledge::kPartial, Knowledge::kFull}) {
      world.knowledge = knowledge;
      for (const StepMethod method :
           {StepMethod::kAwrsGeometric, StepMethod::kAwrsWithReplacement}) {
        for (const StepOptions& options : all_settings(method)) {
          if (options.max_rejects == kUnlimited && allowed < 0.65 * total) continue;
          expect_proper(world, options, describe(world, options));
        }
      }
    }
  }
}

TEST(AwrsEnumeration, RecursiveIsUnbiasedGivenEveryHistory) {
  std::mt19937_64 rng(test_seed());
  for (int round = 0; round < 100; ++round) {
    const World world = random_world(rng, 2 + rng() % 5);
    std::map<std::vector<TokenId>, std::pair<double, double>> histories;  // probability, E[w]
    size_t num_allowed = 0;
    for (size_t i = 0; i < world.p.size(); ++i) num_allowed += world.allowed[i] && world.p[i] > 0;
    const Expectation expectation =
        enumerate(world, {.method = StepMethod::kAwrs},
                  [&](const StepDraw& draw, const Enumeration& enumeration) {
                    if (draw.outcome != StepOutcome::kAccepted) return;
                    std::vector<TokenId> history;
                    for (const TokenId token : enumeration.drawn) {
                      history.push_back(token);
                      if (world.allowed[static_cast<size_t>(token)]) break;
                    }
                    auto& [probability, weight] = histories[history];
                    probability += enumeration.probability;
                    weight += enumeration.probability * std::exp(draw.log_weight);
                  });
    for (const auto& [history, sums] : histories) {
      EXPECT_NEAR(sums.second / sums.first, world.z(), 20 * kFloatError);
    }
    if (num_allowed == 1) {
      EXPECT_NEAR(expectation.second_moment, world.z() * world.z(), 20 * kFloatError);
    }
    EXPECT_NEAR(expectation.dead, num_allowed == 0 ? 1 : 0, 20 * kFloatError);
  }
}

TEST(AwrsEnumeration, EvaluationCounts) {
  std::mt19937_64 rng(test_seed());
  for (int round = 0; round < 60; ++round) {
    World world = random_world(rng, 2 + rng() % 4);
    for (double& mass : world.p) mass = std::max(mass, 0.01);
    world.allowed[rng() % world.p.size()] = true;
    std::vector<double> refused;
    std::vector<double> allowed;
    double total = 0;
    for (const double mass : world.p) total += mass;
    for (double& mass : world.p) mass /= total;
    for (size_t i = 0; i < world.p.size(); ++i) {
      (world.allowed[i] ? allowed : refused).push_back(world.p[i]);
    }
    const double z = world.z();
    // With one allowed token there may be nothing left to draw after it: the chance that all the
    // others ring before it, by inclusion and exclusion over their clocks.
    double exhausted = 0;
    if (allowed.size() == 1) {
      for (unsigned set = 0; set < 1u << refused.size(); ++set) {
        double mass = z;
        for (size_t i = 0; i < refused.size(); ++i) mass += (set >> i) & 1 ? refused[i] : 0;
        exhausted += (std::popcount(set) % 2 == 0 ? 1 : -1) * z / mass;
      }
    }
    double recursive = 2 - exhausted;
    for (const double mass : refused) recursive += mass / (mass + z);
    EXPECT_NEAR(enumerate(world, {.method = StepMethod::kAwrs}).evaluations, recursive,
                20 * kFloatError);

    const auto adaptive = [&](double accepts) {
      double evaluations = accepts;
      for (const double mass : refused) evaluations += 1 - std::pow(z / (z + mass), accepts);
      return evaluations;
    };
    EXPECT_NEAR(enumerate(world, {.method = StepMethod::kAwrsTwoLoop}).evaluations, adaptive(2),
                20 * kFloatError);
    for (const size_t accepts : {2, 3}) {
      // Repeats cost no evaluation, so it is enough to walk through none of them.
      const StepOptions options{.method = StepMethod::kAwrsGeometric, .max_accepts = accepts};
      EXPECT_NEAR(enumerate(world, options, nullptr, 0).evaluations,
                  adaptive(static_cast<double>(accepts)), 20 * kFloatError);
    }
  }
  World world{.p = {.8, .15, .05}, .allowed = {true, false, false}};
  for (const size_t accepts : {2, 3}) {
    const Expectation plain =
        enumerate(world, {.method = StepMethod::kAwrsWithReplacement, .max_accepts = accepts});
    EXPECT_NEAR(plain.evaluations, static_cast<double>(accepts) / .8, 1e-4 + 30 * plain.lost);
  }
}

/// Rows of the notes' table of standard deviations and evaluations.
TEST(AwrsEnumeration, PublishedVariances) {
  struct Row {
    std::vector<double> p;
    std::string allowed;
    double two_loop, recursive, evaluations_two_loop, evaluations_recursive;
  };
  const Row rows[] = {
      {{.4, .3, .2, .1}, "0101", .287, .224, 3.31, 2.83},
      {{.6, .2, .1, .05, .05}, "00101", .173, .127, 4.21, 3.62},
      {{.9, .05, .03, .02}, "1001", .189, .055, 2.16, 2.08},
  };
  for (const Row& row : rows) {
    World world{.p = row.p};
    for (const char c : row.allowed) world.allowed.push_back(c == '1');
    const auto deviation = [&](const Expectation& expectation) {
      return std::sqrt(expectation.second_moment - world.z() * world.z());
    };
    const Expectation recursive = enumerate(world, {.method = StepMethod::kAwrs});
    const Expectation two_loop = enumerate(world, {.method = StepMethod::kAwrsTwoLoop});
    EXPECT_NEAR(deviation(recursive), row.recursive, 6e-4);
    EXPECT_NEAR(deviation(two_loop), row.two_loop, 6e-4);
    EXPECT_NEAR(recursive.evaluations, row.evaluations_recursive, 6e-3);
    EXPECT_NEAR(two_loop.evaluations, row.evaluations_two_loop, 6e-3);
  }
}

TEST(AwrsEnumeration, LocalMaskingForgetsTheMass) {
  std::mt19937_64 rng(test_seed());
  for (int round = 0; round < 40; ++round) {
    World world = random_world(rng, 2 + rng() % 5);
    for (const Knowledge knowledge : {Knowledge::kNone, Knowledge::kPartial, Knowledge::kFull}) {
      world.knowledge = knowledge;
      const double z = world.z();
      const Expectation expectation = enumerate(world, {.method = StepMethod::kLocal});
      for (size_t i = 0; i < world.p.size(); ++i) {
        EXPECT_NEAR(expectation.weight[i], world.allowed[i] && z > 0 ? world.p[i] / z : 0,
                    20 * kFloatError);
      }
    }
  }
}

TEST(AwrsEnumeration, LogitsAreNormalizedOverAllTokens) {
  std::mt19937_64 rng(test_seed());
  for (int round = 0; round < 60; ++round) {
    World world = random_world(rng, 2 + rng() % 5);
    if (round % 2 == 1) world.proposal = random_distribution(rng, world.p.size(), 0);
    const double factor = std::exp(static_cast<double>(rng() % 9) - 4);
    World scaled = world;  // its row holds log p + log factor
    for (double& mass : scaled.p) mass *= factor;
    for (const Knowledge knowledge : {Knowledge::kNone, Knowledge::kPartial, Knowledge::kFull}) {
      world.knowledge = scaled.knowledge = knowledge;
      for (const StepMethod method :
           {StepMethod::kAuto, StepMethod::kAwrs, StepMethod::kNormalizer}) {
        const Expectation plain = enumerate(world, {.method = method});
        const Expectation logits = enumerate(scaled, {.method = method, .row = RowKind::kLogits});
        for (size_t i = 0; i < world.p.size(); ++i) {
          EXPECT_NEAR(plain.weight[i], logits.weight[i], 20 * kFloatError);
        }
      }
    }
  }
}

TEST(AwrsEnumeration, ExactDrawsHaveNoVariance) {
  std::mt19937_64 rng(test_seed());
  for (int round = 0; round < 40; ++round) {
    World world = random_world(rng, 2 + rng() % 5);
    for (const Knowledge knowledge : {Knowledge::kNone, Knowledge::kPartial, Knowledge::kFull}) {
      world.knowledge = knowledge;
      enumerate(world, {.method = StepMethod::kNormalizer},
                [&](const StepDraw& draw, const Enumeration&) {
                  if (draw.outcome != StepOutcome::kAccepted) return;
                  EXPECT_TRUE(draw.exact);
                  EXPECT_NEAR(std::exp(draw.log_weight), world.z(), 2 * kFloatError);
                });
    }
  }
}

}  // namespace
}  // namespace espalier::testing
