// Names of a class, counted over a graph of product states, against listing them.
#include "schema/leaves/name_graph.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <memory>
#include <random>
#include <string>
#include <vector>

#include "engine_support.h"
#include "pattern_random.h"
#include "schema/leaves/scalar_domain.h"

namespace espalier::testing {
namespace {

TEST(NameGraph, CountsWhatListsHold) {
  std::mt19937_64 random(test_seed());
  const auto below = [&](size_t n) { return static_cast<size_t>(random() % n); };
  static const char* const kPatterns[] = {
      "^[ab]{1,3}$", "^a[0-9]$", "^(x|yy|z{2,4})$", "^b",     "^[0-9]{2}$", "z$",
      "^.?$",        "^$",       "^(ab)*$",         "^[^a]$", "^\\uD83D$",  "^x[a-c]?$"};
  size_t none = 0, few = 0, many = 0;
  for (int round = 0; round < 500; ++round) {
    StringSpec spec;
    std::string shown;
    add_patterns(kPatterns, 1 + below(3), &random, &spec, &shown);
    static constexpr std::u32string_view kNames[] = {U"a1", U"ab", U"b", U"x", U"zz"};
    for (const std::u32string_view name : kNames) {
      if (below(3) == 0) spec.strings.push_back(name);
    }
    for (size_t n = below(2); n > 0; --n) spec.lengths.push_back(1 + below(4));
    if (below(2) == 0) spec.spelling = StringSpelling::kMinimal;
    const StringMachine machine(spec);
    const NameGraph graph(machine);
    std::vector<StringSignature> signatures;
    machine.search(machine.product(machine.start()), [&](const StringSignature& signature) {
      if (signature.string == StringSignature::kOther) signatures.push_back(signature);
      return false;
    });
    for (const StringSignature& signature : signatures) {
      const auto wanted = [&](uint32_t product) { return machine.signature(product) == signature; };
      const auto possible = [&](uint32_t product) {
        return machine.search_unlisted(product, [&](const StringSignature& other) {
          return other == signature;
        }) == StringMachine::Search::kFound;
      };
      const ScalarDomain listed = string_domain(machine, wanted, possible);
      const uint64_t counted = graph.count(wanted);
      if (counted < ScalarDomain::kMany) {
        ASSERT_TRUE(listed.complete) << shown;
        ASSERT_EQ(listed.at_least, counted) << shown;
      } else {
        ASSERT_FALSE(listed.complete) << shown;
      }
      ++(counted == 0 ? none : counted < ScalarDomain::kMany ? few : many);
    }
  }
  EXPECT_GT(few, 200u);
  EXPECT_GT(many, 200u);
  printf("[  CLASSES ] %zu without names, %zu with few, %zu with many\n", none, few, many);
}

}  // namespace
}  // namespace espalier::testing
