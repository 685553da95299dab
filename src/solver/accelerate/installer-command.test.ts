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
    ["uv sync --frozen", "`uv sync` makes an environment of its own"],
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
