// SPDX-License-Identifier: Apache-2.0
/* What is installed with pip and with Tare to be compared: sets of real requirements, and wheels made to be awkward. */
import type { WheelFixture } from "./wheel-fixture.ts";

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
    programs: ["uvicorn --version", "watchfiles --version", "websockets --version"],
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
    programs: [
      "pytest --version",
      "coverage --version",
      "ruff --version",
      "pybind11-config --version",
      "wheel version",
    ],
  },
  {
    name: "old formats",
    requirements: ["protobuf==3.20.3", "docutils==0.18.1", "click==8.1.8", "idna==3.10", "aenum"],
    imports: ["google.protobuf", "docutils", "click", "idna", "aenum"],
    programs: ["rst2html.py --version"],
  },
];

const RUN = "def main():\n    print('ran')\n";
const TOOL = "class Tool:\n    @staticmethod\n    def run():\n        print('tool')\n";
const ENTRY_POINTS = `[console_scripts]
made-main = made_scripts:main
made-extra = made_scripts.sub:Tool.run [extra]

[gui_scripts]
made-gui = made_scripts:main

[made.plugins]
x = made_scripts:main
`;

/** Wheels that use every freedom of the format. */
export const MADE: readonly WheelFixture[] = [
  {
    name: "made_purelib",
    isPure: false,
    tag: "py3-none-linux_x86_64",
    files: {
      "made_purelib/__init__.py": RUN,
      "made_purelib-1.0.data/purelib/made_pure/__init__.py": RUN,
      "made_purelib-1.0.data/platlib/made_plat/__init__.py": RUN,
      "made_purelib-1.0.data/data/etc/made.conf": "a = 1\n",
      "made_purelib-1.0.data/data/man/man1/made.1": ".TH MADE\n",
      "made_purelib-1.0.data/headers/deep/made.h": "#define MADE 1\n",
    },
    modes: { "made_purelib-1.0.data/data/etc/made.conf": 0o100600 },
  },
  {
    name: "made_scripts",
    entryPoints: ENTRY_POINTS,
    files: {
      "made_scripts/__init__.py": RUN,
      "made_scripts/sub.py": TOOL,
      "made_scripts-1.0.data/scripts/made-py": "#!python\nprint('py')\n",
      "made_scripts-1.0.data/scripts/made-args": "#!python -E\nprint('args')\n",
      "made_scripts-1.0.data/scripts/made-w": "#!pythonw\nprint('w')\n",
      "made_scripts-1.0.data/scripts/made-crlf": "#!python\r\nprint('crlf')\r\n",
      "made_scripts-1.0.data/scripts/made-own": "#!/usr/bin/env python\nprint('own')\n",
      "made_scripts-1.0.data/scripts/made-sh": "#!/bin/sh\necho sh\n",
      "made_scripts-1.0.data/scripts/made-empty": "",
      "made_scripts-1.0.data/scripts/made-line": "#!python",
    },
    modes: { "made_scripts-1.0.data/scripts/made-sh": 0o100755 },
  },
  {
    name: "made_modes",
    files: {
      "made_modes/__init__.py": RUN,
      "made_modes/read.py": RUN,
      "made_modes/run.py": RUN,
      "made_modes/all": "x",
      "made_modes/group": "x",
      "made_modes/setuid": "x",
      "made_modes/none": "x",
    },
    modes: {
      "made_modes/__init__.py": 0o100600,
      "made_modes/read.py": 0o100444,
      "made_modes/run.py": 0o100755,
      "made_modes/all": 0o100777,
      "made_modes/group": 0o100654,
      "made_modes/setuid": 0o104755,
      "made_modes/none": 0,
    },
    entries: [
      { name: "made_modes/", mode: 0o40700 },
      { name: "made_modes/empty/", mode: 0o40755 },
      { name: "made_modes/stored.bin", content: Buffer.alloc(5000, 7), method: 0 },
    ],
  },
  {
    name: "Made.Names",
    files: {
      "made_names/__init__.py": RUN,
      "made_names/ünï.txt": "é",
      "made_names/with space.txt": "x",
      "made_names/a,b.txt": "x",
      "made_names/Upper.TXT": "x",
      "made_names/not-a-module.py": RUN,
      "made_names/syntax.py": "print 'two'\n",
      "made_names/nul.py": "a = '\0'\n",
      "made_names/latin.py": Buffer.from("# coding: latin-1\na = 'é'\n", "latin1"),
      "made_names.pth": "import sys\n",
    },
  },
  { name: "made_space", files: { "made_space/one/__init__.py": RUN, "made_space/shared.py": "a = 1\n" } },
  {
    name: "made_space_two",
    requires: ["made-space"],
    files: {
      "made_space/two/__init__.py": RUN,
      "made_space_two-1.0.dist-info/licenses/deep/LICENSE": "none",
    },
  },
];
