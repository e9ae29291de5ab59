// Which strings can still be continued to acceptable ones, against a walk over every product.
#include <gtest/gtest.h>

#include <algorithm>
#include <map>
#include <memory>
#include <optional>
#include <random>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "engine_support.h"
#include "grammar/codepoints/letter_classes.h"
#include "grammar/strings/content_leaf.h"
#include "schema/formats/content.h"
#include "schema/formats/formats.h"
#include "schema/leaves/scalar_leaf.h"

namespace espalier::testing {
namespace {

constexpr char32_t kLetters[] = {U'a', U'b', U'1', U'-', U'~', U'\u00e9'};

class RandomLeaf {
 public:
  explicit RandomLeaf(std::mt19937_64& random) : random_(random) {
    static const char* const kPatterns[] = {
        "^[ab]*$", "a1", "b1a", "^\\w+$",    "1.*a",      "^.{4}$", "^(a|b1)*$",
        "^[^-]*$", "-$", "~",   "(ab){2,3}", "^a[b1]{3}", "^b",     "(?=.*a)(?=.*-)",
    };
    for (size_t n = 1 + below(4); n > 0; --n) {
      const bool format = below(12) == 0;
      atoms_.automata.push_back(format ? *format_automaton("date")
                                       : *compile_pattern(kPatterns[below(std::size(kPatterns))]));
    }
    std::set<std::u32string> strings;
    for (size_t n = below(3) == 0 ? 1 + below(3) : 0; n > 0; --n) {
      std::u32string text;
      for (size_t c = below(4); c > 0; --c) text += kLetters[below(std::size(kLetters))];
      strings.insert(text);
    }
    if (!strings.empty()) atoms_.string_sets.emplace_back(strings.begin(), strings.end());
    for (size_t n = below(3); n > 0; --n) bounds_.push_back(1 + below(9));
    formulas_.push_back(formula(3));
    for (size_t n = below(3); n > 0; --n) formulas_.push_back(formula(1));
    if (formulas_.size() > 1 && below(2) == 0) {
      allowed_.emplace();
      for (size_t n = 1 + below(2); n > 0; --n) {
        Outcome outcome;
        for (size_t i = 1; i < formulas_.size(); ++i) outcome.push_back(below(2) == 0);
        allowed_->push_back(outcome);
      }
    }
    leaf_ = string_leaf(pool_, formulas_, atoms_, StringSpelling::kJson,
                        allowed_ ? &*allowed_ : nullptr);
  }

  const ScalarLeaf& leaf() const { return *leaf_; }
  const StringMachine& machine() const { return *leaf_->string_machine(); }

  bool acceptable(const std::u32string& text, Outcome* outcome) const {
    const auto value = [&](const Atom& atom) {
      if (atom.kind == Atom::Kind::kLength) return text.size() >= atom.bound;
      if (atom.kind == Atom::Kind::kOneOfStrings)
        return std::ranges::binary_search(atoms_.string_sets[atom.index], text);
      const CodepointAutomaton& automaton = *atoms_.automata[atom.index];
      uint32_t state = automaton.start();
      for (const char32_t c : text) state = automaton.step(state, c);
      return automaton.accepting(state);
    };
    outcome->clear();
    for (size_t i = 1; i < formulas_.size(); ++i)
      outcome->push_back(pool_.evaluate(formulas_[i], value));
    return pool_.evaluate(formulas_[0], value) &&
           (!allowed_ || std::ranges::find(*allowed_, *outcome) != allowed_->end());
  }

  // Every outcome of an acceptable string that begins so. Products tell texts apart as the leaf
  // does; the letters tell patterns and strings apart as all code points do.
  std::set<Outcome> reachable(const std::u32string& from, const std::u32string& letters) const {
    std::set<Outcome> found;
    std::map<uint32_t, std::u32string> met;
    std::vector<uint32_t> queue;
    const auto enter = [&](uint32_t product, const std::u32string& text) {
      if (!met.emplace(product, text).second) return;
      queue.push_back(product);
      Outcome outcome;
      if (acceptable(text, &outcome)) found.insert(outcome);
    };
    uint32_t start = machine().product(machine().start());
    for (const char32_t c : from) start = machine().step_codepoint(start, c);
    enter(start, from);
    while (!queue.empty()) {
      const uint32_t at = queue.back();
      queue.pop_back();
      const std::u32string text = met[at];
      for (const char32_t c : letters) enter(machine().step_codepoint(at, c), text + c);
    }
    return found;
  }

  size_t below(size_t n) { return static_cast<size_t>(random_() % n); }

 private:
  FormulaId formula(size_t depth) {
    const size_t kind = depth == 0 ? 0 : below(5);
    if (kind > 1) {
      std::vector<FormulaId> parts;
      for (size_t n = 2 + below(2); n > 0; --n) parts.push_back(formula(depth - 1));
      return kind == 2   ? pool_.conjunction(std::move(parts))
             : kind == 3 ? pool_.disjunction(std::move(parts))
                         : pool_.exactly_one(std::move(parts));
    }
    Atom atom{.kind = Atom::Kind::kPattern,
              .index = static_cast<uint32_t>(below(atoms_.automata.size()))};
    if (below(4) == 0 && !bounds_.empty()) {
      atom = {.kind = Atom::Kind::kLength, .bound = bounds_[below(bounds_.size())]};
    } else if (below(4) == 0 && !atoms_.string_sets.empty()) {
      atom = {.kind = Atom::Kind::kOneOfStrings};
    }
    const FormulaId f = pool_.atom(atom);
    return kind == 1 ? pool_.negate(f) : f;
  }

  std::mt19937_64& random_;
  FormulaPool pool_;
  ScalarAtoms atoms_;
  std::vector<uint64_t> bounds_;
  std::vector<FormulaId> formulas_;
  std::optional<std::vector<Outcome>> allowed_;
  std::shared_ptr<const ScalarLeaf> leaf_;
};

using Automaton = std::shared_ptr<const CodepointAutomaton>;

// Can a text that begins so be accepted by both, as far as the leaf that observes them tells?
bool alive(const Automaton& one, const Automaton& other, std::u32string_view begins) {
  FormulaPool pool;
  const ScalarAtoms atoms{.automata = {one, other}};
  const FormulaId both = pool.conjunction({pool.atom({.kind = Atom::Kind::kPattern, .index = 0}),
                                           pool.atom({.kind = Atom::Kind::kPattern, .index = 1})});
  const auto leaf = string_leaf(pool, {both}, atoms, StringSpelling::kJson, nullptr);
  const StringMachine& machine = *leaf->string_machine();
  uint32_t product = machine.product(machine.start());
  for (const char32_t c : begins) product = machine.step_codepoint(product, c);
  return dynamic_cast<const ContentLeaf&>(*leaf).alive(product);
}

TEST(StringLiveness, SearchFindsWhatAWalkFinds) {
  std::mt19937_64 random(test_seed());
  std::u32string letters(std::begin(kLetters), std::end(kLetters));
  letters += U"0235689\n";  // of dates
  size_t live = 0, dead = 0;
  for (int round = 0; round < 3000; ++round) {
    RandomLeaf sample(random);
    const ScalarLeaf& leaf = sample.leaf();
    const auto& content = dynamic_cast<const ContentLeaf&>(leaf);
    const std::set<Outcome> all = sample.reachable({}, letters);
    ASSERT_EQ(leaf.start() != 0, !all.empty()) << "round " << round;
    const auto outcomes = leaf.outcomes();
    if (outcomes && leaf.start() != 0) {
      EXPECT_EQ(std::set<Outcome>(outcomes->begin(), outcomes->end()), all) << "round " << round;
    }
    for (int walk = 0; walk < 4; ++walk) {
      std::u32string text;
      uint32_t product = sample.machine().product(sample.machine().start());
      for (size_t n = sample.below(7); n > 0; --n) {
        text += letters[sample.below(letters.size())];
        product = sample.machine().step_codepoint(product, text.back());
      }
      const bool alive = content.alive(product);
      ASSERT_EQ(alive, !sample.reachable(text, letters).empty())
          << "round " << round << ": " << std::string(text.begin(), text.end());
      ++(alive ? live : dead);
    }
  }
  EXPECT_GT(live, 50u);
  EXPECT_GT(dead, 50u);
}

// Formats with thousands of states beside patterns that they never match, or no more.
TEST(StringLiveness, FormatsBesidePatterns) {
  struct Case {
    const char* format;
    const char* pattern;
    const char32_t* text;
    bool live;
  };
  for (const Case& each : std::initializer_list<Case>{
           {"date-time", "\\d\\dT\\d\\d:\\d\\d:\\d\\dZ", U"", true},
           {"date-time", "\\d\\dT\\d\\d:\\d\\d:\\d\\dZ", U"2016-01-05T16:51:00", true},
           {"date-time", "\\d\\dT\\d\\d:\\d\\d:\\d\\dZ", U"2016-01-05T16:51:00.", false},
           {"date-time", "\\d\\dT\\d\\d:\\d\\d:\\d\\dZ", U"2016-01-05t", false},
           {"date-time", "a|b", U"", false},
           {"email", "@.*[.]co$", U"a", true},
           {"email", "\u00e9", U"", false},
           {"email", "^[^.]*$", U"a.", false},
           {"idn-email", "\u00e9", U"a@b", true},
           {"hostname", "\\d\\.[a-z]$", U"xn--", true},
           {"hostname", "_", U"a.xn--a", false},
           {"hostname", "-$", U"xn--", false},
       }) {
    EXPECT_EQ(alive(*format_automaton(each.format), *compile_pattern(each.pattern), each.text),
              each.live)
        << each.format << " beside " << each.pattern;
  }
}

// JSON texts nest without bound, so that no search through them ends; nothing may be called
// possible for that alone.
TEST(StringLiveness, EmbeddedJsonBesidePatterns) {
  struct Case {
    const char* encoding;
    const char* pattern;
    const char32_t* text;
    bool live;
  };
  for (const Case& each : std::initializer_list<Case>{
           {"", "\\p{L}$", U"", true},
           {"", "\\p{L}$", U"tr", true},
           {"", "\\p{L}$", U"[", false},
           {"", "\\p{L}$", U"{\"a", false},
           {"", "\\p{L}\\s*\\]$", U"[[0,", true},
           {"", "\\p{L}\\s*\\]$", U"{\"a\":[nul", false},
           {"", "^[^}]*$", U"[[[\"{", true},
           {"base64", "[a-z]{5}$", U"", true},
           {"", "^[^]]*$", U"[{", false},
       }) {
    EXPECT_EQ(alive(*content_automaton(each.encoding, "application/json"),
                    *compile_pattern(each.pattern), each.text),
              each.live)
        << each.encoding << " beside " << each.pattern;
  }
}

// What a text leads to accepts no more than the coarse states that it leads to.
TEST(StringLiveness, CoarseStatesAcceptAsMuch) {
  std::mt19937_64 random(test_seed());
  for (const auto& automaton :
       {*content_automaton("", "application/json"),
        *content_automaton("base64", "application/json"), *format_automaton("hostname")}) {
    LetterClasses classes;
    ASSERT_TRUE(automaton->refine(&classes));
    const std::vector<uint32_t> letters = classes.representatives();
    size_t ended = 0;
    for (int walk = 0; walk < 2000; ++walk) {
      uint32_t exact = automaton->start(), coarse = automaton->coarse(exact);
      for (int length = 0; length < 40; ++length) {
        ASSERT_NE(coarse, 0u);
        ASSERT_TRUE(automaton->accepting(coarse) || !automaton->accepting(exact));
        ended += automaton->accepting(exact);
        uint32_t letter = 0, next = 0;
        for (int tries = 0; tries < 50 && next == 0; ++tries) {
          letter = letters[random() % letters.size()];
          if (random() % 2 == 0) letter = U"[]{}\",:0t.xn--"[random() % 14];
          next = automaton->step(exact, letter);
        }
        if (next == 0) break;
        exact = next;
        coarse = automaton->coarse(automaton->step(coarse, letter));
      }
    }
    EXPECT_GT(ended, 100u);
  }
}

// Whatever code points share a class, they lead every state that is met to the same one.
TEST(LetterClasses, StatesTellNoClassApart) {
  std::mt19937_64 random(test_seed());
  const char* const kPatterns[] = {"^\\w+-\\d*$", "[^a-f\\s]{2}x", "^(?!ab).*\\bc", "\\p{Lu}a",
                                   "(?<=[a-c])[b-z]"};
  std::vector<std::pair<std::string, std::shared_ptr<const CodepointAutomaton>>> automata{
      {"JSON", *content_automaton("", "application/json")},
      {"JSON in base64", *content_automaton("base64", "application/json")},
      {"hostname", *format_automaton("hostname")}};
  for (const char* pattern : kPatterns) automata.emplace_back(pattern, *compile_pattern(pattern));
  for (const auto& [pattern, automaton] : automata) {
    LetterClasses classes;
    ASSERT_TRUE(automaton->refine(&classes));
    const std::vector<uint32_t> letters = classes.representatives();
    ASSERT_EQ(letters.size(), classes.size());
    uint32_t state = automaton->start();
    for (int step = 0; step < 200; ++step) {
      std::set<uint32_t> reached, reached_by_letters;
      reached_by_letters.insert(0u);
      reached.insert(0u);
      for (const CodepointEdge& edge : automaton->edges(state)) reached.insert(edge.next);
      for (const uint32_t letter : letters)
        reached_by_letters.insert(automaton->step(state, letter));
      ASSERT_EQ(reached, reached_by_letters) << pattern;
      const uint32_t next = automaton->step(state, letters[random() % letters.size()]);
      state = next == 0 ? automaton->start() : next;
    }
  }
}

}  // namespace
}  // namespace espalier::testing
