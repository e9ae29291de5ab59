// The formats of JSON Schema that are regular languages, as regular expressions built from the
// grammars of their specifications, rule by rule and under the names used there.
//
//   date-time date time       RFC 3339, section 5.6, with the restrictions of section 5.7: lengths
//                             of months, leap years, and a second 60 only at 23:59:60 UTC
//   duration                  RFC 3339, appendix A
//   email, idn-email          RFC 5321, section 4.1.2 (Mailbox) with the limits of 4.5.3.1;
//                             RFC 6531, section 3.3
//   ipv4, ipv6                RFC 2673, section 3.2; RFC 4291, section 2.2
//   uri, uri-reference        RFC 3986, appendix A
//   iri, iri-reference        RFC 3987, section 2.2
//   uuid                      RFC 4122, section 3
//   uri-template              RFC 6570, section 2, with erratum 6937
//   json-pointer              RFC 6901, section 3
//   relative-json-pointer     draft-handrews-relative-json-pointer-01 and -02, section 3, to which
//                             draft-07 and 2019-09 refer; since 2020-12
//                             draft-bhutton-relative-json-pointer-00, section 3, which adds an
//                             index manipulation
//
// Intersections are written as lookaheads: `(?=.{1,253}$)` bounds a length, and the leap second
// says once how hours and once how minutes depend on the offset instead of listing 2,880 pairs.
//
// idn-email bounds the local part by 64 code points where the RFC says octets, and takes any
// non-ASCII character in a domain label.
#include "format_patterns.h"

#include <cstdio>
#include <utility>
#include <vector>

namespace espalier {
namespace {

std::string group(const std::string& body) { return "(?:" + body + ")"; }

std::string any_of(const std::vector<std::string>& choices) {
  std::string out;
  for (const std::string& choice : choices) out += (out.empty() ? "" : "|") + choice;
  return group(out);
}

std::string two_digits(int value) {
  return {static_cast<char>('0' + value / 10), static_cast<char>('0' + value % 10)};
}

// RFC 3339.

std::string full_date() {
  const std::string leap_in_century = "(?:0[48]|[2468][048]|[13579][26])";
  const std::string leap_year =
      any_of({"\\d\\d" + leap_in_century, "(?:[02468][048]|[13579][26])00"});
  return any_of({"\\d{4}-(?:0[13578]|1[02])-(?:0[1-9]|[12]\\d|3[01])",
                 "\\d{4}-(?:0[469]|11)-(?:0[1-9]|[12]\\d|30)", "\\d{4}-02-(?:0[1-9]|1\\d|2[0-8])",
                 leap_year + "-02-29"});
}

/// Local times with second 60 and an offset such that it is 23:59:60 UTC. To the east of Greenwich
/// 23:59 UTC is `offset` minus one minute, to the west it is 23:59 minus `offset`.
std::string leap_second() {
  const std::string fraction = "(?:\\.\\d+)?";
  const auto hours = [&](const char* sign, int local, int offset) {
    return two_digits(local) + ":\\d\\d:60" + fraction + sign + two_digits(offset) + ":\\d\\d";
  };
  const auto minutes = [&](const char* sign, int local, int offset) {
    return "\\d\\d:" + two_digits(local) + ":60" + fraction + sign + "\\d\\d:" + two_digits(offset);
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
  const auto both = [](const std::string& a, const std::string& b) { return "(?=" + a + "$)" + b; };
  return any_of({"23:59:60" + fraction + "[Zz]", both(any_of(east_hours), any_of(east_minutes)),
                 both(any_of(east_next_hours), minutes("\\+", 59, 0)),
                 both(any_of(west_hours), any_of(west_minutes))});
}

std::string full_time() {
  const std::string hour = "(?:[01]\\d|2[0-3])";
  const std::string minute = "[0-5]\\d";
  const std::string offset = "(?:[Zz]|[+-]" + hour + ":" + minute + ")";
  return any_of({hour + ":" + minute + ":[0-5]\\d(?:\\.\\d+)?" + offset, leap_second()});
}

std::string duration() {
  const std::string seconds = "\\d+S";
  const std::string minutes = "\\d+M(?:" + seconds + ")?";
  const std::string hours = "\\d+H(?:" + minutes + ")?";
  const std::string time = "T" + any_of({hours, minutes, seconds});
  const std::string day = "\\d+D";
  const std::string month = "\\d+M(?:" + day + ")?";
  const std::string year = "\\d+Y(?:" + month + ")?";
  return "P" + any_of({any_of({day, month, year}) + "(?:" + time + ")?", time, "\\d+W"});
}

// RFC 5321 and 6531.

std::string mailbox(const std::string& non_ascii) {
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

// RFC 3986 and 3987.

struct UriAlphabet {
  std::string ucschar;   ///< what RFC 3987 adds to `unreserved`
  std::string iprivate;  ///< what it adds to `query`
};

class UriRules {
 public:
  explicit UriRules(const UriAlphabet& extra) : extra_(extra) {}

  std::string uri() const {
    return kScheme + ":" +
           any_of({"//" + authority() + path_abempty(), path_absolute(), path_rootless(), ""}) +
           tail();
  }
  std::string reference() const {
    return any_of({uri(), any_of({"//" + authority() + path_abempty(), path_absolute(),
                                  path_noscheme(), ""}) +
                              tail()});
  }

 private:
  static inline const std::string kScheme = "[A-Za-z][A-Za-z0-9+\\-.]*";
  static inline const std::string kSubDelims = "!$&'()*+,;=";
  static inline const std::string kEncoded = "%[0-9A-Fa-f]{2}";

  std::string unreserved() const { return "A-Za-z0-9\\-._~" + extra_.ucschar; }
  /// A run of unreserved, pct-encoded, sub-delims and `more`.
  std::string chars(const std::string& more) const {
    return "(?:[" + unreserved() + kSubDelims + more + "]|" + kEncoded + ")";
  }
  std::string authority() const {
    const std::string future = "[Vv][0-9A-Fa-f]+\\.[A-Za-z0-9\\-._~" + kSubDelims + ":]+";
    const std::string literal = "\\[" + any_of({ipv6_pattern(1), future}) + "\\]";
    return "(?:" + chars(":") + "*@)?" + any_of({literal, chars("") + "*"}) + "(?::\\d*)?";
  }
  std::string pchar() const { return chars(":@"); }
  std::string path_abempty() const { return "(?:/" + pchar() + "*)*"; }
  std::string path_absolute() const { return "/(?:" + pchar() + "+(?:/" + pchar() + "*)*)?"; }
  std::string path_rootless() const { return pchar() + "+(?:/" + pchar() + "*)*"; }
  std::string path_noscheme() const { return chars("@") + "+(?:/" + pchar() + "*)*"; }
  std::string tail() const {
    return "(?:\\?" + chars(":@/?" + extra_.iprivate) + "*)?(?:#" + chars(":@/?") + "*)?";
  }

  const UriAlphabet extra_;
};

constexpr const char* kUcschar =
    "\\u00A0-\\uD7FF\\uF900-\\uFDCF\\uFDF0-\\uFFEF\\u{10000}-\\u{1FFFD}\\u{20000}-\\u{2FFFD}"
    "\\u{30000}-\\u{3FFFD}\\u{40000}-\\u{4FFFD}\\u{50000}-\\u{5FFFD}\\u{60000}-\\u{6FFFD}"
    "\\u{70000}-\\u{7FFFD}\\u{80000}-\\u{8FFFD}\\u{90000}-\\u{9FFFD}\\u{A0000}-\\u{AFFFD}"
    "\\u{B0000}-\\u{BFFFD}\\u{C0000}-\\u{CFFFD}\\u{D0000}-\\u{DFFFD}\\u{E1000}-\\u{EFFFD}";
constexpr const char* kIprivate = "\\uE000-\\uF8FF\\u{F0000}-\\u{FFFFD}\\u{100000}-\\u{10FFFD}";

UriRules uri_rules() { return UriRules({"", ""}); }
UriRules iri_rules() { return UriRules({kUcschar, kIprivate}); }

// RFC 6570.

std::string uri_template() {
  const std::string encoded = "%[0-9A-Fa-f]{2}";
  const std::string literals = "[!#$&-;=?-\\[\\]_a-z~" + std::string(kUcschar) + kIprivate + "]";
  const std::string varchar = "(?:[A-Za-z0-9_]|" + encoded + ")";
  const std::string varname = varchar + "(?:\\.?" + varchar + ")*";
  const std::string varspec = varname + "(?::[1-9]\\d{0,3}|\\*)?";
  const std::string expression = "\\{[+#./;?&=,!@|]?" + varspec + "(?:," + varspec + ")*\\}";
  return any_of({literals, encoded, expression}) + "*";
}

// RFC 6901.

std::string json_pointer() { return "(?:/(?:[^~/]|~[01])*)*"; }

std::string relative_json_pointer(RelativePointers kind) {
  const std::string integer = "(?:0|[1-9]\\d*)";
  const std::string index =
      kind == RelativePointers::kWithIndexes ? "(?:[+-]" + integer + ")?" : "";
  return integer + any_of({index + json_pointer(), "#"});
}

std::string uuid() {
  const std::string hex = "[0-9A-Fa-f]";
  return hex + "{8}(?:-" + hex + "{4}){3}-" + hex + "{12}";
}

}  // namespace

std::string ipv4_pattern() {
  const std::string octet = "(?:25[0-5]|2[0-4]\\d|1\\d\\d|[1-9]?\\d)";
  return octet + "(?:\\." + octet + "){3}";
}

std::string ipv6_pattern(int omitted) {
  const std::string h16 = "[0-9A-Fa-f]{1,4}";
  const auto count = [](int n) { return "{" + std::to_string(n) + "}"; };
  const auto up_to = [](int n) { return "{0," + std::to_string(n) + "}"; };
  const std::string ipv4 = ipv4_pattern();
  std::vector<std::string> forms = {h16 + "(?::" + h16 + "){7}", "(?:" + h16 + ":){6}" + ipv4};
  for (int left = 0; left + omitted <= 8; ++left) {
    const int right = 8 - omitted - left;
    std::string form = left == 0 ? "::" : h16 + "(?::" + h16 + ")" + count(left - 1) + "::";
    if (right >= 2) {
      form += group(h16 + "(?::" + h16 + ")" + up_to(right - 1) + "|(?:" + h16 + ":)" +
                    up_to(right - 2) + ipv4) +
              "?";
    } else if (right == 1) {
      form += group(h16) + "?";
    }
    forms.push_back(std::move(form));
  }
  return any_of(forms);
}

std::optional<std::string> format_pattern(std::string_view name,
                                          RelativePointers relative_pointers) {
  if (name == "date-time") return full_date() + "[Tt]" + full_time();
  if (name == "date") return full_date();
  if (name == "time") return full_time();
  if (name == "duration") return duration();
  if (name == "email") return mailbox("");
  if (name == "idn-email") return mailbox("\\x80-\\uD7FF\\uE000-\\u{10FFFF}");
  if (name == "ipv4") return ipv4_pattern();
  if (name == "ipv6") return ipv6_pattern(1);
  if (name == "uri") return uri_rules().uri();
  if (name == "uri-reference") return uri_rules().reference();
  if (name == "iri") return iri_rules().uri();
  if (name == "iri-reference") return iri_rules().reference();
  if (name == "uuid") return uuid();
  if (name == "uri-template") return uri_template();
  if (name == "json-pointer") return json_pointer();
  if (name == "relative-json-pointer") return relative_json_pointer(relative_pointers);
  return std::nullopt;
}

}  // namespace espalier
