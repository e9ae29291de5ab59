#pragma once

// Formats as regular expressions, written from the grammars of their specifications rule by rule:
// RFC 3339, sections 5.6 and 5.7, and RFC 5321, section 4.1.2, with the limits of 4.5.3.1.
// Intersections are lookaheads: `(?=.{1,255}$)` bounds a length, and the leap second says once how
// hours and once how minutes depend on the offset instead of listing 2,880 pairs. The automata of
// these patterns are slow and obvious oracles for the machines of the formats.

#include <string>
#include <string_view>
#include <vector>

#include "schema/formats/format_patterns.h"

namespace espalier {

class ReferenceFormatPatterns {
 public:
  static std::string pattern(std::string_view name) {
    if (name == "date-time") return full_date() + "[Tt]" + full_time();
    if (name == "date") return full_date();
    if (name == "time") return full_time();
    return mailbox(name == "email" ? "" : "\\x80-\\uD7FF\\uE000-\\u{10FFFF}");
  }

 private:
  static std::string any_of(const std::vector<std::string>& choices) {
    std::string out;
    for (const std::string& choice : choices) out += (out.empty() ? "" : "|") + choice;
    return "(?:" + out + ")";
  }
  static std::string two_digits(int value) {
    return {static_cast<char>('0' + value / 10), static_cast<char>('0' + value % 10)};
  }

  static std::string full_date() {
    const std::string leap_in_century = "(?:0[48]|[2468][048]|[13579][26])";
    const std::string leap_year =
        any_of({"\\d\\d" + leap_in_century, "(?:[02468][048]|[13579][26])00"});
    return any_of({"\\d{4}-(?:0[13578]|1[02])-(?:0[1-9]|[12]\\d|3[01])",
                   "\\d{4}-(?:0[469]|11)-(?:0[1-9]|[12]\\d|30)", "\\d{4}-02-(?:0[1-9]|1\\d|2[0-8])",
                   leap_year + "-02-29"});
  }

  /// Local times with second 60 and an offset such that it is 23:59:60 UTC. To the east of
  /// Greenwich 23:59 UTC is `offset` minus one minute, to the west it is 23:59 minus `offset`.
  static std::string leap_second() {
    const std::string fraction = "(?:\\.\\d+)?";
    const auto hours = [&](const char* sign, int local, int offset) {
      return two_digits(local) + ":\\d\\d:60" + fraction + sign + two_digits(offset) + ":\\d\\d";
    };
    const auto minutes = [&](const char* sign, int local, int offset) {
      return "\\d\\d:" + two_digits(local) + ":60" + fraction + sign +
             "\\d\\d:" + two_digits(offset);
    };
    std::vector<std::string> east_hours, east_next_hours, east_minutes, west_hours, west_minutes;
    for (int i = 0; i < 24; ++i) {
      east_hours.push_back(hours("\\+", i, i));
      east_next_hours.push_back(hours("\\+", i, (i + 1) % 24));
      west_hours.push_back(hours("-", i, 23 - i));
    }
    for (int i = 0; i < 60; ++i) {
      if (i < 59) east_minutes.push_back(minutes("\\+", i, i + 1));
      west_minutes.push_back(minutes("-", i, 59 - i));
    }
    const auto both = [](const std::string& a, const std::string& b) {
      return "(?=" + a + "$)" + b;
    };
    return any_of({"23:59:60" + fraction + "[Zz]", both(any_of(east_hours), any_of(east_minutes)),
                   both(any_of(east_next_hours), minutes("\\+", 59, 0)),
                   both(any_of(west_hours), any_of(west_minutes))});
  }

  static std::string full_time() {
    const std::string hour = "(?:[01]\\d|2[0-3])";
    const std::string minute = "[0-5]\\d";
    const std::string offset = "(?:[Zz]|[+-]" + hour + ":" + minute + ")";
    return any_of({hour + ":" + minute + ":[0-5]\\d(?:\\.\\d+)?" + offset, leap_second()});
  }

  static std::string mailbox(const std::string& non_ascii) {
    const std::string atext = "[A-Za-z0-9!#$%&'*+\\-/=?^_`{|}~" + non_ascii + "]+";
    const std::string dot_string = atext + "(?:\\." + atext + ")*";
    const std::string quoted_string = "\"(?:[ !#-\\[\\]-~" + non_ascii + "]|\\\\[ -~])*\"";
    const std::string let_dig = "[A-Za-z0-9" + non_ascii + "]";
    const std::string ldh = "[A-Za-z0-9\\-" + non_ascii + "]";
    const std::string sub_domain = let_dig + "(?:" + ldh + "{0,61}" + let_dig + ")?";
    const std::string domain = "(?=.{1,255}$)" + sub_domain + "(?:\\." + sub_domain + ")*";
    const std::string literal =
        "\\[" + any_of({ipv4_pattern(), "[Ii][Pp][Vv]6:" + ipv6_pattern(2)}) + "\\]";
    const std::string local_part = any_of({dot_string, quoted_string});
    return "(?=[^]{1,64}@[^@]*$)" + local_part + "@" + any_of({domain, literal});
  }
};

}  // namespace espalier
