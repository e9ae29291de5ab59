// The report as a folder: the tables of comparison.cpp as Markdown and HTML around two plots.

#include "jsonschemabench/report_folder.h"

#include <fmt/format.h>

#include <filesystem>
#include <fstream>

#include "jsonschemabench/cdf_plot.h"
#include "jsonschemabench/table.h"

namespace espalier {
namespace {

namespace fs = std::filesystem;

constexpr const char* kStyle =
    "body{font-family:sans-serif;max-width:70em;margin:2em auto}table{border-collapse:collapse}"
    "td,th{padding:.2em .6em;border-bottom:1px solid #ccc;text-align:right}"
    "td:first-child,th:first-child{text-align:left}img{max-width:100%}";

Status write(const fs::path& path, const std::string& text) {
  std::ofstream stream(path, std::ios::binary | std::ios::trunc);
  stream << text;
  if (stream.flush()) return {};
  return Status(StatusCode::kIoError, "The file cannot be written.", path.string());
}

}  // namespace

Status write_report(const std::string& folder, const std::string& heading,
                    const Comparison& comparison) {
  std::error_code error;
  fs::create_directories(folder, error);
  if (error) return Status(StatusCode::kIoError, "The folder cannot be made.", folder);
  std::string markdown = fmt::format("# {}\n\n", heading);
  std::string html = fmt::format(
      "<!DOCTYPE html>\n<html lang=\"en\"><head><meta charset=\"utf-8\"><title>{0}</title>"
      "<style>{1}</style></head>\n<body>\n<h1>{0}</h1>\n",
      heading, kStyle);
  const auto plot = [&](std::string_view name, std::string_view title, const auto& samples) {
    const Status status = plot_distributions(folder, name, title, samples);
    if (status.ok()) {
      markdown += fmt::format("![{}]({}.svg)\n\n", title, name);
      html += fmt::format("<p><img src=\"{}.svg\" alt=\"{}\"></p>\n", name, title);
    } else {
      markdown += fmt::format("{}\n\n", status.message());
      html += fmt::format("<p>{}</p>\n", status.message());
    }
  };
  plot("tbm", "Mask + accept per token", comparison.mask_samples());
  plot("ttfm", "Schema to first mask", comparison.first_mask_samples());
  for (const Table& table : comparison.tables()) {
    markdown += to_markdown(table);
    html += to_html(table);
  }
  html += "</body></html>\n";
  if (Status status = write(fs::path(folder) / "report.md", markdown); !status.ok()) return status;
  return write(fs::path(folder) / "report.html", html);
}

}  // namespace espalier
