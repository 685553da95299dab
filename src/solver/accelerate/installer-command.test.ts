// SPDX-License-Identifier: Apache-2.0
import { describe, expect, it } from "vitest";
import { clearedPaths, readInstaller } from "./installer-command.ts";
import { readReport } from "./pip-report.ts";
import { readScript } from "./shell-command.ts";
import type { SimpleCommand } from "./shell-command.ts";

function commandOf(script: string): SimpleCommand {
  const reading = readScript(script, new Map());
  const [command] = "commands" in reading ? reading.commands : [];
  if (!command) throw new Error(script);
  return command;
}

function reading(script: string): unknown {
  const read = readInstaller(commandOf(script));
  if (read === undefined) return undefined;
  return "reason" in read ? read.reason : `${read.command.program.join(" ")} ${String(read.command.compile)}`;
}

describe("readInstaller", () => {
  it.each([
    ["pip install numpy", "pip undefined"],
    ["pip3.11 install -r requirements.txt", "pip3.11 undefined"],
    ["/usr/local/bin/pip install -rrequirements.txt", "/usr/local/bin/pip undefined"],
    ["python3 -m pip install --no-cache-dir --no-compile numpy==1", "python3 -m pip false"],
    ["pip --no-cache-dir install --requirement=a.txt -c b.txt", "pip undefined"],
    ["pip install -i https://example.org/simple --extra-index-url=https://b.org x", "pip undefined"],
    ["pip install ./a.whl https://example.org/b-1-py3-none-any.whl", "pip undefined"],
    ["pip install -qU --compile numpy", "the option -q is not known to leave wheels as they are"],
    ["pip install -q -U --compile numpy", "pip true"],
    ["pip install --user numpy", "--user installs into a home directory"],
    ["pip install --target=/x numpy", "--target installs elsewhere"],
    ["pip install -e .", "an editable install needs its sources"],
    ["pip install .", "`.` is built from its sources"],
    ["pip install .[dev]", undefined],
    ["pip install /src", "`/src` is built from its sources"],
    ["pip install --new-thing numpy", "the option --new-thing is not known to leave wheels as they are"],
    ["pip install -U", "nothing to install is named"],
    ["pip uninstall numpy", undefined],
    ["pip download numpy", undefined],
    ["uv pip install --system numpy", "uv false"],
    ["uv pip install --system --compile-bytecode -r a.txt", "uv true"],
    ["uv pip install numpy", "without --system, uv installs into a virtual environment"],
    ["uv pip install --system --link-mode=symlink x", "what it installs would be links into uv's cache"],
    ["uv pip install --system --link-mode copy x", "uv false"],
    ["uv sync", "uv undefined"],
    ["/bin/uv sync --frozen --no-dev --no-install-project --no-editable --inexact", "/bin/uv undefined"],
    ["uv sync --locked --extra=a --group b --all-extras --compile-bytecode", "uv true"],
    ["uv sync --compile-bytecode --no-compile-bytecode -p3.12 --link-mode copy", "uv false"],
    ["UV_COMPILE_BYTECODE=1 UV_PYTHON=3.12 uv sync", "uv true"],
    ["UV_COMPILE_BYTECODE=0 uv sync", "uv false"],
    ["UV_LINK_MODE=symlink uv sync", "what it installs would be links into uv's cache"],
    ["uv sync --link-mode symlink", "what it installs would be links into uv's cache"],
    ["UV_NO_BINARY=1 uv sync", "UV_NO_BINARY is set"],
    ["UV_NO_BUILD_ISOLATION=1 uv sync", "UV_NO_BUILD_ISOLATION is set"],
    ["uv sync --reinstall", "the option --reinstall is not known to leave wheels as they are"],
    ["uv sync --python-platform linux", "the option --python-platform is not known to leave wheels as they are"],
    ["uv sync --no-dev=1", "the option --no-dev is not known to leave wheels as they are"],
    ["uv sync all", "`all` is no option of `uv sync`"],
    ["uv sync --dry-run", "--dry-run installs nothing"],
    ["uv lock", undefined],
    ["make all", undefined],
  ])("%s", (script, expected) => {
    const quoted = script.replace(".[dev]", "'.[dev]'");
    expect(reading(quoted)).toBe(script.includes("[dev]") ? "`.[dev]` is built from its sources" : expected);
  });

  it.each([
    ["rm -rf /root/.cache/pip", ["/root/.cache/pip"]],
    ["rm -rf /root/.cache/", ["/root/.cache"]],
    ["rm -fr /root/.cache/*", ["/root/.cache"]],
    ["pip cache purge", ["/root/.cache/pip"]],
    ["uv cache clean", ["/root/.cache/uv"]],
    ["rm -rf /var/lib/apt/lists", undefined],
    ["rm -rf /root/.cache/pip /usr", undefined],
    ["rm -rf /root", undefined],
    ["rm -rf /root/.cache/pip/../../x", undefined],
    ["pip cache list", undefined],
  ])("%s clears %j", (script, expected) => {
    expect(clearedPaths(commandOf(script))).toEqual(expected);
  });
});

it("keeps the options of `uv sync` that choose packages", () => {
  const read = readInstaller(commandOf("uv sync --frozen --extra a --group=b --index x --no-dev -p 3.12 --all-extras"));
  expect(read).toMatchObject({ command: { chosen: ["--extra", "a", "--group=b", "--no-dev", "--all-extras"] } });
});

describe("readReport", () => {
  const item = (download: object, more: object = {}): object => ({
    download_info: download,
    metadata: { name: "Demo", version: "1.0" },
    requested: true,
    is_direct: false,
    ...more,
  });
  const report = (...install: object[]): string => JSON.stringify({ version: "1", install });
  const sha256 = "a".repeat(64);

  it("gives the wheels", () => {
    const url = "https://example.org/d/Demo-1.0-py3-none-any.whl";
    expect(readReport(report(item({ url, archive_info: { hashes: { sha256 } } })))).toEqual({
      wheels: [
        {
          name: "Demo",
          version: "1.0",
          fileName: "Demo-1.0-py3-none-any.whl",
          url,
          digest: `sha256:${sha256}`,
          isRequested: true,
        },
      ],
    });
  });

  it("keeps what a distribution asked for by URL is recorded with", () => {
    const download = { url: "https://e.org/Demo-1.0-py3-none-any.whl", archive_info: { hash: `sha256=${sha256}` } };
    expect(readReport(report(item(download, { is_direct: true })))).toMatchObject({ wheels: [{ direct: download }] });
  });

  it.each([
    ["a source", { url: "https://e.org/Demo-1.0.tar.gz", archive_info: {} }, /built from its sources/],
    ["a repository", { url: "https://e.org/a.git", vcs_info: {} }, /built from a repository/],
    ["a folder", { url: "file:///src", dir_info: {} }, /built from a folder/],
  ])("refuses %s", (_name, download, expected) => {
    expect(readReport(report(item(download)))).toEqual({ reason: expect.stringMatching(expected) as unknown });
  });

  it("refuses other versions and what is no report", () => {
    expect(readReport('{"version":"2"}')).toEqual({ reason: "pip's report has the unknown version 2" });
    expect(() => readReport("{")).toThrow(/not a JSON object/);
  });
});
