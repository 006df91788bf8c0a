#include "translate.hpp"

#include <fmt/format.h>

#include <new>

#include "spim/host/executor.hpp"
#include "words.hpp"

namespace spim {
namespace {

/// `what` with the place and the file before it, each unless the text names it already, and the plugin after.
std::string sentence(const Origin& origin, const std::string& where, std::string what) {
  what = printable(what);
  while (!what.empty() && (what.back() == '.' || what.back() == ' ')) what.pop_back();
  if (what.empty()) what = "failed without saying why";
  const std::string file = std::filesystem::path(origin.path).filename().string();
  const bool names_file = file.empty() || what.find(file) != std::string::npos;
  const bool names_place = where.empty() || what.find(where) != std::string::npos;
  std::string subject;
  if (!names_place) subject = names_file ? where + ": " : where + " of " + origin.path + ": ";
  if (names_place && !names_file) subject = origin.path + ": ";
  return subject + what + " " + name_of(origin);
}

}  // namespace

std::string name_of(const Origin& origin) {
  return fmt::format("({} {} of plugin {} {})", kind_word(origin.kind), origin.id, origin.plugin,
                     origin.version);
}

void blame(const Origin& origin, const std::string& where, const std::string& what) {
  throw TranslatedError(sentence(origin, where, what));
}

void rethrow_translated(const Origin& origin, const std::string& where) {
  // The objects are copied, never passed on: their types live in the plugin's library.
  try {
    throw;
  } catch (const TranslatedError& e) {
    throw TranslatedError(e);
  } catch (const Cancelled&) {
    throw Cancelled();
  } catch (const UsageError& e) {
    throw UsageError(sentence(origin, where, e.what()));
  } catch (const std::bad_alloc&) {
    blame(origin, where, "there is not enough memory");
  } catch (const std::exception& e) {
    // A plugin that was told to stop leaves its loop by throwing what it likes.
    if (origin.host && origin.host->cancelled()) throw Cancelled();
    blame(origin, where, e.what());
  } catch (...) {
    if (origin.host && origin.host->cancelled()) throw Cancelled();
    blame(origin, where, kForeignException);
  }
}

}  // namespace spim
