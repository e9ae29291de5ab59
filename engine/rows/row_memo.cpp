// Rows by what leaves answer.
//
// The idea: patterns are told apart by their leaves, yet most rows are those of another leaf. After
// "2024-0" of a date and after "10." of an address a few digits may follow; identifiers and hashes
// differ in their lengths, which no token sees. Building a row is asking: where do characters lead
// from here, and may the string end. What was asked and answered is all that the row depends on, so
// it is kept in a tree of questions; another leaf that gives the same answers has the same row,
// and is not asked for more.
//
// Example: for ^[0-9]{4}-[0-9]{2}$ at its start product 0 leads by [0-9] to 1, that to 2, that to
// 3, and no token has more digits. ^[0-9]{3,}x$ answers the same.
//
//     steps of 0? -- [0-9] to 1 --> steps of 1? -- [0-9] to 2 --> ... --> the row
//                 \- [a-f] to 1 --> steps of 1? ...
//
// Invariants: a node's row is that of every leaf whose answers lead to it. Products and exits are
// numbered by the answers that name them first, so that the numbers say nothing about the leaf.
//
// Cost: a look-up for each question, of which there are as many as products that tokens reach. When
// the budget is exceeded all is forgotten, and freed a few nodes at a time by the rows that follow:
// tens of thousands at once would take milliseconds.
#include "engine/rows/row_memo.h"

#include <algorithm>
#include <mutex>

#include "engine/hash.h"

namespace espalier {

namespace {

constexpr size_t kEntry = 96;  // of a hash table

struct AnswerHash {
  size_t operator()(const RowAnswer& answer) const {
    uint64_t hash = answer.size();
    for (const uint32_t word : answer) hash = mix64((hash + word) * kGoldenGamma);
    return static_cast<size_t>(hash);
  }
};

}  // namespace

struct RowMemoNode {
  // Either the next question or a row.
  RowQuestion question;
  std::unordered_map<RowAnswer, std::unique_ptr<RowMemoNode>, AnswerHash> after;
  std::weak_ptr<const LeafRow::Tokens> tokens;
  std::vector<uint32_t> ends;
  bool has_row = false;
};

namespace {

/// Nodes of forgotten trees.
class Remains {
 public:
  static Remains& process() {
    static Remains* const remains = new Remains;
    return *remains;
  }
  void add(RowMemoNode node) {
    if (node.after.empty()) return;
    const std::lock_guard lock(mutex_);
    nodes_.push_back(std::make_unique<RowMemoNode>(std::move(node)));
  }
  void free_some() {
    const std::lock_guard lock(mutex_);
    for (size_t i = 0; i < kAtOnce && !nodes_.empty(); ++i) {
      auto& after = nodes_.back()->after;
      if (after.empty()) {
        nodes_.pop_back();
        continue;
      }
      auto below = std::move(after.begin()->second);
      after.erase(after.begin());
      if (!below->after.empty()) nodes_.push_back(std::move(below));
    }
  }

 private:
  static constexpr size_t kAtOnce = 64;  // some times as many as a row adds
  std::mutex mutex_;
  std::vector<std::unique_ptr<RowMemoNode>> nodes_;
};

}  // namespace

struct RowMemoTree {
  RowMemoTree() = default;
  ~RowMemoTree() { Remains::process().add(std::move(root)); }
  RowMemoTree(const RowMemoTree&) = delete;
  RowMemoTree& operator=(const RowMemoTree&) = delete;

  std::mutex mutex;
  RowMemoNode root;
  size_t bytes = 0;
};

RowMemo& RowMemo::process() {
  static RowMemo* const memo = new RowMemo;
  return *memo;
}

bool RowMemo::Search::asked(const RowQuestion& question) const {
  return std::find(asked_.begin(), asked_.end(), question) != asked_.end();
}

std::optional<RowMemo::Row> RowMemo::find(RowAnswer first,
                                          const std::function<RowAnswer(const RowQuestion&)>& ask,
                                          Search* search) {
  {
    const std::lock_guard lock(mutex_);
    if (tree_ == nullptr) tree_ = std::make_shared<RowMemoTree>();
    search->tree_ = tree_;
  }
  RowMemoTree& tree = *search->tree_;
  RowMemoNode*& at = search->at_;
  at = &tree.root;
  search->missing_ = std::move(first);
  while (true) {
    {
      const std::lock_guard lock(tree.mutex);
      const auto it = at->after.find(search->missing_);
      if (it == at->after.end()) return std::nullopt;
      at = it->second.get();
      if (at->has_row) {
        if (auto tokens = at->tokens.lock()) return Row{std::move(tokens), at->ends};
        search->gone_ = true;
        return std::nullopt;
      }
    }
    search->asked_.push_back(at->question);
    search->missing_ = ask(at->question);
  }
}

void RowMemo::insert(Search search, std::vector<std::pair<RowQuestion, RowAnswer>> answers,
                     Row row) {
  Remains::process().free_some();
  RowMemoTree& tree = *search.tree_;
  bool full = false;
  {
    const std::lock_guard lock(tree.mutex);
    RowMemoNode* node = search.at_;
    if (!search.gone_) {
      RowAnswer answer = std::move(search.missing_);
      for (size_t i = 0; i <= answers.size(); ++i) {
        const size_t bytes = sizeof(RowMemoNode) + answer.capacity() * sizeof(uint32_t) + kEntry;
        const auto [it, inserted] = node->after.try_emplace(std::move(answer));
        if (!inserted) return;  // another thread was here
        tree.bytes += bytes;
        node = (it->second = std::make_unique<RowMemoNode>()).get();
        if (i == answers.size()) break;
        node->question = answers[i].first;
        answer = std::move(answers[i].second);
      }
    }
    node->tokens = row.tokens;
    node->ends = std::move(row.ends);
    node->has_row = true;
    full = tree.bytes > budget_;
  }
  if (!full) return;
  const std::lock_guard lock(mutex_);
  if (tree_ == search.tree_) tree_.reset();
}

void RowMemo::set_budget(size_t bytes) {
  const std::lock_guard lock(mutex_);
  budget_ = bytes;
  tree_.reset();
}

size_t RowMemo::memory_bytes() const {
  const std::lock_guard lock(mutex_);
  if (tree_ == nullptr) return 0;
  const std::lock_guard tree_lock(tree_->mutex);
  return tree_->bytes;
}

}  // namespace espalier
