// The formats of JSON Schema that are regular languages, as regular expressions built from the
// grammars of their specifications, rule by rule and under the names used there.
//
//   duration                  RFC 3339, appendix A
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
#include "schema/formats/format_patterns.h"

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

// RFC 3339.

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
  if (name == "duration") return duration();
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
