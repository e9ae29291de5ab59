// The coverage report: what becomes of each keyword, and which schemas admit nothing.
//
// The loader writes one line for each keyword it reads and, for a report, goes on after one that is
// refused. Patterns with back-references turn out to be predicates by their automata. What only the
// machine refuses is asked of the machine. Where nothing is refused, the machine's own question
// whether a value exists is put to every schema of the graph.
//
//     {"minimum": 5, "maximum": 3}    two keywords enforced, and "" is unsatisfiable
//
// Cost: compiling the schema, and one question of satisfiability for each node (memoized).
#include "espalier/coverage.h"

#include <algorithm>
#include <unordered_set>

#include "grammar/tables/sort_unique.h"
#include "schema/loading/report_loader.h"
#include "schema/machine/schema_machine.h"

namespace espalier {
namespace {

KeywordStatus status_of(KeywordReport::Status status) {
  switch (status) {
    case KeywordReport::Status::kEnforced:
      return KeywordStatus::kEnforced;
    case KeywordReport::Status::kAnnotation:
      return KeywordStatus::kAnnotation;
    case KeywordReport::Status::kRefused:
      break;
  }
  return KeywordStatus::kRefused;
}

bool is_predicate(const std::shared_ptr<const CodepointAutomaton>& automaton) {
  return automaton != nullptr && automaton->relaxed() != nullptr;
}

/// Pointers of keywords whose patterns are predicates.
std::unordered_set<std::string> predicates(const SchemaGraph& graph) {
  std::unordered_set<std::string> pointers;
  for (const SchemaNode& node : graph.nodes) {
    if (is_predicate(node.pattern_automaton)) pointers.insert(node.pointer.text() + "/pattern");
    for (const PatternProperty& property : node.pattern_properties) {
      if (is_predicate(property.automaton))
        pointers.insert(node.pointer.text() + "/patternProperties");
    }
  }
  return pointers;
}

constexpr const char* kPredicateReason =
    "a pattern with back-references has no finite automaton; masks leave tokens unknown";

}  // namespace

std::string_view to_string(KeywordStatus status) {
  switch (status) {
    case KeywordStatus::kEnforced:
      return "enforced";
    case KeywordStatus::kPredicate:
      return "predicate";
    case KeywordStatus::kAnnotation:
      return "annotation";
    case KeywordStatus::kRefused:
      return "refused";
  }
  return "";
}

size_t CoverageReport::count(KeywordStatus status) const {
  return static_cast<size_t>(
      std::count_if(keywords.begin(), keywords.end(),
                    [status](const KeywordCoverage& one) { return one.status == status; }));
}

Result<CoverageReport> schema_coverage(std::string_view schema_text, const SchemaOptions& options) {
  auto graph = load_schema_for_report(schema_text, options);
  if (!graph.ok()) return graph.status();
  const std::unordered_set<std::string> asked = predicates(**graph);
  CoverageReport report;
  for (const KeywordReport& entry : (*graph)->report) {
    KeywordCoverage& one = report.keywords.emplace_back();
    one = {entry.pointer, entry.keyword, status_of(entry.status), entry.reason};
    if (one.status == KeywordStatus::kEnforced && asked.contains(one.pointer)) {
      one.status = KeywordStatus::kPredicate;
      one.reason = kPredicateReason;
    }
  }
  if (report.count(KeywordStatus::kRefused) != 0) return report;

  const auto recognizer = make_schema_recognizer(schema_text, options);
  if (!recognizer.ok()) {
    const Status refusal = recognizer.status();
    const auto at =
        std::find_if(report.keywords.begin(), report.keywords.end(),
                     [&](const KeywordCoverage& one) { return one.pointer == refusal.place(); });
    if (refusal.code() != StatusCode::kUnsupported || at == report.keywords.end()) return refusal;
    at->status = KeywordStatus::kRefused;
    at->reason = refusal.message();
    return report;
  }
  SchemaMachine machine(*graph, (*graph)->options);
  for (NodeId id = 0; id < (*graph)->nodes.size(); ++id) {
    const SchemaNode& node = (**graph)[id];
    if (node.kind == SchemaNode::Kind::kKeywords && !machine.admits(id))
      report.unsatisfiable.push_back(node.pointer);
  }
  sort_unique(&report.unsatisfiable);
  return report;
}

}  // namespace espalier
