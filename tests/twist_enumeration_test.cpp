// The look-ahead as proposal and twist, exactly: in small worlds every choice along every token
// sequence is walked through with its probability, so that what a twisted particle contributes to
// each text is a sum and not an average.
//
// Worlds: regular expressions over tokens of several bytes, so that a text has several spellings in
// tokens; table models that look back up to three tokens, more than the surrogate, with impossible
// tokens; every budget. A valid text must have positive probability, and its probability times its
// weight must be the model's.

#include <algorithm>
#include <cmath>
#include <functional>
#include <map>
#include <string>

#include "backends/table_model.h"
#include "chance_enumeration.h"
#include "engine/sampling/look_ahead.h"
#include "engine/sampling/prefix_tree.h"
#include "engine_support.h"
#include "espalier/step_sampler.h"

namespace espalier::testing {
namespace {

/// Rows are floats, and so are the weights inside a block.
constexpr double kFloatError = 4e-6;

using Sequence = std::vector<TokenId>;

struct TableWorld {
  std::string pattern;
  std::string model;  ///< a table model's file
  size_t max_tokens = 0;
};

/// What one particle's weight is for each text.
struct Contribution {
  double probability = 0;  ///< of drawing it
  double weight = 0;       ///< E[weight 1{text}]
  double square = 0;       ///< E[weight^2 1{text}]
};

class Worlds {
 public:
  explicit Worlds(const TableWorld& world) : world_(world) {
    auto model = TableModel::from_json(world.model, "world");
    EXPECT_TRUE(model.ok()) << model.status().to_string() << world.model;
    model_ = std::move(model).value();
    auto grammar = Grammar::from_regex(world.pattern);
    EXPECT_TRUE(grammar.ok()) << grammar.status().to_string();
    unlimited_ = automaton_potential(*grammar, model_->vocabulary());
    limited_ = limit_tokens(unlimited_, world.max_tokens);
    Matcher matcher(*grammar, model_->vocabulary());
    enumerate({}, 1, matcher);
  }

  LanguageModel* model() const { return model_.get(); }
  const std::shared_ptr<const Potential>& unlimited() const { return unlimited_; }
  /// P(x) of valid token sequences within the budget, by trying all sequences.
  const std::map<Sequence, double>& truth() const { return truth_; }
  double z() const {
    double sum = 0;
    for (const auto& [tokens, p] : truth_) sum += p;
    return sum;
  }

  /// Through the step sampler, as particles are moved: see Swarm::move_together.
  std::map<Sequence, Contribution> contributions(
      const LookAhead& look, double temper, const StepOptions& options,
      const std::shared_ptr<const Potential>& potential) {
    std::map<Sequence, Contribution> made;
    PrefixTree tree(potential, model_.get());
    StepSampler sampler(options);
    std::vector<float> proposal(model_->width());
    std::function<void(PrefixTree::Node, LookAhead::Node, const Contribution&)> visit =
        [&](PrefixTree::Node node, LookAhead::Node place, const Contribution& before) {
          EXPECT_TRUE(tree.fetch(std::span(&node, 1)).ok());
          look.propose(place, world_.max_tokens - tree.depth(node), temper, tree.row(node),
                       proposal);
          const Status prepared = sampler.prepare(&tree.cursor(node), tree.row(node), proposal);
          ASSERT_TRUE(prepared.ok()) << prepared.to_string();
          std::map<TokenId, Contribution> next;
          Enumeration enumeration;
          do {
            const StepDraw draw = sampler.draw(&enumeration);
            if (draw.outcome != StepOutcome::kAccepted) continue;
            const double weight = std::exp(draw.log_weight);
            Contribution& one = next[draw.token];
            one.probability += enumeration.probability;
            one.weight += enumeration.probability * weight;
            one.square += enumeration.probability * weight * weight;
          } while (enumeration.next());
          for (const auto& [token, one] : next) {
            const Contribution after{before.probability * one.probability,
                                     before.weight * one.weight, before.square * one.square};
            if (tree.vocabulary().is_eos(token)) {
              made[tree.tokens(node)] = after;
              continue;
            }
            const auto child = tree.child(node, token);
            ASSERT_TRUE(child.ok()) << child.status().to_string();
            const LookAhead::Node there = look.next(place, token);
            ASSERT_FALSE(std::isinf(look.log_h(there, world_.max_tokens - tree.depth(*child))));
            visit(*child, there, after);
          }
        };
    visit(PrefixTree::kRoot, LookAhead::kRoot, {1, 1, 1});
    return made;
  }

  const std::shared_ptr<const Potential>& limited() const { return limited_; }

 private:
  void enumerate(const Sequence& tokens, double p, const Matcher& matcher) {
    std::vector<float> row(model_->width());
    const auto sequence = model_->open(tokens);
    ASSERT_TRUE(sequence.ok() && model_->next_log_probs(std::span(&*sequence, 1), row).ok());
    model_->release(*sequence);
    for (TokenId token = 0; token < static_cast<TokenId>(row.size()); ++token) {
      const double next = p * std::exp(static_cast<double>(row[static_cast<size_t>(token)]));
      Matcher after = matcher.clone();
      if (!(next > 0) || !after.accept(token).ok()) continue;
      if (model_->vocabulary()->is_eos(token)) {
        truth_[tokens] = next;
      } else if (tokens.size() < world_.max_tokens) {
        Sequence longer = tokens;
        longer.push_back(token);
        enumerate(longer, next, after);
      }
    }
  }

  TableWorld world_;
  std::unique_ptr<TableModel> model_;
  std::shared_ptr<const Potential> unlimited_, limited_;
  std::map<Sequence, double> truth_;
};

LookAheadOptions look_options(const TableWorld& world, size_t order) {
  LookAheadOptions options;
  options.order = order;
  options.max_tokens = world.max_tokens;
  return options;
}

/// Checks all of it; returns Var(Z-hat) / Z^2 of one particle.
double expect_exact(const TableWorld& world, size_t order, double temper) {
  Worlds known(world);
  if (known.truth().empty()) return 0;
  const auto look = LookAhead::build(known.unlimited(), known.model(), look_options(world, order));
  EXPECT_TRUE(look.ok()) << look.status().to_string();
  if (!look.ok()) return 0;
  double squares = 0;
  for (const bool masked : {true, false}) {
    const auto potential = masked ? known.limited() : without_masks(known.limited());
    for (const StepMethod method : {StepMethod::kAuto, StepMethod::kAwrs}) {
      const auto made = known.contributions(**look, temper, {.method = method}, potential);
      EXPECT_EQ(made.size(), known.truth().size()) << world.pattern;
      double drawn = 0;
      double weight = 0;
      double square = 0;
      for (const auto& [tokens, p] : known.truth()) {
        const auto found = made.find(tokens);
        if (found == made.end()) {
          ADD_FAILURE() << world.pattern << ": a valid text is never drawn";
          return 0;
        }
        EXPECT_GT(found->second.probability, 0);
        EXPECT_NEAR(found->second.weight, p,
                    kFloatError * p * static_cast<double>(tokens.size() + 1));
        drawn += found->second.probability;
        weight += found->second.weight;
        square += found->second.square;
      }
      EXPECT_NEAR(weight, known.z(), kFloatError * known.z() * 8);
      EXPECT_LT(drawn, 1 + 1e-5);
      squares = square / (known.z() * known.z()) - 1;
    }
  }
  return squares;
}

std::string random_pattern(std::mt19937_64& rng, int depth) {
  const auto part = [&] { return random_pattern(rng, depth - 1); };
  if (depth == 0) return std::string(1, static_cast<char>('a' + rng() % 3));
  switch (rng() % 6) {
    case 0:
      return std::string(1, static_cast<char>('a' + rng() % 3));
    case 1:
      return part() + part();
    case 2:
      return "(" + part() + "|" + part() + ")";
    case 3:
      return "(" + part() + ")*";
    case 4:
      return "(" + part() + "){1,3}";
    default:
      return "(" + part() + ")?";
  }
}

std::string random_row(std::mt19937_64& rng, size_t width, double impossible) {
  std::string row = "[";
  const size_t possible = rng() % width;
  for (size_t i = 0; i < width; ++i) {
    if (i > 0) row += ",";
    row += i != possible && std::bernoulli_distribution(impossible)(rng)
               ? "null"
               : std::to_string(-std::exponential_distribution<>(0.5)(rng));
  }
  return row + "]";
}

/// Up to five tokens of one to three letters, the end of sequence anywhere among them.
TableWorld random_table_world(std::mt19937_64& rng) {
  std::vector<std::string> tokens;
  const size_t count = 1 + rng() % 5;
  while (tokens.size() < count) {
    std::string token;
    for (size_t i = 1 + rng() % 3; i > 0; --i) token += static_cast<char>('a' + rng() % 3);
    if (std::find(tokens.begin(), tokens.end(), token) == tokens.end()) tokens.push_back(token);
  }
  const size_t eos = rng() % (tokens.size() + 1);
  tokens.insert(tokens.begin() + static_cast<std::ptrdiff_t>(eos), "");
  const size_t width = tokens.size();
  const double impossible = rng() % 2 == 0 ? 0 : 0.2;
  std::string names;
  for (const std::string& token : tokens) names += (names.empty() ? "\"" : ",\"") + token + "\"";
  std::string contexts = "\"\":" + random_row(rng, width, 0);
  const auto add = [&](const std::string& context) {
    contexts += ",\"" + context + "\":" + random_row(rng, width, impossible);
  };
  const auto id = [&] {
    size_t at = rng() % width;
    while (at == eos && width > 1) at = rng() % width;
    return std::to_string(at);
  };
  std::set<std::string> used;
  for (int i = 0; i < 8; ++i) {
    std::string context = id();
    for (size_t more = rng() % 3; more > 0; --more) context += " " + id();
    if (used.insert(context).second) add(context);
  }
  return {random_pattern(rng, 3),
          "{\"tokens\":[" + names + "],\"eos\":" + std::to_string(eos) + ",\"contexts\":{" +
              contexts + "}}",
          rng() % 5};
}

TEST(TwistEnumeration, EveryTextHasItsProbability) {
  std::mt19937_64 rng(test_seed());
  for (int round = 0; round < 150; ++round) {
    const TableWorld world = random_table_world(rng);
    for (const size_t order : {size_t{0}, size_t{1}, size_t{3}}) {
      for (const double temper : {0.0, 0.5, 1.0}) expect_exact(world, order, temper);
    }
    if (HasFailure()) {
      printf("%s\n%s\n%zu tokens\n", world.pattern.c_str(), world.model.c_str(), world.max_tokens);
      return;
    }
  }
}

/// A world in which a surrogate of one token calls impossible what the model of two likes best: its
/// row after `cb` is that of no context. Such texts are drawn as often as the smoothing says, with
/// large weights; a surrogate that looks back two tokens knows better.
TEST(TwistEnumeration, AShortSightedSurrogateCostsVarianceOnly) {
  const TableWorld world = {
      "((b|c))*a",
      R"({"tokens": ["cb", "abc", "c", "cac", "a", ""], "eos": 5, "contexts": {
        "": [null, -3.536, -2.938, -2.292, null, -3.666],
        "2": [-1.957, -1.519, -3.033, -1.592, -3.479, -1.608],
        "2 0": [null, -2.319, -2.271, -3.56, -0.491, -3.565],
        "2 2": [-3.052, -2.188, null, -1.601, -1.918, -2.933],
        "4": [-0.793, -1.0, null, -3.009, -1.135, -1.569]}})",
      3};
  const double short_sighted = expect_exact(world, 1, 0.5);
  EXPECT_GT(short_sighted, 5);
  EXPECT_LT(short_sighted, 15);
  EXPECT_LT(expect_exact(world, 2, 0.5), 0.5);
  EXPECT_LT(expect_exact(world, 2, 1), 0.01);
}

/// Digits without end are states without end: only those within the budget are looked at.
TEST(TwistEnumeration, PlacesBeyondTheBudgetAreNotWalked) {
  const char* const table = R"({"tokens": ["2", "-", "a", ""], "eos": 3, "contexts": {
      "": [-1.401, -0.599, -0.806, -1.761], "0": [-0.875, -1.435, -0.817, -0.419]}})";
  auto model = TableModel::from_json(table, "table");
  ASSERT_TRUE(model.ok());
  const auto grammar = Grammar::from_json_schema(R"({"type": "integer", "multipleOf": 7})");
  ASSERT_TRUE(grammar.ok());
  const auto potential = automaton_potential(*grammar, (*model)->vocabulary());
  LookAheadOptions options;
  options.max_tokens = 6;
  const auto look = LookAhead::build(potential, model->get(), options);
  ASSERT_TRUE(look.ok()) << look.status().to_string();
  EXPECT_LT((*look)->num_nodes(), 40u);
  EXPECT_FALSE(std::isinf((*look)->log_h(LookAhead::kRoot, 6)));  // 222222 = 7 * 31746
  EXPECT_TRUE(std::isinf((*look)->log_h(LookAhead::kRoot, 5)));
}

}  // namespace
}  // namespace espalier::testing
