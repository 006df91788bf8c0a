#include "spim/host/task_sweep.hpp"

#include <gtest/gtest.h>

#include <map>
#include <mutex>
#include <numeric>
#include <random>
#include <stdexcept>

#include "spim/error.hpp"
#include "spim/host/fan_out.hpp"
#include "spim/host/task_layout.hpp"
#include "spim/host/task_units.hpp"
#include "support/memory_volume.hpp"

namespace {

using spim::ChunkAddress;
using spim::Index3;
using spim::TaskId;
using spim::TaskLayout;
using spim::VolumeSpec;
using spim::VolumeView;
using spim::test::MemoryVolume;
using spim::test::noise;
using spim::test::Voxels;

constexpr std::int64_t kPlenty = std::int64_t{1} << 40;

std::uint16_t sparse_noise(std::int64_t x, std::int64_t y, std::int64_t z) {
  return x / 16 % 3 == 1 ? std::uint16_t{0} : noise(x, y, z);
}

/// What several writers stored: which task wrote each chunk, and its voxels.
class Store {
 public:
  explicit Store(const VolumeSpec& spec) : spec_(spec) {
    for (std::int32_t l = 0; l < spec.levels; ++l) levels.emplace_back(level_shape(spec.shape, l));
  }
  void put(TaskId task, const ChunkAddress& chunk, const std::uint16_t* voxels) {
    const spim::Box box = box_of(chunk);
    const std::lock_guard lock(mutex_);
    writers[{chunk.level, chunk.index.x, chunk.index.y, chunk.index.z}].push_back(task);
    for_voxels(box, [&](std::int64_t i, Index3 at) {
      levels[static_cast<std::size_t>(chunk.level)].at(at.x, at.y, at.z) = voxels ? voxels[i] : 0;
    });
  }
  void get(const ChunkAddress& chunk, std::uint16_t* voxels) const {
    if (!writers.contains({chunk.level, chunk.index.x, chunk.index.y, chunk.index.z}))
      throw std::logic_error("a chunk was read back before it was written");
    for_voxels(box_of(chunk), [&](std::int64_t i, Index3 at) {
      voxels[i] = levels[static_cast<std::size_t>(chunk.level)].at(at.x, at.y, at.z);
    });
  }

  std::vector<Voxels> levels;
  std::map<std::array<std::int64_t, 4>, std::vector<TaskId>> writers;

 private:
  spim::Box box_of(const ChunkAddress& c) const {
    const Index3 begin{c.index.x * spec_.chunk.x, c.index.y * spec_.chunk.y, c.index.z * spec_.chunk.z};
    return {begin, min(begin + spec_.chunk, level_shape(spec_.shape, c.level))};
  }
  template <class F>
  static void for_voxels(const spim::Box& box, F&& f) {
    std::int64_t i = 0;
    for (std::int64_t z = box.begin.z; z < box.end.z; ++z)
      for (std::int64_t y = box.begin.y; y < box.end.y; ++y)
        for (std::int64_t x = box.begin.x; x < box.end.x; ++x) f(i++, Index3{x, y, z});
  }
  VolumeSpec spec_;
  std::mutex mutex_;
};

class StoreWriter final : public spim::VolumeWriter {
 public:
  StoreWriter(Store& store, TaskId task) : store_(store), task_(task) {}
  Index3 chunk_shape(const VolumeSpec& spec) const override { return spec.chunk; }
  void begin(const VolumeSpec&) override {}
  void write(const ChunkAddress& chunk, VolumeView<const std::uint16_t> voxels) override {
    store_.put(task_, chunk, voxels.data);
  }
  void write_zero(const ChunkAddress& chunk) override { store_.put(task_, chunk, nullptr); }
  void finish() override {}
  void read_back(const ChunkAddress& chunk, VolumeView<std::uint16_t> voxels) override {
    store_.get(chunk, voxels.data);
  }

 private:
  Store& store_;
  TaskId task_;
};

class StoreWriters final : public spim::TaskWriters {
 public:
  explicit StoreWriters(Store& store) : store_(store) {}
  spim::VolumeWriter& writer(TaskId task) override {
    const std::lock_guard lock(mutex_);
    if (done.contains(task)) throw std::logic_error("a chunk came after its task was finished");
    auto& writer = writers_[task];
    if (!writer) writer = std::make_unique<StoreWriter>(store_, task);
    most_open = std::max(most_open, std::ssize(writers_) - std::ssize(done));
    return *writer;
  }
  void finished(TaskId task) override {
    const std::lock_guard lock(mutex_);
    if (!done.insert(task).second) throw std::logic_error("a task was finished twice");
  }
  std::set<TaskId> done;
  std::int64_t most_open = 0;

 private:
  Store& store_;
  std::mutex mutex_;
  std::map<TaskId, std::unique_ptr<StoreWriter>> writers_;
};

struct Case {
  spim::ValidRegion region;
  Index3 chunk, unit;
  int levels;
  std::int64_t tasks;
  double memory;  ///< share of what all in one lane would take
};

class TasksOf : public testing::TestWithParam<Case> {
 protected:
  void SetUp() override {
    const Case& c = GetParam();
    source = std::make_unique<MemoryVolume>(c.region, sparse_noise);
    spec.shape = source->shape();
    spec.chunk = c.chunk;
    spec.levels = c.levels;
    spec.voxel_um = {1, 1, 1};
    const auto whole = plan_sweep(*source, spec, executor, {kPlenty}).memory_bytes;
    const std::int64_t scratch = executor.workers() * (6 * count(min(c.chunk, spec.shape)) + (1 << 20));
    memory = scratch + static_cast<std::int64_t>(c.memory * static_cast<double>(whole - scratch));
    const auto plan = plan_sweep(*source, spec, executor, {memory});
    layout = std::make_unique<TaskLayout>(cut_into_tasks(*source, spec, c.unit, c.tasks, plan));
    store = std::make_unique<Store>(spec);
  }

  /// One process does these tasks, and of the levels what is asked for.
  void sweep(const std::set<std::int64_t>& wanted, spim::Leftovers leftovers = spim::Leftovers::make) {
    StoreWriters writers(*store);
    spim::NoProgress silent;
    sweep_tasks(*source, *layout, {wanted, leftovers}, writers, executor, {memory}, silent);
    const spim::TaskCourse course = rehearse_tasks(*source, *layout, {wanted, leftovers}, executor, {memory});
    EXPECT_LE(writers.most_open, course.most_open);
    EXPECT_LE(course.most_open, std::ssize(layout->tasks()));
    EXPECT_GT(course.first_done, 0);
    EXPECT_LE(course.first_done, 1);
    std::set<TaskId> expected;
    for (const std::int64_t task : wanted) expected.insert({0, task});
    EXPECT_EQ(writers.done, expected);
  }
  void make_levels(const std::set<std::int64_t>& swept) {
    spim::NoProgress silent;
    for (const TaskId task : layout->tasks()) {
      StoreWriter writer(*store, task);
      if (task.level > 0) make_level(*layout, task, swept, writer, executor, silent);
    }
  }
  std::set<std::int64_t> all() const {
    std::set<std::int64_t> tasks;
    for (std::int64_t i = 0; i < layout->sweep_tasks(); ++i) tasks.insert(i);
    return tasks;
  }
  /// Everything is there, right, and written once by its owner.
  void expect_complete() {
    EXPECT_EQ(store->levels, spim::test::pyramid_oracle(source->voxels(), spec.levels));
    std::int64_t chunks = 0;
    for (int l = 0; l < spec.levels; ++l) chunks += count(ceil_div(level_shape(spec.shape, l), spec.chunk));
    EXPECT_EQ(static_cast<std::int64_t>(store->writers.size()), chunks);
    for (const auto& [at, by] : store->writers) {
      const TaskId owner = layout->owner({static_cast<std::int32_t>(at[0]), {at[1], at[2], at[3]}});
      EXPECT_EQ(by, std::vector<TaskId>{owner});
    }
  }

  spim::CancelToken cancel;
  spim::Executor executor{2, cancel};
  std::unique_ptr<MemoryVolume> source;
  VolumeSpec spec;
  std::int64_t memory = 0;
  std::unique_ptr<TaskLayout> layout;
  std::unique_ptr<Store> store;
};

TEST_P(TasksOf, GiveInOneSweepWhatTheyGiveOneByOneInAnyOrder) {
  ASSERT_GT(layout->sweep_tasks(), 1);
  sweep(all());
  make_levels(all());
  expect_complete();
  const auto together = store->levels;

  store = std::make_unique<Store>(spec);
  std::vector<std::int64_t> order(static_cast<std::size_t>(layout->sweep_tasks()));
  std::iota(order.begin(), order.end(), 0);
  std::shuffle(order.begin(), order.end(), std::mt19937(7));
  for (const std::int64_t task : order) sweep({task}, spim::Leftovers::leave);
  make_levels({});
  expect_complete();
  EXPECT_EQ(store->levels, together);
}

TEST_P(TasksOf, ThatAreDoneAgainAndTheRestInAnotherProcessGiveTheSame) {
  std::set<std::int64_t> first, second;
  for (const std::int64_t task : all()) (task % 3 == 1 ? first : second).insert(task);
  sweep(first);
  sweep(second);
  make_levels(second);
  EXPECT_EQ(store->levels, spim::test::pyramid_oracle(source->voxels(), spec.levels));
}

TEST_P(TasksOf, OwnTheirChunksAndNoneOfTheOthers) {
  std::map<TaskId, std::int64_t> owned;
  const Index3 grid = ceil_div(spec.shape, spec.chunk);
  for (std::int64_t z = 0; z < grid.z; ++z)
    for (std::int64_t y = 0; y < grid.y; ++y)
      for (std::int64_t x = 0; x < grid.x; ++x) ++owned[layout->owner({0, {x, y, z}})];
  const auto counts = layout->chunks_of_sweep_tasks();
  for (std::int64_t i = 0; i < layout->sweep_tasks(); ++i) {
    const TaskId task{0, i};
    EXPECT_EQ(owned[task], counts[static_cast<std::size_t>(i)]) << task_name(task);
  }
  for (int level = 1; level < spec.levels; ++level)
    for (std::int64_t i = 0; i < layout->level_tasks(level); ++i)
      for (const Index3 index : layout->chunks_of({level, i}))
        EXPECT_EQ(layout->owner({level, index}), (TaskId{level, i}));
}

using spim::test::box_region;
using spim::test::oblique_region;
INSTANTIATE_TEST_SUITE_P(
    Volumes, TasksOf,
    testing::Values(Case{oblique_region({0, 40, 48}, 60, 1), {8, 8, 8}, {8, 8, 8}, 4, 5, 1},
                    Case{oblique_region({0, 40, 48}, 60, 1, -1), {8, 8, 8}, {8, 8, 8}, 4, 5, 1},
                    Case{oblique_region({0, 24, 50}, 35, 1.37), {8, 8, 16}, {8, 8, 16}, 5, 4, 1},
                    Case{oblique_region({0, 24, 50}, 35, 1.37, -1), {7, 9, 5}, {7, 9, 5}, 3, 7, 1},
                    Case{oblique_region({0, 40, 48}, 60, 1), {8, 8, 8}, {16, 16, 16}, 4, 4, 1},
                    Case{oblique_region({0, 20, 24}, 30, 0.7), {4, 8, 4}, {16, 8, 8}, 3, 3, 1},
                    Case{oblique_region({0, 40, 48}, 60, 1), {8, 8, 8}, {8, 8, 8}, 4, 12, 0.4},
                    Case{oblique_region({0, 40, 48}, 60, 1), {8, 8, 8}, {8, 40, 8}, 4, 6, 0.4},
                    Case{box_region({40, 33, 21}), {8, 8, 8}, {8, 8, 8}, 3, 3, 1}));

TEST(TaskCourse, OfFilesThatReachOverSeveralBandsEndsTasksLate) {
  const spim::CancelToken cancel;
  const spim::Executor executor{1, cancel};
  const MemoryVolume source(oblique_region({0, 64, 16}, 120, 1), noise);
  VolumeSpec spec;
  spec.shape = source.shape();
  spec.chunk = {8, 8, 8};
  std::int64_t memory = plan_sweep(source, spec, executor, {kPlenty}).memory_bytes;
  const auto course = [&](std::int64_t unit_y) {
    const auto plan = plan_sweep(source, spec, executor, {memory});
    const TaskLayout layout(cut_into_tasks(source, spec, {8, unit_y, 8}, 8, plan));
    std::set<std::int64_t> all;
    for (std::int64_t i = 0; i < layout.sweep_tasks(); ++i) all.insert(i);
    return rehearse_tasks(source, layout, {all}, executor, {memory});
  };
  EXPECT_LT(course(64).first_done, 0.3);
  EXPECT_LE(course(64).most_open, 2);
  while (plan_sweep(source, spec, executor, {memory}).lane_chunks.y > 2) memory -= 512;
  EXPECT_GT(course(64).first_done, 0.7);
  EXPECT_GT(course(64).most_open, 6);
  EXPECT_LT(course(16).first_done, 0.3);
  EXPECT_LE(course(16).most_open, 2);
}

/// A format with files of its own shape.
class UnitWriter final : public spim::VolumeWriter {
 public:
  UnitWriter(Index3 chunk, Index3 unit) : chunk_(chunk), unit_(unit) {}
  Index3 chunk_shape(const VolumeSpec& spec) const override {
    return chunk_ == Index3{} ? spec.chunk : chunk_;
  }
  void begin(const VolumeSpec&) override {}
  void write(const ChunkAddress&, VolumeView<const std::uint16_t>) override {}
  void finish() override {}
  std::int64_t memory_bytes(const VolumeSpec&) const override { return unit_.x; }
  Index3 unit_shape(const VolumeSpec&) const override { return unit_; }
  void finish_part(spim::FileSink& files) override { files.file(std::to_string(unit_.x)); }

 private:
  Index3 chunk_, unit_;
};

std::unique_ptr<spim::VolumeWriter> fan_out_of(Index3 unit, Index3 other, Index3 chunk = {}) {
  std::vector<spim::FanOutBranch> branches;
  branches.push_back({std::make_unique<UnitWriter>(Index3{16, 16, 16}, unit), ""});
  branches.push_back({std::make_unique<UnitWriter>(chunk, other), "../also-other/"});
  return spim::fan_out(std::move(branches));
}

TEST(FanOut, MakesTasksOfWholeUnitsOfAllFormats) {
  VolumeSpec spec;
  spec.shape = {1000, 100, 1000};
  const auto writer = fan_out_of({32, 16, 16}, {48, 160, 64});
  spec.chunk = writer->chunk_shape(spec);
  // As high as the volume, and no higher than its chunks.
  EXPECT_EQ(writer->unit_shape(spec), (Index3{96, 112, 64}));
  EXPECT_EQ(fan_out_of({32, 16, 16}, {})->unit_shape(spec), Index3{});
  EXPECT_EQ(writer->memory_bytes(spec), 80);
}

TEST(FanOut, NamesTheFilesOfEachFormatInItsPlace) {
  spim::CollectedFiles files;
  fan_out_of({32, 16, 16}, {48, 16, 16})->finish_part(files);
  EXPECT_EQ(files.files, (std::vector<std::string>{"32", "../also-other/48"}));
}

TEST(FanOut, RefusesFormatsThatCannotHaveTheSameChunks) {
  EXPECT_THROW(fan_out_of({16, 16, 16}, {8, 8, 8}, {8, 8, 8})->chunk_shape({}), spim::UsageError);
}

}  // namespace
