// Small worlds whose truth can be written down.
//
// A random world is a random automaton over single letters, with states from which nothing valid
// can be reached cut away, and a model whose row is a softmax of Gaussian logits seeded by the last
// tokens: a sum over the suffixes of its context, so that looking back less is a good guess. Its
// end of sequence is a token like the others. The truth of a world is found by walking the tree of
// all token sequences within the budget and multiplying probabilities: no sampler and no dynamic
// program is involved.

#include "jsonschemabench/fidelity_worlds.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <numbers>
#include <optional>
#include <utility>

#include "backends/history_model.h"
#include "engine/hash.h"
#include "engine/mask_bits.h"
#include "engine/random.h"
#include "espalier/grammar.h"
#include "grammar/recognizer.h"

namespace espalier {
namespace {

/// An automaton given by its table; state 0 is dead and 1 the start.
class TableRecognizer : public Recognizer {
 public:
  struct Row {
    std::array<uint32_t, 256> next{};
    bool accepting = false;
  };

  explicit TableRecognizer(std::vector<Row> rows) : rows_(std::move(rows)) { trim(); }

  State start() override { return state(distance_.size() > 1 && distance_[1] ? 1 : 0); }
  State step(State s, uint8_t byte) override { return state(rows_[s.frame].next[byte]); }
  State probe(State s, uint8_t byte) override { return step(s, byte); }
  void next_bytes(State s, ByteSet* out) override {
    for (int byte = 0; byte < 256; ++byte) {
      if (rows_[s.frame].next[byte] != 0) out->insert(static_cast<uint8_t>(byte));
    }
  }
  bool accepting(State s) override { return rows_[s.frame].accepting; }
  Bulk bulk(State) override { return {}; }
  State leave(State s, uint32_t) override { return s; }
  Result<std::string> shortest_completion(State s) override {
    if (!distance_[s.frame]) return Status(StatusCode::kRejected, "The state is dead.");
    std::string text;
    uint32_t at = s.frame;
    while (*distance_[at] > 0) {
      for (int byte = 0; byte < 256; ++byte) {
        const uint32_t next = rows_[at].next[byte];
        if (next == 0 || *distance_[next] + 1 != *distance_[at]) continue;
        text += static_cast<char>(byte);
        at = next;
        break;
      }
    }
    return text;
  }
  Explanation explain(State, const std::string&, uint8_t) override {
    return {"", "", "syntax", "The automaton has no such edge."};
  }
  Status status() const override { return Status(); }
  size_t memory_bytes() const override { return rows_.size() * sizeof(Row); }

  bool empty() const { return !distance_[1]; }

 private:
  static State state(uint32_t id) { return State{id, 0, 0, 0}; }

  /// Finds the distances to acceptance, and cuts edges into states that have none.
  void trim() {
    distance_.assign(rows_.size(), std::nullopt);
    for (bool changed = true; changed;) {
      changed = false;
      for (uint32_t id = 1; id < rows_.size(); ++id) {
        std::optional<size_t> best = rows_[id].accepting ? std::optional<size_t>(0) : std::nullopt;
        for (const uint32_t next : rows_[id].next) {
          if (next == 0 || !distance_[next]) continue;
          if (!best || *distance_[next] + 1 < *best) best = *distance_[next] + 1;
        }
        changed = changed || best != distance_[id];
        distance_[id] = best;
      }
    }
    for (Row& row : rows_) {
      for (uint32_t& next : row.next) {
        if (next != 0 && !distance_[next]) next = 0;
      }
    }
  }

  std::vector<Row> rows_;
  std::vector<std::optional<size_t>> distance_;
};

double gaussian(Random* random) {
  const double radius = std::sqrt(-2 * std::log1p(-random->unit()));
  return radius * std::cos(2 * std::numbers::pi * random->unit());
}

void normalize(std::span<float> row) {
  double sum = 0;
  for (const float value : row) sum += std::exp(static_cast<double>(value));
  for (float& value : row) value = static_cast<float>(value - std::log(sum));
}

class RandomModel : public HistoryModel {
 public:
  RandomModel(std::shared_ptr<const Vocabulary> vocabulary, uint64_t seed, size_t order,
              double spread)
      : HistoryModel(std::move(vocabulary)), seed_(seed), order_(order), spread_(spread) {}
  std::string name() const override { return "random"; }

 protected:
  size_t max_context() const override { return order_; }
  void fill_row(std::span<const TokenId> context, std::span<float> row) override {
    std::fill(row.begin(), row.end(), 0.0F);
    // Each suffix of the context has its say, the shorter ones more.
    uint64_t key = mix64(seed_ + kGoldenGamma);
    double share = spread_ * std::sqrt(0.5);
    for (size_t length = 0; length <= context.size(); ++length, share *= std::sqrt(0.5)) {
      if (length > 0) {
        key = mix64(key ^ (static_cast<uint64_t>(context[context.size() - length]) + 1));
      }
      Random random(mix64(key + length));
      for (float& value : row) value += static_cast<float>(share * gaussian(&random));
    }
    normalize(row);
  }

 private:
  uint64_t seed_;
  size_t order_;
  double spread_;
};

/// Digits of given length: the first is 0 with a given probability, then slightly uneven ones.
class BinaryModel : public HistoryModel {
 public:
  BinaryModel(std::shared_ptr<const Vocabulary> vocabulary, size_t length, double zero_first)
      : HistoryModel(std::move(vocabulary)), length_(length), zero_first_(zero_first) {}
  std::string name() const override { return "binary"; }

 protected:
  size_t max_context() const override { return length_ + 1; }
  void fill_row(std::span<const TokenId> context, std::span<float> row) override {
    constexpr double kEndEarly = 0.02;
    constexpr double kEndInTime = 0.9;
    const double end = context.size() < length_ ? kEndEarly : kEndInTime;
    double zero = zero_first_;
    if (!context.empty()) zero = context.back() == 0 ? 0.4 : 0.55;
    row[0] = static_cast<float>(std::log((1 - end) * zero));
    row[1] = static_cast<float>(std::log((1 - end) * (1 - zero)));
    row[2] = static_cast<float>(std::log(end));
  }

 private:
  size_t length_;
  double zero_first_;
};

std::shared_ptr<const Vocabulary> letters(size_t count, char first) {
  std::vector<std::string> tokens;
  for (size_t i = 0; i < count; ++i) tokens.emplace_back(1, static_cast<char>(first + i));
  tokens.emplace_back("<eos>");
  auto made = Vocabulary::from_tokens(std::move(tokens), {static_cast<TokenId>(count)});
  return std::move(made).value();
}

std::shared_ptr<const Potential> potential_of(std::shared_ptr<Recognizer> recognizer,
                                              std::shared_ptr<const Vocabulary> vocabulary) {
  return automaton_potential(Grammar::from_recognizer(std::move(recognizer)),
                             std::move(vocabulary));
}

class Enumerator {
 public:
  Enumerator(const World& world, size_t max_sequences)
      : world_(world), max_sequences_(max_sequences) {}

  Result<Truth> run() {
    PotentialCursor root(world_.potential);
    if (Status status = visit(&root, 1); !status.ok()) return status;
    return std::move(truth_);
  }

 private:
  Status visit(PotentialCursor* cursor, double probability) {
    const Vocabulary& vocabulary = cursor->vocabulary();
    std::vector<float> row(vocabulary.width());
    const auto sequence = world_.model->open(path_);
    if (!sequence.ok()) return sequence.status();
    Status status = world_.model->next_log_probs(std::span(&*sequence, 1), row);
    world_.model->release(*sequence);
    if (!status.ok()) return status;
    std::vector<int32_t> allowed(vocabulary.row_words());
    std::vector<int32_t> unknown(vocabulary.row_words());
    const auto knowledge = cursor->fill(allowed, unknown);
    if (!knowledge.ok()) return knowledge.status();
    if (*knowledge != Knowledge::kFull) {
      return Status(StatusCode::kUnsupported, "Only full masks are enumerated.");
    }
    for_each_mask_bit(as_mask_words(allowed), [&](TokenId token) {
      status = follow(*cursor, token, probability * std::exp(double{row[token]}));
      return status.ok();
    });
    return status;
  }

  Status follow(const PotentialCursor& cursor, TokenId token, double probability) {
    if (!(probability > 0)) return Status();
    if (cursor.vocabulary().is_eos(token)) {
      if (truth_.sequences.size() >= max_sequences_) {
        return Status(StatusCode::kBudgetExceeded, "The world has too many valid sequences.");
      }
      truth_.sequences[path_] += probability;
      truth_.z += probability;
      return Status();
    }
    if (path_.size() == world_.max_tokens) return Status();
    PotentialCursor next = cursor;
    if (Status status = next.accept(token); !status.ok()) return status;
    if (!next.completes_within(-1, world_.max_tokens - path_.size() - 1)) return Status();
    path_.push_back(token);
    Status status = visit(&next, probability);
    path_.pop_back();
    return status;
  }

  const World& world_;
  size_t max_sequences_;
  std::vector<TokenId> path_;
  Truth truth_;
};

}  // namespace

World random_world(uint64_t seed, const RandomWorldOptions& options) {
  for (uint64_t attempt = 0;; ++attempt) {
    Random random(mix64(seed + kGoldenGamma) + attempt);
    std::vector<TableRecognizer::Row> rows(options.states + 1);
    for (size_t id = 1; id < rows.size(); ++id) {
      rows[id].accepting = random.unit() < 0.3;
      for (size_t letter = 0; letter < options.letters; ++letter) {
        if (random.unit() >= options.edges) continue;
        rows[id].next['a' + letter] = static_cast<uint32_t>(1 + random.below(options.states));
      }
    }
    auto recognizer = std::make_shared<TableRecognizer>(std::move(rows));
    if (recognizer->empty()) continue;
    if (recognizer->shortest_completion(recognizer->start())->size() > options.max_tokens) continue;
    World world;
    world.name = "random " + std::to_string(seed);
    auto vocabulary = letters(options.letters, 'a');
    world.model = std::make_shared<RandomModel>(vocabulary, random.next(), options.model_order,
                                                options.spread);
    world.potential = potential_of(std::move(recognizer), std::move(vocabulary));
    world.model_order = options.model_order;
    world.max_tokens = options.max_tokens;
    return world;
  }
}

World binary_world(size_t length, double zero_first) {
  // 1 start, 2 .. length + 1: so many digits after a one, then the same for zeros.
  std::vector<TableRecognizer::Row> rows(2 * length + 2);
  const auto place = [&](size_t digits, bool zeros) {
    return static_cast<uint32_t>(1 + digits + (zeros ? length : 0));
  };
  rows[1].next['1'] = place(1, false);
  rows[1].next['0'] = place(1, true);
  for (size_t digits = 1; digits < length; ++digits) {
    rows[place(digits, false)].next['0'] = place(digits + 1, false);
    rows[place(digits, false)].next['1'] = place(digits + 1, false);
    rows[place(digits, true)].next['0'] = place(digits + 1, true);
  }
  rows[place(length, false)].accepting = true;
  rows[place(length, true)].accepting = true;
  World world;
  world.name = "binary " + std::to_string(length);
  auto vocabulary = letters(2, '0');
  world.model = std::make_shared<BinaryModel>(vocabulary, length, zero_first);
  world.potential =
      potential_of(std::make_shared<TableRecognizer>(std::move(rows)), std::move(vocabulary));
  world.model_order = length + 1;
  world.max_tokens = length;
  return world;
}

Result<World> schema_world(const std::string& name, std::string_view schema,
                           std::shared_ptr<LanguageModel> model, size_t model_order,
                           size_t max_tokens) {
  auto grammar = Grammar::from_json_schema(schema);
  if (!grammar.ok()) return grammar.status();
  World world;
  world.name = name;
  world.potential = automaton_potential(std::move(grammar).value(), model->vocabulary());
  world.model = std::move(model);
  world.model_order = model_order;
  world.max_tokens = max_tokens;
  return world;
}

Result<Truth> enumerate(const World& world, size_t max_sequences) {
  return Enumerator(world, max_sequences).run();
}

}  // namespace espalier
