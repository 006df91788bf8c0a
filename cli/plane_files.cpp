#include "plane_files.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "earlier_run.hpp"
#include "spim/error.hpp"
#include "spim/host/instances.hpp"
#include "spim/host/name_pattern.hpp"
#include "spim/host/volume_planes.hpp"
#include "values.hpp"

namespace spim::cli {

namespace fs = std::filesystem;

namespace {

/// Whether `file` is a plane of `shape` that a reader of the writer's own format can open.
bool is_whole(Session& session, const std::string& format, Index3 shape, const fs::path& file) {
  try {
    return open_volume(session.registry(), session.host(), {format, {}}, file)->level(0).shape == shape;
  } catch (const Cancelled&) {
    throw;
  } catch (const Error&) {
    return false;
  }
}

PlaneSeriesSettings settings_of(Session& session, Index3 shape, const PlaneFilesRequest& request) {
  PlaneSeriesSettings settings;
  settings.count = shape.z;
  settings.name = [pattern = NamePattern(request.pattern), first = request.first](std::int64_t plane) {
    return fs::path(pattern.name(first + plane));
  };
  settings.inputs = request.inputs;
  // Files of which nothing is known are not ours to replace.
  const EarlierRun earlier(request.pattern);
  settings.taken = request.resume && earlier.was_alike(request.saved) ? TakenNames::keep
                   : session.options().overwrite                      ? TakenNames::replace
                                                                      : TakenNames::refuse;
  settings.create_writer = [&session, &request](const fs::path& path) {
    return create_writer(session.registry(), session.host(), request.plugins.writer, path);
  };
  settings.is_whole = [&session, &request, earlier, plane = Index3{shape.x, shape.y, 1}](
                          std::int64_t, const fs::path& file) {
    return earlier.is_followed_by(file) && is_whole(session, request.plugins.writer.id, plane, file);
  };
  return settings;
}

/// Says how the planes will be collected, and what that costs when there is little memory.
void report_plan(Session& session, const VolumeSource& source, const PlaneSeries& series,
                 const PlaneFilesRequest& request, const PlaneWork& work) {
  const VolumePlanesPlan plan = plan_volume_planes(source, plane_chunk(source, series, request.labels), work);
  session.log(LogLevel::info,
              fmt::format("{}: {} planes in slabs of {}, {} of {} rows at a time, {} of memory, {} workers",
                          request.pattern, series.wanted().size(), plan.slab, plan.rows, source.shape().y,
                          format_bytes(plan.memory_bytes), session.executor().workers()));
  if (plan.decodings > 1)
    session.warn(fmt::format(
        "{}: {} of memory hold {} planes at a time and chunks are {} thick, so each chunk is decoded up to "
        "{} times; more --memory makes it faster",
        request.pattern, format_bytes(work.memory_bytes), plan.slab, source.grain().size.z, plan.decodings));
}

}  // namespace

void write_plane_files(Session& session, const VolumeSource& source, const PlaneFilesRequest& request) {
  // Checks the options of the writer before anything is touched.
  (void)create_writer(session.registry(), session.host(), request.plugins.writer, request.pattern);
  const PlaneSeries series(settings_of(session, source.shape(), request), session.executor());
  if (series.taken() != TakenNames::keep) EarlierRun(request.pattern).remember(request.saved);
  const PlaneWork work{&session.executor(), &session.progress(), session.options().memory()};
  if (source.grain().size.z < 1) {
    write_planes(source, series, request.labels, work);
  } else if (!series.wanted().empty()) {
    report_plan(session, source, series, request, work);
    write_volume_planes(source, series, request.labels, work);
  }
  if (session.options().silent) return;
  const Index3 shape = source.shape();
  const auto kept = series.count() - static_cast<std::int64_t>(series.wanted().size());
  fmt::print("{} to {}: {} planes of {} rows x {} columns{}\n", series.name(0).string(),
             series.name(shape.z - 1).string(), shape.z, shape.y, shape.x,
             kept > 0 ? fmt::format(", {} of which were there", kept) : "");
}

}  // namespace spim::cli
