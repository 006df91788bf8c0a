"""Who may include what, and who may touch the terminal, the environment and the process: read from the sources."""

import glob
import os
import re
import unittest

ROOT = os.environ["SPIM_SOURCE_DIR"]


def sources(*patterns):
    found = []
    for pattern in patterns:
        for ending in ("cpp", "hpp"):
            found += glob.glob(os.path.join(ROOT, pattern, f"*.{ending}"), recursive=True)
    return sorted(set(found))


def includes(path):
    with open(path, encoding="utf-8") as f:
        return re.findall(r'^\s*#\s*include\s+([<"][^>"]+[>"])', f.read(), re.M)


def code(path):
    """The text without comments and string literals."""
    with open(path, encoding="utf-8") as f:
        text = f.read()
    return re.sub(r'//[^\n]*|/\*.*?\*/|"(?:\\.|[^"\\\n])*"', " ", text, flags=re.S)


def name(path):
    return os.path.relpath(path, ROOT)


class Includes(unittest.TestCase):
    def test_there_is_something_to_look_at(self):
        self.assertGreater(len(sources("framework/src/**", "framework/src")), 20)
        self.assertGreater(len(sources("plugins/**")), 10)

    def test_plugins_and_examples_see_only_the_sdk(self):
        for path in sources("plugins/**", "sdk/**"):
            for include in includes(path):
                with self.subTest(name(path)):
                    self.assertFalse(include[1:].startswith("spim/host/"), f"{include} is not for plugins")
                    self.assertNotIn("..", include)

    def test_plugins_do_not_see_each_other(self):
        folders = {os.path.dirname(p) for p in glob.glob(os.path.join(ROOT, "plugins/*/*/plugin.cpp"))}
        self.assertGreaterEqual(len(folders), 5)
        for folder in folders:
            for path in sources(os.path.join(os.path.relpath(folder, ROOT), "**")):
                for include in (i[1:-1] for i in includes(path) if i.startswith('"')):
                    elsewhere = [f for f in folders - {folder} if os.path.exists(os.path.join(f, include))]
                    own = os.path.exists(os.path.join(folder, include))
                    self.assertTrue(own or not elsewhere, f"{name(path)} includes {include} of another plugin")

    def test_sdk_headers_need_only_each_other_and_small_standard_headers(self):
        allowed = {"<algorithm>", "<cstddef>", "<cstdint>", "<stdexcept>", "<string_view>"}
        headers = glob.glob(os.path.join(ROOT, "framework/include/spim/*.hpp"))
        self.assertGreater(len(headers), 8)
        for path in headers:
            for include in includes(path):
                inside = re.fullmatch(r'"spim/[a-z_]+\.hpp"', include)
                self.assertTrue(inside or include in allowed, f"{name(path)} includes {include}")

    def test_one_file_loads_libraries(self):
        users = [name(p) for p in sources("framework/**", "plugins/**", "cli/**")
                 if any(i[1:].startswith("boost/dll") or i == "<dlfcn.h>" for i in includes(p))]
        self.assertEqual(users, ["framework/src/plugin_library.cpp"])

    def test_the_framework_does_not_see_the_program(self):
        for path in sources("framework/**"):
            for include in includes(path):
                self.assertFalse(include[1:].startswith(("cli/", "plugins/")), f"{name(path)} includes {include}")


class Process(unittest.TestCase):
    FORBIDDEN = {
        "the terminal": r"\bstd::(cout|cerr|clog)\b|(?<![\w:.])(std::|::)?(printf|puts|putchar|perror|vprintf)\s*\(|\b(stdout|stderr)\b"
                        r"|\bfmt::print\s*\(",
        "the process": r"(?<![\w:.>])(std::|::)?(abort|exit|_exit|quick_exit|terminate)\s*\(",
        "the environment": r"\b(secure_)?getenv\s*\(|\b(setenv|putenv)\s*\(|\btemp_directory_path\b",
        "signals": r"(std|[^\w:])::signal\s*\(|\bsigaction\b|\bSIG[A-Z]{2,}\b",
        "the current directory": r"\bf?chdir\s*\(",
    }

    def test_only_the_program_touches_terminal_process_environment_and_signals(self):
        for path in sources("framework/**", "plugins/**", "sdk/**"):
            text = code(path)
            for what, pattern in self.FORBIDDEN.items():
                found = re.search(pattern, text)
                self.assertIsNone(found, f"{name(path)} touches {what}: {found and found.group(0)}")


class Documents(unittest.TestCase):
    FOLDERS = (".", "docs", "sdk/**", "plugins/**")

    @staticmethod
    def anchors(path):
        """What a heading is called in a link: lower case, without punctuation, words joined by dashes."""
        with open(path, encoding="utf-8") as f:
            headings = re.findall(r"^#+ (.*)$", f.read(), re.M)
        return {re.sub(r"[^\w\- ]", "", heading.strip().lower()).replace(" ", "-") for heading in headings}

    def test_links_lead_somewhere(self):
        documents = {d for f in self.FOLDERS for d in glob.glob(os.path.join(ROOT, f, "*.md"), recursive=True)}
        links = 0
        for document in sorted(documents):
            with open(document, encoding="utf-8") as f:
                text = f.read()
            for path, anchor in re.findall(r"\]\(([^)#\s]*)#?([^)\s]*)\)", text):
                if re.match(r"[a-z]+:", path):
                    continue
                links += 1
                target = os.path.normpath(os.path.join(os.path.dirname(document), path)) if path else document
                with self.subTest(f"{name(document)}: {path}#{anchor}"):
                    self.assertTrue(os.path.exists(target))
                    if anchor and target.endswith(".md"):
                        self.assertIn(anchor, self.anchors(target))
        self.assertGreater(links, 20)


if __name__ == "__main__":
    unittest.main()
