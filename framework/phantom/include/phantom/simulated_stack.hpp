#pragma once
/// One stack of frames as the camera takes it of a phantom: everything that decides its pixels, and the
/// pixels.

#include <cstdint>
#include <string>
#include <string_view>

#include "phantom/phantom.hpp"
#include "spim/frame_reader.hpp"

namespace spim {

enum class StoredFrames {
  as_camera,  ///< as the microscopes store them: numpy.rot90 three times, then numpy.flipud restores them
  oriented    ///< rows are y and columns are depth
};
enum class StackContent { tissue, nothing };

/// What the camera adds to the light, in grey levels unless said otherwise.
struct CameraNoise {
  double offset = 100;
  double electrons_per_level = 0.46;  ///< shot noise: Poisson in electrons; 0 for none
  double read_noise = 3.5;            ///< standard deviation
};

/// Everything that decides a stack. Sample (frame k, row i, column j) of the oriented stack lies at
///   X = x + d·k·s + j·v·cosθ    Y = y + i·v    Z = z + j·v·sinθ    (µm)
/// and holds offset + phantom·illumination(i, j)·stripes(k, i, j), then noise, rounded, 0 to 65535.
struct SimulatedStack {
  PhantomSettings phantom;
  std::int64_t frames = 0;
  std::int64_t rows = 0;     ///< of the oriented frame, y
  std::int64_t columns = 0;  ///< of the oriented frame, depth
  double y_voxel_um = 1.8;   ///< v
  double x_step_um = 1.28;   ///< s
  double tilt_degrees = 45;  ///< θ
  int direction = 1;         ///< d
  Vec3 position_um;          ///< where the stage really was
  std::int64_t tile = 0;     ///< number of the stack: noise and stripes differ from stack to stack
  CameraNoise noise;
  double illumination = 0;  ///< how much darker the darkest corner is than the brightest pixel, 0 … 1
  double stripes = 0;       ///< how much darker the darkest stripe is, 0 … 1
  StackContent content = StackContent::tissue;
  StoredFrames stored = StoredFrames::as_camera;
};

/// A rectangle of an oriented frame, by its first row and column; its size is that of the image given with
/// it.
struct SimulatedCorner {
  std::int64_t row = 0;
  std::int64_t column = 0;
};

/// Computes the frames of one stack. Every pixel is a function of the settings and its place alone, so parts
/// of frames agree bit for bit with whole ones. All methods: [any thread].
class StackSimulator {
 public:
  /// Throws UsageError for impossible settings.
  explicit StackSimulator(const SimulatedStack& stack);

  const SimulatedStack& stack() const noexcept { return stack_; }
  /// Of the frames as stored.
  StackInfo info() const noexcept;

  /// The noise-free part of oriented frame `frame` at `corner`, grey levels with the offset.
  void signal(std::int64_t frame, SimulatedCorner corner, ImageView<float> out) const;
  /// The same with noise, as the camera counts it.
  void expose(std::int64_t frame, SimulatedCorner corner, ImageView<std::uint16_t> out) const;
  /// Rows [first_row, first_row + out.rows) of the frame as stored; out.columns equals info().columns.
  void read(std::int64_t frame, std::int64_t first_row, ImageView<std::uint16_t> out) const;

  /// Illumination profile, 1 where brightest: a quadratic in the column and linear in the row, as the
  /// correction fits it. Fractions and positions outside the frame are allowed.
  double illumination(double row, double column) const noexcept;
  /// Transmission of the stripes, 1 − strength … 1: shadows along the columns that vary slowly with depth and
  /// from frame to frame.
  double stripes(double frame, double row, double column) const noexcept;
  /// Standard deviation of a pixel whose noise-free value is `signal`, grey levels.
  double deviation(double signal) const noexcept;

 private:
  void apply_light(std::int64_t frame, SimulatedCorner corner, ImageView<float> image) const;

  SimulatedStack stack_;
  Phantom phantom_;
  std::uint64_t noise_key_;
  std::uint64_t stripe_key_;
};

/// `stack` as a JSON text that stack_from_json() reads back exactly.
std::string to_json(const SimulatedStack& stack);
/// Throws Error that names the member when `text` is not such a description; members with a default may be
/// missing, unknown ones are refused.
SimulatedStack stack_from_json(std::string_view text);

}  // namespace spim
