// Byte-level byte-pair encoding: start from the 256 bytes, and again and again join the adjacent
// pair of tokens that occurs most often into a new token.
//
//   "aab" x 5, "ab" x 2:  pairs a,a 5; a,b 7  ->  token "ab"; then a,ab 5  ->  token "aab"
//
// Among pairs of equal count the one with the smaller left id, then the smaller right id, is taken,
// so the outcome depends on the words alone. A pair that spells an existing token (a,bc where ab,c
// made "abc") is joined into that token: a decoder by ranks cannot tell the two apart.
//
// Pair counts are kept up to date: a merge visits only the words that hold the pair, and the heap
// may hold stale counts, which are put right when they come to the top. Counts of a pair only fall
// once both its tokens exist, so the top is never too low. Cost: O(total merges done in words *
// log).
//
// Reference: Sennrich, Haddow, Birch, "Neural Machine Translation of Rare Words with Subword Units"
// (2016), section 3.2.

#include "backends/bpe_trainer.h"

#include <algorithm>
#include <queue>
#include <utility>

#include "grammar/tables/sort_unique.h"

namespace espalier {
namespace {

constexpr size_t kNumBytes = 256;
constexpr uint64_t kLeastCount = 2;

using Pair = uint64_t;
Pair make_pair_key(uint32_t left, uint32_t right) { return static_cast<Pair>(left) << 32 | right; }
uint32_t left_of(Pair pair) { return static_cast<uint32_t>(pair >> 32); }
uint32_t right_of(Pair pair) { return static_cast<uint32_t>(pair); }

struct Word {
  std::vector<uint32_t> tokens;
  uint64_t count;
};

struct PairInfo {
  uint64_t count = 0;
  std::vector<uint32_t> words;  // may repeat and may be stale
};

struct Candidate {
  uint64_t count;
  Pair pair;
  bool operator<(const Candidate& other) const {
    return count != other.count ? count < other.count : pair > other.pair;
  }
};

class Training {
 public:
  Training(std::vector<Word> words, size_t size) : words_(std::move(words)), size_(size) {
    for (size_t byte = 0; byte < kNumBytes; ++byte) {
      tokens_.emplace_back(1, static_cast<char>(byte));
      ids_.emplace(tokens_.back(), byte);
    }
    for (uint32_t i = 0; i < words_.size(); ++i) {
      const Word& word = words_[i];
      for (size_t k = 0; k + 1 < word.tokens.size(); ++k) {
        add(make_pair_key(word.tokens[k], word.tokens[k + 1]), word.count, i);
      }
    }
    for (const auto& [pair, info] : pairs_) heap_.push({info.count, pair});
  }

  std::vector<std::string> run() {
    while (tokens_.size() < size_ && !heap_.empty()) {
      const Candidate top = heap_.top();
      heap_.pop();
      const uint64_t count = pairs_[top.pair].count;
      if (count < kLeastCount) continue;
      if (count != top.count) {
        heap_.push({count, top.pair});
      } else {
        join(top.pair);
      }
    }
    return std::move(tokens_);
  }

 private:
  void add(Pair pair, uint64_t count, uint32_t word) {
    PairInfo& info = pairs_[pair];
    info.count += count;
    info.words.push_back(word);
  }

  void join(Pair pair) {
    const std::string bytes = tokens_[left_of(pair)] + tokens_[right_of(pair)];
    const auto [id, fresh] = ids_.emplace(bytes, tokens_.size());
    if (fresh) tokens_.push_back(bytes);
    std::vector<uint32_t> holders = std::move(pairs_[pair].words);
    sort_unique(&holders);
    grown_.clear();
    for (const uint32_t word : holders) join_in_word(pair, id->second, word);
    sort_unique(&grown_);
    for (const Pair changed : grown_) heap_.push({pairs_[changed].count, changed});
  }

  void join_in_word(Pair pair, uint32_t joined, uint32_t index) {
    Word& word = words_[index];
    std::vector<uint32_t>& old = word.tokens;
    std::vector<uint32_t> merged;
    for (size_t k = 0; k < old.size(); ++k) {
      if (k + 1 < old.size() && make_pair_key(old[k], old[k + 1]) == pair) {
        merged.push_back(joined);
        ++k;
      } else {
        merged.push_back(old[k]);
      }
    }
    if (merged.size() == old.size()) return;
    for (size_t k = 0; k + 1 < old.size(); ++k) {
      pairs_[make_pair_key(old[k], old[k + 1])].count -= word.count;
    }
    for (size_t k = 0; k + 1 < merged.size(); ++k) {
      const Pair present = make_pair_key(merged[k], merged[k + 1]);
      if (merged[k] == joined || merged[k + 1] == joined) {
        add(present, word.count, index);
        grown_.push_back(present);
      } else {
        pairs_[present].count += word.count;
      }
    }
    old = std::move(merged);
  }

  std::vector<Word> words_;
  size_t size_;
  std::vector<std::string> tokens_;
  std::unordered_map<std::string, uint32_t> ids_;
  std::unordered_map<Pair, PairInfo> pairs_;
  std::priority_queue<Candidate> heap_;
  std::vector<Pair> grown_;
};

}  // namespace

void BpeTrainer::add_word(std::string_view word, uint64_t count) {
  words_[std::string(word)] += count;
}

std::vector<std::string> BpeTrainer::train(size_t size) const {
  std::vector<Word> words;
  for (const auto& [text, count] : words_) {
    Word word{{}, count};
    for (const char c : text) word.tokens.push_back(static_cast<uint8_t>(c));
    words.push_back(std::move(word));
  }
  return Training(std::move(words), std::max(size, kNumBytes)).run();
}

}  // namespace espalier
