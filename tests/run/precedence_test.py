"""Where the value of an option comes from: command line, then configuration, environment, metadata.txt, default."""

import json
import os
import sys
import unittest

sys.path.insert(0, os.path.join(os.path.dirname(__file__), "..", "cli"))
from cli_support import Case

METADATA = (
    "Obj\tRes\t\xb5m/pix\tX/Z Step (\xb5m)\tNoOffset02152022\t\r\n"
    "TL 2x\t2048\t3.456\t2.444\t\t\r\n"
    "Power\tLeft\tRight\t\t\t\r\n488\t20\t20\t\t\t\r\n"
    "X\tY\tZ\tLaser\tSide\tExposure\r\n000000\t000000\t0\t1\t0\t2\r\n")


def option(name):
    return lambda saved: saved["options"].get(name)


def chosen(kind):
    return lambda saved: saved.get(kind, {}).get("id")


# Name on the command line and in a configuration, variable, values (as typed) of command line, configuration, environment,
# what each of these and the default show, and where they show.
TABLE = (
    ("x-step-size", "X_STEP_SIZE", ("1.1", "1.2", "1.3"), (1.1, 1.2, 1.3, 1.28), option("x-step-size")),
    ("y-voxel-size", "Y_VOXEL_SIZE", ("2.1", "2.2", "2.3"), (2.1, 2.2, 2.3, 1.8), option("y-voxel-size")),
    ("negative-y", "NEGATIVE_Y", ("false", "true", "0"), (False, True, False, False), option("negative-y")),
    ("z-offset", "Z_OFFSET", ("11", "12", "13"), (11, 12, 13, 0), option("z-offset")),
    ("background", "BACKGROUND", ("41", "42", "43"), (41, 42, 43, 100), option("dark")),
    ("illum-corr", "ILLUM_CORR", ("a.tiff", "none", "c.tiff"), ("a.tiff", "none", "c.tiff", None), option("flat")),
    ("alignment", "ALIGN_FILE", ("a.json", "b.json", "c.json"), ("a.json", "b.json", "c.json", None), option("alignment")),
    ("align-xz", "ALIGN_XZ", ("true", "false", "1"), (True, False, True, False), option("align-xz")),
    ("n-workers", "WORKERS", ("1", "2", "3"), (1, 2, 3, 0), option("n-workers")),
    ("use-wavelets", "USE_WAVELETS", ("false", "true", "no"), ("lightsheet", "wavelet", "lightsheet", "lightsheet"),
     chosen("destripe")),
    ("ngff", "NGFF", ("false", "true", "0"), ("blockfs", "zarr", "blockfs", "zarr"), chosen("writer")),
    ("psnr", "PSNR", ("70", "30,40,80", "50"), (70, "30,40,80", 50, 80), option("psnr")),
    ("keep-stacks", "DONT_CLEANUP_INTERMEDIATES", ("false", "true", "0"), (None, True, None, None), option("keep-stacks")),
)
FROM_METADATA = {"x-step-size": 2.444, "y-voxel-size": 3.456, "negative-y": True}


class Precedence(Case):
    def shown(self, *options, env=None):
        done = self.succeed("run", "scan/Ex_488_Em_1", "--print-config", "--also", "jp2", *options, cwd=self.folder, env=env)
        return json.loads(done.stdout)

    def write_metadata(self):
        os.makedirs(self.path("scan"), exist_ok=True)
        with open(self.path("scan", "metadata.txt"), "w", encoding="latin-1", newline="") as file:
            file.write(METADATA)

    def write_config(self, options, **sections):
        with open(self.path("config.json"), "w") as file:
            json.dump({"options": options, **sections}, file)
        return ("--config", self.path("config.json"))

    def test_each_layer_counts_over_those_below_it(self):
        for name, variable, (typed, configured, environment), expected, look in TABLE:
            with self.subTest(name):
                if os.path.exists(self.path("scan", "metadata.txt")):
                    os.remove(self.path("scan", "metadata.txt"))
                self.assertEqual(look(self.shown()), expected[3])
                self.write_metadata()
                self.assertEqual(look(self.shown()), FROM_METADATA.get(name, expected[3]))
                env = {variable: environment}
                self.assertEqual(look(self.shown(env=env)), expected[2])
                config = self.write_config({name: configured})
                self.assertEqual(look(self.shown(*config, env=env)), expected[1])
                self.assertEqual(look(self.shown(*config, f"--{name}={typed}", env=env)), expected[0])

    def test_what_is_shown_says_where_it_came_from_and_can_be_loaded_again(self):
        self.write_metadata()
        config = self.write_config({"z-offset": 7})
        env = {"BACKGROUND": "55", "USE_WAVELETS": "1"}
        done = self.succeed("run", "scan/Ex_488_Em_1", "--print-config", "--also", "jp2", *config, "--levels", "3", cwd=self.folder, env=env)
        saved = json.loads(done.stdout)
        sources = saved["sources"]
        self.assertEqual(sources["levels"], "option --levels")
        self.assertIn("config.json", sources["z-offset"])
        self.assertEqual(sources["dark"], "environment variable BACKGROUND")
        self.assertEqual(sources["use-wavelets"], "environment variable USE_WAVELETS")
        self.assertTrue(sources["x-step-size"].endswith("scan/metadata.txt"))
        self.assertEqual(sources["tilt"], "default")
        with open(self.path("saved.json"), "w") as file:
            file.write(done.stdout)
        again = self.shown("--config", self.path("saved.json"), env={"BACKGROUND": "1", "X_STEP_SIZE": "9", "NGFF": "0"})
        for section in ("options", "writer", "destripe"):
            self.assertEqual(again[section], saved[section], section)

    def test_options_that_exclude_each_other_count_by_their_layer(self):
        self.assertEqual(chosen("writer")(self.shown("--writer", "blockfs", env={"NGFF": "1"})), "blockfs")
        self.assertEqual(chosen("writer")(self.shown("--ngff", *self.write_config({}, writer={"id": "tiff"}))), "zarr")
        self.assertEqual(chosen("writer")(self.shown(*self.write_config({}, writer={"id": "tiff"}), env={"NGFF": "1"})), "tiff")
        self.assertEqual(chosen("destripe")(self.shown("--destripe", "lightsheet", env={"USE_WAVELETS": "1"})), "lightsheet")
        self.assertEqual(chosen("destripe")(self.shown("--use-wavelets", *self.write_config({"destripe": "lightsheet"}))), "wavelet")
        self.assertIsNone(option("alignment")(self.shown("--align", env={"ALIGN_FILE": "c.json"})))
        self.assertFalse(option("align-xz")(self.shown("--align=false", env={"ALIGN_XZ": "1"})))
        for options, says in ((("--writer", "blockfs", "--ngff"), "--ngff"), (("--destripe", "none", "--use-wavelets"), "--use-wavelets"),
                              (("--align=false", "--align-xz"), "--align-xz")):
            self.fail_with(2, "run", "scan", "--print-config", *options, says=(says, "contradict"))

    def test_values_that_make_no_sense_are_named_with_their_origin(self):
        self.fail_with(2, "run", "scan", env={"X_STEP_SIZE": "fast"}, says=("X_STEP_SIZE", "fast", "not a number"))
        self.fail_with(2, "run", "scan", *self.write_config({"z-offset": -1}), says=("config.json", "z-offset", "-1"))
        self.fail_with(2, "run", "scan", *self.write_config({"z-ofset": 1}), says=("z-ofset", "z-offset"))
        self.fail_with(2, "run", "scan", "--background", "70000", says=("--background", "70000", "65535"))
        self.fail_with(2, "run", "scan", "--on-bad-frame", "ignore", says=("--on-bad-frame", "ignore", "previous"))
        self.fail_with(2, "run", says="CHANNEL")
        self.fail_with(2, "run", "scan", "--phase", "sweep", "--part", "3/3", says=("--part", "3/3"))

    def test_an_empty_variable_is_none(self):
        self.assertEqual(option("dark")(self.shown(env={"BACKGROUND": "", "NGFF": "", "ALIGN_FILE": ""})), 100)


if __name__ == "__main__":
    unittest.main()
