// Classes of letters against the signature of each letter.
#include "grammar/codepoints/letter_classes.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <map>
#include <random>
#include <vector>

#include "test_seed.h"

namespace espalier::testing {
namespace {

TEST(LetterClasses, TellApartWhatSomePartitionDoes) {
  std::mt19937_64 random(test_seed());
  constexpr uint32_t kLetters = 200;  // those beyond are in the sets all or none
  for (int round = 0; round < 300; ++round) {
    LetterClasses classes;
    std::vector<std::vector<uint32_t>> signatures(kLetters + 1);
    for (size_t n = random() % 8; n > 0; --n) {
      const uint64_t kind = random() % 4;
      std::vector<uint32_t> letters;
      for (size_t k = random() % (kind == 0 ? 120 : 6); k > 0; --k)
        letters.push_back(static_cast<uint32_t>(random() % kLetters));
      std::sort(letters.begin(), letters.end());
      letters.erase(std::unique(letters.begin(), letters.end()), letters.end());
      const auto at = [&](uint32_t c) {
        return static_cast<uint32_t>(std::lower_bound(letters.begin(), letters.end(), c) -
                                     letters.begin());
      };
      const auto listed = [&](uint32_t c) {
        return std::binary_search(letters.begin(), letters.end(), c);
      };
      if (kind == 1) {
        classes.refine_each(letters);
      } else if (kind == 2) {
        classes.cut(letters);
      } else {
        std::vector<CodepointRange> ranges;
        for (const uint32_t c : letters) ranges.push_back({c, c});
        classes.refine(CodepointSet(std::move(ranges)));
      }
      for (uint32_t c = 0; c <= kLetters; ++c) {
        const uint32_t last_cut = at(c) + (listed(c) && c != 0 ? 1 : 0);
        signatures[c].push_back(kind == 1   ? (listed(c) ? at(c) + 1 : 0)
                                : kind == 2 ? last_cut - (listed(0) && c != 0 ? 1 : 0)
                                            : listed(c));
      }
    }
    std::map<std::vector<uint32_t>, size_t> sizes;
    for (const auto& signature : signatures) ++sizes[signature];
    ASSERT_EQ(classes.size(), sizes.size());
    std::vector<std::vector<uint32_t>> represented;
    for (const uint32_t c : classes.representatives())
      represented.push_back(signatures[std::min(c, kLetters)]);
    std::sort(represented.begin(), represented.end());
    ASSERT_TRUE(std::adjacent_find(represented.begin(), represented.end()) == represented.end());
    ASSERT_EQ(represented.size(), sizes.size());
  }
}

}  // namespace
}  // namespace espalier::testing
