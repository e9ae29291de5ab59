// `espalier fidelity`: how far each sampler is from the truth.
#include "jsonschemabench/fidelity.h"

#include <CLI/CLI.hpp>
#include <memory>
#include <string>

#include "backends/ngram_model.h"
#include "espalier/models.h"
#include "jsonschemabench/cli/commands.h"
#include "jsonschemabench/cli/common.h"
#include "jsonschemabench/cli/flags.h"

namespace espalier::cli {
namespace {

constexpr const char* kExamples = R"(Examples:
  espalier fidelity
  espalier fidelity --study schemas --runs 300
  espalier fidelity --plots plots/ --markdown

Runs every sampler many times in small worlds whose truth is known by enumeration, and prints the
distance of its texts from P(x | valid), the variance of its estimate of Z, its effective sample
size and its costs. Equal options give equal figures. Plots need gnuplot.)";

struct FidelityFlags {
  FidelityOptions study;
  std::string which = "all";
  std::string model = "builtin";
  std::string plots;
  bool markdown = false;
  bool json = false;
};

void write_optional(JsonWriter& writer, const char* key, const std::optional<double>& value) {
  writer.Key(key);
  if (value) {
    writer.Double(*value);
  } else {
    writer.Null();
  }
}

void write_result(JsonWriter& writer, const FidelityResult& result) {
  writer.StartObject();
  writer.Key("study");
  write_string(writer, to_string(result.study));
  writer.Key("worlds");
  writer.StartObject();
  for (size_t i = 0; i < result.worlds.size(); ++i) {
    writer.Key(result.worlds[i].c_str());
    writer.StartObject();
    writer.Key("z");
    writer.Double(result.z[i]);
    writer.Key("local_kl");
    writer.Double(result.local_kl[i]);
    writer.Key("local_variance");
    writer.Double(result.local_variance[i]);
    writer.EndObject();
  }
  writer.EndObject();
  writer.Key("program_error");
  writer.Double(result.program_error);
  writer.Key("noise_kl");
  writer.Double(result.noise_kl);
  writer.Key("noise_tv");
  writer.Double(result.noise_tv);
  writer.Key("methods");
  writer.StartArray();
  for (const FidelityRow& row : result.rows) {
    writer.StartObject();
    writer.Key("method");
    write_string(writer, row.method);
    writer.Key("kl");
    writer.Double(row.kl);
    writer.Key("tv");
    writer.Double(row.tv);
    write_optional(writer, "relative_variance", row.relative_variance);
    write_optional(writer, "bias", row.bias);
    write_optional(writer, "ess", row.ess);
    writer.Key("dead");
    writer.Double(row.dead);
    writer.Key("model_calls");
    writer.Double(row.model_calls);
    writer.Key("constraint_evaluations");
    writer.Double(row.evaluations);
    writer.EndObject();
  }
  writer.EndArray();
  writer.Key("expected");
  writer.StartArray();
  for (const FidelityClaim& claim : fidelity_claims(result)) {
    writer.StartObject();
    writer.Key("claim");
    write_string(writer, claim.claim);
    writer.Key("figure");
    writer.Double(claim.figure);
    writer.Key(claim.at_most ? "at_most" : "at_least");
    writer.Double(claim.bound);
    writer.Key("holds");
    writer.Bool(claim.holds());
    writer.EndObject();
  }
  writer.EndArray();
  writer.Key("curve");
  writer.StartArray();
  for (size_t i = 0; i < result.curve.draws.size(); ++i) {
    writer.StartObject();
    writer.Key("texts");
    writer.Uint64(result.curve.draws[i]);
    writer.Key("asap_kl");
    writer.Double(result.curve.asap_kl[i]);
    writer.Key("mars_attempts");
    writer.Double(result.curve.mars_attempts[i]);
    writer.EndObject();
  }
  writer.EndArray();
  writer.EndObject();
}

/// The model again and again, and how many tokens it looks back; the exact program needs to know.
Status use_model(const std::string& name, FidelityOptions* options) {
  auto model = open_model(name);
  if (!model.ok()) return model.status();
  const auto* ngram = dynamic_cast<const NgramModel*>(model.value().get());
  if (ngram == nullptr) {
    return Status(StatusCode::kInvalidArgument,
                  "The study of schemas needs an n-gram model, whose truth can be computed.",
                  "--model");
  }
  options->model_order = static_cast<size_t>(ngram->order()) - 1;
  options->open_model = [name] { return open_model(name); };
  return Status();
}

int fidelity(const FidelityFlags& flags) {
  FidelityOptions options = flags.study;
  rapidjson::StringBuffer buffer;
  JsonWriter writer(buffer);
  writer.StartArray();
  for (const FidelityStudy study :
       {FidelityStudy::kAutomata, FidelityStudy::kBinary, FidelityStudy::kSchemas}) {
    if (flags.which != "all" && flags.which != to_string(study)) continue;
    if (study == FidelityStudy::kSchemas) {
      if (Status status = use_model(flags.model, &options); !status.ok()) return fail(status);
    }
    const auto result = run_fidelity(study, options);
    if (!result) return fail(result.status());
    write_result(writer, *result);
    for (const Table& table : {fidelity_worlds_table(*result), fidelity_table(*result),
                               fidelity_curve_table(*result), fidelity_claims_table(*result)}) {
      if (flags.json) continue;
      const std::string text = flags.markdown ? to_markdown(table) : to_text(table) + "\n";
      if (Status status = print(text); !status.ok()) return fail(status);
    }
    if (flags.plots.empty()) continue;
    const Status plotted = plot_fidelity(*result, flags.plots);
    if (plotted.code() == StatusCode::kUnsupported) {
      note(plotted.message());
    } else if (!plotted.ok()) {
      return fail(plotted);
    }
  }
  writer.EndArray();
  if (!flags.json) return kExitOk;
  const Status status = print(std::string(buffer.GetString()) + "\n");
  return status.ok() ? kExitOk : fail(status);
}

}  // namespace

void add_fidelity(CLI::App& program, Action& action) {
  auto flags = std::make_shared<FidelityFlags>();
  CLI::App* command =
      program.add_subcommand("fidelity", "Measure how far each sampler is from the truth");
  command->footer(kExamples);
  command->add_option("--study", flags->which, "automata, binary, schemas or all")
      ->check(CLI::IsMember({"automata", "binary", "schemas", "all"}))
      ->capture_default_str();
  command->add_option("--runs", flags->study.runs, "runs of each method in each world")
      ->type_name("N")
      ->check(whole_number())
      ->capture_default_str();
  command->add_option("--worlds", flags->study.worlds, "random worlds")
      ->type_name("N")
      ->check(whole_number())
      ->capture_default_str();
  command->add_option("--seed", flags->study.seed, "equal seeds give equal figures")
      ->type_name("N")
      ->check(whole_number())
      ->capture_default_str();
  command->add_option("--model", flags->model, "the n-gram model of the schemas")
      ->type_name("NAME|FILE")
      ->capture_default_str();
  command->add_option("--plots", flags->plots, "draw SVG plots into this folder")->type_name("DIR");
  command->add_flag("--markdown", flags->markdown, "print tables as Markdown");
  command->add_flag("--json", flags->json, "print one JSON array");
  command->callback([flags, &action] { action = [flags] { return fidelity(*flags); }; });
}

}  // namespace espalier::cli
