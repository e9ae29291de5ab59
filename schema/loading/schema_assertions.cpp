// The values of keywords that hold no subschemas: checked against what the meta-schemas ask, and
// stored exactly (decimals keep every digit).
//
// Tolerated although some meta-schema forbids it, because the meaning is plain: an empty `enum` or
// `required`, repeated entries in either, 2.0 as a length, exclusiveMinimum without minimum in
// draft-04 (which then asserts nothing). Everything else of the wrong kind is an error.
#include "schema/loading/schema_assertions.h"

#include <algorithm>
#include <array>
#include <unordered_set>

#include "grammar/codepoints/json_spelling.h"
#include "grammar/codepoints/letter_classes.h"
#include "schema/formats/content.h"
#include "schema/formats/formats.h"
#include "schema/loading/schema_options.h"
#include "schema/loading/schema_support.h"

namespace espalier {
namespace {

constexpr uint64_t kLongest = uint64_t{1} << 32;

std::optional<uint8_t> type_bits(std::string_view name) {
  if (name == "null") return kTypeNull;
  if (name == "boolean") return kTypeBoolean;
  if (name == "number") return kTypeNumber | kTypeInteger;
  if (name == "integer") return kTypeInteger;
  if (name == "string") return kTypeString;
  if (name == "array") return kTypeArray;
  if (name == "object") return kTypeObject;
  return {};
}

constexpr std::string_view kTypeNames =
    "one of null, boolean, number, integer, string, array, object";

Status read_type(const JsonDocument& json, JsonId value, uint8_t* types) {
  const auto add = [&](JsonId id) -> Status {
    if (!json[id].is_string()) return expected(json, id, kTypeNames);
    const auto bits = type_bits(json[id].text);
    if (!bits) {
      return Status(StatusCode::kParseError,
                    "\"" + std::string(json[id].text) + "\" is not a type; expected " +
                        std::string(kTypeNames) + ".",
                    json.pointer(id));
    }
    *types |= *bits;
    return {};
  };
  *types = 0;
  const JsonNode& node = json[value];
  if (node.is_string()) return add(value);
  if (!node.is_array() || node.count == 0) {
    return expected(json, value, "a type name or a non-empty array of type names");
  }
  for (uint32_t i = 0; i < node.count; ++i) {
    if (Status status = add(node.first + i); !status.ok()) return status;
  }
  return {};
}

Status read_number(const JsonDocument& json, JsonId value, Boxed<Decimal>* number) {
  if (!json[value].is_number()) return expected(json, value, "a number");
  *number = Decimal::parse(json[value].text);
  if (!*number) return expected(json, value, "a number with an exponent of reasonable size");
  return {};
}

Status read_length(const JsonDocument& json, JsonId value, std::optional<uint64_t>* length) {
  std::optional<Decimal> number;
  if (json[value].is_number()) number = Decimal::parse(json[value].text);
  if (!number || number->negative || !number->is_integer()) {
    return expected(json, value, "a non-negative integer");
  }
  if (static_cast<int64_t>(number->digits.size()) + number->exponent > 12) {
    *length = kLongest;
    return {};
  }
  uint64_t n = 0;
  for (const char digit : number->digits) n = n * 10 + static_cast<uint64_t>(digit - '0');
  for (int64_t i = 0; i < number->exponent && n != 0; ++i) n *= 10;
  *length = std::min(n, kLongest);
  return {};
}

/// Draft-04: is the Boolean sibling `name` true?
bool flag(const AssertionContext& context, std::string_view name) {
  if (context.dialect != Dialect::kDraft4) return false;
  const JsonId id = context.json.find(context.schema, name);
  return id != kNoJson && context.json[id].is_true();
}

Status read_draft4_flag(const AssertionContext& context, JsonId value, std::string_view bound,
                        std::string* annotation) {
  if (!context.json[value].is_boolean()) {
    return expected(context.json, value, "a Boolean (as in draft-04)");
  }
  if (context.json.find(context.schema, bound) == kNoJson) {
    *annotation = "asserts nothing without " + std::string(bound);
  }
  return {};
}

bool admits_strings(const AssertionContext& context) {
  const JsonId id = context.json.find(context.schema, "type");
  if (id == kNoJson) return true;
  const JsonNode& type = context.json[id];
  if (type.is_string()) return type.text == "string";
  for (uint32_t i = 0; i < type.count; ++i) {
    if (context.json[type.first + i].text == "string") return true;
  }
  return !type.is_array();
}

Status read_format(const AssertionContext& context, JsonId value, SchemaNode* node,
                   std::string* annotation) {
  const JsonNode& format = context.json[value];
  if (!format.is_string()) return expected(context.json, value, "a string");
  if (context.options.formats == FormatPolicy::kAnnotate) {
    *annotation = "formats are annotations by option";
    return {};
  }
  if (!admits_strings(context)) {
    *annotation = "formats constrain strings, which `type` excludes";
    return {};
  }
  auto automaton = format_automaton(format.text, context.dialect);
  if (!automaton.ok()) {
    const Status failure = automaton.status();
    return Status(failure.code(), failure.message(), context.json.pointer(value));
  }
  if (*automaton != nullptr) {
    node->format = std::string(format.text);
    node->format_automaton = std::move(*automaton);
  } else if (is_standard_format(format.text)) {
    return Status(StatusCode::kUnsupported,
                  "The format \"" + std::string(format.text) + "\" is not supported.",
                  context.json.pointer(value));
  } else {
    *annotation = "the format \"" + std::string(format.text) + "\" is not a standard one";
  }
  return {};
}

/// contentEncoding and contentMediaType; whichever comes last finds both.
Status read_content(const AssertionContext& context, const KeywordInfo& keyword, JsonId value,
                    SchemaNode* node, std::string* annotation) {
  const JsonDocument& json = context.json;
  if (!json[value].is_string()) return expected(json, value, "a string");
  if (context.options.content == ContentPolicy::kAnnotate) {
    *annotation = "content is an annotation unless an option asserts it";
    return {};
  }
  if (!admits_strings(context)) {
    *annotation = "content constrains strings, which `type` excludes";
    return {};
  }
  const auto text = [&](std::string_view name) -> std::string_view {
    const JsonId id = json.find(context.schema, name);
    return id != kNoJson && json[id].is_string() ? json[id].text : std::string_view();
  };
  const bool encoding = keyword.keyword == Keyword::kContentEncoding;
  auto automaton = content_automaton(text("contentEncoding"), text("contentMediaType"));
  if (!automaton.ok()) {
    const Status failure = automaton.status();
    return Status(failure.code(), failure.message(), json.pointer(value));
  }
  const bool known =
      encoding ? is_known_encoding(json[value].text) : is_known_media_type(json[value].text);
  if (*automaton == nullptr || !known) {
    *annotation = encoding ? "the encoding is none that can be asserted"
                           : "the media type is none that can be asserted";
    return {};
  }
  node->content_automaton = std::move(*automaton);
  if (!encoding || node->content_keyword == nullptr)
    node->content_keyword = encoding ? "contentEncoding" : "contentMediaType";
  return {};
}

}  // namespace

Status expected(const JsonDocument& json, JsonId id, std::string_view what) {
  const JsonNode& node = json[id];
  std::string found(kind_name(node.kind));
  if (node.is_number() && node.text.size() <= 40) found = std::string(node.text);
  return Status(StatusCode::kParseError, "Expected " + std::string(what) + ", found " + found + ".",
                json.pointer(id));
}

// May the pattern tell surrogates from all other code points? Only escapes and WTF-8 name them.
bool knows_surrogates(std::string_view pattern, const CodepointAutomaton& automaton) {
  const bool names_any = std::ranges::any_of(
      std::array{"\\u", "\\p", "\\P", "\xED"},
      [&](std::string_view name) { return pattern.find(name) != pattern.npos; });
  LetterClasses classes;
  if (!names_any || !automaton.refine(&classes)) return names_any;
  return std::ranges::any_of(classes.representatives(), is_surrogate);
}

// The same pattern for texts of spelled code points alone, so that it lives only while one of these
// can match.
std::string without_surrogates(std::string_view pattern) {
  return "^(?=\\P{Cs}*$)[^]*(?:" + std::string(pattern) + ")";
}

Result<std::shared_ptr<const CodepointAutomaton>> read_pattern(const JsonDocument& json, JsonId id,
                                                               std::string_view pattern,
                                                               const SchemaOptions& options) {
  AutomatonLimits limits;
  limits.max_states =
      static_cast<uint32_t>(std::min<size_t>(options.limits.max_automaton_states, UINT32_MAX));
  auto automaton = compile_pattern(pattern, limits);
  if (automaton.ok() && string_spelling(options) == StringSpelling::kMinimal &&
      (*automaton)->relaxed() == nullptr && knows_surrogates(pattern, **automaton)) {
    automaton = compile_pattern(without_surrogates(pattern), limits);
  }
  if (automaton.ok()) return automaton;
  const Status failure = automaton.status();
  std::string message = "In the regular expression";
  if (!failure.place().empty()) message += " at offset " + failure.place();
  return Status(failure.code(), message + ": " + failure.message(), json.pointer(id));
}

Status read_names(const JsonDocument& json, JsonId value, std::vector<std::string>* names) {
  const JsonNode& node = json[value];
  if (!node.is_array()) return expected(json, value, "an array of strings");
  std::unordered_set<std::string_view> seen;
  for (uint32_t i = 0; i < node.count; ++i) {
    const JsonNode& name = json[node.first + i];
    if (!name.is_string()) return expected(json, node.first + i, "a string");
    if (seen.insert(name.text).second) names->emplace_back(name.text);
  }
  return {};
}

Status read_assertion(const AssertionContext& context, const KeywordInfo& keyword, JsonId value,
                      SchemaNode* node, std::string* annotation) {
  const JsonDocument& json = context.json;
  const bool draft4 = context.dialect == Dialect::kDraft4;
  switch (keyword.keyword) {
    case Keyword::kType:
      return read_type(json, value, &node->types);
    case Keyword::kEnum: {
      if (!json[value].is_array()) return expected(json, value, "an array");
      node->enum_values = json.value(value).items;
      return {};
    }
    case Keyword::kConst:
      node->const_value = json.value(value);
      return {};
    case Keyword::kMinimum:
      return read_number(
          json, value,
          flag(context, "exclusiveMinimum") ? &node->exclusive_minimum : &node->minimum);
    case Keyword::kMaximum:
      return read_number(
          json, value,
          flag(context, "exclusiveMaximum") ? &node->exclusive_maximum : &node->maximum);
    case Keyword::kExclusiveMinimum:
      if (draft4) return read_draft4_flag(context, value, "minimum", annotation);
      return read_number(json, value, &node->exclusive_minimum);
    case Keyword::kExclusiveMaximum:
      if (draft4) return read_draft4_flag(context, value, "maximum", annotation);
      return read_number(json, value, &node->exclusive_maximum);
    case Keyword::kMultipleOf: {
      Status status = read_number(json, value, &node->multiple_of);
      if (status.ok() && (node->multiple_of->negative || node->multiple_of->is_zero())) {
        status = expected(json, value, "a number greater than zero");
      }
      return status;
    }
    case Keyword::kMinLength:
      return read_length(json, value, &node->min_length);
    case Keyword::kMaxLength:
      return read_length(json, value, &node->max_length);
    case Keyword::kMinItems:
      return read_length(json, value, &node->min_items);
    case Keyword::kMaxItems:
      return read_length(json, value, &node->max_items);
    case Keyword::kMinProperties:
      return read_length(json, value, &node->min_properties);
    case Keyword::kMaxProperties:
      return read_length(json, value, &node->max_properties);
    case Keyword::kMinContains:
    case Keyword::kMaxContains:
      if (json.find(context.schema, "contains") == kNoJson) {
        *annotation = "asserts nothing without contains";
        std::optional<uint64_t> unused;
        return read_length(json, value, &unused);
      }
      return read_length(
          json, value,
          keyword.keyword == Keyword::kMinContains ? &node->min_contains : &node->max_contains);
    case Keyword::kUniqueItems:
      if (!json[value].is_boolean()) return expected(json, value, "a Boolean");
      node->unique_items = json[value].is_true();
      return {};
    case Keyword::kPattern: {
      if (!json[value].is_string()) return expected(json, value, "a regular expression");
      auto automaton = read_pattern(json, value, json[value].text, context.options);
      if (!automaton.ok()) return automaton.status();
      node->pattern_automaton = std::move(*automaton);
      return {};
    }
    case Keyword::kFormat:
      return read_format(context, value, node, annotation);
    case Keyword::kContentEncoding:
    case Keyword::kContentMediaType:
      return read_content(context, keyword, value, node, annotation);
    case Keyword::kRequired:
      return read_names(json, value, &node->required);
    case Keyword::kDependentRequired: {
      const JsonNode& map = json[value];
      if (!map.is_object()) return expected(json, value, "an object of arrays of strings");
      for (uint32_t i = 0; i < map.count; ++i) {
        auto& entry = node->dependent_required.emplace_back();
        entry.first = std::string(json[map.first + i].key);
        if (Status status = read_names(json, map.first + i, &entry.second); !status.ok())
          return status;
      }
      return {};
    }
    default:
      return {};
  }
}

}  // namespace espalier
