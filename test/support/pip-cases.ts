// SPDX-License-Identifier: Apache-2.0
/* What is installed with pip and with Tare to be compared: sets of real requirements, and wheels made to be awkward. */
import type { MadeWheel } from "./made-wheel.ts";

/** Requirements that are installed together; versions where the newest of the list is not meant. */
export interface RequirementSet {
  readonly name: string;
  readonly requirements: readonly string[];
  /** What a program of it imports. */
  readonly imports: readonly string[];
  /** Programs and an option with which each ends well. */
  readonly programs: readonly string[];
}

/** Ten real sets and more. */
export const SETS: readonly RequirementSet[] = [
  {
    name: "a service with a model",
    requirements: ["fastapi", "uvicorn[standard]", "scikit-learn", "pandas"],
    imports: ["fastapi", "uvicorn", "sklearn.ensemble", "pandas", "uvloop", "watchfiles"],
    programs: ["uvicorn --version", "fastapi --help", "watchfiles --version", "websockets --version"],
  },
  {
    name: "transformers",
    requirements: ["transformers", "tokenizers", "safetensors", "huggingface-hub"],
    imports: ["transformers", "tokenizers", "safetensors", "huggingface_hub", "regex"],
    programs: ["transformers --help", "hf --help", "tqdm --version"],
  },
  {
    name: "vision",
    requirements: ["onnxruntime", "opencv-python-headless", "pillow"],
    imports: ["onnxruntime", "cv2", "PIL.Image", "google.protobuf"],
    programs: ["numpy-config --version", "f2py -v"],
  },
  {
    name: "jupyter",
    requirements: ["jupyterlab", "notebook"],
    imports: ["jupyterlab", "notebook", "ipykernel", "zmq", "debugpy"],
    programs: ["jupyter --version", "jupyter-lab --version", "jupyter-nbconvert --version", "ipython --version"],
  },
  {
    name: "namespace packages",
    requirements: ["google-cloud-storage", "zope.component", "ruamel.yaml", "ruamel.yaml.clib"],
    imports: ["google.cloud.storage", "google.auth", "zope.component", "zope.interface", "ruamel.yaml"],
    programs: [],
  },
  {
    name: "sphinx",
    requirements: ["sphinx", "sphinxcontrib-jsmath", "babel"],
    imports: ["sphinx", "sphinxcontrib.jsmath", "babel", "docutils"],
    programs: ["sphinx-build --version", "pybabel --version", "rst2html --version", "pygmentize -V"],
  },
  {
    name: "a site",
    requirements: ["django", "celery", "gunicorn"],
    imports: ["django", "celery", "gunicorn", "kombu"],
    programs: ["django-admin --version", "celery --version", "gunicorn --version"],
  },
  {
    name: "a web service",
    requirements: ["flask", "sqlalchemy", "greenlet", "lxml", "cryptography", "requests", "httpx"],
    imports: ["flask", "sqlalchemy", "greenlet", "lxml.etree", "cryptography.fernet", "requests", "httpx"],
    programs: ["flask --version"],
  },
  {
    name: "plots",
    requirements: ["matplotlib", "scipy"],
    imports: ["matplotlib.pyplot", "scipy.stats", "contourpy"],
    programs: ["fonttools --help", "ttx --version"],
  },
  {
    name: "tools",
    requirements: ["pytest", "coverage", "ruff", "pybind11", "pybind11-global", "wheel", "jmespath", "jsonpointer"],
    imports: ["pytest", "coverage", "pybind11", "wheel", "jmespath", "jsonpointer"],
    programs: ["pytest --version", "coverage --version", "ruff --version", "pybind11-config --version", "wheel version"],
  },
  {
    name: "old formats",
    requirements: ["protobuf==3.20.3", "zope.event==5.0", "docutils==0.18.1", "click==8.1.8", "idna==3.10", "aenum"],
    imports: ["google.protobuf", "zope.event", "docutils", "click", "idna", "aenum"],
    programs: ["rst2html.py --version", "docutils --version"],
  },
];

const run = "def main():\n    print('ran')\n";

/** Wheels that use every freedom of the format. */
export const MADE: readonly MadeWheel[] = [
  {
    name: "made-purelib",
    isPlatlib: true,
    tag: "py3-none-linux_x86_64",
    files: [
      { name: "made_purelib/__init__.py", content: run },
      { name: "made_purelib-1.0.data/purelib/made_pure/__init__.py", content: run },
      { name: "made_purelib-1.0.data/platlib/made_plat/__init__.py", content: run },
      { name: "made_purelib-1.0.data/data/etc/made.conf", content: "a = 1\n", mode: 0o600 },
      { name: "made_purelib-1.0.data/data/man/man1/made.1", content: ".TH MADE\n" },
      { name: "made_purelib-1.0.data/headers/deep/made.h", content: "#define MADE 1\n" },
    ],
  },
  {
    name: "made-scripts",
    entryPoints:
      "[console_scripts]\nmade-main = made_scripts:main\nmade-extra = made_scripts.sub:Tool.run [extra]\n\n[gui_scripts]\nmade-gui = made_scripts:main\n\n[made.plugins]\nx = made_scripts:main\n",
    files: [
      { name: "made_scripts/__init__.py", content: run },
      { name: "made_scripts/sub.py", content: "class Tool:\n    @staticmethod\n    def run():\n        print('tool')\n" },
      { name: "made_scripts-1.0.data/scripts/made-py", content: "#!python\nprint('py')\n" },
      { name: "made_scripts-1.0.data/scripts/made-args", content: "#!python -E\nprint('args')\n" },
      { name: "made_scripts-1.0.data/scripts/made-w", content: "#!pythonw\nprint('w')\n" },
      { name: "made_scripts-1.0.data/scripts/made-crlf", content: "#!python\r\nprint('crlf')\r\n" },
      { name: "made_scripts-1.0.data/scripts/made-own", content: "#!/usr/bin/env python\nprint('own')\n", mode: 0o644 },
      { name: "made_scripts-1.0.data/scripts/made-sh", content: "#!/bin/sh\necho sh\n", mode: 0o755 },
      { name: "made_scripts-1.0.data/scripts/made-empty", content: "" },
      { name: "made_scripts-1.0.data/scripts/made-line", content: "#!python" },
    ],
  },
  {
    name: "made-modes",
    files: [
      { name: "made_modes/", mode: 0o755 },
      { name: "made_modes/empty/", mode: 0o755 },
      { name: "made_modes/__init__.py", content: run, mode: 0o100600 },
      { name: "made_modes/read.py", content: run, mode: 0o100444 },
      { name: "made_modes/run.py", content: run, mode: 0o100755 },
      { name: "made_modes/all", content: "x", mode: 0o100777 },
      { name: "made_modes/group", content: "x", mode: 0o100654 },
      { name: "made_modes/setuid", content: "x", mode: 0o104755 },
      { name: "made_modes/none", content: "x", mode: 0 },
      { name: "made_modes/stored.bin", content: Buffer.alloc(5000, 7), method: 0 },
    ],
  },
  {
    name: "Made.Names",
    files: [
      { name: "made_names/__init__.py", content: run },
      { name: "made_names/ünï.txt", content: "é" },
      { name: "made_names/with space.txt", content: "x" },
      { name: "made_names/a,b.txt", content: "x" },
      { name: "made_names/Upper.TXT", content: "x" },
      { name: "made_names/not-a-module.py", content: run },
      { name: "made_names/syntax.py", content: "print 'two'\n" },
      { name: "made_names/nul.py", content: "a = '\0'\n" },
      { name: "made_names/latin.py", content: Buffer.from("# coding: latin-1\na = 'é'\n", "latin1") },
      { name: "made_names.pth", content: "import sys\n" },
    ],
  },
  {
    name: "made-space",
    files: [
      { name: "made_space/one/__init__.py", content: run },
      { name: "made_space/shared.py", content: "a = 1\n" },
    ],
  },
  {
    name: "made-space-two",
    requires: ["made-space"],
    files: [
      { name: "made_space/two/__init__.py", content: run },
      { name: "made_space_two-1.0.dist-info/licenses/deep/LICENSE", content: "none" },
    ],
  },
];
