#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "espalier/model.h"
#include "espalier/potential.h"
#include "espalier/status.h"

namespace espalier {

/// A model, a constraint and a token budget small enough for the truth to be known.
struct World {
  std::string name;
  std::shared_ptr<const Potential> potential;  ///< without the budget
  std::shared_ptr<LanguageModel> model;
  size_t model_order = 0;  ///< tokens the model looks back
  size_t max_tokens = 0;
};

/// P(x) of every valid token sequence x within the budget, its end of sequence included.
struct Truth {
  std::map<std::vector<TokenId>, double> sequences;
  double z = 0;  ///< their sum
};

struct RandomWorldOptions {
  size_t letters = 3;      ///< tokens beside the end of sequence
  size_t states = 5;       ///< of the automaton, before those without a way out are cut
  size_t model_order = 2;  ///< tokens that the model looks back
  double spread = 2.0;     ///< standard deviation of the model's logits
  double edges = 0.7;      ///< probability that a state reads a letter
  size_t max_tokens = 5;
};

/// A random automaton and a random model over letters "a", "b", ..: the same for equal seeds. The
/// language is not empty within the budget.
World random_world(uint64_t seed, const RandomWorldOptions& options = {});

/// The skewed binary grammars of grammar-aligned decoding: strings of `length` digits that begin
/// with 1, and one that begins with 0, all of zeros, under a model of near-uniform digits that
/// begins with 0 by probability `zero_first`.
World binary_world(size_t length, double zero_first);

/// A JSON schema under a language model.
Result<World> schema_world(const std::string& name, std::string_view schema,
                           std::shared_ptr<LanguageModel> model, size_t model_order,
                           size_t max_tokens);

/// All valid sequences of a world by walking its tokens; kBudgetExceeded beyond `max_sequences`.
Result<Truth> enumerate(const World& world, size_t max_sequences = 200'000);

}  // namespace espalier
