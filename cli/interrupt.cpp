#include "interrupt.hpp"

#include <unistd.h>

#include <csignal>

#include "command.hpp"

namespace spim::cli {

namespace {

// A signal handler can only reach a global; it needs no constructor at run time.
constinit CancelToken cancel_token;

void on_signal(int) {
  if (cancel_token.requested()) _exit(kInterrupted);
  cancel_token.request();
}

void handle(int signal, void (*handler)(int)) {
  struct sigaction action {};
  action.sa_handler = handler;
  sigemptyset(&action.sa_mask);
  action.sa_flags = SA_RESTART;
  sigaction(signal, &action, nullptr);
}

}  // namespace

const CancelToken& catch_signals() {
  handle(SIGINT, on_signal);
  handle(SIGTERM, on_signal);
  handle(SIGXFSZ, SIG_IGN);
  handle(SIGPIPE, SIG_IGN);
  return cancel_token;
}

}  // namespace spim::cli
