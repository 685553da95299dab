// SPDX-License-Identifier: Apache-2.0
/* RUN steps with `uv sync`, and what becomes of each. */

/** A project that has a lock made with it. */
export const UV_SYNC_PROJECT: Readonly<Record<string, string>> = {
  "pyproject.toml": `[project]
name = "my-app"
version = "0.1.0"
requires-python = ">=3.10"
dependencies = ["click==8.1.8", "uvicorn", "greenlet"]

[project.scripts]
my-app = "my_app:main"

[project.optional-dependencies]
fast = ["uvloop"]
odd = ["odd.name", "pip"]
near = ["near", "made-sdist"]

[dependency-groups]
dev = ["six"]
lint = ["idna"]

[build-system]
requires = ["setuptools"]
build-backend = "setuptools.build_meta"

[tool.setuptools]
packages = ["my_app"]

[tool.uv]
environments = ["sys_platform == 'linux'"]

[tool.uv.sources]
near = { path = "near" }
`,
  "my_app/__init__.py": "def main():\n    print('runs')\n",
  "near/pyproject.toml": `[project]
name = "near"
version = "2"

[build-system]
requires = ["setuptools"]
build-backend = "setuptools.build_meta"
`,
  "near/near.py": "",
};

/** A step in the project's folder; the lock is beside the project. */
export interface UvSyncCase {
  readonly name: string;
  /** Instructions after `RUN pip install uv` and `WORKDIR /app`. `CACHE` is a cache mount for uv, `BINDS` the project's files. */
  readonly dockerfile: string;
  readonly files?: Readonly<Record<string, string>>;
}

/** What `CACHE` and `BINDS` stand for. */
export function withMounts(dockerfile: string, cache: string): string {
  const bind = (name: string): string => `--mount=type=bind,source=${name},target=${name}`;
  return dockerfile
    .replaceAll("CACHE", `--mount=type=cache,id=${cache},target=/root/.cache/uv`)
    .replaceAll("BINDS", `${bind("uv.lock")} ${bind("pyproject.toml")}`);
}

const PREPARED = "COPY . .\nRUN CACHE uv sync --frozen --no-install-project";

/** Steps of which the wheels become layers. */
export const UV_SYNC: readonly UvSyncCase[] = [
  {
    name: "dependencies before the project",
    dockerfile: `RUN CACHE BINDS uv sync --frozen --no-install-project --no-dev
COPY . .
RUN CACHE uv sync --frozen --no-dev
RUN .venv/bin/my-app && .venv/bin/uvicorn --version && .venv/bin/python -c 'import greenlet'`,
  },
  { name: "all at once", dockerfile: "COPY . .\nRUN CACHE uv sync --locked" },
  { name: "without a cache mount", dockerfile: "COPY . .\nRUN uv sync -q --no-install-project && rm -rf ~/.cache/uv" },
  { name: "uv's cache in the image", dockerfile: "COPY . .\nRUN uv sync --frozen" },
  {
    name: "not editable, elsewhere",
    dockerfile:
      "COPY . .\nENV UV_PROJECT_ENVIRONMENT=/opt/venv UV_LINK_MODE=copy\nRUN CACHE uv sync --frozen --no-editable",
  },
  {
    name: "extras and groups",
    dockerfile:
      "COPY . .\nRUN CACHE uv sync --frozen --extra=fast --no-default-groups --group lint --no-install-project",
  },
  { name: "another group alone", dockerfile: "COPY . .\nRUN CACHE uv sync --frozen --only-group lint" },
  {
    name: "wheels with scripts, headers and data",
    dockerfile: "COPY . .\nRUN CACHE uv sync --frozen --extra odd --no-install-project\nRUN .venv/bin/plain",
  },
  {
    name: "compiled by a variable",
    dockerfile: "ENV UV_COMPILE_BYTECODE=1\nCOPY . .\nRUN CACHE uv sync --frozen --no-install-project",
  },
  {
    name: "compiled by pyproject.toml",
    dockerfile:
      "COPY . .\nRUN sed -i 's/^environments/compile-bytecode = true\\n&/' pyproject.toml\nRUN CACHE uv sync --frozen --no-install-project",
  },
  {
    name: "what is built is left to uv",
    dockerfile: "COPY . .\nRUN CACHE uv sync --frozen --extra near --no-install-project",
  },
  {
    name: "another folder, exec form and a Python",
    dockerfile: 'COPY . /src\nWORKDIR /src\nRUN CACHE ["uv", "sync", "--frozen", "-p", "3.11", "--no-install-project"]',
  },
  { name: "cd before it", dockerfile: "COPY . /src\nRUN CACHE cd /src && uv sync --frozen --no-install-project" },
  {
    name: "no environment of its own",
    dockerfile:
      "COPY . .\nENV UV_PROJECT_ENVIRONMENT=/usr/local\nRUN CACHE uv sync --frozen --inexact --no-install-project",
  },
  {
    name: "an environment that is there",
    dockerfile: "COPY . .\nRUN python -m venv --without-pip .venv\nRUN CACHE uv sync --frozen --no-install-project",
  },
  {
    name: "more, and less, than is there",
    dockerfile: `${PREPARED}\nRUN CACHE uv sync --frozen --no-install-project --no-dev --extra fast`,
  },
  {
    name: "another version than is there",
    dockerfile: `${PREPARED}\nRUN CACHE uv pip install -p .venv click==8.5.1\nRUN CACHE uv sync --frozen --no-install-project`,
  },
];

/** Steps that run as written, each with its reason. */
export const UV_SYNC_WRITTEN: readonly (UvSyncCase & { readonly reason: RegExp; readonly fails?: boolean })[] = [
  { name: "no lock", dockerfile: "COPY . .\nRUN rm uv.lock\nRUN CACHE uv sync", reason: /lock is not up to date/ },
  {
    name: "an old lock",
    dockerfile: 'COPY . .\nRUN sed -i \'s/"greenlet"/&, "idna"/\' pyproject.toml\nRUN CACHE uv sync',
    reason: /lock is not up to date/,
  },
  {
    name: "a lock that must not change",
    dockerfile: 'COPY . .\nRUN sed -i \'s/"greenlet"/&, "idna"/\' pyproject.toml\nRUN CACHE uv sync --locked',
    reason: /uv sync's dry run ended with 1/,
    fails: true,
  },
  {
    name: "links into the cache",
    dockerfile: "COPY . .\nENV UV_LINK_MODE=symlink\nRUN uv sync --frozen",
    reason: /links into uv's cache/,
  },
  {
    name: "nothing from wheels",
    dockerfile:
      "COPY . .\nRUN sed -i 's/^environments/no-binary-package = [\"x\"]\\n&/' pyproject.toml\nRUN CACHE uv sync --frozen",
    reason: /uv has settings of its own/,
  },
  { name: "what is there", dockerfile: `${PREPARED}\nRUN CACHE uv sync --frozen`, reason: /there already/ },
  {
    name: "installed again",
    dockerfile: `${PREPARED}\nRUN CACHE uv sync --frozen --reinstall`,
    reason: /--reinstall is not known/,
  },
  {
    name: "another version beside what is there",
    dockerfile: `${PREPARED}\nRUN CACHE uv pip install -p .venv click==8.5.1\nRUN CACHE uv sync --frozen --inexact`,
    reason: /it replaces click/,
  },
  {
    name: "an environment that can be moved",
    dockerfile: "COPY . .\nRUN uv venv --relocatable\nRUN CACHE uv sync --frozen",
    reason: /can be moved/,
  },
  {
    name: "more than that",
    dockerfile: "COPY . .\nRUN uv sync --frozen && touch /x",
    reason: /does more than install/,
  },
];
