#pragma once
/// The outputs of a run: the first volume, the same in other formats, and how they get their names.
///
/// While the run lasts the first one stands in OUTPUT.run/output and the one called NAME in
/// OUTPUT.run/also-NAME. In the ledger the files of that are called ../also-NAME/FILE.

#include <algorithm>
#include <filesystem>
#include <functional>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "extra_outputs.hpp"
#include "output_options.hpp"
#include "session.hpp"
#include "spim/host/run_folder.hpp"
#include "spim/volume_writer.hpp"

namespace spim::cli {

/// The first output, and those beside it.
struct OutputSet {
  std::string path;  ///< of the first
  Selection writer;  ///< of the first, completed
  std::vector<ExtraOutput> extras;
};

class RunOutputs {
 public:
  /// All outlive this.
  RunOutputs(Session& session, const RunFolder& folder, OutputSet outputs);

  const std::vector<ExtraOutput>& extras() const noexcept { return outputs_.extras; }

  /// Throws Error or UsageError for a name that is taken, or that cannot be used beside the others.
  void check_targets(std::span<const std::filesystem::path> inputs) const;

  /// Chooses spec.chunk, and which formats are written in the same pass. Returns the unit of tasks, 0 when
  /// the first format cannot be written in parts.
  Index3 choose(VolumeSpec& spec);
  /// A writer, not begun, of all formats that are written in the same pass.
  std::unique_ptr<VolumeWriter> create_writer() const { return create_writer(writers_); }

  /// So many of them will be open at a time: each gets its share of what incomplete shards may keep.
  void share_memory(std::int64_t writers) { writers_ = std::max<std::int64_t>(writers, 1); }

  /// Bytes that their incomplete shards keep at most, all together.
  std::int64_t shard_bytes(const VolumeSpec& spec) const { return create_writer(1)->memory_bytes(spec); }
  /// What they keep of the memory: shards, and the buffers of formats that come beside the first.
  std::int64_t memory_bytes(const VolumeSpec& spec) const;

  /// Makes the other formats of the volume that create_writer() has finished: tasks "also-NAME" of the
  /// ledger. Those for which `wanted` (task) is false are there.
  void convert_others(const VolumeLabels& labels,
                      const std::function<bool(const std::string&)>& wanted) const;

  /// Makes files of such a format again in the run folder, of the published volume: all for which `wanted`
  /// (name in the ledger) is true, and those that cannot be made without them. Returns the names of all that
  /// were made.
  std::vector<std::string> make_again(const ExtraOutput& output, const VolumeLabels& labels,
                                      const std::function<bool(const std::string&)>& wanted) const;

  /// The files of all outputs that are written in the same pass, named as in the ledger.
  std::vector<std::string> files() const;

  /// Gives all outputs their names, the first one last. Outputs that have theirs from an earlier try keep
  /// them.
  void publish(std::span<const std::filesystem::path> inputs) const;
  /// True when everything is made, and an earlier try at least began to publish it.
  bool is_publishing() const;
  /// True when all outputs have their names.
  bool is_published() const;
  /// Before the run folder is removed: what is left of it must not be taken for a publication to go on with.
  void forget_publishing() const;
  /// Writes what made each output beside it.
  void save_configurations(const Configuration& saved) const;

  /// The name in the manifest of a file of the ledger: relative to the first output's final path.
  std::string published_name(const std::string& stored) const;

 private:
  std::unique_ptr<VolumeWriter> create_writer(std::int64_t sharing) const;
  std::filesystem::path place_of(const ExtraOutput& output) const;
  std::int32_t levels_of(const ExtraOutput& output, std::int32_t levels) const;
  Configuration configuration_of(const ExtraOutput& output, const Configuration& saved) const;
  bool goes_along(const ExtraOutput& output, const VolumeSpec& spec) const;
  void check_convertible(const ExtraOutput& output, VolumeSpec spec) const;
  struct Conversion;
  std::vector<std::string> convert(const ExtraOutput& output, const Conversion& conversion) const;
  void convert_volume(const ExtraOutput& output, VolumeSource& source, const VolumeLabels& labels) const;
  void convert_planes(const ExtraOutput& output, const VolumeSource& source,
                      const Conversion& conversion) const;
  std::vector<std::string> marked() const;

  Session& session_;
  const RunFolder& folder_;
  OutputSet outputs_;
  std::vector<const ExtraOutput*> along_;   ///< written in the same pass
  std::vector<const ExtraOutput*> others_;  ///< made of the finished volume
  std::int32_t levels_ = 1;
  std::int64_t writers_ = 1;  ///< open at a time
};

}  // namespace spim::cli
