#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "backends/history_model.h"
#include "espalier/status.h"

namespace espalier {

/// A model given by a table, for research and tests:
///
///   {"tokens": ["a", "b", ""], "eos": 2, "contexts": {"": [0, 0, -1], "0 1": [null, null, 0]}}
///
/// A token's bytes are its string's code points (0-255). A context lists ids, oldest first; the
/// longest listed suffix of the ids so far gives the next token's log-weights, one per token; null
/// is impossible. Rows are normalized here. Single-threaded.
class TableModel final : public HistoryModel {
 public:
  static Result<std::unique_ptr<TableModel>> load(const std::string& path);
  /// `name` is the model's and stands for the file in errors, whose place is "name:offset" for
  /// broken JSON and "name:JSON pointer" for anything else.
  static Result<std::unique_ptr<TableModel>> from_json(std::string_view text,
                                                       const std::string& name);

  std::string name() const override { return name_; }

 protected:
  size_t max_context() const override { return longest_; }
  void fill_row(std::span<const TokenId> context, std::span<float> row) override;

 private:
  using Rows = std::map<std::vector<TokenId>, std::vector<float>>;  // normalized logarithms
  TableModel(std::shared_ptr<const Vocabulary> vocabulary, Rows rows, std::string name);

  std::string name_;
  Rows rows_;
  size_t longest_ = 0;
};

}  // namespace espalier
