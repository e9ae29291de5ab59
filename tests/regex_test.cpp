// Regular expressions: the parser, the automaton against a backtracking oracle, exactness of the
// dead state, budgets, threads, and the patterns of the JSON-Schema-Test-Suite and of MaskBench.
#include <gtest/gtest.h>
#include <rapidjson/document.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <functional>
#include <random>
#include <set>
#include <sstream>
#include <string>
#include <thread>
#include <vector>

#include "grammar/codepoints/codepoint_automaton.h"
#include "grammar/regex/regex_automaton.h"
#include "grammar/regex/regex_parser.h"
#include "regex_oracle.h"
#include "shared_data.h"

namespace espalier {
namespace {

using Automaton = std::shared_ptr<const CodepointAutomaton>;

std::string utf8(const std::u32string& text) {
  std::string out;
  for (char32_t c : text) {
    if (c < 0x80) {
      out += static_cast<char>(c);
    } else if (c < 0x800) {
      out += {static_cast<char>(0xC0 | c >> 6), static_cast<char>(0x80 | (c & 0x3F))};
    } else if (c < 0x10000) {
      out += {static_cast<char>(0xE0 | c >> 12), static_cast<char>(0x80 | (c >> 6 & 0x3F)),
              static_cast<char>(0x80 | (c & 0x3F))};
    } else {
      out += {static_cast<char>(0xF0 | c >> 18), static_cast<char>(0x80 | (c >> 12 & 0x3F)),
              static_cast<char>(0x80 | (c >> 6 & 0x3F)), static_cast<char>(0x80 | (c & 0x3F))};
    }
  }
  return out;
}

bool search(std::string_view pattern, std::string_view text) {
  auto automaton = compile_pattern(pattern);
  EXPECT_TRUE(automaton.ok()) << pattern << ": " << automaton.status().to_string();
  return automaton.ok() && (*automaton)->matches(text);
}

bool whole(std::string_view pattern, std::string_view text) {
  auto automaton = compile_anchored(pattern);
  EXPECT_TRUE(automaton.ok()) << pattern << ": " << automaton.status().to_string();
  return automaton.ok() && (*automaton)->matches(text);
}

uint64_t seed() {
  const char* given = std::getenv("ESPALIER_SEED");
  return given != nullptr ? std::strtoull(given, nullptr, 10) : std::random_device{}();
}

/// States reachable from the start, in breadth-first order, at most `limit`.
std::vector<uint32_t> reachable(const CodepointAutomaton& automaton, size_t limit) {
  std::vector<uint32_t> found;
  std::set<uint32_t> known;
  if (automaton.start() != 0) found.push_back(automaton.start());
  known.insert(automaton.start());
  for (size_t i = 0; i < found.size() && found.size() < limit; ++i) {
    for (const CodepointEdge& edge : automaton.edges(found[i])) {
      if (known.insert(edge.next).second) found.push_back(edge.next);
    }
  }
  return found;
}

TEST(Regex, SearchIsUnanchored) {
  EXPECT_TRUE(search("b", "abc"));
  EXPECT_TRUE(search("", ""));
  EXPECT_FALSE(search("^b", "abc"));
  EXPECT_TRUE(search("c$", "abc"));
  EXPECT_FALSE(search("b$", "abc"));
  EXPECT_FALSE(search("b$", "b\n"));
  EXPECT_TRUE(search("^$|x", ""));
  EXPECT_FALSE(search("a$b", "a$b"));
  EXPECT_TRUE(search("(^|,)a(,|$)", "b,a"));
  EXPECT_TRUE(search("^dev|beta|stable$", "a beta b"));
  EXPECT_FALSE(search("^dev|beta|stable$", "stable b"));
  EXPECT_TRUE(search("a*^b", "b"));
  EXPECT_FALSE(search("a*^b", "ab"));
  EXPECT_TRUE(search("(?:^a|b)*c$", "abbc"));
}

TEST(Regex, WholeMatchesEverything) {
  EXPECT_TRUE(whole("a|b", "b"));
  EXPECT_FALSE(whole("a|b", "ab"));
  EXPECT_TRUE(whole("^a$", "a"));
  EXPECT_FALSE(whole("a", "aa"));
}

TEST(Regex, Repetition) {
  EXPECT_TRUE(whole("(ab){2,3}", "abab"));
  EXPECT_FALSE(whole("(ab){2,3}", "ab"));
  EXPECT_FALSE(whole("(ab){2,3}", "abababab"));
  EXPECT_TRUE(whole("a{0}", ""));
  EXPECT_TRUE(whole("(a*)*b?", "aaab"));
  EXPECT_TRUE(whole("(a|b*)+?", "abba"));
  EXPECT_TRUE(whole("(a?){3}", ""));
  EXPECT_FALSE(whole("(a?){3}", "aaaa"));
  EXPECT_TRUE(whole("((x{1,2}y?){2}){2}", "xxxxxxxx"));
  EXPECT_FALSE(whole("((x{1,2}y?){2}){2}", "xxxxxxxxx"));
  EXPECT_TRUE(whole(".{0,10000}", std::string(10000, 'x')));
  EXPECT_FALSE(whole(".{0,10000}", std::string(10001, 'x')));
}

TEST(Regex, Classes) {
  EXPECT_TRUE(whole("[\\w-.]+", "a-b.c"));
  EXPECT_TRUE(whole("[^a-c]", "d"));
  EXPECT_FALSE(whole("[^a-c]", "b"));
  EXPECT_FALSE(whole("[]", ""));
  EXPECT_TRUE(whole("[^]", "\n"));
  EXPECT_FALSE(whole(".", "\xE2\x80\xA8"));
  EXPECT_TRUE(whole("\\s", "\xEF\xBB\xBF"));
  EXPECT_FALSE(whole("\\w", "\xC3\xA9"));
  EXPECT_FALSE(whole("\\d", "\xE0\xA7\xAA"));
  EXPECT_TRUE(whole("\\p{L}\\p{Lu}\\P{L}", "\xC3\xA9\xC3\x89!"));
  EXPECT_TRUE(whole("\\p{Script=Greek}", "\xCE\xB1"));
  EXPECT_TRUE(whole("[\\p{digit}x]+", "x\xE0\xA7\xAA"));
  EXPECT_TRUE(whole("[\\b\\-\\]]+", "\b-]"));
}

TEST(Regex, Escapes) {
  EXPECT_TRUE(whole("\\u0041\\x42\\cJ\\0", std::string("AB\n\0", 4)));
  EXPECT_TRUE(whole("\\uD83D\\uDC32", "\xF0\x9F\x90\xB2"));
  EXPECT_TRUE(whole("\\u{1F432}", "\xF0\x9F\x90\xB2"));
  EXPECT_TRUE(whole("^.$", "\xF0\x9F\x90\xB2"));
  EXPECT_TRUE(whole("\\@\\_\\-\\/\\\"", "@_-/\""));
  EXPECT_TRUE(whole("a{,5}{", "a{,5}{"));
  EXPECT_TRUE(whole("x]}", "x]}"));
  EXPECT_TRUE(whole("\\101\\8", "A8"));
}

TEST(Regex, Lookaround) {
  EXPECT_TRUE(search("^(?!foo).*$", "barfoo"));
  EXPECT_FALSE(search("^(?!foo).*$", "foobar"));
  EXPECT_TRUE(search("^(?=.*\\d)(?=.*[a-z]).{4,8}$", "ab1cd"));
  EXPECT_FALSE(search("^(?=.*\\d)(?=.*[a-z]).{4,8}$", "abcde"));
  EXPECT_TRUE(search("^((?!mode).)*$", "a mod"));
  EXPECT_FALSE(search("^((?!mode).)*$", "a mode"));
  EXPECT_TRUE(search("(?<=\\$)\\d+", "a$42"));
  EXPECT_FALSE(search("(?<=\\$)\\d", "a42"));
  EXPECT_TRUE(search("(?<!\\$)\\b\\d+\\b", "a 42"));
  EXPECT_FALSE(search("(?<!\\$)\\b\\d+\\b", "a$42"));
  EXPECT_TRUE(search("\\bfoo\\b", "a foo."));
  EXPECT_FALSE(search("\\bfoo\\b", "afoo."));
  EXPECT_TRUE(search("\\Boo\\b", "foo"));
  EXPECT_TRUE(search("(?<=a(?=bc))b", "abc"));
  EXPECT_FALSE(search("(?<=a(?=bc))b", "abd"));
}

TEST(Regex, Modifiers) {
  EXPECT_TRUE(whole("(?i:a[b-d]é)x", "AC\xC3\x89x"));
  EXPECT_FALSE(whole("(?i:a)x", "AX"));
  EXPECT_TRUE(whole("(?s:.)", "\n"));
  EXPECT_TRUE(search("(?m:^b$)", "a\nb\nc"));
  EXPECT_FALSE(search("(?m:^b$)", "a\nbc"));
}

TEST(Regex, Errors) {
  for (const char* pattern :
       {"(", ")", "[a", "a**", "a++", "^*", "(?>a)", "(?i)a", "\\p{NoSuch}", "\\", "a{2,1}",
        "[b-a]", "(?<1>a)", "(?<n>a)(?<n>b)", "(?<=a)*", "\xFF"}) {
    const auto automaton = compile_pattern(pattern);
    EXPECT_EQ(automaton.status().code(), StatusCode::kParseError) << pattern;
    EXPECT_FALSE(automaton.status().place().empty()) << pattern;
  }
  EXPECT_EQ(compile_pattern("[a").status().place(), "0");
}

TEST(Regex, StrictSyntax) {
  for (const char* pattern :
       {"\\-", "\\_", "{", "]", "a{,5}", "[\\w-.]", "\\a", "\\Z", "(?=a)*", "\\1"}) {
    EXPECT_FALSE(parse_regex(pattern, RegexSyntax::kUnicode).ok()) << pattern;
    EXPECT_TRUE(parse_regex(pattern, RegexSyntax::kLenient).ok()) << pattern;
  }
  for (const char* pattern :
       {"[\\-]", "\\/", "\\u{10FFFF}", "(?<a>x)\\k<a>", "(a)\\1", "\\p{Lu}"}) {
    EXPECT_TRUE(parse_regex(pattern, RegexSyntax::kUnicode).ok()) << pattern;
  }
}

TEST(Regex, UniversalAndDead) {
  for (const char* pattern : {"", ".*", "a*", "^", "$", "^[\\s\\S]*$", "(?=)", "x?|y"}) {
    const auto automaton = *compile_pattern(pattern);
    EXPECT_TRUE(automaton->universal(automaton->start())) << pattern;
  }
  const auto once = *compile_pattern("ab");
  EXPECT_FALSE(once->universal(once->start()));
  EXPECT_TRUE(once->universal(once->step(once->step(once->start(), 'a'), 'b')));
  for (const char* pattern : {"[]", "a$b", "^(?!a)a", "(?=ab)(?=ac)", "b(?<=a)", "a\\bb",
                              "^(?=.{3}$).{4}$", "x(?=.{40}$).{41}"}) {
    EXPECT_EQ((*compile_pattern(pattern))->start(), 0u) << pattern;
  }
  const auto guarded = *compile_pattern("^(?=.*z$)[a-y]*.$");
  EXPECT_NE(guarded->step(guarded->start(), 'a'), 0u);
  const uint32_t after = guarded->step(guarded->start(), 'z');
  EXPECT_TRUE(guarded->accepting(after));
  EXPECT_EQ(guarded->step(after, 'a'), 0u);
}

TEST(Regex, Interned) {
  EXPECT_EQ(*compile_pattern("intern(ed)?"), *compile_pattern("intern(ed)?"));
  EXPECT_NE(*compile_pattern("intern(ed)?"), *compile_anchored("intern(ed)?"));
}

TEST(Regex, Budgets) {
  EXPECT_EQ(compile_pattern(std::string(100, 'a'), {.max_pattern_bytes = 10}).status().code(),
            StatusCode::kBudgetExceeded);
  EXPECT_EQ(compile_pattern(std::string(2000, '(') + std::string(2000, ')')).status().code(),
            StatusCode::kBudgetExceeded);
  EXPECT_EQ(compile_pattern("^(?!(a|b)*a(a|b){40}$)(?=[ab]{2000}$)(?!.*aa)(?!.*ab).*bb.*a$")
                .status()
                .code(),
            StatusCode::kOk);
  const auto automaton = *compile_pattern("^(a|b)*a(a|b){30}$", {.max_states = 100});
  std::mt19937 random(1);
  for (int i = 0; i < 100 && automaton->status().ok(); ++i) {
    uint32_t state = automaton->start();
    for (int k = 0; k < 100; ++k) state = automaton->step(state, random() % 2 ? 'a' : 'b');
  }
  EXPECT_EQ(automaton->status().code(), StatusCode::kBudgetExceeded);
  const auto again = *compile_pattern("^(a|b)*a(a|b){30}$", {.max_states = 100});
  EXPECT_TRUE(again->status().ok());
}

TEST(Regex, ManyOptionalItems) {
  std::string pattern = "^";
  for (int i = 0; i < 20000; ++i) pattern += "a?";
  const auto automaton = compile_pattern(pattern + "$");
  ASSERT_TRUE(automaton.ok());
  EXPECT_TRUE((*automaton)->matches("aaa"));
}

// Random patterns against the oracle.

class RandomPattern {
 public:
  explicit RandomPattern(uint64_t seed) : random_(seed) {}

  std::string pattern(int depth) {
    switch (depth <= 0 ? pick(4) : pick(14)) {
      case 0:
      case 1:
        return std::string(1, "abc"[pick(3)]);
      case 2:
        return std::vector<std::string>{"[ab]", "[^a]", ".", "\\w", "-", "[\\s\\S]"}[pick(6)];
      case 3:
        return std::vector<std::string>{"^", "$", "\\b", "\\B", "(?:)", "a"}[pick(6)];
      case 4:
      case 5:
      case 6:
      case 7: {
        std::string text;
        for (int i = 0, n = 2 + pick(3); i < n; ++i) text += pattern(depth - 1);
        return text;
      }
      case 8:
      case 9:
        return "(" + pattern(depth - 1) + "|" + pattern(depth - 1) + ")";
      case 10:
      case 11: {
        const auto bounds = std::vector<std::string>{"*",     "+",    "?",  "{2}",   "{0,2}",
                                                     "{1,3}", "{2,}", "*?", "{2,3}", "{3,4}?"};
        return "(?:" + pattern(depth - 1) + ")" + bounds[pick(bounds.size())];
      }
      case 12:
        return (pick(2) ? "(?=" : "(?!") + pattern(depth - 1) + ")";
      default:
        return (pick(2) ? "(?<=" : "(?<!") + pattern(depth - 1) + ")";
    }
  }

  std::u32string text() {
    static const std::u32string alphabet = U"abc-\u00e9";
    std::u32string text;
    for (size_t i = 0, n = pick(8); i < n; ++i) text += alphabet[pick(pick(3) ? 2 : 5)];
    return text;
  }

 private:
  size_t pick(size_t n) { return random_() % n; }
  std::mt19937_64 random_;
};

TEST(Regex, AgreesWithTheOracle) {
  const uint64_t base = seed();
  RecordProperty("seed", std::to_string(base));
  std::cout << "ESPALIER_SEED=" << base << "\n";
  RandomPattern random(base);
  int accepted = 0;
  int checked = 0;
  for (int i = 0; i < 3000; ++i) {
    const std::string pattern = random.pattern(1 + i % 4);
    const auto ast = parse_regex(pattern, RegexSyntax::kLenient);
    ASSERT_TRUE(ast.ok()) << pattern;
    const auto found = build_regex_automaton(*ast, MatchKind::kSearch, {});
    const auto entire = build_regex_automaton(*ast, MatchKind::kWhole, {});
    ASSERT_TRUE(found.ok() && entire.ok()) << pattern;
    for (int k = 0; k < 20; ++k) {
      const std::u32string text = random.text();
      testing::RegexOracle oracle(*ast, text);
      const bool expected = oracle.search();
      accepted += expected;
      ++checked;
      ASSERT_EQ((*found)->matches(utf8(text)), expected) << pattern << " on " << utf8(text);
      ASSERT_EQ((*entire)->matches(utf8(text)), oracle.whole()) << pattern << " on " << utf8(text);
    }
    ASSERT_TRUE((*found)->status().ok()) << pattern;
  }
  EXPECT_GT(accepted, checked / 10);
  EXPECT_LT(accepted, checked * 9 / 10);
}

// A state is reported iff an accepting state can be reached from it: every reported state is live,
// and every code point that is left out leads nowhere (no text up to a length past the number of
// states is accepted, checked by the oracle on short texts).
TEST(Regex, DeadStateIsExact) {
  const uint64_t base = seed();
  std::cout << "ESPALIER_SEED=" << base << "\n";
  RandomPattern random(base + 1);
  const std::u32string alphabet = U"ab-";
  for (int i = 0; i < 400; ++i) {
    const std::string pattern = random.pattern(1 + i % 3);
    const auto ast = parse_regex(pattern, RegexSyntax::kLenient);
    ASSERT_TRUE(ast.ok());
    const auto automaton = build_regex_automaton(*ast, MatchKind::kWhole, {});
    ASSERT_TRUE(automaton.ok()) << pattern;
    const std::vector<uint32_t> states = reachable(**automaton, 2000);
    std::set<uint32_t> live;
    for (bool grown = true; grown;) {
      grown = false;
      for (uint32_t state : states) {
        bool can = (*automaton)->accepting(state);
        for (const CodepointEdge& edge : (*automaton)->edges(state))
          can |= live.contains(edge.next);
        if (can) grown |= live.insert(state).second;
      }
    }
    if (states.size() < 2000) {
      EXPECT_EQ(live.size(), states.size()) << pattern;
    }
    std::function<void(const std::u32string&, uint32_t)> visit = [&](const std::u32string& text,
                                                                     uint32_t state) {
      const bool accepted = testing::RegexOracle(*ast, text).whole();
      ASSERT_EQ(accepted, (*automaton)->accepting(state)) << pattern << " on " << utf8(text);
      if (text.size() == 4) return;
      for (char32_t c : alphabet) visit(text + c, (*automaton)->step(state, c));
    };
    visit(U"", (*automaton)->start());
  }
}

TEST(Regex, EdgesAreSortedAndDisjoint) {
  RandomPattern random(7);
  for (int i = 0; i < 300; ++i) {
    const auto ast = parse_regex(random.pattern(3), RegexSyntax::kLenient);
    ASSERT_TRUE(ast.ok());
    const auto automaton = build_regex_automaton(*ast, MatchKind::kSearch, {});
    ASSERT_TRUE(automaton.ok());
    for (uint32_t state : reachable(**automaton, 200)) {
      int64_t last = -1;
      for (const CodepointEdge& edge : (*automaton)->edges(state)) {
        EXPECT_GT(int64_t{edge.lo}, last);
        EXPECT_LE(edge.lo, edge.hi);
        EXPECT_NE(edge.next, 0u);
        last = edge.hi;
      }
      EXPECT_LE(last, int64_t{kMaxCodepoint});
    }
  }
}

TEST(Regex, ThreadsBuildOneAutomaton) {
  const auto ast = parse_regex("^(?=.*\\d)(?!.*zz)((\\bfoo|[a-z0-9]{1,20}|x{3,9}y)[ -]?){1,12}$",
                               RegexSyntax::kLenient);
  ASSERT_TRUE(ast.ok());
  for (int round = 0; round < 5; ++round) {
    std::vector<std::string> texts;
    RandomPattern random(round);
    std::mt19937 digits(round);
    for (int i = 0; i < 400; ++i) {
      std::string text;
      for (int k = digits() % 30; k > 0; --k) text += "foxyz019 -"[digits() % 10];
      texts.push_back(text);
    }
    const auto shared = build_regex_automaton(*ast, MatchKind::kSearch, {});
    const auto alone = build_regex_automaton(*ast, MatchKind::kSearch, {});
    ASSERT_TRUE(shared.ok() && alone.ok());
    std::vector<std::vector<char>> answers(8, std::vector<char>(texts.size()));
    std::vector<std::thread> threads;
    for (size_t t = 0; t < answers.size(); ++t) {
      threads.emplace_back([&, t] {
        for (size_t i = 0; i < texts.size(); ++i) {
          const size_t at = (i * 7 + t * 53) % texts.size();
          answers[t][at] = (*shared)->matches(texts[at]);
        }
      });
    }
    for (std::thread& thread : threads) thread.join();
    for (size_t i = 0; i < texts.size(); ++i) {
      const bool expected = (*alone)->matches(texts[i]);
      for (const auto& answer : answers) ASSERT_EQ(answer[i] != 0, expected) << texts[i];
    }
  }
}

// Shared data.

rapidjson::Document load(const std::filesystem::path& path) {
  std::ifstream in(path);
  std::stringstream text;
  text << in.rdbuf();
  rapidjson::Document document;
  document.Parse(text.str().c_str());
  return document;
}

std::string_view view(const rapidjson::Value& value) {
  return {value.GetString(), value.GetStringLength()};
}

TEST(Regex, TestSuitePatterns) {
  const auto suite = testing::test_suite_dir();
  if (!suite) GTEST_SKIP() << "The JSON-Schema-Test-Suite is not there.";
  int cases = 0;
  for (const auto& entry : std::filesystem::recursive_directory_iterator(*suite)) {
    const std::string name = entry.path().filename().string();
    if (name != "pattern.json" && name != "ecmascript-regex.json" && name != "non-bmp-regex.json") {
      continue;
    }
    const rapidjson::Document groups = load(entry.path());
    if (!groups.IsArray()) continue;
    for (const auto& group : groups.GetArray()) {
      const auto& schema = group["schema"];
      if (!schema.IsObject() || !schema.HasMember("pattern")) continue;
      const std::string_view pattern = view(schema["pattern"]);
      for (const auto& test : group["tests"].GetArray()) {
        if (!test["data"].IsString()) continue;
        ++cases;
        EXPECT_EQ(search(pattern, view(test["data"])), test["valid"].GetBool())
            << entry.path() << ": " << group["description"].GetString() << ": "
            << test["description"].GetString();
      }
    }
  }
  EXPECT_GT(cases, 300);
}

void collect_patterns(const rapidjson::Value& value, std::set<std::string>* out) {
  if (value.IsArray()) {
    for (const auto& item : value.GetArray()) collect_patterns(item, out);
  }
  if (!value.IsObject()) return;
  for (const auto& member : value.GetObject()) {
    if (view(member.name) == "pattern" && member.value.IsString()) out->emplace(view(member.value));
    if (view(member.name) == "patternProperties" && member.value.IsObject()) {
      for (const auto& property : member.value.GetObject()) out->emplace(view(property.name));
    }
    collect_patterns(member.value, out);
  }
}

TEST(Regex, MaskBenchPatternsCompile) {
  const auto files = testing::maskbench_dir();
  if (!files) GTEST_SKIP() << "MaskBench is not there.";
  std::set<std::string> patterns;
  for (const auto& entry : std::filesystem::recursive_directory_iterator(*files)) {
    if (entry.path().extension() != ".json") continue;
    const rapidjson::Document document = load(entry.path());
    if (document.IsObject() && document.HasMember("schema")) {
      collect_patterns(document["schema"], &patterns);
    }
  }
  EXPECT_GT(patterns.size(), 2000u);
  for (const std::string& pattern : patterns) {
    const auto automaton = compile_pattern(pattern);
    ASSERT_TRUE(automaton.ok()) << pattern << ": " << automaton.status().to_string();
    EXPECT_NE((*automaton)->start(), 0u) << pattern;
    reachable(**automaton, 50);
    EXPECT_TRUE((*automaton)->status().ok()) << pattern;
  }
}

}  // namespace
}  // namespace espalier
