// Options that a schema brings along, and what the profiles leave to them.
//
// The idea: a caller's options come first; whatever they leave as the profile has it, the schema's
// root may set in a member `x-espalier`, an annotation to everybody else:
//
//     {"x-espalier": {"item_separator": ", ", "key_separator": ": ", "strict": true}, ...}
//
// Invariant: options narrow the language of the profile `exact`, so whatever is generated under
// them is valid. Cost: one look-up per member.
#include "schema/loading/schema_options.h"

#include <string>
#include <utility>

namespace espalier {
namespace {

bool is_exact(const SchemaOptions& options) { return options.profile == Profile::kExact; }

bool has_separators(const Spelling& spelling) {
  return !spelling.item_separator.empty() || !spelling.key_separator.empty();
}

bool is_separator(std::string_view text, char mark) {
  return text.empty() ||
         (text[0] == mark && text.find_first_not_of(" \t\n\r", 1) == std::string_view::npos);
}

Status check_separators(const Spelling& spelling, const std::string& item_place,
                        const std::string& key_place) {
  if (!is_separator(spelling.item_separator, ','))
    return Status(StatusCode::kInvalidArgument,
                  "An item separator is a comma and the white space after it.", item_place);
  if (!is_separator(spelling.key_separator, ':'))
    return Status(StatusCode::kInvalidArgument,
                  "A key separator is a colon and the white space after it.", key_place);
  if (has_separators(spelling) && spelling.whitespace == Spelling::Whitespace::kAny)
    return Status(StatusCode::kInvalidArgument,
                  "Separators leave no choice of white space; give one of the two.",
                  spelling.item_separator.empty() ? key_place : item_place);
  return {};
}

class MemberReader {
 public:
  MemberReader(const JsonDocument& json, SchemaOptions* options) : json_(json), options_(options) {}

  Status read(JsonId member) {
    const std::string_view name = json_[member].key;
    Spelling& spelling = options_->spelling;
    using Whitespace = Spelling::Whitespace;
    using Order = Spelling::PropertyOrder;
    using Escapes = Spelling::Escapes;
    using Numbers = Spelling::Numbers;
    if (name == "whitespace") {
      return choose(
          member, &spelling.whitespace,
          {{"any", Whitespace::kAny}, {"space", Whitespace::kSpace}, {"none", Whitespace::kNone}});
    }
    if (name == "item_separator") return text(member, &spelling.item_separator);
    if (name == "key_separator") return text(member, &spelling.key_separator);
    if (name == "property_order" && json_[member].is_array()) return names(member, &spelling);
    if (name == "property_order") {
      return choose(member, &spelling.property_order,
                    {{"any", Order::kAny}, {"schema", Order::kSchema}});
    }
    if (name == "escapes") {
      return choose(member, &spelling.escapes,
                    {{"any", Escapes::kAny}, {"minimal", Escapes::kMinimal}});
    }
    if (name == "numbers") {
      return choose(member, &spelling.numbers,
                    {{"any", Numbers::kAny}, {"plain", Numbers::kPlain}});
    }
    if (name == "optional_properties") {
      return choose(member, &options_->optional_properties,
                    {{"schema", OptionalProperties::kSchema},
                     {"require", OptionalProperties::kRequire},
                     {"omit", OptionalProperties::kOmit}});
    }
    if (name == "additional_properties") {
      return choose(
          member, &options_->additional_properties,
          {{"schema", AdditionalProperties::kSchema}, {"forbid", AdditionalProperties::kForbid}});
    }
    if (name == "strict") {
      if (!json_[member].is_boolean()) return wrong(member, "a Boolean");
      if (json_[member].is_true()) *options_ = options_->strict();
      return {};
    }
    return Status(
        StatusCode::kParseError,
        "\"" + std::string(name) + "\" is no option of " + std::string(kOptionsMember) + ".",
        json_.pointer(member));
  }

 private:
  Status wrong(JsonId member, const std::string& wanted) const {
    return Status(StatusCode::kParseError, "Expected " + wanted + ".", json_.pointer(member));
  }

  template <typename T>
  Status choose(JsonId member, T* option,
                std::initializer_list<std::pair<std::string_view, T>> values) const {
    std::string all;
    for (const auto& [name, value] : values) {
      if (json_[member].is_string() && json_[member].text == name) {
        if (*option == T{}) *option = value;
        return {};
      }
      all += (all.empty() ? "one of " : ", ") + std::string(name);
    }
    return wrong(member, all);
  }

  Status text(JsonId member, std::string* option) const {
    if (!json_[member].is_string()) return wrong(member, "a string");
    if (option->empty()) *option = json_[member].text;
    return {};
  }

  Status names(JsonId member, Spelling* spelling) const {
    std::vector<std::string> names;
    for (uint32_t i = 0; i < json_[member].count; ++i) {
      const JsonNode& name = json_[json_[member].first + i];
      if (!name.is_string()) return wrong(member, "a list of property names");
      names.emplace_back(name.text);
    }
    if (spelling->property_order != Spelling::PropertyOrder::kProfile) return {};
    spelling->property_order = Spelling::PropertyOrder::kGiven;
    spelling->property_names = std::move(names);
    return {};
  }

  const JsonDocument& json_;
  SchemaOptions* options_;
};

}  // namespace

Result<SchemaOptions> complete_options(const SchemaOptions& options, const JsonDocument& schema) {
  if (Status status = check_separators(options.spelling, "item_separator", "key_separator");
      !status.ok())
    return status;
  if (is_exact(options) || !schema[schema.root()].is_object()) return options;
  const JsonId given = schema.find(schema.root(), kOptionsMember);
  if (given == kNoJson) return options;
  const std::string place = schema.pointer(given);
  if (!schema[given].is_object())
    return Status(StatusCode::kParseError, "Expected an object of options.", place);
  SchemaOptions complete = options;
  MemberReader reader(schema, &complete);
  for (uint32_t i = 0; i < schema[given].count; ++i) {
    if (Status status = reader.read(schema[given].first + i); !status.ok()) return status;
  }
  const Spelling& given_by_caller = options.spelling;
  if (given_by_caller.whitespace != Spelling::Whitespace::kProfile ||
      has_separators(given_by_caller)) {
    complete.spelling.whitespace = given_by_caller.whitespace;
    complete.spelling.item_separator = given_by_caller.item_separator;
    complete.spelling.key_separator = given_by_caller.key_separator;
  }
  if (Status status =
          check_separators(complete.spelling, place + "/item_separator", place + "/key_separator");
      !status.ok())
    return status;
  return complete;
}

bool allows_any_space(const SchemaOptions& options) {
  const Spelling& spelling = options.spelling;
  if (spelling.whitespace == Spelling::Whitespace::kProfile)
    return is_exact(options) && !has_separators(spelling);
  return spelling.whitespace == Spelling::Whitespace::kAny;
}

bool allows_optional_space(const SchemaOptions& options) {
  const Spelling& spelling = options.spelling;
  if (has_separators(spelling)) return false;
  if (spelling.whitespace == Spelling::Whitespace::kProfile) return !is_exact(options);
  return spelling.whitespace == Spelling::Whitespace::kSpace;
}

bool orders_properties(const SchemaOptions& options) {
  using Order = Spelling::PropertyOrder;
  const Order order = options.spelling.property_order;
  return order == Order::kProfile ? !is_exact(options) : order != Order::kAny;
}

StringSpelling string_spelling(const SchemaOptions& options) {
  using Escapes = Spelling::Escapes;
  const Escapes escapes = options.spelling.escapes;
  const bool any = escapes == Escapes::kProfile ? is_exact(options) : escapes == Escapes::kAny;
  return any ? StringSpelling::kJson : StringSpelling::kMinimal;
}

NumberSpelling number_spelling(const SchemaOptions& options) {
  using Numbers = Spelling::Numbers;
  const Numbers numbers = options.spelling.numbers;
  const bool any = numbers == Numbers::kProfile ? is_exact(options) : numbers == Numbers::kAny;
  return any ? NumberSpelling::kJson : NumberSpelling::kPlain;
}

}  // namespace espalier
