// The espalier program: one command per file of this folder.
//
// stdout carries results only; whatever goes wrong is one line `espalier: place: message` on stderr
// and exit code 2.
#include <CLI/CLI.hpp>
#include <cstdlib>
#include <exception>
#include <filesystem>
#include <string>
#include <system_error>

#include "jsonschemabench/cli/commands.h"
#include "jsonschemabench/cli/common.h"

namespace espalier::cli {
namespace {

constexpr const char* kExamples = R"(Examples:
  espalier demo
  espalier generate --schema person.schema.json
  espalier validate --schema person.schema.json --instance person.json
  espalier mask --schema person.schema.json --prefix '{"' --vocabulary llama3.gguf --json
  espalier bench --data maskbench/ --vocabulary llama3.gguf

`espalier COMMAND --help` tells all of a command's options, with examples.)";

/// An installed program finds its models in its own prefix, wherever that was moved.
void find_installed_models() {
  const std::string folder = program_folder() + "/" ESPALIER_MODELS_SUBFOLDER;
  std::error_code error;
  if (std::filesystem::is_directory(folder, error)) {
    setenv("ESPALIER_MODEL_DIR", folder.c_str(), /*replace=*/0);
  }
}

int run(int argc, char** argv) {
  CLI::App program("Constrained generation: JSON Schema in, token masks and valid JSON out.",
                   "espalier");
  program.require_subcommand(1);
  program.fallthrough(false);
  program.set_version_flag("--version", "espalier " ESPALIER_VERSION);
  program.footer(kExamples);
  find_installed_models();
  Action action;
  add_generate(program, action);
  add_sample(program, action);
  add_validate(program, action);
  add_coverage(program, action);
  add_mask(program, action);
  add_train(program, action);
  add_bench(program, action);
  add_fidelity(program, action);
  add_demo(program, action);
  add_test(program, action);
  const auto is_named = [&](CLI::App* command) { return command->check_name(argv[1]); };
  if (argc > 1 && argv[1][0] != '-' && program.get_subcommands(is_named).empty()) {
    return fail(Status(StatusCode::kInvalidArgument,
                       "There is no command '" + std::string(argv[1]) + "' (see --help).",
                       "command line"));
  }
  try {
    program.parse(argc, argv);
  } catch (const CLI::ParseError& error) {
    if (error.get_exit_code() == 0) return program.exit(error);
    return fail(Status(StatusCode::kInvalidArgument, std::string(error.what()) + " (see --help)",
                       "command line"));
  }
  return action();
}

}  // namespace
}  // namespace espalier::cli

int main(int argc, char** argv) {
  try {
    return espalier::cli::run(argc, argv);
  } catch (const std::exception& error) {
    return espalier::cli::fail(
        espalier::Status(espalier::StatusCode::kInternal, error.what(), "internal error"));
  }
}
