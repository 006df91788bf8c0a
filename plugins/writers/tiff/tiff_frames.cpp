#include "tiff_frames.hpp"

#include <fmt/format.h>

#include <cstring>
#include <fstream>

#include "common/file_list.hpp"
#include "for_each.hpp"
#include "signature.hpp"
#include "spim/error.hpp"

namespace spim {

namespace {

const reading::Endings& endings() {
  static const reading::Endings list{".tif", ".tiff", ".btf", ".tf8"};
  return list;
}

const char* word(PixelType type) {
  return type == PixelType::u8 ? "uint8" : "uint16";
}

}  // namespace

TiffFrames::TiffFrames(Host& host, const Options&, std::string_view path)
    : files_(reading::list_files(path, endings())),
      pool_([this](std::int64_t frame) { return open(frame); }) {
  if (files_.size() == 1)
    open_pages(host);
  else
    open_files(host);
}

void TiffFrames::open_pages(Host& host) {
  only_ = std::make_shared<tiff::PageFile>(files_.front());
  std::vector<std::uint64_t> all = only_->places();
  first_ = tiff::Page(only_, all.front(), files_.front()).info();
  std::vector<char> reduced(all.size());
  tiff::for_each(host, static_cast<std::int64_t>(all.size()), [&](std::int64_t i) {
    const auto at = static_cast<std::size_t>(i);
    const std::string name =
        all.size() == 1 ? files_.front() : fmt::format("page {} of {}", i, files_.front());
    const tiff::PageInfo page = tiff::Page(only_, all[at], name).info();
    reduced[at] = page.reduced ? 1 : 0;
    if (!page.reduced) check_alike(page, name);
  });
  for (std::size_t i = 0; i < all.size(); ++i)
    if (reduced[i] == 0 || i == 0) places_.push_back(all[i]);
  const auto frames = static_cast<std::int64_t>(places_.size());
  info_ = {frames, frames, first_.rows, first_.columns, first_.type};
}

void TiffFrames::open_files(Host& host) {
  reading::check_numbering(files_);
  const auto look = [](const std::string& name) {
    const auto file = std::make_shared<tiff::PageFile>(name);
    if (const std::size_t pages = file->places().size(); pages != 1)
      throw Error(
          fmt::format("{} has {} pages; a stack of several files has one in each, give a file of many "
                      "pages alone",
                      name, pages));
    return tiff::Page(file, file->first(), name).info();
  };
  first_ = look(files_.front());
  tiff::for_each(host, static_cast<std::int64_t>(files_.size()), [&](std::int64_t i) {
    const std::string& name = files_[static_cast<std::size_t>(i)];
    check_alike(look(name), name);
  });
  const auto frames = static_cast<std::int64_t>(files_.size());
  info_ = {frames, frames, first_.rows, first_.columns, first_.type};
}

void TiffFrames::check_alike(const tiff::PageInfo& page, const std::string& subject) const {
  if (page.rows != first_.rows || page.columns != first_.columns || page.type != first_.type)
    throw Error(fmt::format(
        "{} has {} rows x {} columns of {}, the first frame {} x {} of {}; keep only frames "
        "of one shape together",
        subject, page.rows, page.columns, word(page.type), first_.rows, first_.columns, word(first_.type)));
}

std::string TiffFrames::subject(std::int64_t frame) const {
  if (!only_) return files_[static_cast<std::size_t>(frame)];
  return places_.size() == 1 ? only_->path() : fmt::format("page {} of {}", frame, only_->path());
}

std::unique_ptr<tiff::Page> TiffFrames::open(std::int64_t frame) const {
  const auto at = static_cast<std::size_t>(frame);
  if (only_) return std::make_unique<tiff::Page>(only_, places_[at], subject(frame));
  const auto file = std::make_shared<tiff::PageFile>(files_[at]);
  auto page = std::make_unique<tiff::Page>(file, file->first(), files_[at]);
  check_alike(page->info(), files_[at]);  // it may be another file by now
  return page;
}

void TiffFrames::read(std::int64_t frame, std::int64_t first_row, ImageView<std::uint16_t> out) {
  if (frame < 0 || frame >= info_.frames || first_row < 0 || out.rows < 0 ||
      first_row > info_.rows - out.rows || out.columns != info_.columns)
    throw Error(
        fmt::format("rows {} to {} of frame {} were asked for; there are {} frames of {} rows x {} "
                    "columns",
                    first_row, first_row + out.rows, frame, info_.frames, info_.rows, info_.columns));
  if (out.rows > 0) pool_.with(frame, [&](tiff::Page& page) { page.read(first_row, 0, out); });
}

void TiffFrames::describe(MetadataSink& sink) {
  sink.text("format", only_ ? "TIFF, one file" : "TIFF, a file for each frame");
  sink.text("first file", files_.front());
  if (!only_) sink.text("last file", files_.back());
  sink.text("compression", first_.compression);
  sink.text("blocks", fmt::format("{} of {} rows x {} columns", first_.tiled ? "tiles" : "strips",
                                  first_.block_rows, first_.block_columns));
  if (!first_.software.empty()) sink.text("software", first_.software);
}

int TiffFrames::probe(const char* path, const unsigned char* head, std::uint64_t head_size) noexcept {
  if (head_size > 0) return tiff::sure_of_head(head, head_size);
  return reading::probe_list(path, endings(), tiff::sure_of_file);
}

}  // namespace spim
