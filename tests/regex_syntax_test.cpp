// The format `regex`: the machine that reads patterns code point by code point, against the parser.
#include "grammar/regex/regex_syntax.h"

#include <gtest/gtest.h>

#include <cstdlib>
#include <iostream>
#include <random>
#include <string>
#include <vector>

#include "grammar/codepoints/structured_automaton.h"
#include "grammar/codepoints/unicode_property.h"
#include "grammar/regex/regex_parser.h"
#include "schema/json/unicode.h"

namespace espalier {
namespace {

using Automaton = StructuredAutomaton<RegexSyntaxMachine>;

std::mt19937_64 seeded() {
  const char* given = std::getenv("ESPALIER_SEED");
  const uint64_t seed =
      given != nullptr ? std::strtoull(given, nullptr, 10) : std::random_device{}();
  std::cout << "ESPALIER_SEED=" << seed << "\n";
  return std::mt19937_64(seed);
}

bool parses(const std::string& pattern) { return parse_regex(pattern, RegexSyntax::kUnicode).ok(); }

// Pieces that make most of the grammar's decisions likely.
const std::vector<std::string>& pieces() {
  static const std::vector<std::string> all = {"a",
                                               "b",
                                               "x",
                                               "0",
                                               "7",
                                               "-",
                                               "^",
                                               "$",
                                               "|",
                                               "(",
                                               "(",
                                               ")",
                                               ")",
                                               ")",
                                               "[",
                                               "[",
                                               "]",
                                               "]",
                                               "{",
                                               "}",
                                               "*",
                                               "+",
                                               "?",
                                               ",",
                                               ".",
                                               "\\",
                                               "/",
                                               "(?:",
                                               "(?=",
                                               "(?!",
                                               "(?<=",
                                               "(?<!",
                                               "(?<a>",
                                               "(?<b>",
                                               "(?<ab>",
                                               "(?<",
                                               "(?i:",
                                               "(?im-s:",
                                               "(?-",
                                               "\\k<a>",
                                               "\\k<b>",
                                               "\\k",
                                               "\\1",
                                               "\\2",
                                               "\\12",
                                               "{2}",
                                               "{2,}",
                                               "{2,3}",
                                               "{3,2}",
                                               "\\d",
                                               "\\w",
                                               "\\b",
                                               "\\B",
                                               "\\p{L}",
                                               "\\P{Lu}",
                                               "\\p{sc=Greek}",
                                               "\\p{Gree",
                                               "\\u0041",
                                               "\\u{1F600}",
                                               "\\uD83D",
                                               "\\uDE00",
                                               "\\u",
                                               "\\x41",
                                               "\\x",
                                               "\\cA",
                                               "\\0",
                                               "\\-",
                                               "\\_",
                                               "[^",
                                               "a-z",
                                               "z-a",
                                               "\\t-",
                                               "-\\n",
                                               "\xC3\xA9",
                                               "\xE2\x82\xAC",
                                               "\xF0\x9F\x98\x80",
                                               ">",
                                               "<",
                                               "(?<\\u0061>",
                                               "(?<\\u{62}",
                                               "[\\uD83D-",
                                               "[a-\\u",
                                               "=",
                                               "!",
                                               ":",
                                               "D",
                                               "4",
                                               "F"};
  return all;
}

TEST(RegexSyntax, ReadsWhatTheParserReads) {
  auto random = seeded();
  const Automaton automaton("regex", 10'000'000);
  int valid = 0, dead = 0;
  for (int round = 0; round < 60'000; ++round) {
    std::string text;
    for (size_t n = 1 + random() % 9; n > 0; --n) text += pieces()[random() % pieces().size()];
    if (random() % 3 == 0) {
      // Close what is open, so that longer patterns are often valid.
      for (int k = 0; k < 3 && !parses(text); ++k) text += k == 0 && random() % 2 == 0 ? "]" : ")";
    }
    const bool expected = parses(text);
    ASSERT_EQ(automaton.matches(text), expected) << text;
    valid += expected;
    dead += !expected;
  }
  EXPECT_GT(valid, 3'000);
  EXPECT_GT(dead, 10'000);
  EXPECT_TRUE(automaton.status().ok());
}

// A live state can be completed; a dead one cannot be by anything that was tried.
TEST(RegexSyntax, LiveStatesHaveCompletions) {
  auto random = seeded();
  const Automaton automaton("regex", 10'000'000);
  for (int round = 0; round < 20'000; ++round) {
    std::string text;
    uint32_t state = automaton.start();
    const auto read = [&](const std::string& piece) {
      const std::string longer = text + piece;
      std::vector<uint32_t> codepoints;
      uint32_t next = state;
      size_t i = 0;
      while (i < piece.size() && next != 0) {
        const size_t size = utf8_sequence_length(std::string_view(piece).substr(i));
        uint32_t c = static_cast<uint8_t>(piece[i]);
        if (size > 1) {
          c &= 0x7Fu >> size;
          for (size_t k = 1; k < size; ++k) c = c << 6 | (piece[i + k] & 0x3F);
        }
        next = automaton.step(next, c);
        i += size;
      }
      if (next == 0) return false;
      text = longer;
      state = next;
      return true;
    };
    for (size_t n = 1 + random() % 12; n > 0; --n) read(pieces()[random() % pieces().size()]);
    const auto rest = automaton.completion(state);
    ASSERT_TRUE(rest.has_value()) << text;
    std::string whole = text;
    for (const char32_t c : *rest) append_wtf8(&whole, c);
    ASSERT_TRUE(parses(whole)) << text << " completed to " << whole;
    // Every edge leads to a live state, and every other code point to a dead one.
    const auto edges = automaton.edges(state);
    const uint32_t c = random() % 4 == 0 ? random() % 0x110000 : random() % 0x80;
    bool covered = false;
    for (const CodepointEdge& edge : edges) covered |= edge.lo <= c && c <= edge.hi;
    ASSERT_EQ(automaton.step(state, c) != 0, covered) << text << " then " << c;
  }
}

// What a settled state promises to masks; see CodepointAutomaton::settled.
TEST(RegexSyntax, SettledStatesStandForOthers) {
  auto random = seeded();
  const Automaton automaton("regex", 10'000'000);
  for (int round = 0; round < 4'000; ++round) {
    uint32_t state = automaton.start();
    for (size_t n = random() % 12; n > 0; --n) {
      const std::string& piece = pieces()[random() % pieces().size()];
      const uint32_t next =
          automaton.step(state, static_cast<uint8_t>(piece[random() % piece.size()]));
      if (next != 0) state = next;
    }
    const uint32_t settled = automaton.settled(state);
    ASSERT_EQ(automaton.settled(settled), settled);
    std::vector<uint32_t> looping;
    for (uint32_t c = 0x20; c < 0x80; ++c) {
      if (automaton.settled(automaton.step(settled, c)) == settled) looping.push_back(c);
    }
    for (int walk = 0; walk < 4; ++walk) {
      uint32_t real = state, stand_in = settled;
      for (size_t n = random() % 6; n > 0 && !looping.empty(); --n) {
        const uint32_t c = looping[random() % looping.size()];
        real = automaton.step(real, c);
        stand_in = automaton.step(stand_in, c);
        ASSERT_NE(real, 0u);
      }
      for (uint32_t c = 0x20; c < 0x80; ++c) {
        if (automaton.step(real, c) != 0) {
          ASSERT_NE(automaton.step(settled, c), 0u) << c;
        }
      }
    }
  }
}

TEST(RegexSyntax, Cases) {
  const Automaton automaton("regex", 1'000'000);
  const auto valid = [&](const std::string& text) {
    EXPECT_TRUE(automaton.matches(text)) << text;
    EXPECT_TRUE(parses(text)) << text;
  };
  const auto invalid = [&](const std::string& text) {
    EXPECT_FALSE(automaton.matches(text)) << text;
    EXPECT_FALSE(parses(text)) << text;
  };
  valid("(?<a>x)|(?<a>y)");
  invalid("(?<a>x)(?<a>y)");
  invalid("(?<a>(?<a>x))");
  invalid("(?<a>x)(?:(?<a>y))");
  invalid("(?:(?<a>x)|(?<b>y))(?<a>z)");
  valid("\\k<a>(?<a>x)");
  invalid("\\k<a>");
  valid("\\2(a)(b)");
  invalid("\\3(a)(b)");
  valid("[\\uD83D\\uDE00-\\u{1F64F}]");
  invalid("[\\uD83D\\uDE00-\\uD83D]");
  invalid("(?=a)*");
  valid("(?:a)*?");
  valid("[^]-[]");
  invalid("a{2,1}");
  invalid("\\p{Greek}");
  valid("\\p{Script=Greek}");
  std::string deep;
  for (uint32_t i = 0; i < RegexSyntaxMachine::kMaxNesting; ++i) deep += '(';
  valid(deep + std::string(RegexSyntaxMachine::kMaxNesting, ')'));
  invalid("(" + deep + std::string(RegexSyntaxMachine::kMaxNesting + 1, ')'));
}

TEST(RegexSyntax, PropertyExpressionsAreThoseThatParse) {
  auto random = seeded();
  const auto& all = unicode_property_expressions();
  EXPECT_GT(all.size(), 1000u);
  for (int i = 0; i < 300; ++i) {
    std::string name = all[random() % all.size()];
    EXPECT_TRUE(unicode_property(name).has_value()) << name;
    name[random() % name.size()] = static_cast<char>('a' + random() % 26);
    EXPECT_EQ(unicode_property(name).has_value(), std::binary_search(all.begin(), all.end(), name))
        << name;
  }
}

}  // namespace
}  // namespace espalier
