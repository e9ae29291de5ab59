// Rows combined and counted by vector instructions against loops over bits, for every length and on
// every instruction set that this processor has.
#include "engine/mask_bits.h"

#include <gtest/gtest.h>
#include <hwy/targets.h>

#include <vector>

#include "engine_support.h"

namespace espalier::testing {
namespace {

using Row = std::vector<MaskWord>;

Row random_row(std::mt19937_64& random, size_t size) {
  Row row(size);
  for (MaskWord& word : row) word = static_cast<MaskWord>(random() & random());
  return row;
}

size_t slow_count(const Row& row) {
  size_t count = 0;
  for (size_t bit = 0; bit < row.size() * 32; ++bit) count += row[bit / 32] >> (bit % 32) & 1;
  return count;
}

TEST(MaskBits, RowsAreCombinedOnEveryTarget) {
  std::mt19937_64 random(test_seed());
  std::vector<int64_t> targets;
  for (int64_t rest = hwy::SupportedTargets(); rest != 0; rest &= rest - 1) {
    targets.push_back(rest & -rest);
  }
  ASSERT_FALSE(targets.empty());
  for (const int64_t target : targets) {
    SCOPED_TRACE(hwy::TargetName(target));
    hwy::SetSupportedTargetsForTest(target);
    hwy::GetChosenTarget().DeInit();
    for (const size_t size :
         {0, 1, 2, 3, 5, 7, 8, 15, 16, 17, 31, 33, 63, 64, 65, 129, 1000, 4007}) {
      const Row other = random_row(random, size);
      Row row = random_row(random, size + random() % 3);
      Row either = row, both = row, without = row;
      for (size_t i = 0; i < size; ++i) {
        either[i] |= other[i];
        both[i] &= other[i];
        without[i] &= ~other[i];
      }
      EXPECT_EQ(count_mask_bits(row), slow_count(row));
      Row result = row;
      or_mask(result, other);
      EXPECT_EQ(result, either);
      result = row;
      and_mask(result, other);
      EXPECT_EQ(result, both);
      result = row;
      and_not_mask(result, other);
      EXPECT_EQ(result, without);
      // From an odd place.
      if (size > 1) {
        EXPECT_EQ(count_mask_bits(std::span(row).subspan(1)),
                  slow_count(Row(row.begin() + 1, row.end())));
      }
    }
  }
  hwy::SetSupportedTargetsForTest(0);
  hwy::GetChosenTarget().DeInit();
}

}  // namespace
}  // namespace espalier::testing
