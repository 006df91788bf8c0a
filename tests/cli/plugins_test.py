"""The commands about plugins: listing, showing, checking plugins and configurations."""

import json
import os
import shutil
import unittest

from cli_support import Case, run

PLUGINS = os.environ["SPIM_PLUGIN_DIR"]
LOADER = os.path.join(os.environ["SPIM_BUILD_DIR"], "tests", "loader")


def tester(name):
    return os.path.join(LOADER, name, name + ".so")


class Plugins(Case):
    def test_lists_items_by_kind(self):
        text = self.succeed("plugins").stdout
        for word in ("dcimg", "simulated", "blockfs", "zarr", "null", "Writers of volumes (--writer)"):
            self.assertIn(word, text)
        self.assertEqual(text, self.succeed("plugins", "list").stdout)

    def test_lists_as_json(self):
        listed = json.loads(self.succeed("plugins", "--json").stdout)
        items = {(i["kind"], i["id"]) for i in listed["items"]}
        self.assertIn(("reader", "dcimg"), items)
        self.assertIn(("writer", "zarr"), items)
        self.assertIn(("volume-reader", "zarr"), items)
        for plugin in listed["plugins"]:
            self.assertEqual(plugin["abi"], listed["abi"])
            self.assertEqual(plugin["toolchain"], listed["toolchain"])
        self.assertEqual(listed["refused"], [])

    def test_lists_refused_plugins_with_the_reason(self):
        os.mkdir(self.path("plugins"))
        with open(self.path("plugins", "text.so"), "w") as f:
            f.write("not a library")
        for args, environment in ((["--plugin-dir", self.path("plugins")], {}),
                                  ([], {"SPIMSTITCH_PLUGIN_PATH": self.path("plugins")})):
            listed = json.loads(self.succeed("plugins", "--json", *args, env=environment).stdout)
            (refused,) = listed["refused"]
            self.assertEqual(refused["path"], self.path("plugins", "text.so"))
            self.assertIn("is not a shared library", refused["reason"])
            self.assertIn("Refused\n  " + refused["reason"], self.succeed("plugins", *args, env=environment).stdout)
            self.fail_with(2, "plugins", "show", "writer/raw", *args, env=environment,
                           says=["no plugin item 'writer/raw'", "refused: " + refused["reason"]])

    def test_finds_plugins_of_given_folders_first(self):
        os.mkdir(self.path("plugins"))
        shutil.copy(os.path.join(PLUGINS, "null.so"), self.path("plugins"))
        listed = json.loads(self.succeed("plugins", "--json", "--plugin-dir", "plugins", cwd=self.folder).stdout)
        (null,) = [p for p in listed["plugins"] if p["name"] == "null"]
        self.assertEqual(os.path.realpath(null["path"]), os.path.realpath(self.path("plugins", "null.so")))
        self.assertEqual(len(listed["refused"]), 1)

    def test_does_not_search_the_current_folder(self):
        shutil.copy(tester("tester"), self.folder)
        self.assertNotIn("tester", self.succeed("plugins", cwd=self.folder).stdout)
        listed = json.loads(self.succeed("plugins", "--json", cwd=self.folder,
                                         env={"SPIMSTITCH_PLUGIN_PATH": "."}).stdout)
        self.assertIn("it is relative", listed["refused"][0]["reason"])

    def test_shows_one_with_its_options(self):
        text = self.succeed("plugins", "show", "writer/zarr").stdout
        for word in ("writer/zarr", "codec", "default", "Options (--set writer.OPTION=VALUE)", "concurrency"):
            self.assertIn(word, text)
        shown = json.loads(self.succeed("plugins", "show", "writer/zarr", "--json").stdout)
        self.assertEqual(shown["options"]["type"], "object")
        self.assertIn("enum", shown["options"]["properties"]["codec"])
        self.assertIn("reader/dcimg", self.succeed("plugins", "show", "dcimg").stdout)

    def test_refuses_what_it_does_not_understand(self):
        self.fail_with(2, "plugins", "show", "writer/zar", says=["the nearest is 'writer/zarr'"])
        self.fail_with(2, "plugins", "show", says="expects")
        self.fail_with(2, "plugins", "lst", says="expects")
        self.fail_with(2, "plugins", "--plugin-dir", self.path("missing"), says="does not exist")


class CheckPlugin(Case):
    def test_passes_a_good_plugin(self):
        done = self.succeed("check-plugin", os.path.join(PLUGINS, "blockfs.so"), "--json")
        checks = json.loads(done.stdout)
        self.assertEqual(checks["failed"], 0)
        self.assertGreaterEqual(checks["passed"], 20)

    def test_fails_a_faulty_plugin_and_says_in_what(self):
        done = run("check-plugin", tester("faulty"), "--set", "writer.fault=loses")
        self.assertEqual(done.returncode, 1, done.stdout)
        self.assertIn("failed   writes an odd shape in small chunks: voxel (", done.stdout)
        self.assertEqual(done.stderr, "")

    def test_refuses_what_cannot_be_loaded(self):
        self.fail_with(1, "check-plugin", tester("no-manifest"), says="not a spimstitch plugin")
        self.fail_with(1, "check-plugin", self.path("missing.so"), says="No such file")
        self.fail_with(2, "check-plugin", tester("tester"), "--sample", self.path("no"), says="correct --sample")
        self.fail_with(2, "check-plugin")

    def test_leaves_nothing_in_the_temporary_folder(self):
        self.succeed("check-plugin", os.path.join(PLUGINS, "null.so"), env={"TMPDIR": self.folder})
        self.assert_nothing_left()


class Check(Case):
    def config(self, **sections):
        with open(self.path("c.json"), "w") as f:
            json.dump(sections, f)
        return self.path("c.json")

    def test_completes_a_good_configuration(self):
        config = self.config(command="dcimg2oblique", options={"y-voxel-size": 2},
                             writer={"id": "zarr", "options": {"level": 3}})
        completed = json.loads(self.succeed("check", config).stdout)
        self.assertEqual(completed["options"], {"y-voxel-size": 2})
        self.assertEqual(completed["writer"]["options"]["level"], 3)
        self.assertIn("codec", completed["writer"]["options"])

    def test_names_file_and_fault(self):
        for says, sections in (
            ("no option y-voxel-sise", {"command": "dcimg2oblique", "options": {"y-voxel-sise": 2}}),
            ("y-voxel-size", {"command": "dcimg2oblique", "options": {"y-voxel-size": "wide"}}),
            ("there is no writer 'zar'; the nearest is 'zarr'", {"command": "dcimg2oblique", "writer": {"id": "zar"}}),
            ("it must be an integer from 0 to 9",
             {"command": "dcimg2oblique", "writer": {"id": "zarr", "options": {"level": 10}}}),
            ("unknown command 'dcimg2obliqe'; the nearest is 'dcimg2oblique'", {"command": "dcimg2obliqe"}),
            ("names no command", {}),
            ("unknown key 'wirter'; the nearest is 'writer'", {"command": "info", "wirter": {}}),
        ):
            with self.subTest(says):
                self.fail_with(2, "check", self.config(**sections), says=["c.json", says])

    def test_needs_a_file(self):
        self.fail_with(1, "check", self.path("missing.json"), says="does not exist")


if __name__ == "__main__":
    unittest.main()
