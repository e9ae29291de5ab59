#pragma once

#include <functional>

namespace CLI {
class App;
}

namespace espalier::cli {

/// What the command line asked for; set while it is parsed, run afterwards. Returns the exit code.
using Action = std::function<int()>;

/// Each command adds itself to the program and sets `action` when it is chosen.
void add_generate(CLI::App& program, Action& action);
void add_sample(CLI::App& program, Action& action);
void add_validate(CLI::App& program, Action& action);
void add_coverage(CLI::App& program, Action& action);
void add_mask(CLI::App& program, Action& action);
void add_train(CLI::App& program, Action& action);
void add_bench(CLI::App& program, Action& action);
void add_fidelity(CLI::App& program, Action& action);
void add_demo(CLI::App& program, Action& action);
void add_test(CLI::App& program, Action& action);

}  // namespace espalier::cli
