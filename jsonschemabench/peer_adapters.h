#pragma once

#include <span>
#include <string_view>

namespace espalier {

/// A Python file of jsonschemabench/peers, built into the program so that it runs from anywhere.
struct PeerAdapter {
  std::string_view file;
  std::string_view text;
};
extern const std::span<const PeerAdapter> kPeerAdapters;

}  // namespace espalier
