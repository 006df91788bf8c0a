#include "spim/host/align_tiles.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <map>
#include <mutex>
#include <optional>
#include <set>
#include <tuple>

#include "phantom/hash.hpp"
#include "spim/error.hpp"
#include "spim/host/pair_plan.hpp"

namespace spim {

namespace {

/// Tiles that are open, opened when they are needed; those used longest ago are closed first.
class OpenTiles {
 public:
  OpenTiles(const TileOpener& open, std::size_t most) : open_(open), most_(most) {}

  std::shared_ptr<const VolumeSource> at(std::size_t tile) {
    if (auto known = find(tile)) return known;
    // Opened outside the lock; two threads may open the same tile, then one of them drops its own again.
    auto volume = open_(tile);
    const std::lock_guard lock(mutex_);
    Entry& entry = volumes_[tile];
    if (!entry.volume) entry.volume = std::move(volume);
    entry.used = ++uses_;
    auto result = entry.volume;
    close_some();
    return result;
  }

 private:
  struct Entry {
    std::shared_ptr<const VolumeSource> volume;
    std::uint64_t used = 0;
  };

  std::shared_ptr<const VolumeSource> find(std::size_t tile) {
    const std::lock_guard lock(mutex_);
    const auto found = volumes_.find(tile);
    if (found == volumes_.end()) return nullptr;
    found->second.used = ++uses_;
    return found->second.volume;
  }

  void close_some() {
    while (volumes_.size() > most_) {
      auto oldest = volumes_.end();
      for (auto i = volumes_.begin(); i != volumes_.end(); ++i)
        if (i->second.volume.use_count() == 1 &&
            (oldest == volumes_.end() || i->second.used < oldest->second.used))
          oldest = i;
      if (oldest == volumes_.end()) return;  // all are being read
      volumes_.erase(oldest);
    }
  }

  const TileOpener& open_;
  std::size_t most_;
  std::mutex mutex_;
  std::uint64_t uses_ = 0;
  std::map<std::size_t, Entry> volumes_;
};

class Collector final : public ShiftSink {
 public:
  explicit Collector(std::vector<ShiftSample>& samples) : samples_(samples) {}
  void add(const ShiftSample& sample) override { samples_.push_back(sample); }

 private:
  std::vector<ShiftSample>& samples_;
};

class Alignment {
 public:
  Alignment(const std::vector<TileToAlign>& tiles, const TileOpener& open,
            const std::vector<NamedAligner>& aligners, const AlignSettings& settings,
            const Executor& executor, Progress& progress)
      : volumes_(open, settings.open_tiles),
        aligners_(aligners),
        settings_(settings),
        executor_(executor),
        progress_(progress) {
    result_.voxel_um = settings.voxel_um;
    result_.full_voxel_um = settings.full_voxel_um;
    for (const TileToAlign& tile : tiles) result_.tiles.emplace_back().TileToAlign::operator=(tile);
    pairs_ = plan_pairs(tiles, {settings.voxel_um, settings.least_overlap_voxels});
  }

  AlignmentResult run() {
    std::vector<TilePair> first;
    std::copy_if(pairs_.begin(), pairs_.end(), std::back_inserter(first),
                 [](const TilePair& p) { return p.neighbours; });
    result_.links = measure(first, 0, "measuring overlaps");
    solve();
    ask_others();
    add_corners();
    std::sort(result_.links.begin(), result_.links.end(), [](const AlignedLink& a, const AlignedLink& b) {
      return std::tie(a.fixed, a.moving) < std::tie(b.fixed, b.moving);
    });
    settle_contests();
    return std::move(result_);
  }

 private:
  /// The links of `pairs` as aligner number `which` sees them.
  std::vector<AlignedLink> measure(const std::vector<TilePair>& pairs, std::size_t which, const char* stage) {
    std::vector<AlignedLink> links(pairs.size());
    if (pairs.empty()) return links;
    const auto count = static_cast<std::int64_t>(pairs.size());
    progress_.begin_counting(stage, "overlaps", count);
    const bool at_once = count >= 2 * executor_.workers();
    const std::int64_t kept_bytes = settings_.kept_bytes / (at_once ? 2 * executor_.workers() : 2);
    const auto body = [&](std::int64_t i, int) {
      const auto k = static_cast<std::size_t>(i);
      links[k] = measure_one(pairs[k], which, kept_bytes);
      progress_.advance(1);
    };
    // Few pairs would leave workers idle: then one pair after the other, each on all workers.
    if (at_once)
      executor_.parallel_for(count, body);
    else
      for (std::int64_t i = 0; i < count; ++i) {
        executor_.cancel().check();
        body(i, 0);
      }
    progress_.end();
    return links;
  }

  /// `tile` of a pair: `from` and `to` are where the other one begins and ends along y.
  VolumeTileView view(std::size_t tile, const TilePair& pair, IndexRange other_y, std::int64_t kept_bytes) {
    constexpr std::int64_t kAround = 48;  // what windows need beyond the overlap
    const ValidRegion& region = result_.tiles[tile].region;
    const Vec3 overlap = pair.overlap_voxels;
    const KeptPart kept{
        {std::max<std::int64_t>(other_y.begin - kAround, 0), std::min(other_y.end + kAround, region.shape.y)},
        overlap.x * overlap.y * overlap.z,
        overlap.x,
        kept_bytes};
    return {volumes_.at(tile), region, kept};
  }

  AlignedLink measure_one(const TilePair& pair, std::size_t which, std::int64_t kept_bytes) {
    const std::int64_t away = std::llround(pair.guess_voxels.y);
    const std::int64_t fixed_rows = result_.tiles[pair.fixed].region.shape.y;
    const std::int64_t moving_rows = result_.tiles[pair.moving].region.shape.y;
    VolumeTileView fixed = view(pair.fixed, pair, {away, away + moving_rows}, kept_bytes);
    VolumeTileView moving = view(pair.moving, pair, {-away, fixed_rows - away}, kept_bytes);
    AlignedLink link;
    link.fixed = pair.fixed;
    link.moving = pair.moving;
    link.guess_voxels = pair.guess_voxels;
    link.aligner = aligners_[which].id;
    AlignTask task;
    task.fixed = &fixed;
    task.moving = &moving;
    task.guess_voxels = pair.guess_voxels;
    task.voxel_um = settings_.voxel_um;
    task.seed = grid_key(settings_.seed, static_cast<std::int64_t>(pair.fixed),
                         static_cast<std::int64_t>(pair.moving), static_cast<std::int64_t>(which));
    Collector collector(link.samples);
    try {
      aligners_[which].aligner->align(task, collector);
    } catch (const Cancelled&) {
      throw;
    } catch (const UsageError&) {
      throw;
    } catch (const std::exception& error) {
      throw Error(fmt::format("{} and {}: {}", result_.tiles[pair.fixed].name,
                              result_.tiles[pair.moving].name, error.what()));
    }
    find_consensus(link, settings_.consensus);
    return link;
  }

  /// What only loops confirm must be found anew; what a second aligner confirmed stays.
  void solve() {
    for (AlignedLink& link : result_.links) link.confirmed = asked_.contains({link.fixed, link.moving});
    solve_positions(result_, settings_.solve);
  }

  bool agree(const AlignedLink& a, const AlignedLink& b) const {
    const auto near = [&](double va, double vb, double ea, double eb) {
      return std::abs(va - vb) <= settings_.solve.tolerance_voxels + 3 * std::hypot(ea, eb);
    };
    const bool same_y = near(a.shift_voxels.y, b.shift_voxels.y, a.error_voxels.y, b.error_voxels.y);
    if (!settings_.solve.align_xz) return same_y;
    return same_y && near(a.shift_voxels.x, b.shift_voxels.x, a.error_voxels.x, b.error_voxels.x) &&
           near(a.shift_voxels.z, b.shift_voxels.z, a.error_voxels.z, b.error_voxels.z);
  }

  /// Asks the other aligners about links that are not trusted or that nothing confirms.
  void ask_others() {
    for (std::size_t which = 1; which < aligners_.size(); ++which) {
      std::vector<TilePair> again;
      std::vector<std::size_t> of;
      for (std::size_t k = 0; k < result_.links.size(); ++k) {
        const AlignedLink& link = result_.links[k];
        if (link.trusted && link.confirmed) continue;
        again.push_back(pair_of(link));
        of.push_back(k);
      }
      const std::vector<AlignedLink> answers = measure(again, which, "asking a second aligner");
      std::vector<std::size_t> new_answers;
      for (std::size_t n = 0; n < of.size(); ++n)
        if (weigh(result_.links[of[n]], answers[n]) == Weighed::only_answer) new_answers.push_back(of[n]);
      look_there(new_answers);
      if (!again.empty()) solve();
    }
  }

  /// The first aligner may have found nothing because the tiles are beyond its reach: it is asked again where
  /// another one found them.
  void look_there(const std::vector<std::size_t>& links) {
    std::vector<TilePair> pairs;
    for (const std::size_t k : links) {
      TilePair pair = pair_of(result_.links[k]);
      pair.guess_voxels = pair.guess_voxels + result_.links[k].shift_voxels;
      pairs.push_back(pair);
    }
    const std::vector<AlignedLink> answers = measure(pairs, 0, "looking again");
    for (std::size_t n = 0; n < links.size(); ++n) {
      const AlignedLink& link = result_.links[links[n]];
      AlignedLink seen = answers[n];
      seen.shift_voxels = seen.shift_voxels + link.shift_voxels;
      if (seen.measured && agree(link, seen)) asked_.insert({link.fixed, link.moving});
    }
  }

  enum class Weighed {
    settled,     ///< there is nothing to ask about it
    only_answer  ///< it is what the other aligner says
  };

  Weighed weigh(AlignedLink& link, const AlignedLink& other) {
    if (!other.measured) {
      // Samples that tell of a first attempt are worth more to a reader than none.
      if (!link.measured && link.samples.empty() && !other.samples.empty()) link = other;
      return Weighed::settled;
    }
    if (!link.measured) {
      link = other;
      return Weighed::only_answer;
    }
    if (agree(link, other)) {
      asked_.insert({link.fixed, link.moving});
    } else {
      contests_.insert_or_assign({link.fixed, link.moving}, std::pair{link, other});
      link.measured = false;
    }
    return Weighed::settled;
  }

  const TilePair& pair_of(const AlignedLink& link) const {
    return *std::find_if(pairs_.begin(), pairs_.end(),
                         [&](const TilePair& p) { return p.fixed == link.fixed && p.moving == link.moving; });
  }

  /// True when both tiles belong to groups, or share no face with any tile, and no chain of trusted links
  /// joins them. A tile whose faces show nothing stays alone.
  bool apart(const TilePair& pair, const std::set<std::size_t>& asked) const {
    const AlignedTile &a = result_.tiles[pair.fixed], &b = result_.tiles[pair.moving];
    return a.component != b.component && (a.linked || !asked.contains(pair.fixed)) &&
           (b.linked || !asked.contains(pair.moving));
  }

  /// Overlaps over edges and corners, around links that contradict others or that nothing confirms, and where
  /// nothing else joins two groups of tiles.
  void add_corners() {
    std::set<std::size_t> doubtful, asked;
    for (const AlignedLink& link : result_.links) {
      asked.insert({link.fixed, link.moving});
      if ((link.trusted && link.confirmed) || link.samples.empty()) continue;
      doubtful.insert(link.fixed);
      doubtful.insert(link.moving);
    }
    std::vector<TilePair> corners;
    for (const TilePair& pair : pairs_)
      if (!pair.neighbours &&
          (doubtful.contains(pair.fixed) || doubtful.contains(pair.moving) || apart(pair, asked)))
        corners.push_back(pair);
    std::vector<AlignedLink> links = measure(corners, 0, "measuring corners");
    for (std::size_t which = 1; which < aligners_.size(); ++which) {
      std::vector<TilePair> again;
      for (const AlignedLink& link : links)
        if (!link.measured) again.push_back(pair_of(link));
      std::size_t n = 0;
      const std::vector<AlignedLink> answers = measure(again, which, "asking a second aligner");
      for (AlignedLink& link : links)
        if (!link.measured) link = answers[n++];
    }
    // A corner without an answer is no news.
    std::erase_if(links, [](const AlignedLink& link) { return !link.measured; });
    result_.links.insert(result_.links.end(), links.begin(), links.end());
  }

  /// Where two aligners contradict each other, the rest of the links decides.
  void settle_contests() {
    solve();
    if (contests_.empty()) return;
    for (AlignedLink& link : result_.links) {
      const auto contest = contests_.find({link.fixed, link.moving});
      if (contest == contests_.end()) continue;
      const auto& [a, b] = contest->second;
      const AlignedTile& fixed = result_.tiles[link.fixed];
      const AlignedTile& moving = result_.tiles[link.moving];
      AlignedLink solved = a;
      solved.shift_voxels = moving.shift_voxels - fixed.shift_voxels;
      solved.error_voxels = {};
      const bool joined = fixed.linked && moving.linked && fixed.component == moving.component;
      if (joined && agree(a, solved))
        link = a;
      else if (joined && agree(b, solved))
        link = b;
      else
        link.rejection = fmt::format("{} says {:.1f},{:.1f},{:.1f} voxels and {} says {:.1f},{:.1f},{:.1f}",
                                     a.aligner, a.shift_voxels.x, a.shift_voxels.y, a.shift_voxels.z,
                                     b.aligner, b.shift_voxels.x, b.shift_voxels.y, b.shift_voxels.z);
    }
    solve();
  }

  using Key = std::pair<std::size_t, std::size_t>;

  OpenTiles volumes_;
  const std::vector<NamedAligner>& aligners_;
  const AlignSettings& settings_;
  const Executor& executor_;
  Progress& progress_;
  AlignmentResult result_;
  std::vector<TilePair> pairs_;
  std::set<Key> asked_;  ///< links that a second aligner confirmed
  std::map<Key, std::pair<AlignedLink, AlignedLink>> contests_;
};

}  // namespace

AlignmentResult align_tiles(const std::vector<TileToAlign>& tiles, const TileOpener& open,
                            const std::vector<NamedAligner>& aligners, const AlignSettings& settings,
                            const Executor& executor, Progress& progress) {
  if (tiles.empty()) throw Error("there are no tiles to align");
  if (aligners.empty()) throw UsageError("an alignment needs an aligner; give --aligner ID");
  return Alignment(tiles, open, aligners, settings, executor, progress).run();
}

}  // namespace spim
