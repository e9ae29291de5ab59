#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <utility>
#include <vector>

#include "engine/rows/mask_leaf_rows.h"

namespace espalier {

struct RowMemoTree;
struct RowMemoNode;

/// What can be asked of a leaf about one of its products, which are numbered in the order in which
/// answers name them; the row's own is 0.
struct RowQuestion {
  enum class Kind : uint8_t { kSteps, kQuote };
  Kind kind = Kind::kSteps;
  uint32_t product = 0;
  uint32_t bytes = 0;  ///< of leaves that are read by bytes: the bytes of the alphabet, by place
  friend bool operator==(const RowQuestion&, const RowQuestion&) = default;
};
using RowAnswer = std::vector<uint32_t>;

/// The tokens of rows of all leaves, by what the leaves answered while they were built; see
/// row_memo.cpp. Does not keep the tokens alive. Process-wide, within a byte budget. Thread-safe.
class RowMemo {
 public:
  static constexpr size_t kDefaultBudget = size_t{7} << 20;

  /// How first answers begin: of rows by code points, and by bytes.
  static constexpr uint32_t kContent = 0, kBytes = 1;

  struct Row {
    std::shared_ptr<const LeafRow::Tokens> tokens;
    std::vector<uint32_t> ends;  ///< the final states of LeafRow::end_states, by number
  };

  static RowMemo& process();

  /// How far a search has come.
  class Search {
   public:
    bool asked(const RowQuestion& question) const;
    const std::vector<RowQuestion>& asked() const { return asked_; }

   private:
    friend class RowMemo;
    std::shared_ptr<RowMemoTree> tree_;
    RowMemoNode* at_ = nullptr;
    bool gone_ = false;  // at_ had a row
    RowAnswer missing_;  // else: what has not been answered yet there
    std::vector<RowQuestion> asked_;
  };
  /// The row of a leaf that answers so, if it is known. `first` is what was known before.
  std::optional<Row> find(RowAnswer first, const std::function<RowAnswer(const RowQuestion&)>& ask,
                          Search* search);
  /// Adds the row that a search did not find, which follows from what the search asked and from
  /// these answers.
  void insert(Search search, std::vector<std::pair<RowQuestion, RowAnswer>> answers, Row row);
  void set_budget(size_t bytes);
  size_t memory_bytes() const;

 private:
  mutable std::mutex mutex_;
  std::shared_ptr<RowMemoTree> tree_;
  std::atomic<size_t> budget_ = kDefaultBudget;
};

}  // namespace espalier
