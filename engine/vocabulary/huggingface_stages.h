#pragma once

#include <rapidjson/document.h>

#include <string>
#include <vector>

#include "engine/tokenizers/pretokenizer.h"
#include "engine/tokenizers/text_normalizer.h"
#include "espalier/status.h"

namespace espalier {

/// What a tokenizer.json's "normalizer" and "pre_tokenizer" say.
struct HuggingFaceStages {
  std::vector<NormalizerStep> normalizer;
  std::vector<SplitRule> rules;
};

/// Reads both from the document's root. kUnsupported names the component (JSON pointer as place,
/// without the file) that would change the ids in a way that is not supported.
Result<HuggingFaceStages> read_huggingface_stages(const rapidjson::Value& root);

/// Does a component tree (a normalizer, a decoder, ...; null is allowed) hold one of this type?
bool has_component(const rapidjson::Value& root, const char* member, const char* type);

/// Member access that tolerates anything: nullptr unless `object` is an object with that member.
const rapidjson::Value* json_member(const rapidjson::Value& object, const char* name);
bool json_bool(const rapidjson::Value& object, const char* name, bool fallback);
std::string json_string(const rapidjson::Value& object, const char* name);

}  // namespace espalier
