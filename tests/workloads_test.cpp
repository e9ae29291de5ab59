// The schemas made by rule and the fixed workloads that `espalier bench --check` counts.

#include "jsonschemabench/workloads.h"

#include <gtest/gtest.h>

#include <memory>
#include <string>
#include <vector>

#include "espalier/grammar.h"
#include "espalier/matcher.h"
#include "espalier/vocabulary.h"
#include "jsonschemabench/workload_schemas.h"

namespace espalier {
namespace {

bool accepts(const std::string& schema, const std::string& instance) {
  SchemaOptions options;
  options.profile = Profile::kExact;
  auto grammar = Grammar::from_json_schema(schema, options);
  EXPECT_TRUE(grammar.ok()) << grammar.status().to_string();
  std::vector<std::string> tokens;
  for (int b = 0; b < 256; ++b) tokens.emplace_back(1, static_cast<char>(b));
  tokens.emplace_back();
  auto vocabulary = Vocabulary::from_tokens(std::move(tokens), {256});
  EXPECT_TRUE(vocabulary.ok());
  Matcher matcher(*grammar, *vocabulary);
  return matcher.accept_bytes(instance).ok() && matcher.is_accepting();
}

TEST(WorkloadSchemas, ToolCallsAreToldApartByTheirNames) {
  const std::string schema = tool_call_schema(120);
  for (size_t tool = 0; tool < 120; tool += 7) {
    EXPECT_TRUE(accepts(schema, tool_call_instance(tool))) << tool_call_instance(tool);
  }
  EXPECT_FALSE(accepts(schema, tool_call_instance(120)));
  std::string mixed = tool_call_instance(3);
  const std::string other = tool_call_instance(4);
  mixed = mixed.substr(0, mixed.find("arguments")) + other.substr(other.find("arguments"));
  EXPECT_FALSE(accepts(schema, mixed)) << mixed;
}

TEST(WorkloadSchemas, WideObjectsAreOpenOrClosed) {
  EXPECT_TRUE(accepts(wide_object_schema(30, true), wide_object_instance(30)));
  EXPECT_FALSE(accepts(wide_object_schema(30, true), wide_object_instance(31)));
  EXPECT_TRUE(accepts(wide_object_schema(30, false), wide_object_instance(31)));
}

TEST(Workloads, AllRun) {
  EXPECT_EQ(workload_names().size(), 10u);
  for (std::string_view name : workload_names()) {
    const Status status = run_workload(name);
    EXPECT_TRUE(status.ok()) << name << ": " << status.to_string();
  }
  EXPECT_FALSE(run_workload("leisure").ok());
}

}  // namespace
}  // namespace espalier
