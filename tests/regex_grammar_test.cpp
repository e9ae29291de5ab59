// Grammars from regular expressions, against the automaton's own answer on whole texts.
#include "engine_support.h"
#include "espalier/grammar.h"
#include "grammar/codepoints/codepoint_automaton.h"

namespace espalier::testing {
namespace {

std::shared_ptr<const Vocabulary> pieces() {
  std::vector<std::string> tokens;
  for (int byte = 0; byte < 256; ++byte) tokens.push_back(std::string(1, static_cast<char>(byte)));
  for (const char* piece :
       {"ab", "ba", "é", "éa", "日本", "a日", "\xC3", "\xA9\xE6", "\x97\xA5", "aab"}) {
    tokens.push_back(piece);
  }
  tokens.push_back("");
  const auto eos = static_cast<TokenId>(tokens.size() - 1);
  return Vocabulary::from_tokens(std::move(tokens), {eos}).value();
}

constexpr const char* kPatterns[] = {
    "(a|bc)*b", "[01]{8}1", "é+a?", "[é-ü日]{1,3}", "(?!ab)[ab]{2}", "a{0,2}|日本*", "[^a]*a",
    "(aa)*b?",  ".*",       "",     "\\p{L}+\\d"};

TEST(RegexGrammar, MasksAgreeWithEveryToken) {
  const auto vocabulary = pieces();
  std::mt19937_64 rng(test_seed());
  for (const char* pattern : kPatterns) {
    const auto grammar = Grammar::from_regex(pattern);
    ASSERT_TRUE(grammar.ok()) << grammar.status().to_string();
    const auto automaton = compile_anchored(pattern);
    ASSERT_TRUE(automaton.ok());
    for (int round = 0; round < 20; ++round) {
      Matcher matcher(grammar.value(), vocabulary);
      for (int step = 0; step < 12 && !matcher.is_terminated(); ++step) {
        const std::string text = matcher.text();
        ASSERT_EQ(matcher.is_accepting(), (*automaton)->matches(text)) << pattern << ": " << text;
        const MaskRow row = mask_of(matcher);
        for (TokenId token = 0; token < static_cast<TokenId>(vocabulary->size()); ++token) {
          ASSERT_EQ(has_bit(row, token), matcher.is_allowed(token)) << pattern << ": " << text;
        }
        // What is alive can be completed, and its completion is accepted.
        const auto completion = matcher.completion();
        ASSERT_TRUE(completion.ok()) << pattern << ": " << text;
        ASSERT_TRUE((*automaton)->matches(text + vocabulary->decode(*completion)));
        const std::vector<TokenId> tokens = tokens_of(row);
        ASSERT_FALSE(tokens.empty());
        ASSERT_TRUE(matcher.accept(tokens[rng() % tokens.size()]).ok());
      }
    }
  }
}

TEST(RegexGrammar, Refusals) {
  const auto bad = Grammar::from_regex("a(b");
  ASSERT_FALSE(bad.ok());
  EXPECT_EQ(bad.status().code(), StatusCode::kParseError);
  const auto none = Grammar::from_regex("a(?!)");
  ASSERT_TRUE(none.ok());
  EXPECT_TRUE(none.value()->unsatisfiable());
  Matcher matcher(Grammar::from_regex("é").value(), pieces());
  EXPECT_FALSE(matcher.accept_bytes("\xC4").ok());
  EXPECT_FALSE(matcher.accept_bytes("\xA9").ok());
  EXPECT_TRUE(matcher.accept_bytes("\xC3").ok());
  EXPECT_FALSE(matcher.is_accepting());
  EXPECT_FALSE(matcher.accept_bytes("a").ok());
  EXPECT_TRUE(matcher.accept_bytes("\xA9").ok());
  EXPECT_TRUE(matcher.is_accepting());
}

}  // namespace
}  // namespace espalier::testing
