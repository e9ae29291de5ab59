// Sequential Monte Carlo, exactly: in tiny worlds every run of a population is walked through with
// its probability, each token that a particle may draw and each offspring that resampling may give,
// so that E[exp(log Z-hat)] and E[a text's share] are sums and not averages.
//
// A single particle that is never resampled has the expectations Z and P(x) up to the floats in a
// row's sums. Populations of any size under any scheme must have those of the single particle up to
// the rounding of doubles.

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "chance_enumeration.h"
#include "engine/sampling/smc.h"
#include "engine_support.h"
#include "population_support.h"

namespace espalier::testing {
namespace {

constexpr double kFloatError = 2e-5;
constexpr double kDoubleError = 1e-12;

enum class Steering { kNone, kLookAhead, kCritic };

/// The log weight that a critic gives to a complete text; to a prefix, something else.
double praise(std::string_view text) {
  return -0.7 * static_cast<double>(std::count(text.begin(), text.end(), 'a'));
}

/// A world with all that steers its particles.
class Course {
 public:
  Course(KnownWorld known, StepMethod method, Steering steering)
      : known_(std::move(known)), tree_(known_.tree()) {
    options_.step.method = method;
    options_.max_tokens = known_.world.max_tokens;
    for (const auto& [tokens, probability] : known_.truth.sequences) {
      const bool judged = steering == Steering::kCritic;
      wanted_[tokens] =
          probability * (judged ? std::exp(praise(tree_.vocabulary().decode(tokens))) : 1);
    }
    if (steering == Steering::kLookAhead) {
      look_ = look_ahead_of(known_.world);
      options_.look_ahead = look_.get();
    }
    if (steering == Steering::kCritic) {
      options_.critic.complete = praise;
      options_.critic.prefix = [](std::string_view text) { return 0.3 - 1.5 * praise(text); };
    }
  }

  struct Expectation {
    long double probability = 0;  ///< of all runs; 1
    long double z = 0;
    std::map<std::vector<TokenId>, long double> shares;
    size_t runs = 0;
    size_t resampled = 0;  ///< of the runs
    size_t dead = 0;       ///< particles
  };

  /// Over all runs.
  Expectation expectation(size_t particles, Resampling resampling, double ess_threshold) {
    Expectation sum;
    Enumeration enumeration;
    SmcOptions options = options_;
    options.particles = particles;
    options.resampling = resampling;
    options.ess_threshold = ess_threshold;
    options.chance = &enumeration;
    do {
      const auto run = run_smc(&tree_, options);
      EXPECT_TRUE(run.ok() && run->first_failure.ok());
      if (!run.ok()) return sum;
      const double probability = enumeration.probability;
      ++sum.runs;
      sum.resampled += run->resamplings > 0 ? 1 : 0;
      sum.probability += probability;
      sum.z += probability * std::exp(run->log_z);
      for (const Particle& particle : run->particles) {
        if (std::isinf(particle.log_weight)) {
          ++sum.dead;
          continue;
        }
        sum.shares[particle.tokens] +=
            probability * std::exp(particle.log_weight) / static_cast<double>(particles);
      }
    } while (enumeration.next());
    return sum;
  }

  /// What the expectations of one particle should be, as the world's truth has it.
  void expect_true(const Expectation& one) const {
    EXPECT_NEAR(one.probability, 1, kDoubleError);
    double z = 0;
    for (const auto& [tokens, wanted] : wanted_) {
      const auto found = one.shares.find(tokens);
      ASSERT_NE(found, one.shares.end()) << "a valid text is never drawn";
      EXPECT_NEAR(found->second, wanted, kFloatError * wanted);
      z += wanted;
    }
    EXPECT_EQ(one.shares.size(), wanted_.size()) << "an invalid text is drawn";
    EXPECT_NEAR(one.z, z, kFloatError * z);
  }

 private:
  KnownWorld known_;
  PrefixTree tree_;
  std::unique_ptr<LookAhead> look_;
  SmcOptions options_;
  std::map<std::vector<TokenId>, double> wanted_;
};

void expect_equal(const Course::Expectation& many, const Course::Expectation& one) {
  EXPECT_NEAR(many.probability, 1, kDoubleError);
  EXPECT_NEAR(many.z, one.z, kDoubleError * static_cast<double>(one.z));
  EXPECT_EQ(many.shares.size(), one.shares.size());
  for (const auto& [tokens, share] : one.shares) {
    const auto found = many.shares.find(tokens);
    ASSERT_NE(found, many.shares.end());
    EXPECT_NEAR(found->second, share, kDoubleError * static_cast<double>(one.z));
  }
}

struct EnumerationCase {
  Resampling resampling;
  Steering steering;
  /// In a world with dead prefixes, which no mask tells.
  std::optional<StepMethod> deadly;
};

class SmcEnumeration : public ::testing::TestWithParam<EnumerationCase> {};

std::vector<EnumerationCase> enumeration_cases() {
  std::vector<EnumerationCase> cases;
  for (const Resampling resampling : {Resampling::kMultinomial, Resampling::kStratified,
                                      Resampling::kSystematic, Resampling::kResidual}) {
    for (const Steering steering : {Steering::kNone, Steering::kLookAhead, Steering::kCritic}) {
      cases.push_back({resampling, steering, std::nullopt});
    }
    cases.push_back({resampling, Steering::kNone, StepMethod::kNormalizer});
    cases.push_back({resampling, Steering::kCritic, StepMethod::kNormalizer});
    cases.push_back({resampling, Steering::kNone, StepMethod::kAwrs});
  }
  return cases;
}

std::string name_of(const ::testing::TestParamInfo<EnumerationCase>& test) {
  std::string name(to_string(test.param.resampling));
  if (test.param.steering == Steering::kLookAhead) name += "Twisted";
  if (test.param.steering == Steering::kCritic) name += "Judged";
  if (test.param.deadly) name += "Deadly";
  return name + (test.param.deadly == StepMethod::kAwrs ? "Awrs" : "");
}

INSTANTIATE_TEST_SUITE_P(Cases, SmcEnumeration, ::testing::ValuesIn(enumeration_cases()), name_of);

/// E[exp(log_z)] = Z and E[mean weight 1{x}] = P(x) for 1, 2 and 3 particles that are never, when
/// uneven, and always resampled.
TEST_P(SmcEnumeration, EstimatesAreUnbiased) {
  const EnumerationCase& param = GetParam();
  constexpr double kNever = 0;
  constexpr double kUneven = 0.9;
  constexpr double kAlways = 2;
  size_t runs = 0;
  size_t resampled = 0;
  size_t dead = 0;
  for (const size_t max_tokens : {3, 2}) {
    const RandomWorldOptions options = {.letters = 2, .states = 3, .max_tokens = max_tokens};
    const uint64_t seed = test_seed() + max_tokens;
    Course course(param.deadly ? deadly_world(seed, options) : lively_world(seed, options),
                  param.deadly.value_or(StepMethod::kAuto), param.steering);
    const auto one = course.expectation(1, param.resampling, kNever);
    course.expect_true(one);
    // More would be too many runs; adaptive rejection has more to choose in a step.
    const size_t most = 5 - max_tokens - (param.deadly == StepMethod::kAwrs ? 1 : 0);
    for (size_t particles = 1; particles <= most; ++particles) {
      for (const double threshold : {kNever, kUneven, kAlways}) {
        SCOPED_TRACE(std::to_string(particles) + " particles, " + std::to_string(max_tokens) +
                     " tokens, resampled below " + std::to_string(threshold));
        const auto many = course.expectation(particles, param.resampling, threshold);
        expect_equal(many, one);
        if (threshold == kNever) {
          EXPECT_EQ(many.resampled, 0u);
        }
        runs += many.runs;
        resampled += many.resampled;
        dead += many.dead;
      }
    }
  }
  EXPECT_GT(resampled, 0u);
  printf("%zu runs, %zu resampled, %zu dead particles\n", runs, resampled, dead);
}

}  // namespace
}  // namespace espalier::testing
