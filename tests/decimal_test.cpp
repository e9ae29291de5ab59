// Decimal against a naive oracle: every number is expanded to an integer over a common power of
// ten.

#include "grammar/numbers/decimal.h"

#include <gtest/gtest.h>

#include <boost/multiprecision/cpp_int.hpp>
#include <cstdlib>
#include <random>
#include <string>
#include <vector>

#include "tests/test_seed.h"

namespace espalier {
namespace {

using boost::multiprecision::cpp_int;

constexpr int kScale = 60;  // oracle values are multiples of 10^-60

struct Spelled {
  std::string text;
  cpp_int value;  // times 10^60
};

Spelled random_number(std::mt19937_64& random) {
  auto below = [&](int n) { return static_cast<int>(random() % static_cast<uint64_t>(n)); };
  auto digit = [&] { return static_cast<char>("0001259"[below(7)]); };
  Spelled s;
  std::string digits;
  const bool negative = below(3) == 0;
  if (negative) s.text += '-';
  if (below(3) == 0) {
    digits = "0";
  } else {
    digits = static_cast<char>('1' + below(9));
    for (int i = below(6); i > 0; --i) digits += digit();
  }
  s.text += digits;
  int exponent = 0;
  if (below(2) == 0) {
    s.text += '.';
    for (int i = below(6) + 1; i > 0; --i) {
      digits += digit();
      s.text += digits.back();
      --exponent;
    }
  }
  if (below(2) == 0) {
    const int e = below(25) - 12;
    exponent += e;
    s.text += below(2) == 0 ? "e" : "E";
    if (e < 0) s.text += '-';
    if (e >= 0 && below(2) == 0) s.text += '+';
    if (below(4) == 0) s.text += "00";
    s.text += std::to_string(std::abs(e));
  }
  for (char c : digits) s.value = s.value * 10 + (c - '0');
  for (int i = -kScale; i < exponent; ++i) s.value *= 10;
  if (negative) s.value = -s.value;
  return s;
}

cpp_int expand(const Decimal& d) {
  cpp_int value = 0;
  for (char c : d.digits) value = value * 10 + (c - '0');
  for (int64_t i = -kScale; i < d.exponent; ++i) value *= 10;
  return d.negative ? cpp_int(-value) : value;
}

std::strong_ordering order(const cpp_int& a, const cpp_int& b) { return a.compare(b) <=> 0; }

TEST(Decimal, ParsesExactlyTheNumbersOfJson) {
  for (const char* good :
       {"0", "-0", "1", "10", "-1.50", "0.001", "1e5", "1E+05", "1e-0", "-0.0e9"}) {
    EXPECT_TRUE(Decimal::parse(good)) << good;
  }
  for (const char* bad :
       {"",   "-",  "+1", "01",  "-01",      "1.",  ".5",    "1e",  "1e+",   "1.e5",
        "1 ", " 1", "1x", "0x1", "Infinity", "NaN", "1e5.0", "--1", "1.2.3", "1e5e5"}) {
    EXPECT_FALSE(Decimal::parse(bad)) << bad;
  }
}

TEST(Decimal, IsNormalized) {
  const auto d = Decimal::parse("-0012" + std::string());
  EXPECT_FALSE(d);
  EXPECT_EQ(*Decimal::parse("-120.500e3"), (Decimal{true, "1205", 2}));
  EXPECT_EQ(*Decimal::parse("-0.000e7"), Decimal{});
  EXPECT_EQ(*Decimal::parse("0.00120"), (Decimal{false, "12", -4}));
  EXPECT_EQ(*Decimal::parse("1e1"), *Decimal::parse("10.0"));
}

TEST(Decimal, AgreesWithExpandedIntegers) {
  std::mt19937_64 random(testing::test_seed());
  for (int round = 0; round < 20000; ++round) {
    const Spelled a = random_number(random);
    const Spelled b = random_number(random);
    const auto x = Decimal::parse(a.text);
    const auto y = Decimal::parse(b.text);
    ASSERT_TRUE(x && y) << a.text << " " << b.text;
    ASSERT_EQ(expand(*x), a.value) << a.text;
    ASSERT_EQ(x->is_zero(), a.value == 0);
    ASSERT_EQ(compare(*x, *y), order(a.value, b.value)) << a.text << " " << b.text;
    ASSERT_EQ(x->key() == y->key(), a.value == b.value) << a.text << " " << b.text;
    ASSERT_EQ(*x == *y, a.value == b.value);
    cpp_int one = 1;
    for (int i = 0; i < kScale; ++i) one *= 10;
    ASSERT_EQ(x->is_integer(), a.value % one == 0) << a.text;
    if (b.value > 0) {
      ASSERT_EQ(is_multiple(*x, *y), a.value % b.value == 0) << a.text << " " << b.text;
    }
    const auto again = Decimal::parse(x->to_string());
    ASSERT_TRUE(again) << x->to_string();
    ASSERT_EQ(*again, *x) << a.text << " " << x->to_string();
  }
}

TEST(Decimal, MultiplesOfProductsAreFound) {
  std::mt19937_64 random(testing::test_seed());
  for (int round = 0; round < 5000; ++round) {
    Spelled b = random_number(random);
    if (b.value <= 0) continue;
    const cpp_int product = b.value * static_cast<int64_t>(random() % 100000);
    std::string text = product.str() + "e-" + std::to_string(kScale);
    ASSERT_TRUE(is_multiple(*Decimal::parse(text), *Decimal::parse(b.text)))
        << text << " " << b.text;
  }
}

TEST(Decimal, PlainWhereShort) {
  EXPECT_EQ(Decimal::parse("1e3")->to_string(), "1000");
  EXPECT_EQ(Decimal::parse("-1.5e-3")->to_string(), "-0.0015");
  EXPECT_EQ(Decimal::parse("-0")->to_string(), "0");
  EXPECT_EQ(Decimal::parse("12.50")->to_string(), "12.5");
  EXPECT_EQ(Decimal::parse("125e400000")->to_string(), "1.25e400002");
  EXPECT_EQ(Decimal::parse("1e-400000")->to_string(), "1e-400000");
}

TEST(Decimal, HugeExponentsAreCheap) {
  const auto huge = *Decimal::parse("1e400000");
  const auto tiny = *Decimal::parse("1e-99999999999999999999");
  const auto vast = *Decimal::parse("-3e99999999999999999999999");
  const auto one = *Decimal::parse("1");
  EXPECT_TRUE(compare(huge, one) > 0);
  EXPECT_TRUE(compare(tiny, one) < 0);
  EXPECT_TRUE(compare(tiny, Decimal{}) > 0);
  EXPECT_TRUE(compare(vast, huge) < 0);
  EXPECT_TRUE(is_multiple(huge, *Decimal::parse("0.25")));
  EXPECT_TRUE(is_multiple(huge, *Decimal::parse("1024e7")));
  EXPECT_FALSE(is_multiple(huge, *Decimal::parse("3")));
  EXPECT_FALSE(is_multiple(tiny, one));
  EXPECT_TRUE(is_multiple(one, tiny));
  const std::string long_digits(20000, '7');
  EXPECT_TRUE(is_multiple(*Decimal::parse(long_digits), *Decimal::parse("7e-5")));
  EXPECT_FALSE(is_multiple(*Decimal::parse(long_digits), *Decimal::parse("2")));
}

}  // namespace
}  // namespace espalier
