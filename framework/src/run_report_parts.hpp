#pragma once
/// The parts of a page about a run, each a piece of HTML.

#include <cstdint>
#include <filesystem>
#include <nlohmann/json_fwd.hpp>
#include <string>

#include "spim/host/run_report.hpp"

namespace spim::detail {

/// "1.71 GB", "23.4 s", "1 h 02 min".
std::string size_text(double bytes);
std::string duration_text(double seconds);
/// 1234567 as "1,234,567".
std::string grouped(std::int64_t number);

/// Three sides of the volume in one drawing: axes and a scale bar.
std::string projection_figure(const ProjectionPictures& pictures);
/// A frame before and after, and a part of it.
std::string correction_figure(const CorrectionPictures& pictures);
/// The illumination as a picture and as two curves.
std::string profile_figure(const ProfilePictures& pictures);

/// Where the tiles are, with what the alignment says of them; and a table of them.
std::string tile_section(const nlohmann::ordered_json& manifest, const std::filesystem::path& page);
/// Time of phases and stages.
std::string throughput_section(const nlohmann::ordered_json& manifest);
/// Frames that were bridged or are missing, and clipped samples.
std::string frames_section(const nlohmann::ordered_json& manifest);
/// Options, versions, machine, processes, files.
std::string origin_section(const nlohmann::ordered_json& manifest);

}  // namespace spim::detail
