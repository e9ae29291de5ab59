#pragma once

#include <optional>
#include <string>

namespace espalier::reference {

enum class HostnameKind { kAscii, kInternational };

/// Is the WTF-8 text a host name (RFC 1123, with A-labels checked), or an internationalized one
/// (RFC 5890), whose labels may be separated by any of the dots of IDNA?
bool is_hostname(const std::string& text, HostnameKind kind);

}  // namespace espalier::reference
