#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "backends/history_model.h"
#include "backends/ngram_file.h"
#include "espalier/status.h"

namespace espalier {

/// An interpolated n-gram model. Every ordinary token and end of sequence has a probability above
/// zero. Sequences begin a document: the first tokens are predicted as such. Single-threaded.
class NgramModel final : public HistoryModel {
 public:
  /// `name` is the model's; "": its path.
  static Result<std::unique_ptr<NgramModel>> load(const std::string& path,
                                                  const std::string& name = {});
  /// `file` stands for the bytes in errors.
  static Result<std::unique_ptr<NgramModel>> from_bytes(std::string_view bytes,
                                                        const std::string& file,
                                                        const std::string& name = {});

  std::string name() const override { return name_; }
  int order() const { return order_; }
  size_t memory_bytes() const;

 protected:
  size_t max_context() const override { return static_cast<size_t>(order_) - 1; }
  void fill_row(std::span<const TokenId> context, std::span<float> row) override;

 private:
  struct Node {
    TokenId token;
    uint32_t first_child;
    uint32_t first_entry;
    float backoff;
  };
  struct Entry {
    TokenId token;
    float share;
  };

  NgramModel(std::shared_ptr<const Vocabulary> vocabulary, const NgramTrie& trie, std::string name);
  uint32_t child(uint32_t node, TokenId token) const;
  std::span<const Entry> entries(uint32_t node) const {
    return std::span(entries_).subspan(nodes_[node].first_entry,
                                       nodes_[node + 1].first_entry - nodes_[node].first_entry);
  }
  void fill_base(const NgramTrie& trie);

  std::string name_;
  int order_;
  std::vector<Node> nodes_;  // one more than there are contexts
  std::vector<Entry> entries_;
  std::vector<float> base_log_;  // the row of the empty context
  std::vector<float> base_;      // its probabilities
  std::vector<double> scratch_;  // by token; zero between calls
};

}  // namespace espalier
