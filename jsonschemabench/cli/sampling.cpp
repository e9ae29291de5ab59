#include "jsonschemabench/cli/sampling.h"

#include <functional>

#include "jsonschemabench/cli/checker.h"

namespace espalier::cli {

namespace {

using Compiler = std::function<Result<std::shared_ptr<const Grammar>>(const SchemaOptions&)>;

Result<CompiledSchema> compile_twice(const SchemaOptions& options, const Compiler& compile) {
  Result<std::shared_ptr<const Grammar>> sampled = compile(options);
  if (!sampled) return sampled.status();
  SchemaOptions plain = options;
  plain.profile = Profile::kExact;
  plain.spelling = {};
  plain.optional_properties = OptionalProperties::kSchema;
  plain.additional_properties = AdditionalProperties::kSchema;
  Result<std::shared_ptr<const Grammar>> exact = compile(plain);
  if (!exact) return exact.status();
  return CompiledSchema{sampled.value(), exact.value()};
}

}  // namespace

Result<CompiledSchema> compile(std::string_view schema_text, const SchemaOptions& options) {
  return compile_twice(options, [&](const SchemaOptions& one) {
    return Grammar::from_json_schema(schema_text, one);
  });
}

Result<CompiledSchema> compile(const ConstraintFlags& constraint) {
  const Result<std::string> text = constraint.read();
  if (!text) return text.status();
  return compile_twice(constraint.reading.options(),
                       [&](const SchemaOptions& one) { return constraint.compile(*text, one); });
}

Result<Sample> draw(const CompiledSchema& schema, const Source& source,
                    const SamplingOptions& options, const StreamCallback& stream) {
  Result<Generation> generation =
      generate(schema.sampled, source.vocabulary, source.model.get(), options, stream);
  if (!generation) return generation.status();
  Result<Verdict> verdict = check_text(*schema.exact, generation->text);
  if (!verdict) return verdict.status();
  return Sample{std::move(generation).value(), verdict->valid};
}

void write_sample(JsonWriter& writer, const Sample& sample) {
  const Generation& generation = sample.generation;
  writer.Key("text");
  write_string(writer, generation.text);
  writer.Key("tokens");
  writer.StartArray();
  for (const TokenId token : generation.tokens) writer.Int(token);
  writer.EndArray();
  writer.Key("finish_reason");
  write_string(writer, to_string(generation.finish_reason));
  writer.Key("model_calls");
  writer.Uint64(generation.model_calls);
  writer.Key("valid");
  writer.Bool(sample.valid);
}

}  // namespace espalier::cli
