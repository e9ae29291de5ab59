// Tables once, printed four ways: for a terminal, as Markdown, as HTML, as JSON.

#include "jsonschemabench/table.h"

#include <fmt/format.h>
#include <rapidjson/stringbuffer.h>
#include <rapidjson/writer.h>

#include <algorithm>
#include <cmath>
#include <iterator>
#include <string_view>

namespace espalier {
namespace {

std::string escaped(std::string_view text) {
  std::string out;
  for (char c : text) {
    switch (c) {
      case '&':
        out += "&amp;";
        break;
      case '<':
        out += "&lt;";
        break;
      case '>':
        out += "&gt;";
        break;
      default:
        out += c;
    }
  }
  return out;
}

void html_row(std::string* out, const std::vector<std::string>& cells, std::string_view tag) {
  *out += "<tr>";
  for (const std::string& cell : cells) {
    fmt::format_to(std::back_inserter(*out), "<{0}>{1}</{0}>", tag, escaped(cell));
  }
  *out += "</tr>\n";
}

void markdown_row(std::string* out, const std::vector<std::string>& cells) {
  *out += '|';
  for (const std::string& cell : cells) *out += ' ' + cell + " |";
  *out += '\n';
}

}  // namespace

std::string to_text(const Table& table) {
  std::vector<size_t> widths;
  const auto widen = [&](const std::vector<std::string>& cells) {
    widths.resize(std::max(widths.size(), cells.size()));
    for (size_t i = 0; i < cells.size(); ++i) widths[i] = std::max(widths[i], cells[i].size());
  };
  widen(table.header);
  for (const auto& row : table.rows) widen(row);
  std::string out = table.title + '\n';
  const auto line = [&](const std::vector<std::string>& cells) {
    for (size_t i = 0; i < cells.size(); ++i) {
      if (i == 0) {
        fmt::format_to(std::back_inserter(out), "{:<{}}", cells[i], widths[i]);
      } else {
        fmt::format_to(std::back_inserter(out), "  {:>{}}", cells[i], widths[i]);
      }
    }
    out += '\n';
  };
  line(table.header);
  for (const auto& row : table.rows) line(row);
  if (!table.note.empty()) out += table.note + '\n';
  return out;
}

std::string to_markdown(const Table& table) {
  std::string out = fmt::format("### {}\n\n", table.title);
  markdown_row(&out, table.header);
  markdown_row(&out, std::vector<std::string>(table.header.size(), "---"));
  for (const auto& row : table.rows) markdown_row(&out, row);
  if (!table.note.empty()) out += '\n' + table.note + '\n';
  return out + '\n';
}

std::string to_json(const Table& table) {
  rapidjson::StringBuffer buffer;
  rapidjson::Writer<rapidjson::StringBuffer> writer(buffer);
  const auto strings = [&](const std::vector<std::string>& cells) {
    writer.StartArray();
    for (const std::string& cell : cells) writer.String(cell.c_str());
    writer.EndArray();
  };
  writer.StartObject();
  writer.Key("title");
  writer.String(table.title.c_str());
  writer.Key("header");
  strings(table.header);
  writer.Key("rows");
  writer.StartArray();
  for (const auto& row : table.rows) strings(row);
  writer.EndArray();
  writer.EndObject();
  return std::string(buffer.GetString(), buffer.GetSize()) + '\n';
}

std::string to_html(const Table& table) {
  std::string out = fmt::format("<h2>{}</h2>\n<table>\n", escaped(table.title));
  html_row(&out, table.header, "th");
  for (const auto& row : table.rows) html_row(&out, row, "td");
  out += "</table>\n";
  if (!table.note.empty()) out += fmt::format("<p>{}</p>\n", escaped(table.note));
  return out;
}

std::string with_commas(size_t number) {
  std::string digits = std::to_string(number);
  for (size_t i = digits.size(); i > 3; i -= 3) digits.insert(i - 3, ",");
  return digits;
}

std::string short_number(double value) {
  if (std::abs(value) >= 100) return with_commas(static_cast<size_t>(std::llround(value)));
  return fmt::format("{:.{}f}", value, std::abs(value) >= 10 ? 1 : 2);
}

}  // namespace espalier
