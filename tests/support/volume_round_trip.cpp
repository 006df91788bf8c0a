#include "support/volume_round_trip.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <atomic>
#include <exception>
#include <mutex>
#include <random>
#include <thread>

namespace spim::test {

namespace {

struct Job {
  ChunkAddress chunk;
  Box voxels;
};

std::vector<Job> all_chunks(const VolumeSpec& spec) {
  std::vector<Job> jobs;
  for (std::int32_t level = 0; level < spec.levels; ++level) {
    const Index3 shape = level_shape(spec.shape, level);
    const Index3 n = ceil_div(shape, spec.chunk);
    for (std::int64_t i = 0; i < count(n); ++i) {
      const Index3 index{i % n.x, i / n.x % n.y, i / n.x / n.y};
      const Index3 begin{index.x * spec.chunk.x, index.y * spec.chunk.y, index.z * spec.chunk.z};
      jobs.push_back({{level, index}, {begin, min(begin + spec.chunk, shape)}});
    }
  }
  std::mt19937 random(7);
  std::shuffle(jobs.begin(), jobs.end(), random);
  return jobs;
}

void write_one(VolumeWriter& writer, const Job& job, const VoxelFunction& voxel) {
  const Index3 size = job.voxels.size();
  std::vector<std::uint16_t> buffer;
  for (std::int64_t z = 0; z < size.z; ++z)
    for (std::int64_t y = 0; y < size.y; ++y)
      for (std::int64_t x = 0; x < size.x; ++x)
        buffer.push_back(voxel(job.chunk.level, job.voxels.begin + Index3{x, y, z}));
  if (std::all_of(buffer.begin(), buffer.end(), [](std::uint16_t v) { return v == 0; }))
    writer.write_zero(job.chunk);
  else
    writer.write(job.chunk, as_const(dense_view(buffer.data(), size)));
}

}  // namespace

VoxelFunction scrambled(std::uint16_t largest) {
  return [largest](std::int32_t level, Index3 at) {
    std::uint64_t v = static_cast<std::uint64_t>(((at.z * 7919 + at.y) * 7907 + at.x) * 31 + level + 1);
    v *= 0x9e3779b97f4a7c15U;
    return static_cast<std::uint16_t>((v >> 40) % (std::uint64_t{largest} + 1));
  };
}

void write_volume(VolumeWriter& writer, VolumeSpec spec, const VoxelFunction& voxel, int threads) {
  spec.chunk = writer.chunk_shape(spec);
  writer.begin(spec);
  const auto jobs = all_chunks(spec);
  std::atomic<std::size_t> next{0};
  std::exception_ptr failure;
  std::mutex mutex;
  const auto work = [&] {
    try {
      for (std::size_t i = next++; i < jobs.size(); i = next++) write_one(writer, jobs[i], voxel);
    } catch (...) {
      const std::lock_guard lock(mutex);
      failure = std::current_exception();
    }
  };
  std::vector<std::thread> team;
  for (int i = 1; i < threads; ++i) team.emplace_back(work);
  work();
  for (auto& thread : team) thread.join();
  if (failure) std::rethrow_exception(failure);
  writer.finish();
}

std::string difference(VolumeReader& reader, std::int32_t level, const Box& box, const VoxelFunction& voxel) {
  constexpr std::uint16_t kUntouched = 0xABCD;
  const Index3 size = box.size();
  const std::int64_t stride_y = size.x + 3, stride_z = stride_y * size.y + 5;
  std::vector<std::uint16_t> buffer(static_cast<std::size_t>(stride_z * size.z), kUntouched);
  const VolumeView<std::uint16_t> view{buffer.data(), size, stride_y, stride_z};
  reader.read(level, box, view);
  for (std::int64_t z = 0; z < size.z; ++z)
    for (std::int64_t y = 0; y < size.y; ++y) {
      for (std::int64_t x = 0; x < size.x; ++x) {
        const std::uint16_t expected = voxel(level, box.begin + Index3{x, y, z});
        if (view.row(y, z)[x] != expected)
          return fmt::format("level {} voxel ({}, {}, {}) is {}, not {}", level, box.begin.x + x,
                             box.begin.y + y, box.begin.z + z, view.row(y, z)[x], expected);
      }
      if (view.row(y, z)[size.x] != kUntouched) return fmt::format("level {} wrote beyond a row", level);
    }
  return "";
}

std::string difference(VolumeReader& reader, const VolumeSpec& spec, const VoxelFunction& voxel) {
  const VolumeInfo info = reader.info();
  if (info.levels != spec.levels) return fmt::format("{} levels, not {}", info.levels, spec.levels);
  if (info.type != spec.type) return "another type";
  for (std::int32_t level = 0; level < spec.levels; ++level) {
    const Index3 shape = level_shape(spec.shape, level);
    if (reader.level(level).shape != shape) return fmt::format("level {} has another shape", level);
    const Box whole{{0, 0, 0}, shape};
    const Box inner{{shape.x / 3, shape.y / 3, shape.z / 3},
                    {(shape.x + 1) * 2 / 3, (shape.y + 1) * 2 / 3, (shape.z + 1) * 2 / 3}};
    const Box corner{shape - Index3{1, 1, 1}, shape};
    for (const Box& box : {whole, inner, corner}) {
      if (box.empty()) continue;
      std::string found = difference(reader, level, box, voxel);
      if (!found.empty()) return found;
    }
  }
  return "";
}

}  // namespace spim::test
