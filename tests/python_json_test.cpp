#include "backends/python_json.h"

#include <gtest/gtest.h>

#include <cmath>
#include <limits>
#include <string>

namespace espalier {
namespace {

std::string round_trip(std::string_view text) {
  rapidjson::Document document;
  const Status status = python_json_loads(text, &document);
  return status.ok() ? python_json_dumps(document) : "error at " + status.place();
}

struct Case {
  const char* text;
  const char* printed;
};

// The right-hand side is what Python 3 prints: json.dumps(json.loads(text), ensure_ascii=False).
const Case kCases[] = {
    {"{\"b\":1.50, \"a\" : [1e-6,\"\\u00e9\\/\"], \"b\": 2}",
     "{\"b\": 2, \"a\": [1e-06, \"\xc3\xa9/\"]}"},
    {"-0", "0"},
    {"-0.0", "-0.0"},
    {"0.0", "0.0"},
    {"1E5", "100000.0"},
    {"1e15", "1000000000000000.0"},
    {"1e16", "1e+16"},
    {"123456789012345678", "123456789012345678"},
    {"1234567890123456789012345678901234567890", "1234567890123456789012345678901234567890"},
    {"-9223372036854775808", "-9223372036854775808"},
    {"-9223372036854775809", "-9223372036854775809"},
    {"18446744073709551615", "18446744073709551615"},
    {"18446744073709551616", "18446744073709551616"},
    {"1e400", "Infinity"},
    {"-1e400", "-Infinity"},
    {"1e-400", "0.0"},
    {"-0.0000001e-320", "-0.0"},
    {"0e999999999999", "0.0"},
    {"9007199254740993.0", "9007199254740992.0"},
    {"5e-324", "5e-324"},
    {"2.2250738585072014e-308", "2.2250738585072014e-308"},
    {"1.7976931348623157e308", "1.7976931348623157e+308"},
    {"0.1", "0.1"},
    {"0.0001", "0.0001"},
    {"0.00001", "1e-05"},
    {"123456.789e3", "123456789.0"},
    {"1e22", "1e+22"},
    {"1e23", "1e+23"},
    {"100000000000000000.0", "1e+17"},
    {"3.0", "3.0"},
    {"\"\\u0000\\u001f\\u007f\\b\\f\\n\\r\\t\\\"\\\\\\/\"",
     "\"\\u0000\\u001f\x7f\\b\\f\\n\\r\\t\\\"\\\\/\""},
    {"\"\\ud83d\\ude00 \\ud800 \\udc00x\\ud83d\\ud83d\\ude00\"",
     "\"\xf0\x9f\x98\x80 \xed\xa0\x80 \xed\xb0\x80x\xed\xa0\xbd\xf0\x9f\x98\x80\""},
    {"[]", "[]"},
    {"{}", "{}"},
    {"[[],{}]", "[[], {}]"},
    {"{\"\":null,\"a\":true,\"a\":[false]}", "{\"\": null, \"a\": [false]}"},
    {" [ 1 , 2 ] ", "[1, 2]"},
    {"\"\xc3\xa9\xe2\x80\xa8\xf0\x9f\x98\x80\"", "\"\xc3\xa9\xe2\x80\xa8\xf0\x9f\x98\x80\""},
    {"0.30000000000000004", "0.30000000000000004"},
    {"1.0e-5", "1e-05"},
    {"1.25e-10", "1.25e-10"},
    {"12345678901234567890.5", "1.2345678901234567e+19"},
};

TEST(PythonJson, PrintsWhatPythonPrints) {
  for (const Case& c : kCases) EXPECT_EQ(round_trip(c.text), c.printed) << c.text;
}

TEST(PythonJson, NamesTheOffset) {
  const Case cases[] = {
      {"[1, 2", "error at 5"},      {"[1 2]", "error at 3"},
      {"[1e400, x]", "error at 8"}, {"[\"\\ud800\", x]", "error at 11"},
      {"", "error at 0"},           {"{1e400: 2}", "error at 6"},
      {"[1] 2", "error at 4"},      {"\"\xff\"", "error at 1"},
      {"[1e400x]", "error at 6"},
  };
  for (const Case& c : cases) EXPECT_EQ(round_trip(c.text), c.printed) << c.text;
  EXPECT_EQ(round_trip(std::string_view("1\0 2", 4)), "error at 1");
}

TEST(PythonJson, NestingIsBoundedByMemoryAlone) {
  constexpr size_t kDepth = 500'000;
  const std::string text = std::string(kDepth, '[') + std::string(kDepth, ']');
  EXPECT_EQ(round_trip(text), text);
}

TEST(PythonJson, PrintsDocumentsOfPlainRapidJson) {
  rapidjson::Document document;
  document.Parse("{\"a\": [1, -2, 2.50, 18446744073709551615, \"x\"]}");
  EXPECT_EQ(python_json_dumps(document), "{\"a\": [1, -2, 2.5, 18446744073709551615, \"x\"]}");
}

TEST(PythonJson, NonFiniteFloats) {
  EXPECT_EQ(python_float_repr(std::numeric_limits<double>::infinity()), "Infinity");
  EXPECT_EQ(python_float_repr(std::nan("")), "NaN");
}

}  // namespace
}  // namespace espalier
