// The formats of JSON Schema for the reference validator, each by a regular expression and the
// checks a regular expression cannot make.

#include <map>
#include <string>
#include <vector>

#include "tests/reference_hostname.h"
#include "tests/reference_json.h"
#include "tests/reference_regex.h"
#include "tests/reference_validator.h"

namespace espalier::reference {
namespace {

bool matches(const std::string& text, const std::string& pattern) {
  thread_local std::map<std::string, std::shared_ptr<const Regex>> cache;
  auto& regex = cache[pattern];
  if (regex == nullptr) regex = Regex::create("^(?:" + pattern + ")$", nullptr);
  return regex->search(text);
}

int number(const std::string& text, size_t at, size_t size) {
  return std::stoi(text.substr(at, size));
}

bool is_date(const std::string& text) {
  if (!matches(text, "[0-9]{4}-[0-9]{2}-[0-9]{2}")) return false;
  static constexpr int kDays[] = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
  const int year = number(text, 0, 4), month = number(text, 5, 2), day = number(text, 8, 2);
  if (month < 1 || month > 12 || day < 1) return false;
  const bool leap = (year % 4 == 0 && year % 100 != 0) || year % 400 == 0;
  return day <= kDays[month - 1] + (month == 2 && leap ? 1 : 0);
}

bool is_time(const std::string& text) {
  if (!matches(text, "[0-9]{2}:[0-9]{2}:[0-9]{2}(\\.[0-9]+)?([Zz]|[+-][0-9]{2}:[0-9]{2})"))
    return false;
  const int hour = number(text, 0, 2), minute = number(text, 3, 2), second = number(text, 6, 2);
  int offset = 0;
  if ((text.back() | 32) != 'z') {
    const size_t at = text.size() - 6;
    const int hours = number(text, at + 1, 2), minutes = number(text, at + 4, 2);
    if (hours > 23 || minutes > 59) return false;
    offset = (text[at] == '-' ? -1 : 1) * (hours * 60 + minutes);
  }
  if (hour > 23 || minute > 59 || second > 60) return false;
  const int utc = ((hour * 60 + minute - offset) % 1440 + 1440) % 1440;
  return second < 60 || utc == 23 * 60 + 59;
}

bool is_date_time(const std::string& text) {
  return text.size() > 11 && (text[10] | 32) == 't' && is_date(text.substr(0, 10)) &&
         is_time(text.substr(11));
}

bool is_ipv4(const std::string& text) {
  return matches(text, "((25[0-5]|2[0-4][0-9]|1[0-9]{2}|[1-9]?[0-9])(\\.(?!$)|$)){4}");
}

// `most`: groups beside "::". RFC 4291 has it replace one group or more, RFC 5321 two or more.
bool is_ipv6(const std::string& text, int most = 7) {
  std::string rest = text;
  const size_t colon = rest.rfind(':');
  if (colon == std::string::npos) return false;
  if (rest.find('.') != std::string::npos) {
    if (!is_ipv4(rest.substr(colon + 1))) return false;
    rest = rest.substr(0, colon + 1) + "0:0";
  }
  const size_t gap = rest.find("::");
  const std::string group = "[0-9A-Fa-f]{1,4}";
  if (gap == std::string::npos) return matches(rest, group + "(:" + group + "){7}");
  const std::string before = rest.substr(0, gap), after = rest.substr(gap + 2);
  const std::string groups = "(" + group + "(:" + group + ")*)?";
  if (!matches(before, groups) || !matches(after, groups)) return false;
  auto count = [](const std::string& s) {
    return s.empty() ? 0 : 1 + static_cast<int>(std::count(s.begin(), s.end(), ':'));
  };
  return count(before) + count(after) <= most;
}

// RFC 5321, section 4.1.2, with the lengths of 4.5.3.1; RFC 6531 adds all that is not ASCII.
bool is_email(const std::string& text, const std::string& extra) {
  const size_t at = text.rfind('@');
  if (at == std::string::npos) return false;
  const std::string local = text.substr(0, at), domain = text.substr(at + 1);
  const std::string atom = "[A-Za-z0-9!#$%&'*+/=?^_`{|}~" + extra + "-]+";
  const bool good_local = matches(local, atom + "(\\." + atom + ")*") ||
                          matches(local, "\"([ !#-\\[\\]-~" + extra + "]|\\\\[ -~])*\"");
  if (!good_local || code_points(local).size() > 64) return false;
  if (domain.size() > 2 && domain.front() == '[' && domain.back() == ']') {
    const std::string literal = domain.substr(1, domain.size() - 2);
    // The tag is a literal of ABNF, where case does not matter (RFC 5234, section 2.3).
    return matches(literal, "[Ii][Pp][Vv]6:[^]*") ? is_ipv6(literal.substr(5), 6)
                                                  : is_ipv4(literal);
  }
  const std::string letter = "[A-Za-z0-9" + extra + "]";
  const std::string label = letter + "([A-Za-z0-9" + extra + "-]{0,61}" + letter + ")?";
  return code_points(domain).size() <= 255 && matches(domain, label + "(\\." + label + ")*");
}

enum class UriKind { kAbsolute, kReference };

// RFC 3986; RFC 3987 adds to what is unreserved, and to queries what is private.
bool is_uri(const std::string& text, UriKind kind, const std::string& extra = "",
            const std::string& extra_in_query = "") {
  const std::string pct = "%[0-9A-Fa-f]{2}";
  const std::string common = "A-Za-z0-9._~!$&'()*+,;=" + extra;
  const auto run = [&](const std::string& more) {
    return "(?:[" + common + more + "-]|" + pct + ")";
  };
  const std::string pchar = run(":@"), query = run(":@/?" + extra_in_query) + "*";
  const std::string fragment = run(":@/?") + "*", name = run("") + "*", user = run(":") + "*@";
  const std::string literal =
      "\\[(?:[0-9A-Fa-f:.]+|[vV][0-9A-Fa-f]+\\.[A-Za-z0-9._~!$&'()*+,;=:-]+)\\]";
  const std::string authority =
      "//(?:" + user + ")?(?:" + literal + "|" + name + ")(?::[0-9]*)?(?:/" + pchar + "*)*";
  const std::string rooted = "/(?:" + pchar + "+(?:/" + pchar + "*)*)?";
  const std::string rootless = pchar + "+(?:/" + pchar + "*)*";
  const std::string segment = run("@") + "+(?:/" + pchar + "*)*";
  const std::string tail = "(?:\\?" + query + ")?(?:#" + fragment + ")?";
  const std::string full =
      "[A-Za-z][A-Za-z0-9+.-]*:(?:" + authority + "|" + rooted + "|" + rootless + "|)" + tail;
  const std::string relative = "(?:" + authority + "|" + rooted + "|" + segment + "|)" + tail;
  if (!matches(text, full) && (kind == UriKind::kAbsolute || !matches(text, relative)))
    return false;
  const size_t start = text.find("//");
  if (start == std::string::npos) return true;
  const std::string host = text.substr(start + 2, text.find_first_of("/?#", start + 2) - start - 2);
  const size_t open = host.find('['), close = host.find(']');
  if (open == std::string::npos || (host[open + 1] | 32) == 'v') return true;
  return is_ipv6(host.substr(open + 1, close - open - 1));
}

// RFC 3987, section 2.2.
const std::string& ucschar() {
  static const std::string all = [] {
    std::string set = "\\u00A0-\\uD7FF\\uF900-\\uFDCF\\uFDF0-\\uFFEF";
    for (uint32_t plane = 1; plane <= 14; ++plane) {
      append_code_point(set, plane << 16 | (plane == 14 ? 0x1000 : 0));
      set += '-';
      append_code_point(set, plane << 16 | 0xFFFD);
    }
    return set;
  }();
  return all;
}
constexpr const char* kIprivate = "\\uE000-\\uF8FF\\u{F0000}-\\u{FFFFD}\\u{100000}-\\u{10FFFD}";

// RFC 6570, section 2.
bool is_uri_template(const std::string& text) {
  const std::string pct = "%[0-9A-Fa-f]{2}";
  const std::string literal =
      "[\\x21\\x23\\x24\\x26-\\x3b\\x3d\\x3f-\\x5b\\x5d\\x5f\\x61-\\x7a\\x7e" + ucschar() +
      kIprivate + "]";
  const std::string name_char = "(?:[A-Za-z0-9_]|" + pct + ")";
  const std::string name = name_char + "(?:\\.?" + name_char + ")*";
  const std::string spec = name + "(?::[1-9][0-9]{0,3}|\\*)?";
  return matches(
      text, "(?:" + literal + "|" + pct + "|\\{[+#./;?&=,!@|]?" + spec + "(?:," + spec + ")*\\})*");
}

}  // namespace

bool has_content(std::string_view encoding, std::string_view media_type, const std::string& text) {
  if (!encoding.empty() && encoding != "base64") return true;
  std::string decoded = text;
  if (encoding == "base64") {
    if (!matches(text, "([A-Za-z0-9+/]{4})*([A-Za-z0-9+/]{2}==|[A-Za-z0-9+/]{3}=)?")) return false;
    decoded.clear();
    uint32_t bits = 0;
    int count = 0;
    for (const char c : text.substr(0, text.find('='))) {
      static constexpr std::string_view kDigits =
          "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
      bits = bits << 6 | static_cast<uint32_t>(kDigits.find(c));
      count += 6;
      if (count < 8) continue;
      count -= 8;
      decoded += static_cast<char>(bits >> count & 0xFF);
    }
  }
  return media_type != "application/json" ||
         parse_json(decoded, nullptr, DuplicateNames::kAllow).has_value();
}

bool has_format(std::string_view format, const std::string& text, int draft) {
  if (format == "date") return is_date(text);
  if (format == "time") return is_time(text);
  if (format == "date-time") return is_date_time(text);
  if (format == "email") return is_email(text, "");
  if (format == "idn-email") return is_email(text, "\\x80-\\uD7FF\\uE000-\\u{10FFFF}");
  if (format == "hostname" || format == "host-name") return is_hostname(text, HostnameKind::kAscii);
  if (format == "idn-hostname") return is_hostname(text, HostnameKind::kInternational);
  if (format == "ipv4" || format == "ip-address") return is_ipv4(text);
  if (format == "ipv6") return is_ipv6(text);
  if (format == "uri") return is_uri(text, UriKind::kAbsolute);
  if (format == "uri-reference") return is_uri(text, UriKind::kReference);
  if (format == "iri") return is_uri(text, UriKind::kAbsolute, ucschar(), kIprivate);
  if (format == "iri-reference") return is_uri(text, UriKind::kReference, ucschar(), kIprivate);
  if (format == "uri-template") return is_uri_template(text);
  if (format == "regex") return Regex::is_pattern(text);
  if (format == "uuid") {
    return matches(text,
                   "[0-9A-Fa-f]{8}-[0-9A-Fa-f]{4}-[0-9A-Fa-f]{4}-[0-9A-Fa-f]{4}-[0-9A-Fa-f]{12}");
  }
  if (format == "json-pointer") return matches(text, "(/([^/~]|~[01])*)*");
  if (format == "relative-json-pointer") {
    // An index manipulation came with draft-bhutton-relative-json-pointer-00, that is, in 2020-12;
    // draft-07 and 2019-09 refer to draft-handrews-relative-json-pointer-01 and -02.
    return matches(text, "(0|[1-9][0-9]*)(#|(/([^/~]|~[01])*)*)") ||
           (draft >= 2020 && matches(text, "(0|[1-9][0-9]*)[+-](0|[1-9][0-9]*)(/([^/~]|~[01])*)*"));
  }
  if (format == "duration") {
    return matches(text,
                   "P([0-9]+W|(?=[0-9T])([0-9]+Y([0-9]+M([0-9]+D)?)?|[0-9]+M([0-9]+D)?|[0-9]+D)?"
                   "(T(?=[0-9])([0-9]+H([0-9]+M([0-9]+S)?)?|[0-9]+M([0-9]+S)?|[0-9]+S))?)");
  }
  return true;
}

}  // namespace espalier::reference
