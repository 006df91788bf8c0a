#pragma once
/// Makes finished tasks durable and enters them into the ledger, while the sweep goes on.

#include <condition_variable>
#include <deque>
#include <exception>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <thread>

#include "spim/host/run_folder.hpp"
#include "spim/host/stage_meter.hpp"
#include "spim/host/task_sweep.hpp"

namespace spim {

/// The writers of all tasks of one process. A thread of its own closes, syncs and checksums what is finished:
/// the workers do not wait for the disk.
class TaskCommitter final : public TaskWriters {
 public:
  using WriterFactory = std::function<std::unique_ptr<VolumeWriter>(const std::filesystem::path&)>;
  using Notes = std::function<std::map<std::string, std::string>()>;

  /// `create` gives a writer that has not joined; `meter` (may be null) counts Stage::commit. All references
  /// outlive this; spec.name too.
  TaskCommitter(const RunFolder& folder, const VolumeSpec& spec, WriterFactory create,
                StageMeter* meter = nullptr);
  /// Enters what is finished; what goes wrong then is done again another time.
  ~TaskCommitter() override;
  TaskCommitter(const TaskCommitter&) = delete;
  TaskCommitter& operator=(const TaskCommitter&) = delete;

  /// What is entered into the ledger as the notes of a task, asked for when it is finished, on the thread
  /// that enters it. Before the first task.
  void note_with(Notes notes) { notes_ = std::move(notes); }

  /// Throws what went wrong with an earlier task.
  VolumeWriter& writer(TaskId task) override;
  /// Of any level. A task without a writer wrote nothing.
  void finished(TaskId task) override;
  /// Waits until everything that is finished is in the ledger. Throws what went wrong.
  void wait();

 private:
  struct Open {
    std::unique_ptr<VolumeWriter> writer;
    double began = 0;
    std::string token;
  };
  struct Done {
    TaskId task;
    Open open;
  };
  void work();
  void commit(Done& done) const;
  void rethrow();

  const RunFolder& folder_;
  VolumeSpec spec_;
  WriterFactory create_;
  StageMeter* meter_;
  Notes notes_;
  std::mutex mutex_;
  std::condition_variable changed_;
  std::map<TaskId, Open> open_;
  std::deque<Done> done_;
  bool busy_ = false;
  bool stop_ = false;
  std::exception_ptr failure_;
  std::thread thread_;
};

}  // namespace spim
