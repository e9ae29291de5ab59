// Ten fixed pieces of work whose instructions are counted (instruction_counts.cpp).
//
// Each covers one path that a server's latency hangs on: compiling, masks at each kind of place,
// token checks, lockstep evaluation. Schemas are made by rule, the vocabulary is the built-in
// model's, no thread is started and no clock is read, so a build on a machine gives the same count
// again and again. Work that caches would hide is done on fresh grammars: "cold" here means states
// that this process has not met.

#include "jsonschemabench/workloads.h"

#include <fmt/format.h>

#include <array>
#include <functional>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "espalier/grammar.h"
#include "espalier/matcher.h"
#include "espalier/model.h"
#include "espalier/models.h"
#include "espalier/vocabulary.h"
#include "jsonschemabench/workload_schemas.h"

// Never inlined, known by name: what runs inside is what is counted.
extern "C" [[gnu::noinline]] void espalier_measured_workload(const std::function<void()>& work) {
  work();
  asm volatile("" ::: "memory");
}

namespace espalier {
namespace {

constexpr std::array<std::string_view, 10> kNames = {
    "compile-small", "compile-large", "cold-masks", "strings", "numbers",
    "open-keys",     "closed-keys",   "tool-call",  "checks",  "lockstep"};

constexpr const char* kStrings = R"({
  "type": "object",
  "properties": {
    "free": {"type": "string"},
    "bounded": {"type": "string", "minLength": 3, "maxLength": 60},
    "code": {"type": "string", "pattern": "^([A-Z]{3}-[0-9]{4,8}|draft [a-z]+)$"},
    "when": {"type": "string", "format": "date-time"},
    "colour": {"enum": ["red", "green", "blue", "dark green", "dark red"]}
  },
  "additionalProperties": false
})";
constexpr const char* kStringsInstance =
    R"({"free": "Any text may stand here, \u00e9 and \n escapes among it.", "bounded": "sixty )"
    R"(characters are the most", "code": "ABC-12345", "when": "2024-12-31T23:59:59.125+01:00", )"
    R"("colour": "dark red"})";
constexpr const char* kNumbers = R"({
  "type": "array",
  "items": {"anyOf": [
    {"type": "integer", "minimum": -40, "maximum": 1000},
    {"type": "number", "exclusiveMinimum": 1000, "multipleOf": 0.25}
  ]}
})";
constexpr const char* kNumbersInstance =
    "[1, -40, 999, 1000, 1000.25, 31415.75, 0, 77, 12e1, 123456789.5, -7, 640, 1024, 2048.5, 3]";
constexpr const char* kLockstep = R"({
  "type": "object",
  "properties": {
    "kind": {"enum": ["circle", "square", "polygon"]},
    "radius": {"type": "number", "minimum": 0},
    "side": {"type": "number", "minimum": 0},
    "points": {"type": "array", "minItems": 3,
               "contains": {"type": "array", "items": {"type": "integer"}, "minItems": 2}}
  },
  "required": ["kind"],
  "oneOf": [
    {"properties": {"kind": {"const": "circle"}}, "required": ["radius"]},
    {"properties": {"kind": {"const": "square"}}, "required": ["side"]},
    {"properties": {"kind": {"const": "polygon"}}, "required": ["points"]}
  ],
  "not": {"required": ["radius", "side"]},
  "if": {"required": ["label"]},
  "then": {"properties": {"label": {"type": "string", "minLength": 2}}},
  "propertyNames": {"pattern": "^[a-z]+$"},
  "maxProperties": 6
})";
constexpr const char* kLockstepInstance =
    R"({"kind": "polygon", "points": [[1, 2], [3, 4], "x", [5, 6]], "label": "three", "note": 1})";

class Workload {
 public:
  explicit Workload(std::shared_ptr<const Vocabulary> vocabulary)
      : vocabulary_(std::move(vocabulary)), row_(vocabulary_->row_words()) {}

  Status run(std::string_view name) {
    if (name == "compile-small") return compile(wide_object_schema(6, true), 20);
    if (name == "compile-large") return compile(tool_call_schema(100), 1);
    if (name == "cold-masks") return cold_masks();
    if (name == "strings") return masks(kStrings, kStringsInstance, 20);
    if (name == "numbers") return masks(kNumbers, kNumbersInstance, 20);
    if (name == "open-keys") {
      return masks(wide_object_schema(60, false), wide_object_instance(60), 3);
    }
    if (name == "closed-keys") {
      return masks(wide_object_schema(60, true), wide_object_instance(60), 3);
    }
    if (name == "tool-call") return masks(tool_call_schema(100), tool_call_instance(71), 10);
    if (name == "checks") return checks();
    if (name == "lockstep") return masks(kLockstep, kLockstepInstance, 20);
    return Status(StatusCode::kInvalidArgument, "It is not a workload.", std::string(name));
  }

 private:
  Result<std::shared_ptr<const Grammar>> grammar(const std::string& schema) const {
    SchemaOptions options;
    options.profile = Profile::kExact;
    return Grammar::from_json_schema(schema, options);
  }

  // Each schema differs in an annotation, so that no text is compiled twice.
  Status compile(const std::string& schema, size_t times) {
    std::vector<std::string> schemas;
    for (size_t i = 0; i < times; ++i) {
      schemas.push_back(fmt::format("{{\"title\": \"{}\", {}", i, schema.substr(1)));
    }
    Status status;
    espalier_measured_workload([&] {
      for (const std::string& text : schemas) {
        if (auto compiled = grammar(text); !compiled.ok()) status = compiled.status();
      }
    });
    return status;
  }

  /// Masks and accepts along an instance, over and over: warm but for the first time.
  Status masks(const std::string& schema, const std::string& instance, size_t times) {
    auto compiled = grammar(schema);
    if (!compiled.ok()) return compiled.status();
    auto tokens = vocabulary_->encode(instance);
    if (!tokens.ok()) return tokens.status();
    Matcher matcher(*compiled, vocabulary_);
    Status status;
    espalier_measured_workload([&] {
      for (size_t i = 0; i < times && status.ok(); ++i) {
        matcher.reset();
        status = along(&matcher, *tokens);
      }
    });
    return status;
  }

  Status along(Matcher* matcher, const std::vector<TokenId>& tokens) {
    for (TokenId token : tokens) {
      if (Status status = matcher->fill_mask(row_); !status.ok()) return status;
      if (Status status = matcher->accept(token); !status.ok()) return status;
    }
    return matcher->is_accepting() ? Status()
                                   : Status(StatusCode::kInternal, "An instance is refused.");
  }

  /// Compile and first masks of schemas that share nothing but leaves.
  Status cold_masks() {
    Status status;
    const std::string schema = wide_object_schema(20, false);
    const auto tokens = vocabulary_->encode(wide_object_instance(5));
    if (!tokens.ok()) return tokens.status();
    espalier_measured_workload([&] {
      for (size_t i = 0; i < 5 && status.ok(); ++i) {
        auto compiled =
            grammar(fmt::format("{{\"minProperties\": {}, {}", i + 1, schema.substr(1)));
        if (!compiled.ok()) {
          status = compiled.status();
          return;
        }
        Matcher matcher(*compiled, vocabulary_);
        status = along(&matcher, *tokens);
      }
    });
    return status;
  }

  /// is_allowed, accept, rollback and clone on warm states.
  Status checks() {
    auto compiled = grammar(kStrings);
    if (!compiled.ok()) return compiled.status();
    auto tokens = vocabulary_->encode(kStringsInstance);
    if (!tokens.ok()) return tokens.status();
    Matcher matcher(*compiled, vocabulary_);
    size_t allowed = 0;
    Status status;
    espalier_measured_workload([&] {
      for (size_t i = 0; i < 20 && status.ok(); ++i) {
        for (TokenId token : *tokens) {
          for (TokenId other : *tokens) allowed += matcher.is_allowed(other) ? 1 : 0;
          if (status = matcher.accept(token); !status.ok()) return;
          Matcher copy = matcher.clone();
          allowed += copy.rollback(1).ok() ? 1 : 0;
        }
        status = matcher.rollback(tokens->size());
      }
    });
    if (status.ok() && allowed == 0) return Status(StatusCode::kInternal, "No token is allowed.");
    return status;
  }

  std::shared_ptr<const Vocabulary> vocabulary_;
  std::vector<int32_t> row_;
};

}  // namespace

std::span<const std::string_view> workload_names() { return kNames; }

Status run_workload(std::string_view name) {
  auto model = open_model("builtin");
  if (!model.ok()) return model.status();
  return Workload((*model)->vocabulary()).run(name);
}

}  // namespace espalier
