#pragma once

#include <string>
#include <vector>

namespace espalier {

/// A titled table of texts: the first column is a name, the others are figures.
struct Table {
  std::string title;
  std::vector<std::string> header;
  std::vector<std::vector<std::string>> rows;
  std::string note;  ///< a sentence below the table ("" = none)
};

/// For a terminal: columns aligned.
std::string to_text(const Table& table);
std::string to_markdown(const Table& table);
/// One line: {"title": ..., "header": [...], "rows": [[...], ...]}.
std::string to_json(const Table& table);
/// A section with a heading and a table; texts are escaped.
std::string to_html(const Table& table);

/// Thousands separated by commas: 1234567 -> "1,234,567".
std::string with_commas(size_t number);
/// A figure with about three significant digits: 0.123, 4.56, 78.9, 1,234.
std::string short_number(double value);

}  // namespace espalier
