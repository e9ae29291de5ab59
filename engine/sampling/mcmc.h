#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <vector>

#include "engine/random.h"
#include "engine/sampling/prefix_tree.h"
#include "espalier/population.h"

namespace espalier {

/// A complete text with what is needed to compare it with others.
struct ChainText {
  std::vector<TokenId> tokens;    ///< without the end of sequence
  std::vector<double> log_local;  ///< of each choice (the end included) in its masked row
  std::vector<double> log_mass;   ///< of each choice's masked row
  std::vector<double> entropy;    ///< of each choice's masked row, in nats
  bool complete = false;          ///< false: ran into a dead end

  double log_probability() const;  ///< the model's, of the text with its end
};

/// The local draw of a text: each token from its masked row; the first `keep` are those of `kept`
/// (which may be null when there are none).
Result<ChainText> draw_locally(PrefixTree* tree, const ChainText* kept, size_t keep,
                               Random* random);

/// log q(to | from) of cutting `from` at a position and drawing the rest locally, -infinity when
/// impossible; kUniform and kPriority.
double log_cut_proposal(McmcProposal proposal, const ChainText& from, const ChainText& to);

/// A properly weighted draw: E[weight 1{x}] is proportional to P(x) 1[x valid].
struct ImportanceDraw {
  std::vector<TokenId> tokens;
  double log_weight = 0;
};
using ImportanceSource = std::function<Result<ImportanceDraw>(uint64_t draw)>;

struct McmcOptions {
  McmcProposal proposal = McmcProposal::kRestart;
  size_t steps = 10;
  uint64_t seed = 0;
  uint64_t chain = 0;  ///< chains of one seed are independent
  /// Begin again from a fresh local draw when it met a dead end, at most so often.
  size_t max_starts = 1000;
  /// kRestart: what proposes; empty: local draws.
  ImportanceSource source;
};

struct McmcResult {
  std::vector<TokenId> tokens;
  bool alive = false;  ///< false: no start was found, or a budget was spent
  Status spent;        ///< which budget of the tree was, or ok
  size_t accepted = 0;
};

/// One Metropolis-Hastings chain whose stationary law is P(x | x valid).
Result<McmcResult> run_mcmc(PrefixTree* tree, const McmcOptions& options);

}  // namespace espalier
