// Formats: the cases of the JSON-Schema-Test-Suite for every draft, and cases of our own for the
// rules the suite does not touch.
#include "schema/formats/formats.h"

#include <gtest/gtest.h>
#include <rapidjson/document.h>

#include <algorithm>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <map>
#include <random>
#include <set>
#include <sstream>
#include <string>
#include <tuple>
#include <utility>
#include <vector>

#include "schema/formats/content.h"
#include "schema/formats/idna.h"
#include "schema/json/unicode.h"
#include "shared_data.h"
#include "tests/reference_format_patterns.h"
#include "tests/reference_json.h"

namespace espalier {
namespace {

bool matches(std::string_view format, std::string_view text) {
  const auto automaton = format_automaton(format);
  EXPECT_TRUE(automaton.ok() && *automaton != nullptr) << format;
  if (!automaton.ok() || *automaton == nullptr) return false;
  const bool accepted = (*automaton)->matches(text);
  EXPECT_TRUE((*automaton)->status().ok()) << (*automaton)->status().to_string();
  return accepted;
}

TEST(Formats, UnknownNames) {
  for (const char* name : {"", "color", "ip", "date_time"}) {
    const auto automaton = format_automaton(name);
    ASSERT_TRUE(automaton.ok());
    EXPECT_EQ(*automaton, nullptr) << name;
  }
}

TEST(Formats, Interned) { EXPECT_EQ(*format_automaton("date"), *format_automaton("date")); }

TEST(Formats, EveryDayOfTheCalendar) {
  const auto automaton = *format_automaton("date");
  for (int year : {0, 1, 1900, 1999, 2000, 2004, 2023, 2024, 2100, 9996}) {
    const bool leap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
    const int days[] = {31, leap ? 29 : 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
    for (int month = 0; month <= 13; ++month) {
      for (int day = 0; day <= 32; ++day) {
        char text[32];
        std::snprintf(text, sizeof(text), "%04d-%02d-%02d", year, month, day);
        const bool valid = month >= 1 && month <= 12 && day >= 1 && day <= days[month - 1];
        EXPECT_EQ(automaton->matches(text), valid) << text;
      }
    }
  }
}

TEST(Formats, EveryLeapSecond) {
  const auto automaton = *format_automaton("time");
  const int offsets[] = {0, 1, 20, 59, 60, 61, 90, 330, 719, 720, 1380, 1439};
  for (int sign : {1, -1}) {
    for (int offset : offsets) {
      for (int local = 0; local < 1440; ++local) {
        char text[64];
        std::snprintf(text, sizeof(text), "%02d:%02d:60.5%c%02d:%02d", local / 60, local % 60,
                      sign > 0 ? '+' : '-', offset / 60, offset % 60);
        const int utc = ((local - sign * offset) % 1440 + 1440) % 1440;
        EXPECT_EQ(automaton->matches(text), utc == 1439) << text;
      }
    }
  }
}

// The machines of dates, times and mailboxes beside the automata of their grammars, in lockstep: at
// every state the same code points live on, and both accept or neither.
void expect_same_walks(std::string_view format, size_t walks, std::mt19937_64& random) {
  const auto machine = *format_automaton(format);
  const auto oracle = *compile_anchored(ReferenceFormatPatterns::pattern(format));
  ASSERT_FALSE(machine->remembers());
  const auto live = [](const CodepointAutomaton& automaton, uint32_t state) {
    std::vector<std::pair<uint32_t, uint32_t>> ranges;
    for (const CodepointEdge& edge : automaton.edges(state)) {
      if (edge.next == 0) continue;
      if (!ranges.empty() && ranges.back().second + 1 == edge.lo) {
        ranges.back().second = edge.hi;
      } else {
        ranges.emplace_back(edge.lo, edge.hi);
      }
    }
    return ranges;
  };
  for (size_t walk = 0; walk < walks; ++walk) {
    uint32_t at = machine->start(), expected = oracle->start();
    std::u32string text;
    while (true) {
      const std::string shown(text.begin(), text.end());
      ASSERT_EQ(machine->accepting(at), oracle->accepting(expected)) << format << ": " << shown;
      const auto ranges = live(*machine, at);
      ASSERT_EQ(ranges, live(*oracle, expected)) << format << ": " << shown;
      const auto rest = machine->completion(at);
      if (rest) {
        uint32_t end = at;
        for (const char32_t c : *rest) end = machine->step(end, c);
        ASSERT_TRUE(machine->accepting(end)) << format << ": " << shown;
      }
      if (ranges.empty() || text.size() > 400) break;
      auto [lo, hi] = ranges[random() % ranges.size()];
      // Every other walk goes on with letters, up to the bounds of length.
      const auto letters = std::find_if(ranges.begin(), ranges.end(), [](const auto& range) {
        return range.first <= U'a' && range.second >= U'z';
      });
      if (walk % 2 == 1 && letters != ranges.end() && random() % 64 != 0) {
        std::tie(lo, hi) = std::pair(U'a', U'z');
      }
      const uint32_t c = lo + static_cast<uint32_t>(random() % (hi - lo + 1));
      text.push_back(c);
      at = machine->step(at, c);
      expected = oracle->step(expected, c);
      ASSERT_NE(at, 0u) << format << ": " << shown;
    }
  }
}

TEST(Formats, MachinesDoAsTheirGrammarsSay) {
  const char* given = std::getenv("ESPALIER_SEED");
  const uint64_t seed =
      given != nullptr ? std::strtoull(given, nullptr, 10) : std::random_device{}();
  std::cout << "ESPALIER_SEED=" << seed << "\n";
  std::mt19937_64 random(seed);
  expect_same_walks("date", 2000, random);
  expect_same_walks("time", 300, random);
  expect_same_walks("date-time", 300, random);
  expect_same_walks("email", 40, random);
  expect_same_walks("idn-email", 20, random);
}

TEST(Formats, Limits) {
  const std::string label(63, 'a');
  EXPECT_TRUE(matches("hostname", label + "." + label + "." + label + "." + std::string(61, 'a')));
  EXPECT_FALSE(matches("hostname", label + "." + label + "." + label + "." + std::string(62, 'a')));
  EXPECT_FALSE(matches("hostname", label + "a"));
  EXPECT_TRUE(matches("email", std::string(64, 'a') + "@b.c"));
  EXPECT_FALSE(matches("email", std::string(65, 'a') + "@b.c"));
  EXPECT_FALSE(matches("email", "a@" + label + "a.b"));
}

// Whatever is written, a host name never runs into a state that can neither end nor go on.
TEST(Formats, HostnamesHaveNoDeadEnds) {
  const auto automaton = *format_automaton("hostname");
  const char* given = std::getenv("ESPALIER_SEED");
  const uint64_t seed =
      given != nullptr ? std::strtoull(given, nullptr, 10) : std::random_device{}();
  std::cout << "ESPALIER_SEED=" << seed << "\n";
  std::mt19937_64 random(seed);
  for (int walk = 0; walk < 24; ++walk) {
    std::string text = std::vector<std::string>{"", "xn--", "0a.xn--", "xn--qmbc.xn--"}[walk % 4];
    if (walk % 3 == 0) text += std::string(45, 'a');
    uint32_t state = automaton->start();
    for (char c : text) state = automaton->step(state, static_cast<uint8_t>(c));
    while (true) {
      ASSERT_NE(state, 0u) << text;
      const auto edges = automaton->edges(state);
      if (edges.empty()) break;
      const auto& edge = edges[random() % edges.size()];
      text.push_back(static_cast<char>(edge.lo));
      state = edge.next;
    }
    EXPECT_TRUE(automaton->accepting(state)) << text;
    EXPECT_LE(text.size(), 253u);
  }
  EXPECT_TRUE(automaton->status().ok());
}

// Every valid A-label is accepted, up to the very last length.
TEST(Formats, HostnamesTakeEveryALabel) {
  const auto automaton = *format_automaton("hostname");
  std::mt19937_64 random(5);
  const std::vector<std::u16string> alphabets = {
      u"abcdefgh-0123\u00e0\u00df\u0101", u"\u03b1\u03b2\u03b3a", u"\uac00\ub840\ud14c\uc2a4",
      u"\u05d0\u05d1\u05d2", u"\u4e00\u4e8c\u3042\u30a2z"};
  int valid = 0;
  int full = 0;
  for (int i = 0; i < 150; ++i) {
    const std::u16string& alphabet = alphabets[random() % alphabets.size()];
    std::u16string label;
    for (size_t k = 1 + random() % 58; k > 0; --k) label += alphabet[random() % alphabet.size()];
    const std::string text = to_a_label(label);
    if (!text.starts_with("xn--") || text.size() > 63 || !check_a_label(text)) continue;
    ++valid;
    full += text.size() >= 58;
    EXPECT_TRUE(automaton->matches(text)) << text;
    EXPECT_TRUE(automaton->matches("a." + text + ".b")) << text;
  }
  EXPECT_GT(valid, 50);
  EXPECT_GT(full, 5);
}

// Names of random labels: accepted iff every label is one and the Bidi rule holds among them, and
// whatever is alive can be completed.
TEST(Formats, InternationalHostnames) {
  const auto automaton = *format_automaton("idn-hostname");
  const char* given = std::getenv("ESPALIER_SEED");
  const uint64_t seed =
      given != nullptr ? std::strtoull(given, nullptr, 10) : std::random_device{}();
  std::cout << "ESPALIER_SEED=" << seed << "\n";
  std::mt19937_64 random(seed);
  const std::u32string alphabet =
      U"abl-0A\u00b7\u00e0\u0301\u0375\u03b1\u05d0\u05f3\u0627\u0628\u0660\u06f0\u0915\u094d"
      U"\u200c\u200d\u3042\u30fb\u4e00\uac00\u00df\u0640";
  const std::u32string separators = U".\u3002\uff0e\uff61";
  int valid = 0;
  for (int round = 0; round < 6000; ++round) {
    std::u32string text;
    bool right_to_left = false, breaks_rule = false, good = true;
    const size_t labels = 1 + random() % 3;
    for (size_t i = 0; i < labels; ++i) {
      if (i > 0) text += separators[random() % separators.size()];
      std::u32string label;
      for (size_t n = 1 + random() % 4; n > 0; --n) label += alphabet[random() % alphabet.size()];
      text += label;
      const bool ascii =
          std::all_of(label.begin(), label.end(), [](char32_t c) { return c < 0x80; });
      if (ascii) {
        good &= label.front() != '-' && label.back() != '-';
        breaks_rule |= label.front() == '0';
      } else if (const auto checked = check_u_label(std::u16string(label.begin(), label.end()))) {
        right_to_left |= checked->direction.right_to_left;
        breaks_rule |= checked->direction.breaks_rule;
      } else {
        good = false;
      }
    }
    const bool expected = good && !(right_to_left && breaks_rule);
    valid += expected;
    uint32_t state = automaton->start();
    std::string shown;
    for (const char32_t c : text) {
      state = automaton->step(state, c);
      append_wtf8(&shown, c);
      if (state == 0) break;
      const auto rest = automaton->completion(state);
      ASSERT_TRUE(rest.has_value()) << shown;
      uint32_t end = state;
      for (const char32_t d : *rest) end = automaton->step(end, d);
      ASSERT_TRUE(automaton->accepting(end)) << shown;
    }
    ASSERT_EQ(automaton->accepting(state), expected) << shown << " of round " << round;
  }
  EXPECT_GT(valid, 500);
  EXPECT_TRUE(automaton->status().ok());
}

// Content: JSON as a JSON parser reads it, also behind base64; live states have completions.
TEST(Formats, Content) {
  const auto json = *content_automaton("", "application/json");
  const auto base64 = *content_automaton("base64", "");
  const auto both = *content_automaton("BASE64", "application/json");
  EXPECT_EQ(*content_automaton("", "text/html"), nullptr);
  EXPECT_EQ(*content_automaton("base32", "application/json"), nullptr);
  const char* given = std::getenv("ESPALIER_SEED");
  const uint64_t seed =
      given != nullptr ? std::strtoull(given, nullptr, 10) : std::random_device{}();
  std::cout << "ESPALIER_SEED=" << seed << "\n";
  std::mt19937_64 random(seed);
  const std::vector<std::string> pieces = {
      "{",        "}",    "[",    "]", ",", ":", "\"", "\"a\"", "\\n", "\\u00e9",
      "\xc3\xa9", "true", "null", "1", "0", "-", ".5", "e+1",   " ",   "\n"};
  const auto encode = [](const std::string& bytes) {
    constexpr std::string_view kDigits =
        "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    std::string out;
    for (size_t i = 0; i < bytes.size(); i += 3) {
      uint32_t group = 0;
      for (size_t k = 0; k < 3; ++k)
        group = group << 8 | (i + k < bytes.size() ? static_cast<uint8_t>(bytes[i + k]) : 0);
      for (size_t k = 0; k < 4; ++k)
        out += i + k > bytes.size() ? '=' : kDigits[group >> (18 - 6 * k) & 63];
    }
    return out;
  };
  const auto complete = [](const CodepointAutomaton& automaton, const std::string& text) {
    uint32_t state = automaton.start();
    for (size_t i = 0; i < text.size() && state != 0; ++i) {
      if (static_cast<uint8_t>(text[i]) >= 0x80) return;  // read by matches() alone
      state = automaton.step(state, static_cast<uint8_t>(text[i]));
    }
    if (state == 0) return;
    const auto rest = automaton.completion(state);
    ASSERT_TRUE(rest.has_value()) << text;
    std::string whole = text;
    for (const char32_t c : *rest) append_wtf8(&whole, c);
    EXPECT_TRUE(automaton.matches(whole)) << text << " and " << whole;
  };
  int valid = 0;
  for (int round = 0; round < 20'000; ++round) {
    std::string text;
    for (size_t n = random() % 7; n > 0; --n) text += pieces[random() % pieces.size()];
    const bool good =
        reference::parse_json(text, nullptr, reference::DuplicateNames::kAllow).has_value();
    valid += good;
    const std::string encoded = encode(text);
    ASSERT_EQ(json->matches(text), good) << text;
    ASSERT_TRUE(base64->matches(encoded)) << encoded;
    ASSERT_EQ(both->matches(encoded), good) << text << " as " << encoded;
    complete(*json, text);
    complete(*both, encoded.substr(0, random() % (encoded.size() + 1)));
    if (::testing::Test::HasFatalFailure()) return;
  }
  EXPECT_GT(valid, 500);
  EXPECT_FALSE(base64->matches("eyJmb28iOi%iYmFyIn0K"));
  EXPECT_FALSE(both->matches("ezp9Cg=="));
  EXPECT_FALSE(both->matches("{}"));
}

TEST(Formats, Ipv6Forms) {
  EXPECT_TRUE(matches("ipv6", "1:2:3:4:5:6:7::"));
  EXPECT_TRUE(matches("ipv6", "::2:3:4:5:6:7:8"));
  EXPECT_FALSE(matches("ipv6", "1:2:3:4:5:6:7::8"));
  EXPECT_TRUE(matches("ipv6", "1:2:3:4:5::1.2.3.4"));
  EXPECT_FALSE(matches("ipv6", "1:2:3:4:5:6::1.2.3.4"));
  EXPECT_TRUE(matches("uri", "http://[1::2]:80"));
  EXPECT_TRUE(matches("email", "a@[IPv6:1:2:3:4:5:6::]"));
  EXPECT_FALSE(matches("email", "a@[IPv6:1:2:3:4:5:6:7::]"));
}

// draft-handrews-relative-json-pointer-01 (draft-07) and -02 (2019-09) know no index manipulation,
// draft-bhutton-relative-json-pointer-00 (2020-12) does.
TEST(Formats, RelativeJsonPointer) {
  const std::string_view name = "relative-json-pointer";
  for (const Dialect dialect :
       {Dialect::kDraft7, Dialect::k2019_09, Dialect::k2020_12, Dialect::kV1}) {
    const auto automaton = *format_automaton(name, dialect);
    const bool indexes = dialect >= Dialect::k2020_12;
    for (const char* text : {"0", "12", "0#", "1/a~1b", "0/"})
      EXPECT_TRUE(automaton->matches(text));
    for (const char* text : {"0+1/a", "2-10", "0-0"}) EXPECT_EQ(automaton->matches(text), indexes);
    for (const char* text : {"", "01", "0+01", "0+", "0-1#", "+1", "1#/a"})
      EXPECT_FALSE(automaton->matches(text));
  }
}

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

TEST(Formats, TestSuite) {
  const auto suite = testing::test_suite_dir();
  if (!suite) GTEST_SKIP() << "The JSON-Schema-Test-Suite is not there.";
  // Names that only draft 3 defines, and its `time` without an offset.
  const std::set<std::string> skipped_drafts = {"draft3"};
  const std::map<std::string, Dialect> dialects = {
      {"draft4", Dialect::kDraft4},        {"draft6", Dialect::kDraft6},
      {"draft7", Dialect::kDraft7},        {"draft2019-09", Dialect::k2019_09},
      {"draft2020-12", Dialect::k2020_12}, {"v1", Dialect::kV1}};
  int cases = 0;
  for (const auto& entry : std::filesystem::recursive_directory_iterator(*suite)) {
    if (entry.path().extension() != ".json") continue;
    if (entry.path().parent_path().filename() != "format") continue;
    const std::string draft = [&] {
      auto folder = entry.path().parent_path().parent_path();
      if (folder.filename() == "optional") folder = folder.parent_path();
      return folder.filename().string();
    }();
    if (skipped_drafts.contains(draft)) continue;
    const rapidjson::Document groups = load(entry.path());
    ASSERT_TRUE(groups.IsArray()) << entry.path();
    for (const auto& group : groups.GetArray()) {
      const auto& schema = group["schema"];
      if (!schema.IsObject() || !schema.HasMember("format")) continue;
      const std::string format(view(schema["format"]));
      const auto automaton = format_automaton(format, dialects.at(draft));
      ASSERT_TRUE(automaton.ok()) << format << ": " << automaton.status().to_string();
      for (const auto& test : group["tests"].GetArray()) {
        if (!test["data"].IsString()) continue;
        const std::string_view text = view(test["data"]);
        const bool valid = test["valid"].GetBool();
        bool accepted = true;
        if (*automaton != nullptr) {
          accepted = (*automaton)->matches(text);
        }
        ++cases;
        EXPECT_EQ(accepted, valid)
            << draft << " " << format << ": " << test["description"].GetString() << ": " << text;
      }
      if (*automaton != nullptr) {
        EXPECT_TRUE((*automaton)->status().ok()) << format;
      }
    }
  }
  EXPECT_GT(cases, 1000);
  std::cout << cases << " cases\n";
}

}  // namespace
}  // namespace espalier
