#pragma once
/// Instances of one implementation behind its declared concurrency.

#include <functional>
#include <memory>
#include <mutex>
#include <utility>
#include <vector>

#include "spim/host/option_table.hpp"
#include "translate.hpp"

namespace spim {

/// Everything that is needed to create another instance of the same.
struct Recipe {
  Item item;
  Host* host = nullptr;
  std::shared_ptr<const CompletedOptions> options;
  Origin origin;
  std::string path;  ///< as given to the plugin
};

/// What an exclusive implementation gets.
enum class Sharing {
  pooled,       ///< one instance per thread that is inside at the same time, created when needed
  one_instance  ///< a single instance and a lock: it has state that belongs together (writers)
};

/// Owns the instances of a recipe and lends them out for one call at a time.
template <class T>
class InstancePool {
 public:
  /// Called with each new instance, inside the translation of exceptions.
  using Check = std::function<void(T&)>;

  explicit InstancePool(Recipe recipe, Sharing sharing = Sharing::pooled)
      : recipe_(std::move(recipe)), sharing_(sharing) {
    const Entry entry(*this);
    idle_.push_back(create());
  }

  ~InstancePool() {
    const Entry entry(*this);
    idle_.clear();
  }
  InstancePool(const InstancePool&) = delete;
  InstancePool& operator=(const InstancePool&) = delete;

  const Origin& origin() const noexcept { return recipe_.origin; }

  /// What every further instance must pass; before the first use by another thread.
  void set_check(Check check) { check_ = std::move(check); }

  /// Calls f(instance) as the declared concurrency allows and translates what it throws; `where()` then says
  /// what was being done.
  template <class Where, class F>
  decltype(auto) use(Where&& where, F&& f) {
    return translated(recipe_.origin, std::forward<Where>(where), [&]() -> decltype(auto) {
      if (!pooled()) {
        const Entry entry(*this);
        return f(*idle_.front());
      }
      const Lease lease(*this);
      return f(*lease.instance);
    });
  }

 private:
  /// Holds what must be held while a thread is inside: the item's gate, the lock of the only instance, or
  /// nothing.
  struct Entry {
    explicit Entry(InstancePool& pool) {
      const Concurrency declared = pool.recipe_.item.spec->concurrency;
      if (declared == Concurrency::singleton)
        lock = std::unique_lock(*pool.recipe_.item.gate);
      else if (declared == Concurrency::exclusive && pool.sharing_ == Sharing::one_instance)
        lock = std::unique_lock(pool.mutex_);
    }
    std::unique_lock<std::mutex> lock;
  };

  /// An instance taken out of the pool for the length of a call.
  struct Lease {
    explicit Lease(InstancePool& p) : pool(p), instance(p.take()) {}
    ~Lease() { pool.give_back(std::move(instance)); }
    Lease(const Lease&) = delete;
    Lease& operator=(const Lease&) = delete;
    InstancePool& pool;
    std::unique_ptr<T> instance;
  };

  bool pooled() const noexcept {
    return recipe_.item.spec->concurrency == Concurrency::exclusive && sharing_ == Sharing::pooled;
  }

  std::unique_ptr<T> create() {
    return translated(
        recipe_.origin, [] { return std::string(); },
        [&] {
          void* raw = recipe_.item.spec->create(*recipe_.host, recipe_.options->view(), recipe_.path.c_str());
          if (!raw) blame(recipe_.origin, "", "it created nothing");
          std::unique_ptr<T> instance(static_cast<T*>(raw));
          if (check_) check_(*instance);
          return instance;
        });
  }

  std::unique_ptr<T> take() {
    {
      const std::lock_guard lock(mutex_);
      idle_.reserve(idle_.size() + lent_ + 1);  // so that give_back cannot fail
      ++lent_;
      if (!idle_.empty()) {
        auto instance = std::move(idle_.back());
        idle_.pop_back();
        return instance;
      }
    }
    try {
      return create();
    } catch (...) {
      const std::lock_guard lock(mutex_);
      --lent_;
      throw;
    }
  }

  void give_back(std::unique_ptr<T> instance) noexcept {
    const std::lock_guard lock(mutex_);
    --lent_;
    idle_.push_back(std::move(instance));
  }

  Recipe recipe_;
  Sharing sharing_;
  Check check_;
  std::mutex mutex_;
  std::vector<std::unique_ptr<T>> idle_;
  std::size_t lent_ = 0;
};

}  // namespace spim
