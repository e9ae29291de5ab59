// What the sampling page claims, on the study's own worlds with fixed seeds.
#include "jsonschemabench/fidelity.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>

#include "espalier/models.h"

namespace espalier {
namespace {

const FidelityRow& row_of(const FidelityResult& result, const std::string& method) {
  const auto found = std::find_if(result.rows.begin(), result.rows.end(),
                                  [&](const FidelityRow& row) { return row.method == method; });
  EXPECT_NE(found, result.rows.end()) << method;
  return *found;
}

TEST(Fidelity, RandomWorldsShowWhatIsClaimed) {
  FidelityOptions options;
  options.runs = 300;
  options.worlds = 6;
  const auto result = run_fidelity(FidelityStudy::kAutomata, options);
  ASSERT_TRUE(result.ok()) << result.status().to_string();
  EXPECT_LT(result->program_error, 1e-9);
  // CARS and MARS are exact from their first text on; ASAp is not there after a hundred; the
  // tempered look-ahead at least halves the variance of Z-hat.
  const std::vector<FidelityClaim> claims = fidelity_claims(*result);
  ASSERT_EQ(claims.size(), 4u);
  for (const FidelityClaim& claim : claims) {
    EXPECT_TRUE(claim.holds()) << claim.claim << ": " << claim.figure << ", " << claim.bound;
  }
  EXPECT_LT(row_of(*result, "asap 100").kl, row_of(*result, "local").kl);
  EXPECT_LT(row_of(*result, "asap 1000").kl, row_of(*result, "asap 100").kl);
  // The tempered look-ahead at least halves the variance of Z-hat.
  for (const std::string particles : {"smc 5", "smc 20"}) {
    EXPECT_LT(*row_of(*result, particles + " + h^1/2").relative_variance,
              0.5 * *row_of(*result, particles).relative_variance);
  }
  // Masks beat any estimate of their mass.
  EXPECT_LT(*row_of(*result, "normalizer").relative_variance,
            *row_of(*result, "awrs").relative_variance);
  const double runs = 300 * 6;
  for (const FidelityRow& row : result->rows) {
    if (!row.bias) continue;
    EXPECT_LT(std::abs(*row.bias), 6 * std::sqrt(*row.relative_variance / runs) + 0.03)
        << row.method;
  }
}

TEST(Fidelity, EqualOptionsGiveEqualFigures) {
  FidelityOptions options;
  options.runs = 20;
  const auto first = run_fidelity(FidelityStudy::kBinary, options);
  const auto second = run_fidelity(FidelityStudy::kBinary, options);
  ASSERT_TRUE(first.ok() && second.ok());
  EXPECT_EQ(to_text(fidelity_table(*first)), to_text(fidelity_table(*second)));
  EXPECT_EQ(to_text(fidelity_curve_table(*first)), to_text(fidelity_curve_table(*second)));
}

TEST(Fidelity, TheProgramIsExactUnderTheBuiltInModel) {
  FidelityOptions options;
  options.runs = 2;
  options.model_order = 5;
  options.open_model = [] { return open_model("builtin"); };
  const auto result = run_fidelity(FidelityStudy::kSchemas, options);
  ASSERT_TRUE(result.ok()) << result.status().to_string();
  EXPECT_EQ(result->worlds.size(), 7u);
  EXPECT_LT(result->program_error, 1e-9);
}

}  // namespace
}  // namespace espalier
