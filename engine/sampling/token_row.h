#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "engine/mask_bits.h"
#include "engine/random.h"
#include "engine/sampling/row_kernels.h"
#include "espalier/status.h"
#include "espalier/vocabulary.h"

namespace espalier {

/// A row of log-weights as a distribution to draw from, with and without replacement: one pass over
/// the row, then a draw or an exclusion touches one block of it. See token_row.cpp.
class TokenRow {
 public:
  /// One pass. The tokens are those of `support` (at least one bit for each entry) whose log-weight
  /// is above -infinity; the row must outlive the draws. kInvalidArgument when an entry that
  /// was read is NaN or +infinity; the row is then empty.
  Status start(std::span<const float> row, std::span<const MaskWord> support,
               Unsupported unsupported = Unsupported::kCheck);

  /// No token, and no pass.
  void clear();

  /// No token is left.
  bool empty() const { return reference_ == kNothing; }
  /// log of the weight of the tokens that are left; -infinity when empty.
  double log_total() const;
  double log_weight(TokenId token) const { return row_[static_cast<size_t>(token)]; }
  bool contains(TokenId token) const { return mask_bit(support_, token); }

  /// The tokens that are left, ascending.
  std::vector<TokenId> tokens() const;

  /// A token that is left, with probability exp(log_weight - log_total()); not when empty.
  TokenId draw(Random* random) const;
  /// Takes a token out.
  void exclude(TokenId token);
  /// Puts all that were taken out back in.
  void restore();

 private:
  static constexpr double kNothing = -1e300;
  static constexpr size_t kGroupBlocks = 16;

  size_t block_size(size_t block) const;
  void sum(size_t block);
  void refresh(size_t block);
  void rescale();

  std::span<const float> row_;
  std::vector<MaskWord> support_;
  std::vector<BlockSum> blocks_;
  std::vector<double> block_mass_;  ///< relative to exp(reference_)
  std::vector<double> group_mass_;  ///< of kGroupBlocks blocks each
  double reference_ = kNothing;
  double total_ = 0;
  std::vector<TokenId> excluded_;
};

}  // namespace espalier
