#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <filesystem>
#include <string>
#include <thread>
#include <vector>

#include "jsonschemabench/cli/commands.h"
#include "jsonschemabench/cli/common.h"
#include "jsonschemabench/cli/flags.h"

namespace espalier::cli {
namespace {

constexpr const char* kExamples = R"(Examples:
  ./espalier test
  espalier test --build-dir build/asan
  espalier test -- -R matcher --repeat until-fail:3

Runs ctest in the build folder that this program lies in, which must have been built with its tests;
the launcher's `./espalier test` builds them first. What follows -- goes to ctest.)";

struct TestOptions {
  std::string build_dir;
  size_t jobs = 0;
  std::vector<std::string> arguments;
};

int test(const TestOptions& options) {
  const std::string folder = options.build_dir.empty() ? program_folder() : options.build_dir;
  std::error_code error;
  if (folder.empty() || !std::filesystem::exists(folder + "/CTestTestfile.cmake", error)) {
    return fail(Status(StatusCode::kIoError,
                       "No tests are built here; run ./espalier test in the source tree, or "
                       "configure with -DESPALIER_BUILD_TESTS=ON.",
                       folder.empty() ? "test" : folder));
  }
  const size_t jobs =
      options.jobs > 0 ? options.jobs : std::max(1U, std::thread::hardware_concurrency());
  std::vector<std::string> words = {"ctest", "--test-dir",        folder, "--output-on-failure",
                                    "-j",    std::to_string(jobs)};
  words.insert(words.end(), options.arguments.begin(), options.arguments.end());
  std::vector<char*> arguments;
  for (std::string& word : words) arguments.push_back(word.data());
  arguments.push_back(nullptr);
  execvp(arguments[0], arguments.data());
  return fail(Status(StatusCode::kIoError,
                     "It cannot be started: " + std::string(std::strerror(errno)) + ".", "ctest"));
}

}  // namespace

void add_test(CLI::App& program, Action& action) {
  auto options = std::make_shared<TestOptions>();
  CLI::App* command = program.add_subcommand("test", "Run the tests of the build folder");
  command->footer(kExamples);
  command
      ->add_option("--build-dir", options->build_dir, "the build folder (default: this program's)")
      ->type_name("DIR");
  command->add_option("--jobs,-j", options->jobs, "tests at a time (default: all processors)")
      ->type_name("N")
      ->check(whole_number());
  command->add_option("arguments", options->arguments, "arguments of ctest, after --");
  command->callback([=, &action] { action = [options] { return test(*options); }; });
}

}  // namespace espalier::cli
