// SPDX-License-Identifier: Apache-2.0
// The tables of docker/cli's own option tests, row by row. Out of scope here: compose and stack (a later issue),
// formatters, statistics and completion (the CLI), and rows that script a fake daemon.
import { posix } from "node:path";
import { describe, expect, it } from "vitest";
import {
  effectiveCapabilities,
  isForwardedSignal,
  normalizeCapability,
  parseAttach,
  parseBytes,
  parseCopy,
  parseDaemonHost,
  parseDetachKeys,
  parseDevice,
  parseDnsSearch,
  parseEnv,
  parseEnvFile,
  parseExpose,
  parseExtraHost,
  parseGpus,
  parseHost,
  parseHostname,
  parseIpAddress,
  parseLabel,
  parseLink,
  parseMemorySwap,
  parseMount,
  parseNamespaceMode,
  parseNetwork,
  parsePullPolicy,
  parseRestartPolicy,
  parseServiceFile,
  parseServicePort,
  parseSystemPaths,
  parseTcpAddress,
  parseThrottleBps,
  parseThrottleIops,
  parseUlimits,
  parseWeightDevice,
  resolveAttach,
  resolveNetworks,
  splitCopyPath,
  toShortNotation,
} from "../../src/options/index.ts";
import type { Mount, NetworkAttachment } from "../../src/options/index.ts";
import { Score, outcomeOf, readTable, rowsOf, textOf } from "./table-data.ts";
import type { Group, Outcome, Row } from "./table-data.ts";

type Part = (groups: readonly Group[], score: Score) => void;

const groups = readTable("docker-cli.json");
const valueOf = (outcome: Outcome): unknown => ("value" in outcome ? outcome.value : outcome);

/** A value of Go code in a table as the text it stands for. */
const goText = (value: unknown): unknown => {
  if (typeof value !== "object" || value === null || !("$go" in value)) return value;
  return /\("([^"]*)"\)/.exec(String(value.$go))?.[1] ?? String(value.$go).split(".").at(-1);
};

function scoreEach(score: Score, group: string, rows: readonly Row[], run: (row: Row) => unknown): void {
  for (const row of rows) {
    const wantedError = row["expectedErr"] ?? row["expErr"] ?? row["expectedError"] ?? row["ExpectedErrMsg"];
    const got = outcomeOf(() => run(row));
    if (typeof wantedError === "string") score.fails(group, row, wantedError, got);
    else score.equal(group, row, { value: true }, got);
  }
}

const same = (wanted: unknown, got: unknown): true => {
  expect(JSON.parse(JSON.stringify(got ?? null))).toEqual(JSON.parse(JSON.stringify(wanted ?? null)));
  return true;
};

const scoreProcess: Part = (all, score) => {
  scoreEach(score, "capabilities normal", rowsOf(all, "TestNormalizeCapability", "tests"), (row) =>
    same(row["out"], normalizeCapability(textOf(row, "in"))),
  );
  scoreEach(score, "capabilities effective", rowsOf(all, "TestEffectiveCapAddCapDrop", "tests"), (row) => {
    const { add = [], drop = [] } = row["in"] as { add?: string[]; drop?: string[] };
    return same({ add: [], drop: [], ...(row["out"] as object) }, effectiveCapabilities(add, drop));
  });
  scoreEach(score, "restart policy", rowsOf(all, "TestParseRestartPolicy", "tests"), (row) => {
    const { Name = "", MaximumRetryCount = 0 } = (row["expected"] ?? {}) as Row;
    const wanted = String(goText(Name)).replace(/^RestartPolicy/, "");
    const names: Row = { Disabled: "no", Always: "always", OnFailure: "on-failure", UnlessStopped: "unless-stopped" };
    return same(
      { name: names[wanted] ?? wanted, maximumRetryCount: MaximumRetryCount },
      parseRestartPolicy(textOf(row, "input")),
    );
  });
  scoreEach(score, "system paths", rowsOf(all, "TestParseSystemPaths", "tests"), (row) => {
    const { rest, maskedPaths, readonlyPaths } = parseSystemPaths(row["in"] as string[]);
    return same([row["out"], row["masked"], row["readonly"]], [rest, maskedPaths, readonlyPaths]);
  });
  const limits = ["nofile=512:1024", "core=1024"].toReversed();
  const wanted = rowsOf(all, "TestUlimitOptSorting", "expected").map((row) => [row["Name"], row["Soft"], row["Hard"]]);
  const got = parseUlimits(["nofile=512:1024", ...limits]).map(({ name, soft, hard }) => [name, soft, hard]);
  wanted.forEach((row, index) => score.equal("ulimit sorting", row, row, got[index]));
  for (const [func, run] of [
    ["TestRunFlagsParseWithMemory", (text: string) => parseBytes(text)],
    ["TestParseWithMemorySwap", (text: string) => parseMemorySwap(text)],
    ["TestRunFlagsParseShmSize", (text: string) => parseBytes(text)],
    ["TestParseModes", (text: string) => parseNamespaceMode("pid", text)],
  ] as const) {
    const [flag = {}] = rowsOf(all, func, "args");
    const text = textOf(flag, "value").split("=")[1] ?? "";
    score.equal(`${func} (refused)`, text, true, "error" in outcomeOf(() => run(text)));
  }
  const signals: Row = { SIGPIPE: 13, SIGCHLD: 17, SIGURG: 23 };
  for (const row of rowsOf(all, "TestIgnoredSignals", "ignoredSignals")) {
    score.equal("ignored signals", row, false, isForwardedSignal(Number(signals[String(goText(row))])));
  }
};

const scoreEnvironment: Part = (all, score) => {
  scoreEach(score, "env", rowsOf(all, "TestValidateEnv", "tests"), (row) => {
    const path = "/usr/bin:/bin";
    const wanted = textOf(row, "value") === "PATH" ? `PATH=${path}` : row["expected"];
    return same(wanted, parseEnv(textOf(row, "value"), { PATH: path }));
  });
  const texts = all.filter((group) => group.text !== undefined && group.name === "content");
  const contentOf = (func: string): string => texts.find((group) => group.func === func)?.text ?? "";
  for (const func of ["TestParseWithLookup", "TestParseFromReaderGoodFile", "TestParseFromReaderWithLookup"]) {
    const lines = parseEnvFile(contentOf(func), { DEFINED_VAR: "defined-value" });
    rowsOf(all, func, "expectedLines").forEach((row, index) => score.equal(func, row, row["value"], lines[index]));
  }
  for (const [func, why] of [
    ["TestParseFromReaderBadlyFormattedFile", "variable 'f   ' contains whitespaces"],
    ["TestParseFromReaderRandomFile", "variable 'first line' contains whitespaces"],
    ["TestParseFromReaderWithNoName", "no variable name on line '=blank variable names are an error case'"],
  ] as const) {
    score.fails(
      func,
      func,
      why,
      outcomeOf(() => parseEnvFile(contentOf(func), {})),
    );
  }
  const bom = parseEnvFile(Buffer.from("\uFEFFFOO=BAR\nHELLO=\u60A8\u597D\nBAR=FOO"), {});
  rowsOf(all, "TestParseEnvfileVariablesWithBOMUnicode", "env").forEach((row, index) =>
    score.equal("env file with BOM", row, row["value"] ?? "HELLO=\u60A8\u597D", bom[index]),
  );
  scoreEach(score, "label", rowsOf(all, "TestValidateLabel", "tests"), (row) => {
    const [name, value] = parseLabel(textOf(row, "value"));
    const wanted = textOf(row, "value").trimStart();
    return same(wanted.includes("=") ? wanted : `${wanted}=`, `${name}=${value}`);
  });
  scoreEach(score, "exec env", rowsOf(all, "TestReadKVEnvStrings", "tests"), (row) => {
    const files: Row = {
      "emptyEnvFile.Path()": "",
      "envFile1.Path()": "Z1=z\nEMPTY_VAR=\nFROM_ENV\nNO_SUCH_ENV",
      "envFile2.Path()": "Z2=z\nA2=a",
    };
    const paths = ((row["files"] ?? []) as Row[]).map(({ $go }) => String(files[String($go)]));
    const lines = paths.flatMap((content) => parseEnvFile(content, { FROM_ENV: "from-env" }));
    return same(row["expected"] ?? [], [...lines, ...((row["overrides"] ?? []) as string[])]);
  });
};

const scoreDevices: Part = (all, score) => {
  for (const row of rowsOf(all, "TestGpusOptAll", "range")) {
    const wanted = { driver: "", count: -1, deviceIds: [], capabilities: ["gpu"], options: {} };
    score.equal(
      "gpus all",
      row,
      { value: wanted },
      outcomeOf(() => parseGpus(textOf(row, "value"))),
    );
  }
  for (const row of rowsOf(all, "TestGpusOpts", "range")) {
    const options = { foo: "bar", baz: "qux" };
    const capabilities = ["compute", "utility", "gpu"];
    const wanted = { driver: "nvidia", count: 1, deviceIds: [], capabilities, options };
    score.equal(
      "gpus",
      row,
      { value: wanted },
      outcomeOf(() => parseGpus(textOf(row, "value"))),
    );
  }
  for (const [func, run] of [
    ["TestValidateThrottleBpsDevice", parseThrottleBps],
    ["TestValidateThrottleIOpsDevice", parseThrottleIops],
  ] as const) {
    scoreEach(score, func, rowsOf(all, func, "tests"), (row) =>
      same({ path: row["expectedPath"], rate: row["expectedRate"] }, run(textOf(row, "input"))),
    );
  }
  scoreEach(score, "weight device", rowsOf(all, "TestValidateWeightDevice", "tests"), (row) =>
    same({ path: row["expectedPath"], weight: row["expectedWeight"] }, parseWeightDevice(textOf(row, "input"))),
  );
  scoreEach(score, "device", rowsOf(all, "TestParseDevice", "testCases"), (row) => {
    const parsed = (row["devices"] as string[]).map(parseDevice);
    const paths = parsed.flatMap((option) => (option.kind === "path" ? [option.device] : []));
    const names = parsed.flatMap((option) => (option.kind === "cdi" ? [option.name] : []));
    const mapping = row["deviceMapping"] as Row | null;
    const requests = (row["deviceRequests"] ?? []) as { DeviceIDs: string[] }[];
    const wanted =
      mapping === null ? [] : [[mapping["PathOnHost"], mapping["PathInContainer"], mapping["CgroupPermissions"]]];
    const got = paths.map((path) => [path.pathOnHost, path.pathInContainer, path.cgroupPermissions]);
    return same([wanted, requests.flatMap((request) => request.DeviceIDs)], [got, names]);
  });
  for (const row of rowsOf(all, "TestValidateDevice", "valid")) {
    score.equal("device accepted", row, true, "value" in outcomeOf(() => parseDevice(textOf(row, "value"))));
  }
  for (const [text, why] of Object.entries(mapOf(all, "TestValidateDevice", "invalid"))) {
    score.fails(
      "device refused",
      text,
      String(why),
      outcomeOf(() => parseDevice(text)),
    );
  }
};

/** A group whose rows are one map from input to outcome. */
function mapOf(all: readonly Group[], func: string, name: string, nth = 0): Row {
  return (all.filter((group) => group.func === func && group.name === name)[nth]?.rows ?? {}) as Row;
}

const CWD = "/work/here";

const scoreMounts: Part = (all, score) => {
  scoreEach(score, "mount relative", rowsOf(all, "TestMountRelative", "range"), (row) =>
    same(posix.resolve(CWD, textOf(row, "path")), parseMount(textOf(row, "bind"), CWD).source),
  );
  scoreEach(score, "mount aliases", rowsOf(all, "TestMountOptSourceTargetAliases", "range"), (row) => {
    const { type, source, target } = parseMount(textOf(row, "value"), CWD);
    return same(["bind", "/source", "/target"], [type, source, target]);
  });
  scoreEach(score, "mount errors", rowsOf(all, "TestMountOptErrors", "tests"), (row) =>
    parseMount(textOf(row, "value"), CWD),
  );
  const flags: readonly [string, string, (mount: Mount) => boolean | undefined][] = [
    ["TestMountOptReadOnly", "type=bind,target=/foo,source=/foo", (mount) => mount.readOnly],
    ["TestMountOptVolumeNoCopy", "type=volume,target=/foo,source=foo", (mount) => mount.volume?.noCopy],
    ["TestMountOptSetBindCreateSrc", "type=bind,target=/foo,source=/foo", (mount) => mount.bind?.createSource],
  ];
  for (const [func, base, read] of flags) {
    scoreEach(score, func, rowsOf(all, func, "tests"), (row) => {
      const value = textOf(row, "value");
      return same(row["exp"], read(parseMount(value === "" ? base : `${base},${value}`, CWD)) ?? false);
    });
  }
  scoreEach(score, "mount volume options", rowsOf(all, "TestMountOptVolumeOptions", "tests"), (row) => {
    const { type, target, volume = {} } = parseMount(textOf(row, "value"), CWD);
    const { VolumeOptions = {}, Target } = row["exp"] as { VolumeOptions?: Row; Target: string };
    const driver = (VolumeOptions["DriverConfig"] ?? {}) as Row;
    const wanted = [VolumeOptions["Labels"] ?? {}, driver["Name"] ?? "", driver["Options"] ?? {}];
    const got = [volume.labels ?? {}, volume.driver ?? "", volume.driverOptions ?? {}];
    return same(["volume", Target, wanted], [type, target, got]);
  });
  scoreEach(score, "mount tmpfs", rowsOf(all, "TestMountOptSetTmpfsNoError", "range"), (row) => {
    const { type, target, tmpfs } = parseMount(textOf(row, "value"), CWD);
    return same(["tmpfs", "/target", { sizeBytes: 1_048_576, mode: 0o700 }], [type, target, tmpfs]);
  });
};

const scoreAddresses: Part = (all, score) => {
  const tcp = "tcp://localhost:2375";
  const defaults: Row = { defaultHost: "unix:///var/run/docker.sock", defaultTCPHost: tcp };
  const wantedHost = (value: unknown, text: string): unknown => {
    if (typeof value === "string") return value;
    const code = String((value as Row)["$go"]);
    const join = /JoinHostPort\(defaultHTTPHost, (?:"(\d+)"|(\w+))\)(?: \+ "(.*)")?/.exec(code);
    const port = join?.[1] ?? (join?.[2] === "defaultTLSHTTPPort" ? "2376" : "2375");
    if (join !== null) return `tcp://localhost:${port}${join[3] ?? ""}`;
    if (code.includes("host:")) return "tcp://host:2375";
    if (text === "unix://") return "unix:///var/run/docker.sock";
    return text === "npipe://" ? "npipe:////./pipe/docker_engine" : defaults[code];
  };
  const parsers: readonly [string, (text: string) => string, string, string][] = [
    ["TestParseHost", parseHost, "valid", "invalid"],
    ["TestParseDockerDaemonHost", parseDaemonHost, "valids", "invalids"],
    ["TestParseTCP", (text) => parseTcpAddress(text, "tcp://127.0.0.1:2376"), "valids", "invalids"],
  ];
  for (const [func, run, valid, invalid] of parsers) {
    for (const [text, wanted] of Object.entries(mapOf(all, func, valid))) {
      score.equal(func, text, wantedHost(wanted, text), valueOf(outcomeOf(() => run(text))));
    }
    const bad = mapOf(all, func, invalid);
    const entries: [string, unknown][] = Array.isArray(bad)
      ? bad.map((text: unknown) => [String(text), ""])
      : Object.entries(bad);
    for (const [text, why] of entries)
      score.fails(
        func,
        text,
        String(why),
        outcomeOf(() => run(text)),
      );
  }
  scoreEach(score, "add-host", rowsOf(all, "TestValidateExtraHosts", "tests"), (row) => {
    const { name, address } = parseExtraHost(textOf(row, "input"));
    return same(row["expectedOut"] ?? row["input"], `${name}:${address}`);
  });
  scoreEach(score, "ip address", rowsOf(all, "TestValidateIPAddress", "tests"), (row) =>
    same(row["expectedOut"], parseIpAddress(textOf(row, "input"))),
  );
  for (const [name, wanted] of [
    ["valid", true],
    ["invalid", false],
  ] as const) {
    for (const row of rowsOf(all, "TestValidateDNSSearch", name)) {
      score.equal("dns search", row, wanted, "value" in outcomeOf(() => parseDnsSearch(textOf(row, "value"))));
    }
  }
  for (const row of rowsOf(all, "TestValidateLink", "valid")) {
    score.equal("link", row, true, "value" in outcomeOf(() => parseLink(textOf(row, "value"))));
  }
  for (const [text, why] of Object.entries(mapOf(all, "TestValidateLink", "invalid"))) {
    score.fails(
      "link",
      text,
      String(why),
      outcomeOf(() => parseLink(text)),
    );
  }
  for (const [func, name] of [
    ["TestParseHostname", "validHostnames"],
    ["TestParseHostnameDomainname", "validDomainnames"],
  ] as const) {
    for (const [text, wanted] of Object.entries(mapOf(all, func, name))) {
      score.equal(func, text, wanted, valueOf(outcomeOf(() => parseHostname(text))));
    }
  }
};

const GO_ENDPOINT = (row: Row): unknown => ({
  Aliases: row["Aliases"] ?? [],
  DriverOpts: row["DriverOpts"] ?? {},
  Links: row["Links"] ?? [],
  IPv4Address: goText(row["IPv4Address"] ?? (row["IPAMConfig"] as Row | undefined)?.["IPv4Address"]),
  IPv6Address: goText(row["IPv6Address"] ?? (row["IPAMConfig"] as Row | undefined)?.["IPv6Address"]),
  LinkLocalIPs: (
    (row["LinkLocalIPs"] ?? (row["IPAMConfig"] as Row | undefined)?.["LinkLocalIPs"] ?? []) as unknown[]
  ).map(goText),
  MacAddress: goText(row["MacAddress"]),
  GwPriority: row["GwPriority"],
});

const endpointOf = (attachment: NetworkAttachment): unknown => ({
  Aliases: attachment.aliases,
  DriverOpts: attachment.driverOptions,
  Links: attachment.links.map(({ name, alias }) => `${name}:${alias}`),
  IPv4Address: attachment.ipv4,
  IPv6Address: attachment.ipv6,
  LinkLocalIPs: attachment.linkLocalIps,
  MacAddress: attachment.macAddress,
  GwPriority: attachment.gatewayPriority,
});

/** The values of repeated flags in an argument list. */
function flagValues(args: readonly string[], flag: string): readonly string[] {
  const flat = args.flatMap((arg) =>
    arg.startsWith("--") && arg.includes("=") ? [arg.split("=")[0] ?? "", arg.slice(arg.indexOf("=") + 1)] : [arg],
  );
  return flat.flatMap((arg, index) => (arg === flag ? [flat[index + 1] ?? ""] : []));
}

function selectionOf(args: readonly string[]): ReturnType<typeof resolveNetworks> {
  const [ip] = flagValues(args, "--ip");
  const [ip6] = flagValues(args, "--ip6");
  const [macAddress] = flagValues(args, "--mac-address");
  return resolveNetworks({
    networks: flagValues(args, "--network"),
    aliases: flagValues(args, "--network-alias"),
    links: flagValues(args, "--link"),
    linkLocalIps: flagValues(args, "--link-local-ip"),
    ...(ip === undefined ? {} : { ip }),
    ...(ip6 === undefined ? {} : { ip6 }),
    ...(macAddress === undefined ? {} : { macAddress }),
  });
}

const scoreNetworks: Part = (all, score) => {
  scoreEach(score, "network", rowsOf(all, "TestNetworkOptAdvancedSyntax", "testCases"), (row) => {
    const [wanted = {}] = row["expected"] as Row[];
    const got = parseNetwork(textOf(row, "value"));
    return same([wanted["Target"], GO_ENDPOINT(wanted)], [got.target, endpointOf(got)]);
  });
  scoreEach(score, "network refused", rowsOf(all, "TestNetworkOptAdvancedSyntaxInvalid", "testCases"), (row) =>
    parseNetwork(textOf(row, "value")),
  );
  scoreEach(score, "network flags", rowsOf(all, "TestParseNetworkConfig", "tests"), (row) => {
    const { mode, attachments } = selectionOf(row["flags"] as string[]);
    const wanted = Object.entries(row["expected"] as Row).map(([name, each]) => [name, GO_ENDPOINT(each as Row)]);
    const got = attachments.map((each) => [each.target, endpointOf(each)]);
    // Docker leaves a sole network without options out of the endpoints.
    const sole = wanted.length === 0 ? [[mode, GO_ENDPOINT({})]] : wanted;
    return same(
      [(row["expectedHostCfg"] as Row)["NetworkMode"], Object.fromEntries(sole)],
      [mode, Object.fromEntries(got)],
    );
  });
  scoreEach(score, "links of networks", rowsOf(all, "TestParseRunLinks", "tests"), (row) => {
    const { attachments, links } = selectionOf(textOf(row, "input").split(" "));
    const texts = (list: typeof links): string[] => list.map(({ name, alias }) => `${name}:${alias}`);
    for (const [name, wanted] of Object.entries((row["expNetConfigLinks"] ?? {}) as Row)) {
      same(wanted ?? [], texts(attachments.find((each) => each.target === name)?.links ?? []));
    }
    return same(row["expHostConfigLinks"] ?? [], texts(links));
  });
};

const scorePorts: Part = (all, score) => {
  for (const func of ["TestPortOptValidSimpleSyntax", "TestPortOptValidComplexSyntax"]) {
    scoreEach(score, func, rowsOf(all, func, "testCases"), (row) => {
      const wanted = (row["expected"] as Row[]).map((port) => ({
        targetPort: port["TargetPort"],
        publishedPort: port["PublishedPort"],
        protocol: port["Protocol"],
        publishMode: String(goText(port["PublishMode"])).replace("PortConfigPublishModeIngress", "ingress"),
      }));
      return same(wanted, parseServicePort(textOf(row, "value")));
    });
  }
  for (const func of ["TestPortOptInvalidComplexSyntax", "TestPortOptInvalidSimpleSyntax"]) {
    scoreEach(score, func, rowsOf(all, func, "testCases"), (row) => parseServicePort(textOf(row, "value")));
  }
  const bad = mapOf(all, "TestParseWithExpose", "tests", 0);
  for (const [text, why] of Object.entries(bad)) {
    score.fails(
      "expose refused",
      text,
      String(why),
      outcomeOf(() => parseExpose(text)),
    );
  }
  const portText = (text: string): string[] => parseExpose(text).map(({ port, protocol }) => `${port}/${protocol}`);
  for (const [text, wanted] of Object.entries(mapOf(all, "TestParseWithExpose", "tests", 1))) {
    score.equal("expose", text, (wanted as unknown[]).map(goText), portText(text));
  }
  const range = portText("80-81/tcp");
  rowsOf(all, "TestParseWithExpose", "ports").forEach((row, index) =>
    score.equal("expose", row, goText(row), range[index]),
  );
  for (const [wanted, texts] of Object.entries(mapOf(all, "TestConvertToStandardNotation", "valid"))) {
    const got = (texts as string[]).map((text) => (text.includes("=") ? toShortNotation(text) : text));
    score.equal("publish long form", texts, wanted, got.join(" "));
  }
  for (const { value } of all
    .filter((group) => group.func === "TestConvertToStandardNotation" && group.name === "invalid")
    .flatMap((group) => group.rows as string[][])
    .map((texts) => ({ value: texts[0] ?? "" }))) {
    score.fails(
      "publish long form",
      value,
      "",
      outcomeOf(() => toShortNotation(value)),
    );
  }
};

const scoreRun: Part = (all, score) => {
  for (const row of rowsOf(all, "TestValidateAttach", "valid")) {
    score.equal("attach", row, textOf(row, "value").toLowerCase(), parseAttach(textOf(row, "value")));
  }
  scoreEach(score, "attached streams", rowsOf(all, "TestParseRunAttach", "tests"), (row) => {
    const args = textOf(row, "input").split(" ");
    const { AttachStdin = false, AttachStdout = false, AttachStderr = false } = row["expected"] as Row;
    const got = resolveAttach({ attach: flagValues(args, "-a"), interactive: args.includes("-i") });
    return same({ stdin: AttachStdin, stdout: AttachStdout, stderr: AttachStderr }, got);
  });
  for (const row of rowsOf(all, "TestParseRunWithInvalidArgs", "tests")) {
    const [, why] = textOf(row, "error").split(" flag: ");
    // An unknown flag is the command line's business.
    if (why === undefined || textOf(row, "error").startsWith("unknown shorthand")) continue;
    score.fails(
      "attach refused",
      row,
      why,
      outcomeOf(() => resolveAttach({ attach: flagValues(row["args"] as string[], "-a") })),
    );
  }
  scoreEach(score, "run conflicts", rowsOf(all, "TestRunValidateFlags", "range"), (row) => {
    const args = row["args"] as string[];
    const [keys] = flagValues(args, "--detach-keys");
    if (keys !== undefined) return parseDetachKeys(keys);
    return resolveAttach({ attach: flagValues(args, "--attach"), detach: args.includes("--detach") });
  });
  for (const func of ["TestCreateContainerImagePullPolicyInvalid", "TestRunContainerImagePullPolicyInvalid"]) {
    scoreEach(score, "pull policy", rowsOf(all, func, "cases"), (row) => parsePullPolicy(textOf(row, "PullPolicy")));
  }
  scoreEach(score, "cp refused", rowsOf(all, "TestRunCopyWithInvalidArguments", "testcases"), (row) => {
    const { source, destination } = row["options"] as { source: string; destination: string };
    return parseCopy(source, destination);
  });
  for (const row of rowsOf(all, "TestSplitCpArg", "testcases")) {
    if (row["os"] === "windows") continue;
    const { container = "", path } = splitCopyPath(textOf(row, "path"));
    score.equal("cp arguments", row, [row["expectedContainer"] ?? "", row["expectedPath"]], [container, path]);
  }
  for (const [func, name] of [
    ["TestConfigOptions", "configName"],
    ["TestSecretOptions", "secretName"],
  ] as const) {
    scoreEach(score, func, rowsOf(all, func, "testCases"), (row) => {
      const got = parseServiceFile(textOf(row, "input"));
      const { uid = got.uid, gid = got.gid, fileMode = got.mode } = row;
      return same(
        [row[name], row["fileName"], uid, gid, fileMode],
        [got.source, got.target, got.uid, got.gid, got.mode],
      );
    });
  }
};

describe.skipIf(groups === undefined)("option tables", () => {
  it("at least 98 % of the rows give what Docker's client gives", () => {
    const score = new Score();
    const parts = [
      scoreProcess,
      scoreEnvironment,
      scoreDevices,
      scoreMounts,
      scoreAddresses,
      scoreNetworks,
      scorePorts,
      scoreRun,
    ];
    for (const part of parts) part(groups ?? [], score);
    expect(score.report("options")).toBeGreaterThanOrEqual(0.98);
  });
});
