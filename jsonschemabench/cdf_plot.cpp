// Distribution functions as an SVG, drawn by gnuplot.
//
// Millions of samples make a curve of at most some 1,200 points: the quantiles at even steps, and
// near the upper end at steps that shrink tenfold per decade, so that p99.9 and the maximum are in
// the picture. The upper axis is what matters in a server, so the share of samples that take longer
// is drawn too, on a logarithmic axis of its own, below the plain distribution.

#include "jsonschemabench/cdf_plot.h"

#include <fmt/format.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>

#include "jsonschemabench/comparison.h"

namespace espalier {
namespace {

namespace fs = std::filesystem;
constexpr size_t kPointsPerDecade = 200;

std::string file_word(std::string_view engine) {
  std::string word;
  for (char c : engine) word += c == ' ' || c == '/' ? '-' : c;
  return word;
}

/// Ranks from 1 to n, dense at the upper end.
std::vector<size_t> ranks(size_t n) {
  std::vector<size_t> out;
  double rest = 1.0;
  for (double remaining = static_cast<double>(n); remaining >= 1; remaining /= 10, rest /= 10) {
    for (size_t i = 0; i < kPointsPerDecade; ++i) {
      const double share =
          1.0 - rest + rest * 0.9 * static_cast<double>(i) / static_cast<double>(kPointsPerDecade);
      const size_t rank = static_cast<size_t>(share * static_cast<double>(n));
      if (out.empty() || rank > out.back()) out.push_back(rank);
    }
  }
  if (out.empty() || out.back() + 1 < n) out.push_back(n - 1);
  return out;
}

}  // namespace

Status plot_distributions(const std::string& folder, std::string_view name, std::string_view title,
                          const std::map<std::string, std::vector<uint64_t>>& samples) {
  if (std::system("command -v gnuplot > /dev/null 2>&1") != 0) {
    return Status(StatusCode::kUnsupported,
                  "There are no plots without gnuplot (Debian: gnuplot-nox).", "plots");
  }
  std::string below;
  std::string above;
  for (const auto& [engine, sorted] : samples) {
    if (sorted.empty()) continue;
    const std::string shown = Comparison::shown(engine);
    const std::string file = fmt::format("{}-{}.tsv", name, file_word(shown));
    std::ofstream points(fs::path(folder) / file);
    points << "# microseconds, share of samples at most this, share above\n";
    const auto n = static_cast<double>(sorted.size());
    for (size_t rank : ranks(sorted.size())) {
      const double at_most = static_cast<double>(rank + 1) / n;
      points << fmt::format("{:.3f}\t{:.9f}\t{:.9f}\n", static_cast<double>(sorted[rank]) / 1e3,
                            at_most, 1.0 - static_cast<double>(rank) / n);
    }
    const char* separator = below.empty() ? "" : ", \\\n     ";
    below += fmt::format("{}'{}' using 1:2 with lines lw 2 title '{}'", separator, file, shown);
    above += fmt::format("{}'{}' using 1:3 with lines lw 2 title '{}'", separator, file, shown);
  }
  if (below.empty()) {
    return Status(StatusCode::kInvalidArgument, "There are no samples to draw.", std::string(name));
  }
  const std::string script = fmt::format("{}.gnuplot", name);
  std::ofstream(fs::path(folder) / script) << fmt::format(
      R"(set terminal svg size 840,760 dynamic background rgb 'white' font 'Helvetica,13'
set output '{0}.svg'
set logscale x
set format x '10^{{%T}}'
set grid
set multiplot layout 2,1 title '{1}'
set ylabel 'share of samples'
set yrange [0:1]
set key bottom right
plot {2}
set logscale y
set format y '10^{{%T}}'
set yrange [*:1]
set xlabel 'microseconds'
set ylabel 'share that takes longer'
set key top right
plot {3}
unset multiplot
)",
      name, title, below, above);
  std::string quoted = "'";
  for (char c : folder) quoted += c == '\'' ? std::string("'\\''") : std::string(1, c);
  const std::string command =
      fmt::format("cd {}' && gnuplot {} > gnuplot.log 2>&1", quoted, script);
  if (std::system(command.c_str()) != 0) {
    return Status(StatusCode::kInternal, "gnuplot failed; see gnuplot.log.", folder);
  }
  std::error_code error;
  fs::remove(fs::path(folder) / "gnuplot.log", error);
  return {};
}

}  // namespace espalier
