#pragma once

#include <map>
#include <string>

#include "schema/loading/metaschemas.h"

namespace espalier::reference {

/// The standard metaschemas by URI, which are data of the specifications.
inline std::map<std::string, std::string> metaschemas() {
  std::map<std::string, std::string> documents;
  const auto add = [&](const std::string& uri) {
    const auto text = metaschema(uri);
    if (text) documents.emplace(uri, *text);
  };
  for (const char* draft : {"draft-04", "draft-06", "draft-07"})
    add(std::string("http://json-schema.org/") + draft + "/schema");
  for (const char* draft : {"2019-09", "2020-12"}) {
    const std::string folder = std::string("https://json-schema.org/draft/") + draft;
    add(folder + "/schema");
    for (const char* vocabulary : {"core", "applicator", "unevaluated", "validation", "meta-data",
                                   "format", "format-annotation", "content"})
      add(folder + "/meta/" + vocabulary);
  }
  return documents;
}

}  // namespace espalier::reference
