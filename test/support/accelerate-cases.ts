// SPDX-License-Identifier: Apache-2.0
/* RUN steps that install Python distributions, and what becomes of each. */

/** A step, and the world it stands in. */
export interface AccelerateCase {
  readonly name: string;
  /** Instructions after `FROM python:3.11-slim` and `ARG PIP_INDEX_URL`. `URL` stands for the index, `HOST` for its host. */
  readonly dockerfile: string;
  readonly files?: Readonly<Record<string, string>>;
  /** The text of the secret `config`. */
  readonly secret?: string;
}

/** A case that runs as written, and the reason that its output gives. */
export interface WrittenCase extends AccelerateCase {
  readonly reason: RegExp;
  /** The step itself fails, as it does with pip. */
  readonly fails?: boolean;
}

const HASHED = "six==1.17.0 --hash=sha256:4721f391ed90541fddacab5acf947aa0d3dc7d27b2e1e8eda2be8970586c3274\n";

/** Steps whose layers are made from wheels. */
export const ACCELERATED: readonly AccelerateCase[] = [
  { name: "a name", dockerfile: "RUN pip install six" },
  {
    name: "requirements with includes and constraints",
    dockerfile: "COPY . /req/\nRUN pip install --no-cache-dir -r /req/a.txt -c /req/c.txt",
    files: { "a.txt": "-r b.txt\nsix\n", "b.txt": "idna\n", "c.txt": "idna==3.10\n" },
  },
  {
    name: "hashes",
    dockerfile: "COPY a.txt .\nRUN pip install --require-hashes -ra.txt",
    files: { "a.txt": HASHED },
  },
  { name: "--no-deps and --pre", dockerfile: "RUN pip install --no-deps --pre click six" },
  { name: "python -m pip", dockerfile: "RUN python -m pip install --no-cache-dir six" },
  { name: "pip3 and a version", dockerfile: "RUN pip3 install 'six==1.17.0'" },
  { name: "exec form", dockerfile: 'RUN ["pip", "install", "six>=1.0"]' },
  { name: "bash with pipefail", dockerfile: 'SHELL ["/bin/bash", "-eo", "pipefail", "-c"]\nRUN pip install six' },
  { name: "a build argument", dockerfile: "ARG V=3.10\nRUN pip install idna==${V}" },
  { name: "lines of a heredoc", dockerfile: "RUN <<EOF\nset -e\n# two\npip install six\npip install idna\nEOF" },
  { name: "set -eux and semicolons", dockerfile: "RUN set -eux; pip install six; rm -rf /root/.cache" },
  { name: "a cache that is cleared", dockerfile: "RUN pip install six && rm -rf ~/.cache/pip" },
  {
    name: "another folder",
    dockerfile: "COPY a.txt /x/\nRUN cd /x && pip install -r a.txt",
    files: { "a.txt": "six\n" },
  },
  { name: "a cache mount", dockerfile: "RUN --mount=type=cache,target=/root/.cache/pip pip install six" },
  {
    name: "bind-mounted requirements",
    dockerfile: "RUN --mount=type=bind,source=a.txt,target=/tmp/a.txt pip install -r /tmp/a.txt",
    files: { "a.txt": "six\nidna==3.10\n" },
  },
  { name: "harmless settings", dockerfile: "ENV PIP_NO_CACHE_DIR=1 PIP_ROOT_USER_ACTION=ignore\nRUN pip install six" },
  { name: "extras", dockerfile: "RUN pip install uvicorn[standard]" },
  { name: "no writing of bytecode", dockerfile: "ENV PYTHONDONTWRITEBYTECODE=1\nRUN pip install six" },
  { name: "no compiling", dockerfile: "RUN pip install --no-compile six" },
  {
    name: "an index with a password in a secret",
    dockerfile: "ENV PIP_INDEX_URL=\nRUN --mount=type=secret,id=config,target=/etc/pip.conf pip install click==8.1.8",
    // pip keeps no cache of a host that it does not trust.
    secret: "[global]\ntrusted-host = 127.0.0.1\nindex-url = http://me:secret@HOST/simple/\n",
  },
  { name: "a wheel by URL", dockerfile: "RUN pip install URL../files/six-1.17.0-py2.py3-none-any.whl" },
  {
    name: "wheels of the image",
    dockerfile:
      "RUN pip download -qd /w six idna\nRUN pip install --no-index --find-links /w six /w/idna-3.20-py3-none-any.whl",
  },
  { name: "a newer pip before it", dockerfile: "RUN pip install --upgrade pip && pip install --no-cache-dir six" },
  { name: "several that each install", dockerfile: "RUN pip install six && python3 -m pip install idna" },
  {
    name: "another version than is there",
    dockerfile: "RUN pip install idna==3.10 click==8.1.8\nRUN pip install -U --no-cache-dir click idna",
  },
  {
    name: "another version of what was used and changed",
    dockerfile:
      "RUN pip install idna==3.10 click==8.1.8 && cd /usr/local/lib/python3.11/dist-packages && touch idna/mine idna/__pycache__/mine" +
      " && python -c 'import idna, click' && python -OO -c 'import click' && mkdir click/empty\nRUN pip install -U click idna",
  },
  { name: "the same again", dockerfile: "RUN pip install idna==3.10\nRUN pip install --force-reinstall idna==3.10" },
  {
    name: "the installer itself",
    dockerfile:
      "RUN pip install -U pip setuptools\nRUN pip install --force-reinstall pip setuptools\nRUN pip install six",
  },
  {
    name: "another version in a virtual environment",
    dockerfile:
      "RUN python -m venv --without-pip /opt/venv && pip --python /opt/venv install pip idna==3.10\n" +
      "ENV PATH=/opt/venv/bin:$PATH\nRUN python -m pip install -U idna",
  },
  {
    name: "a virtual environment",
    dockerfile:
      "RUN python -m venv --without-pip /opt/venv && pip --python /opt/venv install pip\nENV PATH=/opt/venv/bin:$PATH\nRUN pip install six greenlet",
  },
];

const UV = "ENV UV_SYSTEM_PYTHON=1\nRUN pip install uv\n";

/** The same by uv. */
export const ACCELERATED_UV: readonly AccelerateCase[] = [
  { name: "uv's names", dockerfile: `${UV}RUN uv pip install six greenlet uvicorn` },
  { name: "uv's --compile-bytecode", dockerfile: `${UV}RUN uv pip install -q --compile-bytecode click` },
  {
    name: "another version than is there, by uv",
    dockerfile: `${UV}RUN uv pip install click==8.1.8 idna==3.10\nRUN touch /usr/local/lib/python3.11/dist-packages/idna/mine\nRUN uv pip install -U click idna`,
  },
];

/** Steps that run as written, each with its reason. */
export const WRITTEN: readonly WrittenCase[] = [
  { name: "--target", dockerfile: "RUN pip install --target /x six", reason: /--target installs elsewhere/ },
  { name: "--prefix", dockerfile: "RUN pip install --prefix=/x six", reason: /--prefix installs elsewhere/ },
  { name: "--root", dockerfile: "RUN pip install --root /x six", reason: /--root installs elsewhere/ },
  { name: "--user", dockerfile: "RUN pip install --user six", reason: /--user installs into a home/ },
  {
    name: "editable",
    dockerfile: "COPY . /src\nRUN pip install --no-build-isolation -e /src",
    files: { "pyproject.toml": '[project]\nname = "made-source"\nversion = "1.0"\n', "made_source.py": "" },
    reason: /editable/,
    // The base has no `wheel`, which its setuptools wants for that.
    fails: true,
  },
  {
    name: "an sdist",
    dockerfile: "RUN pip install --no-build-isolation made-sdist",
    reason: /made-sdist has no wheel here/,
  },
  {
    name: "a repository",
    dockerfile: "RUN pip install git+file:///nothing#egg=six",
    reason: /pip's dry run ended with 1/,
    fails: true,
  },
  { name: "PIP_TARGET", dockerfile: "ENV PIP_TARGET=/x\nRUN pip install six", reason: /configuration sets `target`/ },
  { name: "PIP_USER before it", dockerfile: "RUN PIP_USER=1 pip install six", reason: /PIP_USER is set/ },
  {
    name: "a target in pip.conf",
    dockerfile: "COPY pip.conf /etc/pip.conf\nRUN pip install six",
    files: { "pip.conf": "[install]\nprefix = /x\n" },
    reason: /configuration sets `prefix`/,
  },
  {
    name: "a replaced distribution without a list of its files",
    dockerfile:
      "RUN pip install idna==3.10 && rm /usr/local/lib/python3.11/dist-packages/idna*/RECORD\nRUN pip install -U idna",
    reason: /it replaces idna 3\.10, which is more/,
    fails: true,
  },
  {
    name: "a replaced distribution whose old files are those of another's new ones",
    dockerfile: "RUN pip install first==1 second==1\nRUN pip install first==2 second==2",
    reason: /replacing second takes out files of first/,
  },
  { name: "what is there", dockerfile: "RUN pip install pip", reason: /there already/ },
  { name: "another user", dockerfile: "RUN useradd -m me\nUSER me\nRUN pip install six", reason: /as root/ },
  { name: "more than installing", dockerfile: "RUN pip install six && touch /x", reason: /does more than install/ },
  { name: "a log", dockerfile: "RUN pip install --log /log six", reason: /--log writes a file/ },
  {
    name: "a cache that was there",
    dockerfile: "RUN mkdir -p /root/.cache/x\nRUN pip install six && rm -rf /root/.cache",
    reason: /removes \/root\/\.cache, which is there/,
  },
  {
    name: "folders with a group of their own",
    dockerfile: "RUN chgrp staff /usr/local/bin && chmod g+s /usr/local/bin\nRUN pip install six",
    reason: /\/usr\/local\/bin has a mode or an owner/,
  },
  {
    name: "a managed Python",
    dockerfile: "RUN touch /usr/lib/python3.11/EXTERNALLY-MANAGED\nRUN pip install six",
    reason: /manages this Python/,
    fails: true,
  },
  { name: "a substitution", dockerfile: "RUN pip install $(echo six)", reason: /it has a substitution/ },
  { name: "a pipe", dockerfile: "RUN pip install six | cat", reason: /it has a pipe/ },
  {
    name: "nothing of that name",
    dockerfile: "RUN pip install no-such-distribution-here",
    reason: /dry run ended with 1/,
    fails: true,
  },
];
