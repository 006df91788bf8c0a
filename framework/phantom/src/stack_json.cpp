#include <nlohmann/json.hpp>
#include <set>

#include "phantom/simulated_stack.hpp"
#include "spim/error.hpp"

namespace spim {

namespace {

using Json = nlohmann::ordered_json;

Json triple(Vec3 v) {
  return Json::array({v.x, v.y, v.z});
}

/// Takes the members of one object and remembers which were asked for.
class Members {
 public:
  Members(const Json& object, std::string name) : object_(object), name_(std::move(name)) {
    if (!object.is_object()) throw Error(name_ + " is not a JSON object");
  }

  template <class T>
  void take(const char* member, T& value) {
    known_.insert(member);
    const auto at = object_.find(member);
    if (at == object_.end()) return;
    if constexpr (std::is_same_v<T, Vec3>) {
      if (!at->is_array() || at->size() != 3) refuse(member, "three numbers");
      for (const Json& n : *at)
        if (!n.is_number()) refuse(member, "three numbers");
      value = {(*at)[0].get<double>(), (*at)[1].get<double>(), (*at)[2].get<double>()};
    } else if constexpr (std::is_floating_point_v<T>) {
      if (!at->is_number()) refuse(member, "a number");
      value = at->template get<T>();
    } else {
      if (!at->is_number_integer()) refuse(member, "an integer");
      if (!at->is_number_unsigned() && std::is_unsigned_v<T>)
        refuse(member, "an integer that is not negative");
      const auto number = at->template get<T>();
      if (*at != number) refuse(member, "an integer of fewer digits");
      value = number;
    }
  }

  /// A member that is one of two words; the first one gives `first`.
  template <class T>
  void take_word(const char* member, T& value, std::pair<const char*, const char*> words,
                 std::pair<T, T> values) {
    known_.insert(member);
    const auto at = object_.find(member);
    if (at == object_.end()) return;
    const std::string wanted = std::string("\"") + words.first + "\" or \"" + words.second + "\"";
    if (!at->is_string()) refuse(member, wanted);
    const auto& word = at->template get_ref<const std::string&>();
    if (word != words.first && word != words.second) refuse(member, wanted);
    value = word == words.first ? values.first : values.second;
  }

  const Json* object(const char* member) {
    known_.insert(member);
    const auto at = object_.find(member);
    return at == object_.end() ? nullptr : &*at;
  }

  void require(std::initializer_list<const char*> members) const {
    for (const char* member : members)
      if (!object_.contains(member)) throw Error(name_ + " has no \"" + member + "\"");
  }

  void refuse_others() const {
    for (const auto& [key, value] : object_.items())
      if (!known_.contains(key)) throw Error(name_ + " has an unknown member \"" + key + "\"");
  }

 private:
  [[noreturn]] void refuse(const char* member, const std::string& wanted) const {
    throw Error("\"" + std::string(member) + "\" of " + name_ + " must be " + wanted);
  }

  const Json& object_;
  std::string name_;
  std::set<std::string> known_;
};

PhantomSettings phantom_of(const Json& json) {
  PhantomSettings phantom;
  Members members(json, "the phantom");
  members.take("seed", phantom.seed);
  members.take("channel", phantom.channel);
  members.take("scale", phantom.scale);
  members.take("brightness", phantom.brightness);
  members.take("organ_centre_um", phantom.organ_centre_um);
  members.take("organ_radii_um", phantom.organ_radii_um);
  members.take("repeat_um", phantom.repeat_um);
  members.refuse_others();
  return phantom;
}

}  // namespace

std::string to_json(const SimulatedStack& s) {
  Json json;
  json["format"] = "simulated-stack";
  json["frames"] = s.frames;
  json["rows"] = s.rows;
  json["columns"] = s.columns;
  json["y_voxel_um"] = s.y_voxel_um;
  json["x_step_um"] = s.x_step_um;
  json["tilt_degrees"] = s.tilt_degrees;
  json["direction"] = s.direction;
  json["position_um"] = triple(s.position_um);
  json["tile"] = s.tile;
  json["offset"] = s.noise.offset;
  json["electrons_per_level"] = s.noise.electrons_per_level;
  json["read_noise"] = s.noise.read_noise;
  json["illumination"] = s.illumination;
  json["stripes"] = s.stripes;
  json["content"] = s.content == StackContent::tissue ? "tissue" : "nothing";
  json["stored"] = s.stored == StoredFrames::as_camera ? "as-camera" : "oriented";
  json["phantom"] = {{"seed", s.phantom.seed},
                     {"channel", s.phantom.channel},
                     {"scale", s.phantom.scale},
                     {"brightness", s.phantom.brightness},
                     {"organ_centre_um", triple(s.phantom.organ_centre_um)},
                     {"organ_radii_um", triple(s.phantom.organ_radii_um)},
                     {"repeat_um", s.phantom.repeat_um}};
  return json.dump(2);
}

SimulatedStack stack_from_json(std::string_view text) {
  Json json;
  try {
    json = Json::parse(text);
  } catch (const Json::exception&) {
    throw Error("not valid JSON");
  }
  SimulatedStack s;
  Members members(json, "the description");
  if (const Json* format = members.object("format"); !format || *format != "simulated-stack")
    throw Error("\"format\" is not \"simulated-stack\"");
  members.require({"frames", "rows", "columns"});
  members.take("frames", s.frames);
  members.take("rows", s.rows);
  members.take("columns", s.columns);
  members.take("y_voxel_um", s.y_voxel_um);
  members.take("x_step_um", s.x_step_um);
  members.take("tilt_degrees", s.tilt_degrees);
  members.take("direction", s.direction);
  members.take("position_um", s.position_um);
  members.take("tile", s.tile);
  members.take("offset", s.noise.offset);
  members.take("electrons_per_level", s.noise.electrons_per_level);
  members.take("read_noise", s.noise.read_noise);
  members.take("illumination", s.illumination);
  members.take("stripes", s.stripes);
  members.take_word("content", s.content, {"tissue", "nothing"},
                    {StackContent::tissue, StackContent::nothing});
  members.take_word("stored", s.stored, {"as-camera", "oriented"},
                    {StoredFrames::as_camera, StoredFrames::oriented});
  if (const Json* phantom = members.object("phantom")) s.phantom = phantom_of(*phantom);
  members.refuse_others();
  return s;
}

}  // namespace spim
