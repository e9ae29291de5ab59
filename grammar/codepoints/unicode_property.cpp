#include "grammar/codepoints/unicode_property.h"

#include <unicode/uchar.h>
#include <unicode/uscript.h>
#include <unicode/uset.h>

#include <array>
#include <memory>
#include <string>
#include <vector>

#include "grammar/tables/sort_unique.h"

namespace espalier {
namespace {

struct SetCloser {
  void operator()(USet* set) const { uset_close(set); }
};
using OwnedSet = std::unique_ptr<USet, SetCloser>;

CodepointSet to_codepoints(const USet* set) {
  std::vector<CodepointRange> ranges;
  const int32_t count = uset_getRangeCount(set);
  for (int32_t i = 0; i < count; ++i) {
    UChar32 lo = 0;
    UChar32 hi = 0;
    UErrorCode error = U_ZERO_ERROR;
    if (uset_getItem(set, i, &lo, &hi, nullptr, 0, &error) == 0 && U_SUCCESS(error)) {
      ranges.push_back({static_cast<uint32_t>(lo), static_cast<uint32_t>(hi)});
    }
  }
  return CodepointSet(std::move(ranges));
}

std::optional<CodepointSet> property_set(UProperty property, int32_t value) {
  OwnedSet set(uset_openEmpty());
  UErrorCode error = U_ZERO_ERROR;
  uset_applyIntPropertyValue(set.get(), property, value, &error);
  if (U_FAILURE(error)) return std::nullopt;
  return to_codepoints(set.get());
}

bool is_property_name(UProperty property, const std::string& name) {
  for (int choice = U_SHORT_PROPERTY_NAME;; ++choice) {
    const char* known = u_getPropertyName(property, static_cast<UPropertyNameChoice>(choice));
    if (known != nullptr && name == known) return true;
    if (known == nullptr && choice > U_LONG_PROPERTY_NAME) return false;
  }
}

bool is_value_name(UProperty property, int32_t value, const std::string& name) {
  for (int choice = U_SHORT_PROPERTY_NAME;; ++choice) {
    const char* known =
        u_getPropertyValueName(property, value, static_cast<UPropertyNameChoice>(choice));
    if (known != nullptr && name == known) return true;
    if (known == nullptr && choice > U_LONG_PROPERTY_NAME) return false;
  }
}

std::optional<int32_t> value_named(UProperty property, const std::string& name) {
  const int32_t value = u_getPropertyValueEnum(property, name.c_str());
  if (value == UCHAR_INVALID_CODE || !is_value_name(property, value, name)) return std::nullopt;
  return value;
}

/// The binary properties of ECMA-262's table, by ICU's identifier.
constexpr std::array kBinaryProperties = {
    UCHAR_ALPHABETIC,
    UCHAR_ASCII_HEX_DIGIT,
    UCHAR_BIDI_CONTROL,
    UCHAR_BIDI_MIRRORED,
    UCHAR_CASE_IGNORABLE,
    UCHAR_CASED,
    UCHAR_CHANGES_WHEN_CASEFOLDED,
    UCHAR_CHANGES_WHEN_CASEMAPPED,
    UCHAR_CHANGES_WHEN_LOWERCASED,
    UCHAR_CHANGES_WHEN_NFKC_CASEFOLDED,
    UCHAR_CHANGES_WHEN_TITLECASED,
    UCHAR_CHANGES_WHEN_UPPERCASED,
    UCHAR_DASH,
    UCHAR_DEFAULT_IGNORABLE_CODE_POINT,
    UCHAR_DEPRECATED,
    UCHAR_DIACRITIC,
    UCHAR_EMOJI,
    UCHAR_EMOJI_COMPONENT,
    UCHAR_EMOJI_MODIFIER,
    UCHAR_EMOJI_MODIFIER_BASE,
    UCHAR_EMOJI_PRESENTATION,
    UCHAR_EXTENDED_PICTOGRAPHIC,
    UCHAR_EXTENDER,
    UCHAR_GRAPHEME_BASE,
    UCHAR_GRAPHEME_EXTEND,
    UCHAR_HEX_DIGIT,
    UCHAR_ID_CONTINUE,
    UCHAR_ID_START,
    UCHAR_IDEOGRAPHIC,
    UCHAR_IDS_BINARY_OPERATOR,
    UCHAR_IDS_TRINARY_OPERATOR,
    UCHAR_JOIN_CONTROL,
    UCHAR_LOGICAL_ORDER_EXCEPTION,
    UCHAR_LOWERCASE,
    UCHAR_MATH,
    UCHAR_NONCHARACTER_CODE_POINT,
    UCHAR_PATTERN_SYNTAX,
    UCHAR_PATTERN_WHITE_SPACE,
    UCHAR_QUOTATION_MARK,
    UCHAR_RADICAL,
    UCHAR_REGIONAL_INDICATOR,
    UCHAR_S_TERM,
    UCHAR_SOFT_DOTTED,
    UCHAR_TERMINAL_PUNCTUATION,
    UCHAR_UNIFIED_IDEOGRAPH,
    UCHAR_UPPERCASE,
    UCHAR_VARIATION_SELECTOR,
    UCHAR_WHITE_SPACE,
    UCHAR_XID_CONTINUE,
    UCHAR_XID_START,
};

std::optional<CodepointSet> category(const std::string& name) {
  const auto mask = value_named(UCHAR_GENERAL_CATEGORY_MASK, name);
  if (!mask) return std::nullopt;
  return property_set(UCHAR_GENERAL_CATEGORY_MASK, *mask);
}

std::optional<CodepointSet> script(UProperty property, const std::string& name) {
  const auto value = value_named(UCHAR_SCRIPT, name);
  if (!value) return std::nullopt;
  return property_set(property, *value);
}

/// Appends every name of a property or value; `choose` gives the one of a kind.
template <typename Choose>
void for_each_name(const Choose& choose, std::vector<std::string>* out) {
  for (int choice = U_SHORT_PROPERTY_NAME;; ++choice) {
    const char* name = choose(static_cast<UPropertyNameChoice>(choice));
    if (name != nullptr) out->emplace_back(name);
    if (name == nullptr && choice > U_LONG_PROPERTY_NAME) return;
  }
}

std::vector<std::string> category_names() {
  std::vector<int32_t> masks = {U_GC_L_MASK, U_GC_LC_MASK, U_GC_M_MASK, U_GC_N_MASK,
                                U_GC_P_MASK, U_GC_S_MASK,  U_GC_Z_MASK, U_GC_C_MASK};
  for (int category = 0; category < U_CHAR_CATEGORY_COUNT; ++category) {
    masks.push_back(static_cast<int32_t>(U_MASK(category)));
  }
  std::vector<std::string> names;
  for (const int32_t mask : masks) {
    for_each_name(
        [&](UPropertyNameChoice choice) {
          return u_getPropertyValueName(UCHAR_GENERAL_CATEGORY_MASK, mask, choice);
        },
        &names);
  }
  return names;
}

std::vector<std::string> script_names() {
  std::vector<std::string> names;
  for (int32_t value = 0; value <= u_getIntPropertyMaxValue(UCHAR_SCRIPT); ++value) {
    for_each_name(
        [&](UPropertyNameChoice choice) {
          return u_getPropertyValueName(UCHAR_SCRIPT, value, choice);
        },
        &names);
  }
  return names;
}

std::optional<CodepointSet> lone_name(const std::string& name) {
  if (name == "Any") return CodepointSet::all();
  if (name == "ASCII") return CodepointSet({{0, 0x7F}});
  if (name == "Assigned") {
    auto unassigned = category("Cn");
    if (!unassigned) return std::nullopt;
    return unassigned->complement();
  }
  if (auto set = category(name)) return set;
  for (UProperty property : kBinaryProperties) {
    if (is_property_name(property, name)) return property_set(property, 1);
  }
  return std::nullopt;
}

}  // namespace

std::optional<CodepointSet> unicode_property(std::string_view expression, ScriptNames scripts) {
  const size_t equals = expression.find('=');
  if (equals == std::string_view::npos) {
    const std::string name(expression);
    if (auto set = lone_name(name)) return set;
    return scripts == ScriptNames::kBare ? script(UCHAR_SCRIPT, name) : std::nullopt;
  }
  const std::string_view property = expression.substr(0, equals);
  const std::string value(expression.substr(equals + 1));
  if (property == "General_Category" || property == "gc") return category(value);
  if (property == "Script" || property == "sc") return script(UCHAR_SCRIPT, value);
  if (property == "Script_Extensions" || property == "scx") {
    return script(UCHAR_SCRIPT_EXTENSIONS, value);
  }
  return std::nullopt;
}

const std::vector<std::string>& unicode_property_expressions() {
  static const auto* const expressions = [] {
    auto* all = new std::vector<std::string>{"ASCII", "Any", "Assigned"};
    for (const UProperty property : kBinaryProperties) {
      for_each_name([&](UPropertyNameChoice choice) { return u_getPropertyName(property, choice); },
                    all);
    }
    for (const std::string& name : category_names()) {
      for (const char* prefix : {"", "gc=", "General_Category="}) all->push_back(prefix + name);
    }
    for (const std::string& name : script_names()) {
      for (const char* prefix : {"sc=", "Script=", "scx=", "Script_Extensions="}) {
        all->push_back(prefix + name);
      }
    }
    sort_unique(all);
    return all;
  }();
  return *expressions;
}

CodepointSet case_closure(const CodepointSet& set) {
  OwnedSet folded(uset_openEmpty());
  for (const CodepointRange& range : set.ranges()) {
    uset_addRange(folded.get(), static_cast<UChar32>(range.lo), static_cast<UChar32>(range.hi));
  }
  uset_closeOver(folded.get(), USET_CASE_INSENSITIVE);
  uset_removeAllStrings(folded.get());
  return to_codepoints(folded.get());
}

}  // namespace espalier
