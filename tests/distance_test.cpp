// Masks near and far from the bounds of counters, against the check of every token.
//
// Far from its bounds a string's row is read over states that forget what was counted, and long
// tokens are read exactly (engine/rows/content_row_builder.cpp). Here tokens are up to some hundred
// code points long, and texts are led to within a few code points of the bounds. The reference
// steps the bytes of each token, and so never sees a state that forgets.

#include <gtest/gtest.h>

#include "engine_support.h"
#include "grammar/codepoints/structured_automaton.h"
#include "schema/formats/hostname.h"
#include "schema/formats/mailbox.h"

namespace espalier::testing {
namespace {

struct Case {
  const char* schema;
  std::vector<std::string> pieces;
};

const std::vector<Case>& cases() {
  static const std::vector<std::string> kName = {
      "a", "x", "n", "-", ".", "7", "@", "abcdefghi", "--------", "aaaaaaaaaaaaaaaa", "ls-"};
  static const std::vector<std::string> kPlainName = {
      "a", "b", "-", ".", "7", "abcdefghi", "--------", "aaaaaaaaaaaaaaaa", "b-b."};
  static const std::vector<std::string> kWords = {
      "a", "b", " ", "  ", "a ", " b", "-", "ab-ab-ab", "aaaaaaaaaaaaaaaa", "                "};
  static const std::vector<Case> all = {
      {R"({"type": "string", "format": "email"})", kName},
      {R"({"type": "string", "format": "email", "minLength": 6})", kName},
      {R"({"type": "string", "format": "email", "minLength": 3, "maxLength": 120})", kName},
      {R"({"type": "string", "format": "email", "pattern": "^\\w+([.-]?\\w+)*@"})", kName},
      {R"({"type": "string", "format": "hostname"})", kName},
      {R"({"type": "string", "format": "hostname", "maxLength": 128})", kPlainName},
      {R"({"anyOf": [{"format": "ipv4"}, {"format": "hostname"}], "type": "string"})", kPlainName},
      {R"({"type": "string", "pattern": "^[a-z]([a-z0-9-]{0,61}[a-z0-9])?$"})", kName},
      {R"({"type": "string", "pattern": "^([a-z]{1,63}\\.){1,127}[a-z-]{2,63}$"})", kName},
      {R"({"type": "string", "pattern": "^[a-x]{50,90}(-[a-x7]{45})?$"})", kName},
      {R"({"type": "string", "pattern": "^(ab?-?){0,100}$", "minLength": 9})", kWords},
      {R"({"type": "string", "pattern": "^(a{0,50}|b.*)$", "minLength": 60})", kWords},
      {R"({"type": "string", "pattern": "^(?:\\S+\\s+){0,49}\\S+$", "maxLength": 200})", kWords},
      {R"({"type": "string", "pattern": "^(?:\\S+\\s+){0,199}\\S+$"})", kWords},
      {R"x({"type": "string", "pattern": "^$|(^(?:\\S+\\s+){0,99}\\S+$)", "minLength": 1,
           "maxLength": 500})x",
       kWords},
      {R"x({"type": "string", "pattern": "^(?=.{1,80}$)(a{1,60} ){1,9}b$"})x", kWords},
      {R"x({"type": "string", "pattern": "^(?=.{0,100}$)a*b{60}$"})x", kWords},
      {R"x({"type": "string", "pattern": "^(?!.*ab)(?=.{0,90}$)[ab ]{1,63}(-[ab]{0,70})*$"})x",
       kWords},
      {R"x({"type": "string",
            "pattern": "^(?!.*a7)(?=.{1,255}$)((.{1,63}\\.){1,127}(?![0-9]*$)[a-z0-9-]+\\.?)$"})x",
       kPlainName},
      {R"x({"type": "string", "pattern": "^.{0,200}$", "not": {"pattern": "^(a|b){45,70}$"}})x",
       kWords},
  };
  return all;
}

TEST(Distance, MasksEqualTheCheckOfEveryToken) {
  std::mt19937_64 random(test_seed());
  size_t states = 0;
  for (int round = 0; round < 1; ++round) {
    for (const Case& one : cases()) {
      std::vector<std::string> pieces = one.pieces;
      for (const char* piece : {"\"", "\"", "\\u0061", "\u00e9", "A"}) pieces.emplace_back(piece);
      for (int length : {30, 39, 40, 41, 42, 64, 65, 100}) {
        pieces.emplace_back(length, one.pieces[random() % 2][0]);
        pieces.emplace_back(length, '-');
      }
      const auto vocabulary = random_vocabulary(random, pieces, 900, true);
      const auto grammar = Grammar::from_json_schema(one.schema, {.profile = Profile::kExact});
      ASSERT_TRUE(grammar.ok()) << one.schema;
      const auto reference = Grammar::from_json_schema(one.schema, {.profile = Profile::kExact});
      for (int text = 0; text < 4; ++text) {
        Matcher matcher(*grammar, vocabulary);
        ASSERT_TRUE(matcher.accept_bytes("\"").ok());
        for (int step = 0; step < 12; ++step) {
          const std::shared_ptr<Recognizer> slow = (*reference)->recognizer();
          State s = slow->start();
          for (const char c : matcher.text()) s = slow->step(s, static_cast<uint8_t>(c));
          const MaskRow expected = slow_mask(*slow, s, *vocabulary);
          const MaskRow mask = mask_of(matcher);
          ASSERT_EQ(mask == expected, true)
              << one.schema << "\nafter " << matcher.text() << ", seed " << test_seed() << "\n"
              << difference(mask, expected, *vocabulary);
          ++states;
          // On to a longer text, if there is one.
          std::vector<TokenId> allowed = tokens_of(mask);
          std::erase_if(allowed, [&](TokenId token) {
            return vocabulary->bytes(token).find('"') != std::string_view::npos ||
                   vocabulary->bytes(token).empty();
          });
          if (allowed.empty()) break;
          ASSERT_TRUE(matcher.accept(allowed[random() % allowed.size()]).ok());
        }
      }
    }
  }
  printf("%zu states\n", states);
}

// What is read over distant states alone, as rows do, is what the automaton itself reads.
void compare_walks(const CodepointAutomaton& automaton, const std::u32string& letters,
                   std::mt19937_64& random, const std::string& name) {
  uint32_t state = automaton.start();
  for (int prefix = 0; prefix < 60 && state != 0; ++prefix) {
    uint32_t horizon = UINT32_MAX;
    uint32_t far = automaton.distant_alone(state, &horizon);
    ASSERT_GE(horizon, CodepointAutomaton::kHorizon) << name;
    uint32_t exact = state;
    for (uint32_t i = 0; i < 200; ++i) {
      const bool within = i <= horizon;
      if (within) {
        ASSERT_EQ(exact == 0, far == 0) << name << ", seed " << test_seed();
        ASSERT_EQ(automaton.accepting(exact), automaton.accepting(far))
            << name << " after " << i << ", seed " << test_seed();
      } else if (exact != 0) {
        ASSERT_NE(far, 0u) << name << ", seed " << test_seed();
      }
      if (exact == 0) break;
      const uint32_t c = letters[random() % 12 == 0 ? random() % letters.size() : random() % 2];
      exact = automaton.step(exact, c);
      uint32_t unused = UINT32_MAX;
      far = automaton.distant(automaton.step(far, c), &unused);
    }
    uint32_t next = 0;
    for (int tries = 0; tries < 20 && next == 0; ++tries)
      next = automaton.step(state, letters[random() % letters.size()]);
    state = next;
  }
}

TEST(Distance, StatesStandForEachOtherWithinTheHorizon) {
  std::mt19937_64 random(test_seed() + 1);
  for (int round = 0; round < 40; ++round) {
    compare_walks(*shared_automaton<MailboxMachine<false>>("email"), U"ab.-@\"\\[]1:", random,
                  "email");
    compare_walks(*shared_automaton<HostnameMachine>("hostname"), U"ax.-n7", random, "hostname");
    std::string pattern = "^";
    for (uint64_t part = 1 + random() % 3; part > 0; --part) {
      const char* const bodies[] = {"[ab]",  "a", "(?:ab?)", "(?:(?:a+b){0,3})", "(?:[ab]{1,60}-)",
                                    "(?:b*)"};
      pattern += bodies[random() % 6];
      const uint64_t min = random() % 3 == 0 ? random() % 60 : random() % 3;
      pattern += "{" + std::to_string(min) + "," + std::to_string(min + random() % 150) + "}";
    }
    const auto automaton = compile_pattern(pattern + "(?:-a*)?$");
    ASSERT_TRUE(automaton.ok()) << pattern;
    compare_walks(**automaton, U"aab-", random, pattern);
  }
}

}  // namespace
}  // namespace espalier::testing
