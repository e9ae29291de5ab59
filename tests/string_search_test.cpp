// What can still become of a string, with lengths skipped, against a walk over every length; and
// what searches remember of it, against searches that do not. Predicates may be refused what they
// could accept, and must not lose what they do.
#include <gtest/gtest.h>

#include <algorithm>
#include <memory>
#include <random>
#include <set>
#include <string>
#include <tuple>
#include <utility>
#include <vector>

#include "engine_support.h"
#include "grammar/strings/live_products.h"
#include "grammar/strings/string_machine.h"
#include "pattern_random.h"

namespace espalier::testing {
namespace {

using Signature = std::pair<uint32_t, std::vector<bool>>;  // length rank, automata that accept

/// Texts over these letters tell the patterns below apart as all texts do.
constexpr char32_t kLetters[] = {U'a', U'b',  U'c',      U'A',      U'1',      U'2',     U'~',
                                 U'-', U'\n', U'\u00e9', U'\u00fc', U'\u00c9', U'\u00dc'};

std::set<Signature> walk(const StringSpec& spec, const std::u32string& text) {
  const auto rank = [&](uint64_t length) {
    return static_cast<uint32_t>(
        std::upper_bound(spec.lengths.begin(), spec.lengths.end(), length) - spec.lengths.begin());
  };
  using Place = std::tuple<uint64_t, std::vector<uint32_t>, std::u32string>;
  const uint64_t cap = spec.lengths.empty() ? 0 : spec.lengths.back();
  // The text is kept while it may become one that is listed.
  const auto kept = [&](std::u32string read) {
    for (size_t i = 0; i < spec.strings.size(); ++i) {
      if (spec.strings[i].substr(0, read.size()) == read) return read;
    }
    return std::u32string(1, U'\0');
  };
  std::vector<uint32_t> start;
  for (const auto& automaton : spec.automata) {
    uint32_t state = automaton->start();
    for (const char32_t c : text) state = automaton->step(state, c);
    start.push_back(state);
  }
  std::set<Place> met{{std::min(text.size(), cap), start, kept(text)}};
  std::vector<Place> queue(met.begin(), met.end());
  std::set<Signature> found;
  while (!queue.empty()) {
    const auto [length, states, read] = queue.back();
    queue.pop_back();
    std::vector<bool> accepted;
    for (size_t i = 0; i < states.size(); ++i)
      accepted.push_back(spec.automata[i]->accepting(states[i]));
    bool listed = false;
    for (size_t i = 0; i < spec.strings.size(); ++i) listed |= spec.strings[i] == read;
    if (!listed) found.emplace(rank(length), std::move(accepted));
    for (const char32_t c : kLetters) {
      Place next{std::min(length + 1, cap), {}, kept(read + c)};
      for (size_t i = 0; i < states.size(); ++i)
        std::get<1>(next).push_back(spec.automata[i]->step(states[i], c));
      if (met.insert(next).second) queue.push_back(std::move(next));
    }
  }
  return found;
}

// Where patterns have hundreds of ranges, letters stand for their classes.
TEST(StringSearch, SkippedLengthsAndRangesLoseNoSignature) {
  std::mt19937_64 random(test_seed());
  const auto below = [&](size_t n) { return static_cast<size_t>(random() % n); };
  static const char* const kPatterns[] = {
      "^([ab][1])+$",       "^(a|b){3}$", "^((a|b)(1(a|b)){2})*$", "^a*b$",     "^(a{2}|a{3}b)*$",
      "^[^~]{5,9}$",        "~",          "^(a1b){2,}(b|~)?$",     "^(.{4})*$", "^(.{6})+1?$",
      "^(?!a)(b1|ab|1~)*$", "^.{0,17}$"};
  static const char* const kWide[] = {"\\p{L}$",     "(?<=a)b",   "\\bb",       "^(?=.*b)[^1]*$",
                                      "\\B(a|1)\\b", "^\\w{3,}$", "\\P{L}{2}$", "^\\p{Ll}+1"};
  for (int round = 0; round < 600; ++round) {
    StringSpec spec;
    std::string shown;
    const bool wide = round % 3 == 0;
    if (wide) {
      add_patterns(kWide, 2 + below(3), &random, &spec, &shown);
      for (const char32_t* name : {U"ab", U"b1b", U"\u00e9a"}) {
        if (below(2) == 0) spec.strings.push_back(name);
      }
    } else {
      add_patterns(kPatterns, 1 + below(3), &random, &spec, &shown);
    }
    for (size_t n = below(wide ? 2 : 4); n > 0; --n) spec.lengths.push_back(1 + below(60));
    std::sort(spec.lengths.begin(), spec.lengths.end());
    spec.lengths.erase(std::unique(spec.lengths.begin(), spec.lengths.end()), spec.lengths.end());
    for (const uint64_t length : spec.lengths) shown += std::to_string(length) + ' ';
    std::u32string text;
    for (size_t n = below(5); n > 0; --n) text += kLetters[below(std::size(kLetters))];
    const auto machine = std::make_shared<StringMachine>(spec);
    uint32_t product = machine->product(machine->start());
    for (const char32_t c : text) product = machine->step_codepoint(product, c);
    std::set<Signature> found;
    const auto result = machine->search_unlisted(product, [&](const StringSignature& signature) {
      found.emplace(signature.length_rank, signature.accepted);
      return false;
    });
    ASSERT_EQ(result, StringMachine::Search::kExhausted) << shown;
    ASSERT_EQ(found, walk(spec, text)) << shown << " after " << text.size();
  }
}

TEST(StringSearch, PredicatesAcceptNoMoreThanIsVisited) {
  std::mt19937_64 random(test_seed());
  const auto below = [&](size_t n) { return static_cast<size_t>(random() % n); };
  StringSpec spec;
  for (const char* pattern : {"^(a|b)-\\1?$", "b$", "^a(1)\\1"})
    spec.automata.push_back(*compile_pattern(pattern));
  spec.lengths = {5};
  const auto machine = std::make_shared<StringMachine>(spec);
  for (int round = 0; round < 60; ++round) {
    uint32_t product = machine->product(machine->start());
    for (size_t n = below(4); n > 0; --n)
      product = machine->step_codepoint(product, U"ab1-"[below(4)]);
    std::set<Signature> visited;
    const auto result = machine->search(product, [&](const StringSignature& signature) {
      visited.emplace(signature.length_rank, signature.accepted);
      return false;
    });
    ASSERT_EQ(result, StringMachine::Search::kExhausted);
    for (int walks = 0; walks < 20; ++walks) {
      uint32_t at = product;
      for (size_t n = below(5); n > 0; --n) at = machine->step_codepoint(at, U"ab1-"[below(4)]);
      const StringSignature& met = machine->signature(at);
      ASSERT_TRUE(visited.contains({met.length_rank, met.accepted}));
      const auto same = [&](const StringSignature& s) { return s == met; };
      ASSERT_EQ(machine->search(product, same), StringMachine::Search::kOverBudget);
    }
  }
  // After "b" the last pattern cannot match any more.
  const uint32_t product = machine->step_codepoint(machine->product(machine->start()), U'b');
  const auto last = [](const StringSignature& s) { return s.accepted[2]; };
  EXPECT_EQ(machine->search(product, last), StringMachine::Search::kExhausted);
}

// Depth first with what earlier searches left behind, against one search for each product state.
TEST(LiveProducts, AnswerAsSearchesFromEachStateDo) {
  std::mt19937_64 random(test_seed());
  const auto below = [&](size_t n) { return static_cast<size_t>(random() % n); };
  static const char* const kPatterns[] = {"^name:(a|b)$",
                                          "^contact:[0-3]:mail$",
                                          "^contact:[0-3]:phone$",
                                          "^(a|b){3}$",
                                          "^a*b$",
                                          "^[^~]{2,4}$",
                                          "~",
                                          "^((a|b)(1(a|b)){2})*$",
                                          "^b",
                                          "1$",
                                          "^(?!a)b?",
                                          "^(.{4})*$"};
  size_t live = 0, dead = 0;
  for (int round = 0; round < 300; ++round) {
    StringSpec spec;
    std::string shown;
    add_patterns(kPatterns, below(5), &random, &spec, &shown);
    const auto machine = std::make_shared<StringMachine>(spec);
    // Mostly those that some pattern accepts, or few of all there are.
    const size_t kind = below(3);
    std::vector<StringSignature> chosen;
    machine->search(machine->product(machine->start()), [&](const StringSignature& signature) {
      if (below(4) == 0) chosen.push_back(signature);
      return false;
    });
    const LiveProducts::Acceptable acceptable = [&](const StringSignature& signature) {
      if (kind != 0) return std::find(chosen.begin(), chosen.end(), signature) != chosen.end();
      return std::find(signature.accepted.begin(), signature.accepted.end(), true) !=
             signature.accepted.end();
    };
    LiveProducts products;
    std::vector<uint32_t> at{machine->product(machine->start())};
    for (int step = 0; step < 40; ++step) {
      const uint32_t from = at[below(at.size())];
      static constexpr std::u32string_view kText = U"contact:name:1b~a3mail";
      at.push_back(machine->step_codepoint(from, kText[below(kText.size())]));
      const uint32_t product = at[below(at.size())];
      const auto answer = products.find(*machine, product, acceptable);
      const auto expected = machine->search_unlisted(product, acceptable);
      ASSERT_NE(answer, LiveProducts::Answer::kUnknown) << shown;
      ASSERT_EQ(answer == LiveProducts::Answer::kLive, expected == StringMachine::Search::kFound)
          << shown << " round " << round << " step " << step;
      ASSERT_EQ(products.known(product), answer);
      for (const uint32_t other : at) {
        const auto known = products.known(other);
        if (known == LiveProducts::Answer::kUnknown) continue;
        ASSERT_EQ(known == LiveProducts::Answer::kLive,
                  machine->search_unlisted(other, acceptable) == StringMachine::Search::kFound)
            << shown;
      }
      ++(answer == LiveProducts::Answer::kLive ? live : dead);
    }
  }
  EXPECT_GT(live, 1000u);
  EXPECT_GT(dead, 1000u);
}

TEST(LiveProducts, LeaveLengthsAndListsToOthers) {
  StringSpec spec;
  spec.automata.push_back(*compile_pattern("^a"));
  spec.lengths = {3};
  const LiveProducts::Acceptable any = [](const StringSignature&) { return true; };
  const StringMachine counted(spec);
  LiveProducts products;
  EXPECT_EQ(products.find(counted, counted.product(counted.start()), any),
            LiveProducts::Answer::kUnknown);
  spec.lengths.clear();
  spec.strings = {U"ab"};
  const StringMachine listed(spec);
  LiveProducts others;
  EXPECT_EQ(others.find(listed, listed.product(listed.start()), any),
            LiveProducts::Answer::kUnknown);
}

}  // namespace
}  // namespace espalier::testing
