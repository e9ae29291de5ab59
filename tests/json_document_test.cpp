// The JSON documents under the schema loader, and URI resolution.
#include "schema/json/json_document.h"

#include <gtest/gtest.h>

#include <random>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "schema/json/plain_text.h"
#include "schema/loading/uri.h"
#include "tests/engine_support.h"

namespace espalier {
namespace {

constexpr size_t kBytes = 16u << 20;
constexpr size_t kDepth = 512;

TEST(JsonDocument, KeepsOrderSpellingAndStrings) {
  const std::string text =
      "{\"b\":[1.0,-0,1e400,12345678901234567890.5],\"a\":\"\\u00e9\\n\\u0000\",\"\":{}}";
  const auto document = JsonDocument::parse(text, kBytes, kDepth);
  ASSERT_TRUE(document.ok()) << document.status().to_string();
  const JsonDocument& json = **document;
  EXPECT_EQ(
      json.serialize(json.root()),
      "{\"b\":[1.0,-0,1e400,12345678901234567890.5],\"a\":\"\xC3\xA9\\u000a\\u0000\",\"\":{}}");
  const JsonId list = json.find(json.root(), "b");
  EXPECT_EQ(json.pointer(json[list].first + 2), "/b/2");
  EXPECT_EQ(json.value(json[list].first + 2).number.to_string(),
            Decimal::parse("1e400")->to_string());
  EXPECT_FALSE(json.value(json[list].first).integer_spelling);
  EXPECT_TRUE(json.value(json[list].first + 1).integer_spelling);
}

TEST(JsonDocument, KeepsLoneSurrogates) {
  const auto document = JsonDocument::parse(
      "[\"\\ud800\",\"\\udc00x\",\"\\ud83d\\ude00\",\"\\ud800\\ud83d\\ude00\"]", kBytes, kDepth);
  ASSERT_TRUE(document.ok()) << document.status().to_string();
  const JsonDocument& json = **document;
  const JsonId first = json[json.root()].first;
  EXPECT_EQ(json[first].text, "\xED\xA0\x80");
  EXPECT_EQ(json[first + 1].text, "\xED\xB0\x80x");
  EXPECT_EQ(json[first + 2].text, "\xF0\x9F\x98\x80");
  EXPECT_EQ(json[first + 3].text, "\xED\xA0\x80\xF0\x9F\x98\x80");
  EXPECT_EQ(json.serialize(first + 1), "\"\\udc00x\"");
}

TEST(JsonDocument, NamesThePlaceOfAnError) {
  const auto place = [](std::string_view text) {
    const auto document = JsonDocument::parse(text, kBytes, kDepth);
    EXPECT_FALSE(document.ok()) << text;
    EXPECT_EQ(document.status().code(), StatusCode::kParseError);
    EXPECT_FALSE(document.status().message().empty());
    return document.status().place();
  };
  EXPECT_EQ(place(""), "1:1");
  EXPECT_EQ(place("{\"a\":\n  tru}"), "2:6");
  EXPECT_EQ(place("{\"\xC3\xA9\": 1,}"), "1:9");
  EXPECT_EQ(place("\"\xFF\""), "1:2");
  EXPECT_EQ(place("\"\xED\xA0\x80\""), "1:2");
  EXPECT_EQ(place("[1]\n x"), "2:2");
  EXPECT_EQ(place(std::string_view("{}\0{}", 5)), "1:3");
  EXPECT_EQ(place("[\"\\ud800\", \"\\ud800\", nul]"), "1:25");
  EXPECT_EQ(place("[1e400, 2e400, nul]"), "1:19");
  EXPECT_EQ(place("\"unfinished"), "1:12");
  EXPECT_EQ(place("{\"x\": {\"a/b\": 1, \"a/b\": 2}}"), "/x/a~1b");
  EXPECT_EQ(place("[01]"), "1:3");
  EXPECT_EQ(place("[1e5e5]"), "1:5");
}

TEST(JsonDocument, BudgetsAreStatuses) {
  const std::string deep = std::string(513, '[') + std::string(513, ']');
  EXPECT_EQ(JsonDocument::parse(deep, kBytes, kDepth).status().code(), StatusCode::kBudgetExceeded);
  EXPECT_TRUE(JsonDocument::parse(deep, kBytes, 513).ok());
  const std::string deeper(2'000'000, '[');
  EXPECT_EQ(JsonDocument::parse(deeper, kBytes, SIZE_MAX).status().code(),
            StatusCode::kBudgetExceeded);
  EXPECT_EQ(JsonDocument::parse("[1, 2]", 5, kDepth).status().code(), StatusCode::kBudgetExceeded);
}

TEST(JsonDocument, TextsThatNeedNoRewritingAreRecognized) {
  std::mt19937_64 random(testing::test_seed());
  // Byte by byte: what RapidJSON cannot be left alone with.
  const auto special = [](std::string_view text) {
    for (size_t i = 0; i < text.size(); ++i) {
      const auto c = static_cast<uint8_t>(text[i]);
      const char next = i + 1 < text.size() ? text[i + 1] : ' ';
      if (c == 0 || c >= 0x80 || (c == '\\' && next == 'u')) return true;
      if (c >= '0' && c <= '9' && (next == 'e' || next == 'E')) return true;
    }
    return false;
  };
  const std::string_view common = "abdfu {}[]\",:0123456789\n\\/eE";
  const std::string rare("\0\x7F\x80\xFF", 4);
  size_t plain = 0;
  for (int round = 0; round < 20'000; ++round) {
    std::string text(random() % 40, ' ');
    for (char& c : text) c = common[random() % (round % 2 == 0 ? 20 : common.size())];
    if (!text.empty() && round % 3 == 0) text[random() % text.size()] = rare[random() % 4];
    EXPECT_EQ(is_plain_json(text), !special(text)) << ::testing::PrintToString(text);
    plain += special(text) ? 0 : 1;
  }
  EXPECT_GT(plain, 2'000u);
  EXPECT_TRUE(is_plain_json("[12345678901234567890]"));
  for (size_t at = 0; at < 9; ++at)
    EXPECT_FALSE(is_plain_json(std::string(at, ' ') + std::string(301, '7')));
}

TEST(JsonDocument, NamesThePlaceWhereNestingExceedsTheLimit) {
  for (const std::string_view tail : {"", "\"\xC3\xA9\""}) {
    const std::string text = "[\n {\"[[\":[" + std::string(tail) + "]}]";
    EXPECT_EQ(JsonDocument::parse(text, kBytes, 2).status().place(), "2:8");
    EXPECT_TRUE(JsonDocument::parse(text, kBytes, 3).ok());
  }
}

TEST(Uri, ResolvesTheExamplesOfRfc3986) {
  const std::vector<std::pair<std::string, std::string>> examples = {
      {"g:h", "g:h"},
      {"g", "http://a/b/c/g"},
      {"./g", "http://a/b/c/g"},
      {"g/", "http://a/b/c/g/"},
      {"/g", "http://a/g"},
      {"//g", "http://g"},
      {"?y", "http://a/b/c/d;p?y"},
      {"g?y", "http://a/b/c/g?y"},
      {"#s", "http://a/b/c/d;p?q#s"},
      {"g#s", "http://a/b/c/g#s"},
      {"g?y#s", "http://a/b/c/g?y#s"},
      {";x", "http://a/b/c/;x"},
      {"g;x", "http://a/b/c/g;x"},
      {"", "http://a/b/c/d;p?q"},
      {".", "http://a/b/c/"},
      {"./", "http://a/b/c/"},
      {"..", "http://a/b/"},
      {"../", "http://a/b/"},
      {"../g", "http://a/b/g"},
      {"../..", "http://a/"},
      {"../../g", "http://a/g"},
      {"../../../g", "http://a/g"},
      {"/./g", "http://a/g"},
      {"/../g", "http://a/g"},
      {"g.", "http://a/b/c/g."},
      {"..g", "http://a/b/c/..g"},
      {"./g/.", "http://a/b/c/g/"},
      {"g/./h", "http://a/b/c/g/h"},
      {"g/../h", "http://a/b/c/h"},
      {"g;x=1/../y", "http://a/b/c/y"},
      {"g?y/../x", "http://a/b/c/g?y/../x"},
      {"g#s/../x", "http://a/b/c/g#s/../x"},
  };
  for (const auto& [reference, target] : examples) {
    EXPECT_EQ(resolve_uri("http://a/b/c/d;p?q", reference), target) << reference;
  }
  EXPECT_EQ(resolve_uri("", "#/a"), "#/a");
  EXPECT_EQ(resolve_uri("", "b.json#/a"), "b.json#/a");
  EXPECT_EQ(resolve_uri("urn:uuid:1", "#x"), "urn:uuid:1#x");
  EXPECT_EQ(resolve_uri("http://h", "a"), "http://h/a");
  EXPECT_EQ(percent_decode("%25a%2f"), "%a/");
  EXPECT_FALSE(percent_decode("%2").has_value());
  EXPECT_FALSE(percent_decode("%zz").has_value());
}

}  // namespace
}  // namespace espalier
