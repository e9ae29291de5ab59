// Rows of leaves against rows that are walked byte by byte, without what the leaves tell about
// loops and lists and without what is shared with other leaves.
#include <gtest/gtest.h>

#include <filesystem>
#include <iterator>
#include <map>
#include <random>
#include <string>
#include <utility>
#include <vector>

#include "engine/rows/mask_leaf_rows.h"
#include "engine_support.h"
#include "schema/leaves/scalar_leaf.h"
#include "shared_data.h"

namespace espalier::testing {
namespace {

/// A leaf as it is without what it tells about its loops.
class PlainLeaf : public Leaf {
 public:
  explicit PlainLeaf(const Leaf& leaf) : leaf_(leaf) {}
  uint32_t start() const override { return leaf_.start(); }
  uint32_t step(uint32_t state, uint8_t byte) const override { return leaf_.step(state, byte); }
  bool can_exit(uint32_t state) const override { return leaf_.can_exit(state); }
  bool is_final(uint32_t state) const override { return leaf_.is_final(state); }

 private:
  const Leaf& leaf_;
};

/// All of a row in comparable form.
struct RowContent {
  std::vector<MaskWord> inside;
  std::map<std::pair<Outcome, TokenId>, std::string> boundary;  // (outcome, token) -> suffix
  friend bool operator==(const RowContent&, const RowContent&) = default;
};
RowContent content(const LeafRow& row, const ScalarLeaf& leaf, const Vocabulary& vocabulary) {
  RowContent out;
  out.inside.resize(vocabulary.row_words());
  row.copy_inside(out.inside);
  for (size_t i = 0; i < row.tokens->ends.size(); ++i) {
    const LeafRow::Tokens::Ends& ends = row.tokens->ends[i];
    const auto add = [&](const ContentIndex::Ender& ender) {
      const std::string_view bytes = vocabulary.bytes(ender.token);
      for (size_t length = 0; length <= bytes.size(); ++length) {
        const std::string_view suffix = bytes.substr(bytes.size() - length);
        if (row.index->find_suffix(suffix) == ender.suffix) {
          out.boundary[{leaf.outcome(row.end_states[i]), ender.token}] = suffix;
        }
      }
    };
    if (ends.all) {
      for (const ContentIndex::Ender& ender : row.index->enders()) add(ender);
    }
    for (const ContentIndex::Ender& ender : ends.enders) add(ender);
  }
  for (size_t e = 0; e < row.tokens->exits.size(); ++e) {
    const LeafRow::Tokens::Exit& exit = row.tokens->exits[e];
    const auto add = [&](uint32_t group, const std::string& suffix) {
      for (const TokenId token : row.tokens->group(group)) {
        out.boundary[{leaf.outcome(row.end_states[e]), token}] = suffix;
      }
    };
    if (exit.empty_group != LeafRow::Tokens::kNoGroup) add(exit.empty_group, "");
    std::vector<std::pair<uint32_t, std::string>> stack{{0, ""}};
    while (!stack.empty() && exit.suffixes.size() != 0) {
      const auto [at, path] = stack.back();
      stack.pop_back();
      const TokenTrie::Node& node = exit.suffixes.node(at);
      if (node.token >= 0) add(static_cast<uint32_t>(node.token), path);
      for (uint32_t i = 0; i < node.num_children; ++i) {
        const uint32_t child = node.first_child + i;
        stack.emplace_back(child, path + static_cast<char>(exit.suffixes.node(child).byte));
      }
    }
  }
  return out;
}

/// The row of the scalar that begins so must be the one that is walked byte by byte; false if none
/// does.
bool row_equals_walked(const Vocabulary& vocabulary, const Grammar& grammar,
                       const std::string& prefix) {
  const std::shared_ptr<Recognizer> recognizer = grammar.recognizer();
  State s = recognizer->start();
  for (const char c : prefix) s = recognizer->step(s, static_cast<uint8_t>(c));
  if (s.dead()) return false;
  const Bulk bulk = recognizer->bulk(s);
  const auto* leaf = dynamic_cast<const ScalarLeaf*>(bulk.leaf);
  EXPECT_NE(leaf, nullptr) << "after " << prefix;
  if (leaf == nullptr) return true;
  // The store keeps rows, and so what they share.
  const RowContent fast =
      content(*LeafRowCache::process().get(vocabulary, *leaf, bulk.state), *leaf, vocabulary);
  const RowContent slow =
      content(*build_leaf_row(vocabulary, PlainLeaf(*leaf), bulk.state), *leaf, vocabulary);
  std::string first;
  for (TokenId token = 0; token < static_cast<TokenId>(vocabulary.size()); ++token) {
    if (mask_bit(fast.inside, token) == mask_bit(slow.inside, token)) continue;
    first = shown(vocabulary.bytes(token));
    break;
  }
  EXPECT_TRUE(fast.inside == slow.inside) << "after " << prefix << ": " << first;
  EXPECT_TRUE(fast.boundary == slow.boundary) << "after " << prefix;
  return true;
}

TEST(RowOracle, StringsEqualWalkedRows) {
  std::mt19937_64 random(test_seed() + 3);
  std::shared_ptr<const Vocabulary> vocabulary;
  const auto data = shared_data();
  const char* const file = "ggml-vocab-llama-bpe.gguf";
  if (data && std::filesystem::exists(*data / "tokenizers" / file)) {
    const auto loaded = Vocabulary::load((*data / "tokenizers" / file).string());
    ASSERT_TRUE(loaded.ok()) << loaded.status().to_string();
    vocabulary = *loaded;
  } else {
    vocabulary = random_vocabulary(
        random, {"a", "b", "x1", " ", "\xc3\xa9", "\xe2\x80\x83", "\"", "\\", "\\n", "-", "\"}"},
        3000, true);
  }
  const std::vector<std::pair<const char*, std::vector<std::string>>> leaves = {
      {R"({"type": "string"})", {"", "abc", "\xc3\xa9"}},
      {R"({"type": "string", "maxLength": 5})", {"", "a", "abcd", "abcde"}},
      {R"({"type": "string", "minLength": 3, "maxLength": 400})", {"", "ab", "abcdefgh"}},
      {R"({"type": "string", "pattern": "^[^x]*$"})", {"", "abc"}},
      {R"({"type": "string", "pattern": "^[a-z0-9_-]+$", "maxLength": 20})", {"", "abc", "a-b"}},
      {R"({"type": "string", "pattern": "^(\\S+\\s+){0,3}\\S+$"})", {"", "ab", "ab ", "a b c d"}},
      {R"({"type": "string", "pattern": "^(\\S+\\s+){0,29}\\S+$", "minLength": 2, "maxLength": 90})",
       {"", "a", "ab ", "a b c d ", std::string(30, 'x'), "x" + std::string(49, ' '),
        std::string(74, '-'), std::string(88, '-')}},
      {R"({"type": "string", "pattern": "^(x{30}|y-?)*$", "maxLength": 110})",
       {"", "y", "yx", std::string(40, 'y'), std::string(80, 'y')}},
      {R"({"type": "string", "format": "email"})",
       {"", "ab", "a.", std::string(20, '-'), std::string(63, 'a'), "a@", "a@b.", "a@b-"}},
      {R"({"type": "string", "format": "hostname"})",
       {"", "ab", "a.b", "a.x", "xn-", std::string(20, 'a'), std::string(60, 'a')}},
      {R"({"type": "string", "pattern": "^(\\S+\\s+){0,199}\\S+$", "minLength": 1})",
       {"", "a", "a ", "a b c"}},
      {R"({"type": "string", "pattern": "^[\\p{L}0-9](-?[\\p{L}0-9]){0,90}$"})",
       {"", "a", "a-", "\xc3\xa9", "a" + std::string(50, 'b')}},
      {R"({"type": "string", "pattern": "foo$"})", {"", "abc", "fo", "foo"}},
      {R"({"oneOf": [{"pattern": "other"}, {"pattern": "there"}, {"pattern": "ing"}],
           "type": "string"})",
       {"", "other", "othe", "ing th", "in", "thering"}},
      {R"({"type": "string", "pattern": "e", "not": {"pattern": "[Tt]he(re|ir)|[aeiou]{3}nt"}})",
       {"", "the", "Th", "eau", "x"}},
      {R"({"type": "string", "not": {"anyOf": [{"pattern": "^.?ab"}, {"pattern": "st"}]}})",
       {"", "x", "s", "xa", "yyyy"}},
      {R"({"type": "string", "not": {"pattern": "a.*n.*d"}, "maxLength": 400})", {"", "a", "an"}},
      {R"({"type": "string", "pattern": "^.{2,6}$", "not": {"pattern": "b"}})",
       {"", "ac", "acdef"}},
      {R"({"type": "string", "pattern": "^\\w+$", "minLength": 4})", {"", "abc", "abcdef"}},
      {R"({"type": "string", "pattern": "^[\\u00e9-\\u00ff]*$"})", {"", "\xc3\xa9"}},
      {R"({"type": "string", "pattern": "^[A-Za-z _\\u00c0-\\u00f6\\u0410-\\u0437\\u4e00-\\u4fff]{1,90}$"})",
       {"", "a", "\xc3\xa9"}},
      {R"({"type": "string", "pattern": "^([!-~]|[ \\u00e0-\\u00e9][a-z ]|\\u0431)+$"})",
       {"", "a", " "}},
      {R"({"type": "string", "anyOf": [{"maxLength": 4}, {"pattern": "^z"}]})",
       {"", "ab", "zzzzz"}},
      {R"({"type": "string", "not": {"maxLength": 4}})", {"", "ab", "abcdef"}},
      {R"({"type": "string", "format": "date"})", {"", "2024-"}},
      {R"({"enum": ["red", "reed", "", "na\u00efve", "\u65e5\u672c", "a\"b", "a\\b", "x y z",
                    "\ud83d\ude00", "\ud83d", "\u00e9", "e", "in progress", "in product"]})",
       {"", "re", "red", "na", "\xe6\x97\xa5", "in ", "in pro", "a", "x"}},
      {R"({"enum": ["abc", "abd", "b", "bcdef"], "maxLength": 3})", {"", "ab", "b"}},
      {R"({"enum": ["abc", "abd", "bc", "bcdef"], "pattern": "c"})", {"", "ab", "bc"}},
      {R"({"type": "string", "anyOf": [{"enum": ["abc", "zz"]}, {"pattern": "^z+$"}]})",
       {"", "ab", "z", "zz"}},
      {R"({"type": "string", "format": "uri"})", {"", "http://a"}},
      {R"({"type": "string", "format": "regex"})",
       {"",     "ab",      "ab*",   "(",        "(a|",    "[",     "[^",       "[a",
        "[a-z", "[0-",     "a{2",   "(?<a>x)|", "(?<ab",  "[0-9-", "[x-",      "[\\\\d-",
        "\\\\", "(a)\\\\", "\\\\1", "a{2,",     "a{12,1", "(?",    "[\\\\u00", "[\xe6\x97\xa5-"}},
      {R"({"type": "string", "format": "regex", "minLength": 4})",
       {"", "ab*", "[a", "abcd", "[abc", "[a-z-", "(?:[0-", "(ab)"}},
      {R"({"type": "string", "contentMediaType": "application/json"})", {"", "[1, 2", "{\\\"a"}},
      {R"({"contentMediaType": "application/json", "contentEncoding": "base64", "type": "string"})",
       {"", "ey", "eyJhIj"}},
  };
  for (const auto& [schema, prefixes] : leaves) {
    SchemaOptions options;
    options.profile = Profile::kExact;
    options.content = ContentPolicy::kAssert;
    const auto grammar = Grammar::from_json_schema(schema, options);
    ASSERT_TRUE(grammar.ok()) << schema << grammar.status().to_string();
    SCOPED_TRACE(schema);
    for (const std::string& prefix : prefixes)
      EXPECT_TRUE(row_equals_walked(*vocabulary, **grammar, '"' + prefix)) << prefix;
  }
}

// Patterns of few pieces, so that many a row is that of another leaf.
TEST(RowOracle, RowsSharedByLeavesEqualWalkedRows) {
  std::mt19937_64 random(test_seed() + 4);
  const auto pick = [&](const auto& list) { return list[random() % std::size(list)]; };
  // Of short tokens, so that little is asked, and a few long ones.
  const std::string kLong(50, 'a');
  std::vector<std::string> pieces{"\\n", "\\u00e9", kLong, "0" + std::string(45, '1'), "\",\n"};
  const std::vector<std::string> characters{"a", "b", "0",        "1",  "-",
                                            " ", ".", "\xc3\xa9", "\"", "\\"};
  for (const std::string& a : characters) {
    for (const std::string& b : characters) {
      pieces.push_back(a + b);
      if (random() % 4 == 0) pieces.push_back(a + b + pick(characters));
    }
  }
  const std::shared_ptr<const Vocabulary> vocabulary =
      random_vocabulary(random, pieces, pieces.size(), true);
  constexpr const char* kClasses[] = {"[ab]", "[01]", "[a-f]", "\\\\d", "[^-]",
                                      "[^b]", ".",    "a",     "-",     "\\\\S"};
  constexpr const char* kCounts[] = {"", "", "*", "+", "{2}", "{3}", "{1,4}", "{2,}", "?"};
  constexpr const char* kLetters[] = {"a", "b", "0", "1", "-", " ", ".", "\xc3\xa9"};
  SchemaOptions options;
  options.profile = Profile::kExact;
  size_t rows = 0;
  for (int i = 0; i < 400; ++i) {
    std::string pattern = random() % 8 == 0 ? "" : "^";
    for (size_t n = 1 + random() % 4; n != 0; --n)
      pattern += std::string(pick(kClasses)) + pick(kCounts);
    if (random() % 8 != 0) pattern += "$";
    std::string schema = R"({"type": "string", "pattern": ")" + pattern + "\"";
    if (random() % 4 == 0) schema += R"(, "maxLength": )" + std::to_string(random() % 12);
    if (random() % 4 == 1) schema += R"(, "maxLength": )" + std::to_string(40 + random() % 120);
    if (random() % 6 == 0) schema += R"(, "minLength": )" + std::to_string(random() % 4);
    if (random() % 8 == 0) schema += R"(, "not": {"pattern": "b0"})";
    schema += "}";
    const auto grammar = Grammar::from_json_schema(schema, options);
    if (!grammar.ok()) continue;  // no string matches
    SCOPED_TRACE(schema + ", seed " + std::to_string(test_seed()));
    std::string prefix;
    for (int length = 0; length < 6 && !HasFailure(); ++length) {
      if (!row_equals_walked(*vocabulary, **grammar, '"' + prefix)) break;
      ++rows;
      prefix += random() % 16 == 0 ? kLong : pick(kLetters);
    }
  }
  EXPECT_GT(rows, 500u);
}

TEST(RowOracle, NumbersEqualWalkedRows) {
  std::mt19937_64 random(test_seed() + 5);
  const auto pick = [&](const auto& list) { return list[random() % std::size(list)]; };
  std::vector<std::string> pieces{".", "-", "e", "E", "+", ",", "}", " ", ".5", "e-", "5,", "0}"};
  for (int i = 0; i < 110; ++i)
    pieces.push_back(i < 10 ? "0" + std::to_string(i) : std::to_string(i));
  const std::shared_ptr<const Vocabulary> vocabulary =
      random_vocabulary(random, pieces, pieces.size() + 100, true);
  constexpr const char* kBounds[] = {"minimum", "maximum", "exclusiveMinimum", "exclusiveMaximum"};
  constexpr const char* kValues[] = {"0", "1", "-3", "12", "100", "0.5", "65535", "-1e3"};
  constexpr const char* kDivisors[] = {"2", "5", "0.01", "100", "7"};
  constexpr const char* kBytes[] = {"0", "1", "2", "5", "9", ".", "e", "-"};
  SchemaOptions options;
  options.profile = Profile::kExact;
  size_t rows = 0;
  for (int i = 0; i < 150; ++i) {
    std::string schema = random() % 2 == 0 ? R"({"type": "number")" : R"({"type": "integer")";
    const size_t bound = random() % 4;
    if (random() % 4 != 0) schema += std::string(", \"") + kBounds[bound] + "\": " + pick(kValues);
    if (random() % 4 == 0)
      schema += std::string(", \"") + kBounds[(bound + 1) % 4] + "\": " + pick(kValues);
    if (random() % 4 == 0) schema += std::string(", \"multipleOf\": ") + pick(kDivisors);
    if (random() % 8 == 0) schema += R"(, "not": {"enum": [5, 12, 250]})";
    schema += "}";
    const auto grammar = Grammar::from_json_schema(schema, options);
    if (!grammar.ok()) continue;  // no number is left
    SCOPED_TRACE(schema + ", seed " + std::to_string(test_seed()));
    std::string text;
    for (int length = 0; length < 5 && !HasFailure(); ++length) {
      text += pick(kBytes);
      if (!row_equals_walked(*vocabulary, **grammar, text)) break;
      ++rows;
    }
  }
  EXPECT_GT(rows, 150u);
}

}  // namespace
}  // namespace espalier::testing
