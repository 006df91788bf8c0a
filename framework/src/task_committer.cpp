#include "spim/host/task_committer.hpp"

#include <chrono>
#include <utility>
#include <vector>

#include "spim/host/task_units.hpp"

namespace spim {

namespace {

double now() {
  return std::chrono::duration<double>(std::chrono::steady_clock::now().time_since_epoch()).count();
}

}  // namespace

TaskCommitter::TaskCommitter(const RunFolder& folder, const VolumeSpec& spec, WriterFactory create,
                             StageMeter* meter)
    : folder_(folder), spec_(spec), create_(std::move(create)), meter_(meter), thread_([this] { work(); }) {}

TaskCommitter::~TaskCommitter() {
  {
    const std::lock_guard lock(mutex_);
    stop_ = true;
  }
  changed_.notify_all();
  thread_.join();
}

void TaskCommitter::rethrow() {
  if (failure_) std::rethrow_exception(failure_);
}

VolumeWriter& TaskCommitter::writer(TaskId task) {
  const std::lock_guard lock(mutex_);
  rethrow();
  Open& open = open_[task];
  if (!open.writer) {
    std::unique_ptr<VolumeWriter> writer = create_(folder_.content());
    open.token = unique_token();
    open.began = now();
    writer->join(spec_, {task_name(task).c_str(), open.token.c_str()});
    open.writer = std::move(writer);
  }
  return *open.writer;
}

void TaskCommitter::finished(TaskId task) {
  {
    const std::lock_guard lock(mutex_);
    auto open = open_.extract(task);
    done_.push_back({task, open.empty() ? Open{} : std::move(open.mapped())});
  }
  changed_.notify_all();
}

void TaskCommitter::wait() {
  std::unique_lock lock(mutex_);
  changed_.wait(lock, [this] { return (done_.empty() && !busy_) || failure_; });
  rethrow();
}

void TaskCommitter::work() {
  std::unique_lock lock(mutex_);
  for (;;) {
    changed_.wait(lock, [this] { return stop_ || !done_.empty(); });
    if (done_.empty() || failure_) return;
    Done done = std::move(done_.front());
    done_.pop_front();
    busy_ = true;
    lock.unlock();
    std::exception_ptr failure;
    try {
      commit(done);
    } catch (...) {
      failure = std::current_exception();
    }
    done.open.writer.reset();
    lock.lock();
    busy_ = false;
    failure_ = failure;
    changed_.notify_all();
  }
}

void TaskCommitter::commit(Done& done) const {
  const StageTimer timer(meter_, Stage::commit);
  LedgerEntry entry;
  entry.task = task_name(done.task);
  entry.by = done.open.token.empty() ? unique_token() : done.open.token;
  if (done.open.writer) {
    CollectedFiles collected;
    done.open.writer->finish_part(collected);
    entry.files = secure_files(folder_.content(), std::move(collected.files));
    entry.seconds = now() - done.open.began;
  }
  if (meter_ != nullptr) meter_->add_bytes(Stage::commit, entry.bytes());
  if (notes_) entry.notes = notes_();
  folder_.record(entry);
}

}  // namespace spim
