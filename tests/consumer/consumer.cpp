// Compiles a schema, samples uniformly from its masks over a vocabulary of single bytes, and checks
// the outcome: the public headers and the archive are all that is needed.
#include <espalier/grammar.h>
#include <espalier/matcher.h>
#include <espalier/models.h>
#include <espalier/sampler.h>
#include <espalier/vocabulary.h>

#include <cstdio>
#include <string>
#include <vector>

int main() {
  std::vector<std::string> tokens;
  for (int byte = 0; byte < 256; ++byte) tokens.push_back(std::string(1, static_cast<char>(byte)));
  tokens.push_back("</s>");
  const auto vocabulary = espalier::Vocabulary::from_tokens(tokens, {256});
  const auto grammar = espalier::Grammar::from_json_schema(
      R"({"type": "array", "items": {"enum": ["red", "green", 7]}, "minItems": 2, "maxItems": 3})");
  if (!vocabulary || !grammar) {
    std::fprintf(stderr, "%s%s\n", vocabulary.status().to_string().c_str(),
                 grammar.status().to_string().c_str());
    return 1;
  }

  espalier::SamplingOptions options;
  options.uniform = true;
  options.seed = 1;
  const auto sample = espalier::generate(grammar.value(), vocabulary.value(), nullptr, options);
  if (!sample || sample->finish_reason != espalier::FinishReason::kComplete) return 1;
  std::printf("%s\n", sample->text.c_str());

  espalier::Matcher matcher(grammar.value(), vocabulary.value());
  if (!matcher.accept_bytes(sample->text).ok() || !matcher.is_accepting()) return 1;
  if (espalier::open_model("table:no such file").ok()) return 1;
  matcher.reset();
  return matcher.accept_bytes("{").ok() ? 1 : 0;
}
