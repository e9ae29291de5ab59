// Validation by the byte machine.
//
// The text is stepped byte by byte from the start state; the first byte with no successor is the
// place of the error, and the machine explains it. A text whose bytes are all live but which may
// not end there ends too early: when a following blank would be refused, the value itself is wrong
// and that refusal is the reason (`12` under `minimum: 100`: as far as it goes it is a prefix of
// `120`, but the number may not end here); otherwise the document is unfinished.
#include "jsonschemabench/cli/checker.h"

#include <rapidjson/memorystream.h>
#include <rapidjson/reader.h>

#include <string>

namespace espalier::cli {

Result<Verdict> check_text(const Grammar& grammar, std::string_view text) {
  const std::shared_ptr<Recognizer> owner = grammar.recognizer();
  Recognizer& machine = *owner;
  Verdict verdict;
  if (grammar.unsatisfiable()) {
    verdict.why.sentence = "The schema admits no instance.";
    return verdict;
  }
  State state = machine.start();
  for (; verdict.offset < text.size(); ++verdict.offset) {
    const uint8_t byte = static_cast<uint8_t>(text[verdict.offset]);
    const State next = machine.step(state, byte);
    if (next.dead()) {
      if (Status status = machine.status(); !status.ok()) return status;
      verdict.why = machine.explain(state, std::string(text.substr(0, verdict.offset)), byte);
      return verdict;
    }
    state = next;
  }
  verdict.valid = machine.accepting(state);
  if (!verdict.valid) {
    if (machine.step(state, ' ').dead()) {
      verdict.why = machine.explain(state, std::string(text), ' ');
    } else {
      verdict.why.keyword = "syntax";
      verdict.why.sentence = "The text ends before the JSON value does.";
    }
    if (Status status = machine.status(); !status.ok()) return status;
  }
  return verdict;
}

std::string describe(const Explanation& why) {
  return why.sentence + " (at " + (why.instance_path.empty() ? "the root" : why.instance_path) +
         ")";
}

void write_refusal(JsonWriter& writer, const Verdict& verdict, const TextPosition& position) {
  writer.Key("offset");
  writer.Uint64(verdict.offset);
  writer.Key("line");
  writer.Uint64(position.line);
  writer.Key("column");
  writer.Uint64(position.column);
  writer.Key("instance_path");
  write_string(writer, verdict.why.instance_path);
  writer.Key("schema_pointer");
  write_string(writer, verdict.why.schema_pointer);
  writer.Key("keyword");
  write_string(writer, verdict.why.keyword);
  writer.Key("reason");
  write_string(writer, verdict.why.sentence);
}

bool parses_as_json(std::string_view text) {
  rapidjson::MemoryStream stream(text.data(), text.size());
  rapidjson::BaseReaderHandler<> handler;
  rapidjson::Reader reader;
  constexpr unsigned kFlags = rapidjson::kParseIterativeFlag |
                              rapidjson::kParseValidateEncodingFlag |
                              rapidjson::kParseNumbersAsStringsFlag;
  return !reader.Parse<kFlags>(stream, handler).IsError();
}

}  // namespace espalier::cli
