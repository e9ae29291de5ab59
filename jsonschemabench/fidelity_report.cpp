// What a fidelity study prints and draws.

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <cstdlib>
#include <filesystem>
#include <fstream>

#include "jsonschemabench/fidelity.h"

namespace espalier {
namespace {

namespace fs = std::filesystem;

std::string figure(double value) {
  if (value == 0) return "0";
  if (std::abs(value) >= 1'000) return short_number(value);
  return fmt::format("{:.{}f}", value, std::abs(value) >= 10 ? 1 : std::abs(value) >= 1 ? 2 : 4);
}

std::string figure(const std::optional<double>& value) { return value ? figure(*value) : "-"; }

std::string title_of(FidelityStudy study) {
  switch (study) {
    case FidelityStudy::kAutomata:
      return "random automata and models";
    case FidelityStudy::kBinary:
      return "binary strings";
    case FidelityStudy::kSchemas:
      return "JSON schemas under the language model";
  }
  return "";
}

Status run_gnuplot(const std::string& folder, const std::string& script) {
  std::string quoted = "'";
  for (const char c : folder) quoted += c == '\'' ? std::string("'\\''") : std::string(1, c);
  const std::string command =
      fmt::format("cd {}' && gnuplot {} > gnuplot.log 2>&1", quoted, script);
  if (std::system(command.c_str()) != 0) {
    return Status(StatusCode::kInternal, "gnuplot failed; see gnuplot.log.", folder);
  }
  std::error_code error;
  fs::remove(fs::path(folder) / "gnuplot.log", error);
  return Status();
}

}  // namespace

Table fidelity_table(const FidelityResult& result) {
  Table table;
  table.title = fmt::format("Study {}: {}", to_string(result.study), title_of(result.study));
  table.header = {"method",    "KL",   "TV",          "Var(Z^)/Z^2", "bias of Z^",
                  "ESS share", "dead", "model calls", "evaluations"};
  for (const FidelityRow& row : result.rows) {
    table.rows.push_back({row.method + (row.exact_law ? " *" : ""), figure(row.kl), figure(row.tv),
                          figure(row.relative_variance), figure(row.bias), figure(row.ess),
                          figure(row.dead), figure(row.model_calls), figure(row.evaluations)});
  }
  table.rows.push_back({"exact draws", figure(result.noise_kl), figure(result.noise_tv), "-", "-",
                        "-", "-", "-", "-"});
  table.note =
      "* law computed, not counted; all others contain the noise that exact draws show. Costs are "
      "per run.";
  return table;
}

Table fidelity_worlds_table(const FidelityResult& result) {
  Table table;
  table.title = fmt::format("Study {}: worlds", to_string(result.study));
  table.header = {"world", "Z", "KL of local masking", "Var(Z^)/Z^2 of one draw"};
  for (size_t i = 0; i < result.worlds.size(); ++i) {
    table.rows.push_back({result.worlds[i], fmt::format("{:.6g}", result.z[i]),
                          figure(result.local_kl[i]), figure(result.local_variance[i])});
  }
  table.note =
      fmt::format("All by enumeration; log Z by the backward program differs by at most {:.1e}.",
                  result.program_error);
  return table;
}

Table fidelity_curve_table(const FidelityResult& result) {
  Table table;
  table.title = fmt::format("Study {}: as the trie fills", to_string(result.study));
  table.header = {"texts before", "KL of ASAp", "attempts of MARS for the next text"};
  const FidelityCurve& curve = result.curve;
  for (size_t i = 0; i < curve.draws.size(); ++i) {
    table.rows.push_back(
        {with_commas(curve.draws[i]), figure(curve.asap_kl[i]), figure(curve.mars_attempts[i])});
  }
  return table;
}

std::vector<FidelityClaim> fidelity_claims(const FidelityResult& result) {
  const auto row = [&](std::string_view method) {
    const auto found = std::find_if(result.rows.begin(), result.rows.end(),
                                    [&](const FidelityRow& one) { return one.method == method; });
    return found == result.rows.end() ? FidelityRow() : *found;
  };
  const double variance = row("smc 5").relative_variance.value_or(0);
  const double twisted = row("smc 5 + h^1/2").relative_variance.value_or(0);
  return {
      {"KL of the first text of CARS, beside the most that exact draws showed", row("cars").kl,
       result.most_noise_kl, true},
      {"KL of the first text of MARS, beside the same", row("mars").kl, result.most_noise_kl, true},
      {"Var(Z^) of 5 particles with h^1/2, as a share of that without",
       variance > 0 ? twisted / variance : 1, 0.5, true},
      {"KL of ASAp after 100 texts: still off", row("asap 100").kl, 0.05, false}};
}

Table fidelity_claims_table(const FidelityResult& result) {
  Table table;
  table.title = fmt::format("Study {}: what was expected", to_string(result.study));
  table.header = {"expected", "figure", "bound", "holds"};
  for (const FidelityClaim& claim : fidelity_claims(result)) {
    table.rows.push_back({claim.claim, figure(claim.figure),
                          (claim.at_most ? "<= " : ">= ") + figure(claim.bound),
                          claim.holds() ? "yes" : "no"});
  }
  return table;
}

Status plot_fidelity(const FidelityResult& result, const std::string& folder) {
  if (std::system("command -v gnuplot > /dev/null 2>&1") != 0) {
    return Status(StatusCode::kUnsupported,
                  "There are no plots without gnuplot (Debian: gnuplot-nox).", "plots");
  }
  std::error_code error;
  fs::create_directories(folder, error);
  const std::string name = fmt::format("fidelity-{}", to_string(result.study));
  const std::string data = name + ".tsv";
  const std::string script = name + ".gnuplot";
  std::ofstream points(fs::path(folder) / data);
  points << "# method, KL, TV, Var(Z-hat)/Z^2 (0: none)\n";
  for (const FidelityRow& row : result.rows) {
    points << fmt::format("\"{}\"\t{:.6g}\t{:.6g}\t{:.6g}\n", row.method, row.kl, row.tv,
                          row.relative_variance.value_or(0));
  }
  points << "\n\n# texts before, KL of ASAp, attempts of MARS\n";
  for (size_t i = 0; i < result.curve.draws.size(); ++i) {
    if (result.curve.draws[i] == 0) continue;  // the axis is logarithmic
    points << fmt::format("{}\t{:.6g}\t{:.6g}\n", result.curve.draws[i], result.curve.asap_kl[i],
                          result.curve.mars_attempts[i]);
  }
  points.close();
  std::ofstream(fs::path(folder) / script) << fmt::format(
      R"(set terminal svg size 980,1050 dynamic background rgb 'white' font 'Helvetica,12'
set output '{0}.svg'
set multiplot layout 3,1 title '{1}'
set style fill solid 0.7
set boxwidth 0.7
set grid ytics
set logscale y
set format y '10^{{%T}}'
set rmargin 12
set xtics rotate by -35 noenhanced nomirror
set xrange [-0.7:{3}]
set yrange [1e-4:*]
set ylabel 'KL(Q || P), nats'
set key top right
plot '{0}.tsv' index 0 using 0:($2 > 1e-4 ? $2 : 1e-4):xtic(1) with boxes notitle, {2:.6g} with lines lw 2 lt rgb 'black' title 'exact draws'
set ylabel 'Var(Z-hat) / Z^2'
set key off
plot '{0}.tsv' index 0 using 0:($4 > 1e-4 ? $4 : 1e-4):xtic(1) with boxes
set xtics norotate
set logscale x
set xrange [0.8:*]
set yrange [*:*]
set xlabel 'texts drawn before'
set ylabel 'as the trie fills'
set key top right
plot '{0}.tsv' index 1 using 1:2 with linespoints lw 2 title 'KL of ASAp (nats)', '' index 1 using 1:3 with linespoints lw 2 title 'attempts of MARS for one text'
unset multiplot
)",
      name, title_of(result.study), result.noise_kl,
      fmt::format("{:.1f}", static_cast<double>(result.rows.size()) - 0.3));
  return run_gnuplot(folder, script);
}

}  // namespace espalier
