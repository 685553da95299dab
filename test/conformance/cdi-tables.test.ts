// SPDX-License-Identifier: Apache-2.0
// The tables of the standard library of CDI's own tests, row by row. Out of scope: Kubernetes' annotations (no cluster asks
// Tare), writing of specifications, and rows that name only a way of loading the schema.
import * as fs from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import AjvModule from "ajv";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { applyEdits, loadCdi } from "../../src/gpu/index.ts";
import type { CdiDevice, CdiEdits, CdiHost, CdiRegistry, CdiSpec } from "../../src/gpu/index.ts";
import { checkDevice, checkEdits, checkSpec } from "../../src/gpu/cdi/check-spec.ts";
import { joinEdits } from "../../src/gpu/cdi/join-edits.ts";
import { splitKind } from "../../src/gpu/cdi/names.ts";
import { readSpec } from "../../src/gpu/cdi/parse-spec.ts";
import { parseSpec } from "../../src/gpu/cdi/read-file.ts";
import { minimumVersion, versionFault } from "../../src/gpu/cdi/versions.ts";
import { isCdiName } from "../../src/options/index.ts";
import type { OciSpec } from "../../src/runtime/index.ts";
import { Score, conformanceFolder, outcomeOf, readTable, rowsOf, textOf } from "./table-data.ts";
import type { Group, Row } from "./table-data.ts";

const groups = readTable("cdi.json");

/** Names of Go's fields that are not their JSON names with a small letter. */
const NAMES: Readonly<Record<string, string>> = {
  AdditionalGIDs: "additionalGids",
  UIDMappings: "uidMappings",
  GIDMappings: "gidMappings",
  UID: "uid",
  GID: "gid",
  Version: "cdiVersion",
};
const CONSTANTS: Readonly<Record<string, unknown>> = { NoPermissions: "none", "oci.UserNamespace": "user" };

/** A value of Go's structs as the document that it is written as. */
function fromGo(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(fromGo);
  if (typeof value !== "object" || value === null) return value;
  if ("$go" in value) return fromCode(String(value.$go));
  const entries = Object.entries(value).map(([key, item]) => [
    NAMES[key] ?? key.charAt(0).toLowerCase() + key.slice(1),
    fromGo(item),
  ]);
  return Object.fromEntries(entries);
}

function fromCode(code: string): unknown {
  const number = /^int64ptr\((\d+)\)$/.exec(code)?.[1];
  return number === undefined ? (CONSTANTS[code] ?? code) : Number(number);
}

/** Without what is empty, which the tables leave out. */
function plain(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(plain);
  if (typeof value !== "object" || value === null) return value;
  const entries = Object.entries(value).map(([key, item]) => [key, plain(item)] as const);
  return Object.fromEntries(entries.filter(([, item]) => !isEmpty(item)));
}

function isEmpty(value: unknown): boolean {
  if (Array.isArray(value)) return value.length === 0;
  return value === undefined || (typeof value === "object" && value !== null && Object.keys(value).length === 0);
}

function editsOf(value: unknown): CdiEdits {
  const { containerEdits } = readSpec({
    cdiVersion: "1.1.0",
    kind: "v/c",
    devices: [],
    containerEdits: fromGo(value),
  });
  return containerEdits ?? {};
}

/** A specification of which a row has only what it is about. */
function specOf(value: unknown, cdiVersion = "1.1.0"): CdiSpec {
  const { devices = [], ...rest } = fromGo(value) as Partial<CdiSpec>;
  const whole = devices.map((device) => ({ ...device, containerEdits: device.containerEdits ?? {} }));
  return { kind: "v/c", cdiVersion, ...rest, devices: whole.map((device) => ({ ...device, name: device.name ?? "" })) };
}

function scoreNames(all: readonly Group[], score: Score): void {
  for (const row of rowsOf(all, "TestQualifiedName", "range")) {
    const device = textOf(row, "device");
    score.equal("TestQualifiedName", row, row["isQualified"] === true, isCdiName(device));
    const [kind = "", name] = device.split("=", 2);
    const found = { ...splitKind(kind), name };
    score.equal("TestQualifiedName", row, { vendor: row["vendor"], class: row["class"], name: row["name"] }, found);
  }
}

function scoreVersions(all: readonly Group[], score: Score): void {
  for (const row of rowsOf(all, "TestMinimumRequiredVersion", "tests")) {
    score.equal("TestMinimumRequiredVersion", row, row["want"], minimumVersion(specOf(row["spec"])));
  }
  for (const row of rowsOf(all, "TestRequiredVersion", "testCases")) {
    score.equal("TestRequiredVersion", row, row["expectedVersion"], minimumVersion(specOf(row["spec"])));
  }
  for (const row of rowsOf(all, "TestValidateVersion", "tests")) {
    const fault = versionFault(specOf(row["spec"], textOf(row, "version"))) ?? "";
    score.equal(
      "TestValidateVersion",
      row,
      true,
      fault.startsWith(textOf(row, "wantErr")) && (fault === "") === (row["wantErr"] === undefined),
    );
  }
}

function scoreEdits(all: readonly Group[], score: Score): void {
  for (const row of rowsOf(all, "TestValidateContainerEdits", "range")) {
    const got = outcomeOf(() => checkEdits(editsOf(row["edits"]), "edits"));
    score.equal("TestValidateContainerEdits", row, row["invalid"] === true, "error" in got);
  }
  for (const row of rowsOf(all, "TestDeviceValidate", "range")) {
    const { device } = fromGo(row["device"]) as { readonly device: CdiDevice };
    const got = outcomeOf(() => checkDevice(device));
    score.equal("TestDeviceValidate", row, row["invalid"] === true, "error" in got);
  }
  for (const row of rowsOf(all, "TestAppend", "range")) {
    const parts = [row["dst"], ...(row["src"] as readonly unknown[])].map((part) => editsIn(part));
    score.equal("TestAppend", row, plain(editsIn(row["result"])), plain(joinEdits(parts)));
  }
}

function editsIn(value: unknown): CdiEdits {
  return value === null ? {} : editsOf((value as { readonly ContainerEdits: unknown }).ContainerEdits);
}

/** /dev/null of the machine that the tables were made on is another one. */
const HOST: CdiHost = {
  lookup: (path) => (path === "/dev/null" ? { type: "c", major: 1, minor: 3, mode: 0o666 } : undefined),
  exists: () => true,
};

const EMPTY = { process: { user: {}, env: [] }, mounts: [], linux: { namespaces: [], resources: {} } };

function ociSpec(value: unknown): OciSpec {
  const spec = fromGo(value) as Partial<OciSpec>;
  const { process = {}, linux = {} } = spec;
  const whole = {
    ...EMPTY,
    ...spec,
    process: { ...EMPTY.process, ...process },
    linux: { ...EMPTY.linux, ...linux },
  };
  return whole as unknown as OciSpec;
}

function expectedSpec(value: unknown): unknown {
  const text = JSON.stringify(plain(fromGo(value)));
  return JSON.parse(text.replaceAll('"major":3,"minor":2', '"major":1,"minor":3'));
}

/** A mode that the host's node gives is a pointer of the test. */
function comparable(spec: unknown): unknown {
  return JSON.parse(
    JSON.stringify(plain(spec), (key, item: unknown) =>
      key === "fileMode" || key === "user" ? modeless(key, item) : item,
    ),
  );
}

function modeless(key: string, item: unknown): unknown {
  return key === "fileMode" ? undefined : item;
}

function scoreApplying(all: readonly Group[], score: Score): void {
  for (const row of rowsOf(all, "TestApplyContainerEdits", "range")) {
    const edits = row["edits"] === null ? {} : editsOf(row["edits"]);
    const got = outcomeOf(() => applyEdits(ociSpec(row["spec"]), edits, { host: HOST }));
    const result = "value" in got ? comparable(got.value) : got;
    score.equal("TestApplyContainerEdits", row, comparable(expectedSpec(row["result"])), result);
  }
}

async function scoreReading(all: readonly Group[], score: Score): Promise<void> {
  for (const func of ["TestReadSpec", "TestNewSpec", "TestWriteSpec", "TestGetters"]) {
    for (const row of rowsOf(all, func, "range")) {
      const failure = await parseSpec(textOf(row, "data"), "yaml").then(
        () => undefined,
        (error: unknown) => error,
      );
      const isBad = ["invalid", "unparsable", "schemaFail"].some((mark) => row[mark] === true);
      score.equal(func, { row, failure: String(failure) }, isBad, failure !== undefined);
    }
  }
}

let root = "";
const places = (): readonly string[] => ["etc", "run"].map((name) => join(root, name));

type Files = Readonly<Record<string, Readonly<Record<string, string>>>>;

function filesOf(row: unknown): Files {
  const { etc = {}, run = {} } = row as { readonly etc?: Files[string]; readonly run?: Files[string] };
  return { etc, run };
}

function write(files: Files): void {
  for (const [folder, contents] of Object.entries(files)) {
    for (const [name, text] of Object.entries(contents)) {
      const path = join(root, folder, name);
      if (text === "remove") fs.rmSync(path);
      else fs.writeFileSync(path, text);
    }
  }
}

function clear(): void {
  fs.rmSync(root, { recursive: true, force: true });
  for (const folder of places()) fs.mkdirSync(folder, { recursive: true });
}

const loaded = (): Promise<CdiRegistry> => loadCdi({ directories: places() });
const shortPath = (path: string): string => path.slice(root.length + 1);
const problemFiles = (registry: CdiRegistry): readonly string[] =>
  [...new Set(registry.problems.flatMap(({ files }) => files))].map(shortPath).sort();
const deviceNames = (registry: CdiRegistry): readonly string[] =>
  registry
    .devices()
    .map(({ name }) => name)
    .sort();

async function scoreFolders(all: readonly Group[], score: Score): Promise<void> {
  for (const row of rowsOf(all, "TestNewCache", "range")) {
    clear();
    write(filesOf(row));
    const registry = await loaded();
    const sources = Object.fromEntries(registry.devices().map(({ name, file = "" }) => [name, shortPath(file)]));
    score.equal(
      "TestNewCache",
      row["name"],
      Object.keys((row["errors"] as object | undefined) ?? {}).sort(),
      problemFiles(registry),
    );
    if (row["sources"] !== undefined) score.equal("TestNewCache", row["name"], row["sources"], sources);
  }
  for (const func of ["TestRefreshCache", "TestDefaultCacheRefresh"]) {
    for (const row of rowsOf(all, func, "range").filter(({ updates }) => updates !== undefined)) {
      await scoreRefresh(func, row, score);
    }
  }
  await scoreLists(all, score);
}

async function scoreRefresh(func: string, row: Row, score: Score): Promise<void> {
  clear();
  for (const [index, update] of (row["updates"] as readonly Files[]).entries()) {
    write(filesOf(update));
    const registry = await loaded();
    const at = (field: string): unknown => (row[field] as readonly unknown[])[index];
    const priorities = registry
      .devices()
      .map(({ name, file = "" }) => [name, shortPath(file).startsWith("run") ? 1 : 0]);
    score.equal(func, [row["name"], index], at("devices") ?? [], deviceNames(registry));
    score.equal(func, [row["name"], index], at("devprio"), Object.fromEntries(priorities));
    score.equal(func, [row["name"], index], Object.keys(at("errors") as object).sort(), problemFiles(registry));
  }
}

async function scoreLists(all: readonly Group[], score: Score): Promise<void> {
  for (const row of rowsOf(all, "TestListVendorsAndClasses", "range")) {
    clear();
    write(filesOf(row["cdiSpecs"] ?? {}));
    const kinds = (await loaded()).devices().map(({ kind }) => splitKind(kind));
    const sorted = (words: readonly string[]): readonly string[] => [...new Set(words)].sort();
    score.equal("TestListVendorsAndClasses", row, row["vendors"] ?? [], sorted(kinds.map(({ vendor }) => vendor)));
    score.equal("TestListVendorsAndClasses", row, row["classes"] ?? [], sorted(kinds.map((kind) => kind.class)));
  }
  for (const row of rowsOf(all, "TestScanSpecDirs", "range").filter(({ abort }) => abort !== true)) {
    clear();
    write({ etc: (row["files"] as Files[string] | null) ?? {} });
    const registry = await loaded();
    const good = [...new Set(registry.devices().map(({ file = "" }) => shortPath(file).slice("etc/".length)))].sort();
    score.equal("TestScanSpecDirs", row, Object.keys((row["success"] as object | undefined) ?? {}).sort(), good);
    const bad = Object.keys((row["failure"] as object | undefined) ?? {}).map((name) => `etc/${name}`);
    score.equal("TestScanSpecDirs", row, bad, problemFiles(registry));
  }
}

async function scoreInjecting(all: readonly Group[], score: Score): Promise<void> {
  for (const row of rowsOf(all, "TestInjectDevice", "range")) {
    clear();
    write(filesOf(row["cdiSpecs"]));
    const registry = await loaded();
    const names = row["devices"] as readonly string[];
    const got = outcomeOf(() => applyEdits(ociSpec(row["ociSpec"]), registry.edits(names), { host: HOST }));
    if (row["expectedErr"] !== undefined) {
      score.fails(
        "TestInjectDevice",
        row,
        `unresolvable CDI devices ${(row["unresolved"] as readonly string[]).join(", ")}`,
        got,
      );
    } else score.equal("TestInjectDevice", row, plain(fromGo(row["result"])), plain("value" in got ? got.value : got));
  }
}

describe.skipIf(groups === undefined)("CDI tables", () => {
  beforeAll(() => {
    root = fs.mkdtempSync(join(tmpdir(), "cdi-tables-"));
  });
  afterAll(() => fs.rmSync(root, { recursive: true, force: true }));

  it("every row gives what the standard's library gives", async () => {
    const score = new Score();
    const all = groups ?? [];
    for (const part of [scoreNames, scoreVersions, scoreEdits, scoreApplying]) part(all, score);
    for (const part of [scoreReading, scoreFolders, scoreInjecting]) await part(all, score);
    expect(score.report("CDI")).toBe(1);
  });

  it("its examples are read, and what is read fits its schema", () => {
    const folder = join(conformanceFolder(), "cdi");
    const json = (name: string): object => JSON.parse(fs.readFileSync(join(folder, name), "utf8")) as object;
    const ajv = new AjvModule.default({ strict: false });
    const validate = ajv.addSchema(json("defs.json"), "defs.json").compile(json("schema.json"));
    for (const name of fs.readdirSync(join(folder, "testdata/good"))) {
      const spec = readSpec(json(`testdata/good/${name}`));
      checkSpec(spec);
      expect(validate(spec), ajv.errorsText(validate.errors)).toBe(true);
    }
    for (const name of fs.readdirSync(join(folder, "testdata/bad"))) {
      const got = outcomeOf(() =>
        checkSpec(readSpec(JSON.parse(fs.readFileSync(join(folder, "testdata/bad", name), "utf8") || "null"))),
      );
      expect(got, name).toHaveProperty("error");
    }
  });
});
