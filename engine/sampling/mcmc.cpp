// Markov chain Monte Carlo over complete texts.
//
// A text x is changed by cutting it at a position i and drawing the rest anew from the masked rows;
// the new text y is kept with probability min(1, P(y) q(x|y) / (P(x) q(y|x))), else x stays. Any
// cut within the common beginning could have made the same y, so
//
//   q(y|x) = sum over i <= lcp(x, y) of pos_x(i) GCD(y[i:] | y[:i])
//
//   x = {"a":1}<end>, y = {"a":2}<end>:  cuts 0 .. at the digit count, those behind it do not
//
// pos is uniform, or proportional to the perplexity of the masked row at i (priority: change what
// was undecided). Choices are the tokens and the end of sequence, so the last cut draws the end
// anew and every text has a cut.
//
// Restart replaces the whole text by an independent, properly weighted draw and keeps it with
// probability min(1, W'/W): for local draws W is P(y)/GCD(y), the product of the masked rows'
// masses. A random weight is as good as a computed one as long as the chain keeps it with its text
// (pseudo-marginal), so AWRS, a look-ahead, a trie that does not learn meanwhile, or a whole
// population of SMC can propose.
//
// Invariants: P(x | x valid) is stationary for each kernel (detailed balance); a dead end is a
// refused proposal. Chain c at step t uses the stream (seed, c, t) only. Cost: one row for each
// token that was drawn anew, where the tree does not know it. References: arXiv 2506.05754;
// Andrieu, Roberts, "The pseudo-marginal approach", Annals of Statistics 2009.

#include "engine/sampling/mcmc.h"

#include <cmath>
#include <limits>
#include <optional>
#include <utility>

#include "engine/sampling/random_streams.h"
#include "engine/sampling/resampling.h"

namespace espalier {
namespace {

constexpr double kMinusInfinity = -std::numeric_limits<double>::infinity();

/// Logarithms of the probabilities of the cuts 0 .. choices - 1.
std::vector<double> log_positions(McmcProposal proposal, const ChainText& text) {
  const size_t choices = text.log_local.size();
  if (proposal == McmcProposal::kUniform) {
    return std::vector<double>(choices, -std::log(static_cast<double>(choices)));
  }
  std::vector<double> positions = text.entropy;
  const double norm = log_sum_exp(positions);
  for (double& position : positions) position -= norm;
  return positions;
}

size_t draw_position(const std::vector<double>& log_positions, Random* random) {
  double point = random->unit();
  size_t index = 0;
  while (index + 1 < log_positions.size() && (point -= std::exp(log_positions[index])) >= 0) {
    ++index;
  }
  return index;
}

double entropy_of(const MaskedRow& row) {
  double sum = 0;
  for (size_t i = 0; i < row.tokens().size(); ++i) {
    const double p = row.probability(i) / row.mass();
    if (p > 0) sum -= p * std::log(p);
  }
  return sum;
}

Random step_stream(const McmcOptions& options, StreamPurpose purpose, uint64_t step) {
  return random_stream(options.seed, purpose, options.chain, step);
}

Result<McmcResult> run_cuts(PrefixTree* tree, const McmcOptions& options, ChainText text) {
  McmcResult result;
  for (uint64_t step = 0; step < options.steps; ++step) {
    if (result.spent = tree->spent(); !result.spent.ok()) return result;
    Random random = step_stream(options, StreamPurpose::kProposal, step);
    const size_t cut = draw_position(log_positions(options.proposal, text), &random);
    auto drawn = draw_locally(tree, &text, cut, &random);
    if (!drawn.ok()) return drawn.status();
    if (!drawn->complete) continue;
    const double ratio = drawn->log_probability() - text.log_probability() +
                         log_cut_proposal(options.proposal, *drawn, text) -
                         log_cut_proposal(options.proposal, text, *drawn);
    Random coin = step_stream(options, StreamPurpose::kAccept, step);
    if (ratio < 0 && coin.unit() >= std::exp(ratio)) continue;
    text = std::move(drawn).value();
    ++result.accepted;
  }
  result.tokens = std::move(text.tokens);
  result.alive = true;
  return result;
}

Result<McmcResult> run_restarts(PrefixTree* tree, const McmcOptions& options,
                                const ImportanceSource& source) {
  McmcResult result;
  std::optional<ImportanceDraw> text;
  uint64_t number = 0;
  for (; !text && number < options.max_starts; ++number) {
    if (result.spent = tree->spent(); !result.spent.ok()) return result;
    auto draw = source(number);
    if (!draw.ok()) return draw.status();
    if (!std::isinf(draw->log_weight)) text = std::move(draw).value();
  }
  if (!text) return result;
  for (uint64_t step = 0; step < options.steps; ++step, ++number) {
    if (result.spent = tree->spent(); !result.spent.ok()) return result;
    auto draw = source(number);
    if (!draw.ok()) return draw.status();
    const double ratio = draw->log_weight - text->log_weight;
    Random coin = step_stream(options, StreamPurpose::kAccept, step);
    if (ratio < 0 && coin.unit() >= std::exp(ratio)) continue;
    text = std::move(draw).value();
    ++result.accepted;
  }
  result.tokens = std::move(text->tokens);
  result.alive = true;
  return result;
}

}  // namespace

double ChainText::log_probability() const {
  double sum = 0;
  for (size_t i = 0; i < log_local.size(); ++i) sum += log_local[i] + log_mass[i];
  return sum;
}

Result<ChainText> draw_locally(PrefixTree* tree, const ChainText* kept, size_t keep,
                               Random* random) {
  ChainText text;
  PrefixTree::Node node = PrefixTree::kRoot;
  if (keep > 0) {
    const auto count = static_cast<std::ptrdiff_t>(keep);
    text.tokens.assign(kept->tokens.begin(), kept->tokens.begin() + count);
    text.log_local.assign(kept->log_local.begin(), kept->log_local.begin() + count);
    text.log_mass.assign(kept->log_mass.begin(), kept->log_mass.begin() + count);
    text.entropy.assign(kept->entropy.begin(), kept->entropy.begin() + count);
    for (const TokenId token : text.tokens) {
      const auto child = tree->child(node, token);
      if (!child.ok()) return child.status();
      node = *child;
    }
  }
  for (;;) {
    const auto masked = tree->masked(node);
    if (!masked.ok()) return masked.status();
    const MaskedRow& row = **masked;
    if (!(row.mass() > 0)) return text;
    const size_t index = row.at(random->unit() * row.mass());
    const TokenId token = row.tokens()[index];
    text.log_local.push_back(std::log(row.probability(index) / row.mass()));
    text.log_mass.push_back(std::log(row.mass()));
    text.entropy.push_back(entropy_of(row));
    if (tree->vocabulary().is_eos(token)) {
      text.complete = true;
      return text;
    }
    text.tokens.push_back(token);
    const auto child = tree->child(node, token);
    if (!child.ok()) return child.status();
    node = *child;
  }
}

double log_cut_proposal(McmcProposal proposal, const ChainText& from, const ChainText& to) {
  const std::vector<double> positions = log_positions(proposal, from);
  // Ends of sequence count as one choice: texts that differ in nothing else are equal.
  size_t common = 0;
  while (common < from.tokens.size() && common < to.tokens.size() &&
         from.tokens[common] == to.tokens[common]) {
    ++common;
  }
  std::vector<double> tail(to.log_local.size() + 1, 0);
  for (size_t i = to.log_local.size(); i > 0; --i) tail[i - 1] = tail[i] + to.log_local[i - 1];
  std::vector<double> terms;
  for (size_t i = 0; i <= common; ++i) terms.push_back(positions[i] + tail[i]);
  return log_sum_exp(terms);
}

Result<McmcResult> run_mcmc(PrefixTree* tree, const McmcOptions& options) {
  if (options.proposal == McmcProposal::kRestart && options.source) {
    return run_restarts(tree, options, options.source);
  }
  const auto draw = [&](uint64_t number) {
    Random random = random_stream(options.seed, StreamPurpose::kDraw, options.chain, number);
    return draw_locally(tree, nullptr, 0, &random);
  };
  if (options.proposal == McmcProposal::kRestart) {
    return run_restarts(tree, options, [&](uint64_t number) -> Result<ImportanceDraw> {
      auto text = draw(number);
      if (!text.ok()) return text.status();
      double log_weight = 0;
      for (const double mass : text->log_mass) log_weight += mass;
      if (!text->complete) log_weight = kMinusInfinity;
      return ImportanceDraw{std::move(text->tokens), log_weight};
    });
  }
  McmcResult none;
  for (uint64_t start = 0; start < options.max_starts; ++start) {
    if (none.spent = tree->spent(); !none.spent.ok()) break;
    auto text = draw(start);
    if (!text.ok()) return text.status();
    if (text->complete) return run_cuts(tree, options, std::move(text).value());
  }
  return none;
}

}  // namespace espalier
