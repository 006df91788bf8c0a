#pragma once
/// Instances of plugins, made safe to use: whatever concurrency an implementation declares, the object
/// returned here may be used from any thread (a pool of instances, a shared one, or a lock behind it), and
/// whatever it throws arrives as one Error sentence that names the kind, the plugin, its version and the
/// frame or chunk.

#include <filesystem>
#include <memory>

#include "spim/host/registry.hpp"

namespace spim {

/// The reader of `kind` that is surest that `path` is of its format. Throws Error when the path is missing,
/// when no reader knows it, or when two are equally sure; names the readers and the refused plugins.
Item probe_reader(const Registry& registry, Kind kind, const std::filesystem::path& path);

/// What the functions below and the objects they return throw: UsageError for an unknown id or option, Error
/// for everything that the plugin throws or returns wrongly; UsageError and Cancelled keep their types.
/// `host` outlives the objects, the registry need not. Writers are one instance whatever they declare: calls
/// are serialised unless it is reentrant.
///
/// With an empty id the reader that is surest of the file is taken; throws Error listing the known ones when
/// none is.
std::unique_ptr<FrameReader> open_frames(const Registry& registry, Host& host, const Selection& selection,
                                         const std::filesystem::path& path);
std::unique_ptr<VolumeReader> open_volume(const Registry& registry, Host& host, const Selection& selection,
                                          const std::filesystem::path& path);
std::unique_ptr<VolumeWriter> create_writer(const Registry& registry, Host& host, const Selection& selection,
                                            const std::filesystem::path& path);
std::unique_ptr<Destriper> create_destriper(const Registry& registry, Host& host, const Selection& selection);
std::unique_ptr<Aligner> create_aligner(const Registry& registry, Host& host, const Selection& selection);

}  // namespace spim
