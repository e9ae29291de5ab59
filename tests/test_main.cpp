// The main function of the tests. A run in which a test was skipped and none failed ends with 77,
// so that ctest counts and lists it as skipped instead of passed.
#include <gtest/gtest.h>

int main(int argc, char** argv) {
  constexpr int kSkipped = 77;
  ::testing::InitGoogleTest(&argc, argv);
  if (const int result = RUN_ALL_TESTS(); result != 0) return result;
  return ::testing::UnitTest::GetInstance()->skipped_test_count() > 0 ? kSkipped : 0;
}
