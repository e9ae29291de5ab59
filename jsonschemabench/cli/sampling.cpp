#include "jsonschemabench/cli/sampling.h"

#include "jsonschemabench/cli/checker.h"

namespace espalier::cli {

Result<CompiledSchema> compile(std::string_view schema_text, const SchemaOptions& options) {
  SchemaOptions exact_options = options;
  exact_options.profile = Profile::kExact;
  Result<std::shared_ptr<const Grammar>> sampled = Grammar::from_json_schema(schema_text, options);
  if (!sampled) return sampled.status();
  Result<std::shared_ptr<const Grammar>> exact =
      Grammar::from_json_schema(schema_text, exact_options);
  if (!exact) return exact.status();
  return CompiledSchema{sampled.value(), exact.value()};
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
