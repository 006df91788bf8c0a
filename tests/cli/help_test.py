"""Every command explains itself; what cannot be understood is refused with exit code 2 and a suggestion."""

import os
import re
import unittest

from cli_support import BIN, Case, run


def command_names():
    text = run("--help").stdout
    section = text[text.index("Commands:") : text.index("Help:")]
    return re.findall(r"^  (\S+)", section, re.M)


class Help(Case):
    def test_overview_names_the_commands_of_the_user(self):
        names = command_names()
        for name in ("pipeline", "dcimg2oblique", "stack2oblique", "oblique2stitched", "info", "view-slice"):
            self.assertIn(name, names)

    def test_every_command_has_help_with_usage_and_options(self):
        for name in command_names():
            with self.subTest(name):
                direct, through_help = run(name, "--help"), run("help", name)
                self.assertEqual(direct.returncode, 0)
                self.assertTrue(direct.stdout.startswith(f"Usage: spimstitch {name} "), direct.stdout)
                self.assertIn("--log-level", direct.stdout)
                self.assertEqual(direct.stdout, through_help.stdout)
                self.assertEqual(direct.stderr, "")

    def test_help_states_defaults_and_units(self):
        text = " ".join(run("dcimg2oblique", "--help").stdout.split())
        self.assertIn("micrometres (default 1.28)", text)
        self.assertIn("micrometres (default 1.8)", text)
        self.assertIn("counter-clockwise as numpy.rot90", text)

    def test_help_states_which_flags_are_on(self):
        self.assertRegex(run("pipeline", "--help").stdout, r"--flip-ud [^-]*\(default true\)")
        self.assertNotRegex(run("dcimg2oblique", "--help").stdout, r"--flip-ud [^-]*\(default")

    def test_a_plan_and_a_run_explain_themselves(self):
        self.assertIn("writes nothing", " ".join(run("plan", "--help").stdout.split()))
        self.assertIn("Makes one stitched volume", run("run", "--help").stdout)

    def test_help_fits_a_terminal(self):
        for name in command_names():
            for line in run(name, "--help").stdout.splitlines():
                self.assertLessEqual(len(line), 110, f"{name}: {line}")

    def test_version_is_printed_everywhere(self):
        version = run("--version").stdout
        self.assertRegex(version, r"^spimstitch \d+\.\d+\.\d+\n$")
        self.assertEqual(run("info", "--version").stdout, version)

    def test_commands_of_the_reference_are_programs(self):
        for name in ("dcimg2oblique", "stack2oblique", "oblique2stitched", "spimstitch-pipeline"):
            with self.subTest(name):
                self.assertTrue(os.path.exists(os.path.join(BIN, name)))
                done = run("--help", program=name)
                self.assertEqual(done.returncode, 0)
                self.assertTrue(done.stdout.startswith(f"Usage: {name} "), done.stdout)

    def test_no_arguments_show_the_overview_as_an_error(self):
        done = run()
        self.assertEqual(done.returncode, 2)
        self.assertIn("Commands:", done.stderr)


class Refusals(Case):
    def test_unknown_command_suggests_the_nearest(self):
        self.fail_with(2, "oblique2stiched", says="did you mean oblique2stitched?")

    def test_unknown_option_suggests_the_nearest(self):
        self.fail_with(2, "dcimg2oblique", "--levls", "3", says=("--levls", "did you mean --levels?"))

    def test_options_are_not_abbreviated(self):
        self.fail_with(2, "dcimg2oblique", "--lev", "3", says="--lev")

    def test_values_are_checked(self):
        for arguments, says in (
            (("--levels", "x"), "not a whole number"),
            (("--levels", "0"), "less than the smallest possible value 1"),
            (("--x-step-size", "0"), "not greater than 0"),
            (("--x-step-size", "nan"), "not a number"),
            (("--chunk-size", "64,64"), "three whole numbers"),
            (("--rotate-90", "4"), "more than the largest possible value 3"),
            (("--memory", "lots"), "512M or 4G"),
            (("--log-level", "loud"), "DEBUG, INFO, WARNING or ERROR"),
            (("--levels",), "--levels"),
            (("--set", "codec=lz4"), "KIND.option=value"),
            (("surplus",), "does not expect"),
        ):
            with self.subTest(arguments):
                done = self.fail_with(2, "dcimg2oblique", "--input", "a", "--output", "b", *arguments, says=says)
                self.assertEqual(done.stdout, "")

    def test_missing_required_options_are_named(self):
        self.fail_with(2, "dcimg2oblique", "--output", "b", says="--input is missing")
        self.fail_with(2, "dcimg2oblique", "--input", "a", says="--output is missing")
        self.fail_with(2, "oblique2stitched", "--output", "b", says="--input is missing")
        self.fail_with(2, "pipeline", says="lacks CHANNEL")

    def test_what_is_not_there_yet_is_refused_and_not_ignored(self):
        for arguments in (("--jp2k",), ("--psnr", "80")):
            with self.subTest(arguments):
                self.fail_with(2, "dcimg2oblique", "--input", "a", "--output", "b", *arguments, says="not available")
        for option in ("--y-illum-corr=0.9", "--compute-y-illum-corr"):
            self.fail_with(2, "oblique2stitched", "--input", "a", "--output", "b", option, says="not available")

    def test_unknown_plugins_name_the_known_ones(self):
        self.fail_with(2, "dcimg2oblique", "--input", "a", "--output", "b", "--writer", "blockf", says="blockfs")
        self.fail_with(2, "dcimg2oblique", "--input", "a", "--output", "b", "--reader", "dcimgg", says="dcimg")
        self.fail_with(2, "dcimg2oblique", "--input", "a", "--output", "b", "--destripe", "magic", says="magic")

    def test_unknown_codec_and_plugin_option_are_refused(self):
        self.fail_with(2, "dcimg2oblique", "--input", "a", "--output", "b", "--set", "writer.codec=gif", says="gif")
        self.fail_with(2, "dcimg2oblique", "--input", "a", "--output", "b", "--set", "writer.codex=zstd", says="codec")

    def test_choices_of_other_kinds_are_refused(self):
        self.fail_with(2, "info", "x", "--set", "writer.codec=lz4", says="uses no writer")

    def test_contradicting_writers_are_refused(self):
        self.fail_with(2, "dcimg2oblique", "--input", "a", "--output", "b", "--ngff", "--writer", "null",
                       says="contradict")

    def test_log_level_is_case_insensitive(self):
        self.fail_with(1, "info", self.path("absent"), "--log-level", "debug", says="does not exist")


if __name__ == "__main__":
    unittest.main()
