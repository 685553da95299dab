// SPDX-License-Identifier: Apache-2.0
/* Networks of containers, with real bridges, rules and names: who reaches whom, and what is left afterwards. */
import { spawnSync } from "node:child_process";
import type { ChildProcess } from "node:child_process";
import * as fs from "node:fs";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { findNameServer } from "../../src/network/index.ts";
import { whyNoBusybox } from "../support/bases.ts";
import { eventually } from "../support/eventually.ts";
import { holdNetworkNamespace } from "../support/network-namespace.ts";
import { missingProgram, runProgram } from "../support/peer-program.ts";
import { addBusyboxImage, openProgramWorld } from "../support/program.ts";
import type { Outcome, ProgramWorld } from "../support/program.ts";
import { allPids, commandLine } from "../support/processes.ts";

function whyNot(): string | undefined {
  const missing = missingProgram("nft", "ip", "nsenter", "conmon");
  if (missing !== undefined) return `${missing} is not installed`;
  return findNameServer() === undefined ? "aardvark-dns is not installed" : whyNoBusybox();
}

const reason = whyNot();
if (reason !== undefined) console.log(`skipped: networks: ${reason}`);

const SERVE = "mkdir -p /www; echo served > /www/index.html; exec busybox httpd -f -p 80 -h /www";

/** A network namespace that stands for another machine, with a cable to this one. */
class OtherMachine {
  readonly address = "10.231.77.1";
  #process: (ChildProcess & { readonly pid: number }) | undefined;

  async connect(): Promise<void> {
    this.#process = await holdNetworkNamespace("");
    const pid = String(this.#process.pid);
    const here = [`addr add ${this.address}/30 dev tvtest77`, "link set tvtest77 up"];
    for (const words of [`link add tvtest77 type veth peer name eth0 netns ${pid}`, ...here])
      runProgram("ip", words.split(" "));
    for (const words of ["addr add 10.231.77.2/30 dev eth0", "link set eth0 up", "route add default via 10.231.77.1"])
      runProgram("nsenter", ["-t", pid, "-n", "ip", ...words.split(" ")]);
  }

  /** What a page says, or undefined when it can't be had. */
  fetch(url: string): string | undefined {
    return fetched(["nsenter", "-t", String(this.#process?.pid), "-n"], url);
  }

  close(): void {
    this.#process?.kill("SIGKILL");
  }
}

/** Cables at no bridge: those of other stores' containers may be there. */
function looseCables(): readonly string[] {
  const cables = fs.readdirSync("/sys/class/net").filter((name) => /^tv[0-9a-f]{11}/.test(name));
  return cables.filter((name) => !fs.existsSync(`/sys/class/net/${name}/master`));
}

/** By python: this host's busybox is static and crashes when it looks up names. */
function fetched(prefix: readonly string[], url: string): string | undefined {
  const script = "import sys, urllib.request as r; print(r.urlopen(sys.argv[1], timeout=2).read().decode())";
  const [program = "python3", ...words] = [...prefix, "python3", "-c", script, url];
  const { status, stdout } = spawnSync(program, words, { encoding: "utf8" });
  return status === 0 ? stdout.trim() : undefined;
}

describe.skipIf(reason !== undefined)("networks", { timeout: 120_000 }, () => {
  let world: ProgramWorld;
  const other = new OtherMachine();
  const before = looseCables();
  const port = 20_000 + (process.pid % 10_000);

  beforeAll(async () => {
    world = openProgramWorld("network");
    addBusyboxImage(world);
    await other.connect();
  }, 120_000);
  afterAll(() => {
    other.close();
    world.tare(["rm", "-f", ...world.ok("ps", "-aq").split("\n")]);
    world.tare(["network", "prune", "-f"]);
    world.tare(["system", "prune", "-f"]);
    world.close();
  });

  const inspect = (name: string, template: string): string => world.ok("inspect", "-f", template, name);
  const serve = (name: string, ...flags: readonly string[]): string =>
    world.ok("run", "-d", "--name", name, ...flags, "busybox", "sh", "-c", SERVE);
  const sh = (container: string, script: string): string => world.ok("exec", container, "sh", "-c", script);
  const wget = (container: string, host: string): Outcome =>
    world.tare(["exec", container, "busybox", "timeout", "2", "busybox", "wget", "-qO-", `http://${host}`]);
  const rules = (): string => spawnSync("nft", ["list", "ruleset"], { encoding: "utf8" }).stdout;

  it("publishes on this machine alone, or wider when told to, and says who has a port", async () => {
    const made = world.tare(["run", "-d", "--name", "own", "-p", `${port}:80`, "busybox", "sh", "-c", SERVE]);
    expect(made.err).toMatch(/^published on 127\.0\.0\.1: .*-p 0\.0\.0\.0:/);
    serve("wide", "-p", `0.0.0.0:${port + 1}:80`, "-P", "--expose", "81");
    await eventually(() => fetched([], `http://127.0.0.1:${port}`)).toBe("served");
    expect(
      [`http://127.0.0.1:${port + 1}`, `http://${other.address}:${port + 1}`].map((url) => fetched([], url)),
    ).toEqual(["served", "served"]);
    const urls = [`http://${other.address}:${port + 1}`, `http://${other.address}:${port}`];
    expect(urls.map((url) => other.fetch(url))).toEqual(["served", undefined]);
    // Not by the container's own address either, and not by a forged one.
    expect(other.fetch(`http://${inspect("wide", "{{.NetworkSettings.IPAddress}}")}`)).toBe(undefined);
    expect(world.ok("ps", "--filter", "name=own", "--format", "{{.Ports}}")).toBe(`127.0.0.1:${port}->80/tcp`);
    expect(world.ok("port", "own", "80")).toBe(`127.0.0.1:${port}`);
    expect(world.ok("port", "wide")).toMatch(new RegExp(`^80/tcp -> 0.0.0.0:${port + 1}\n81/tcp -> 127.0.0.1:\\d+$`));
    const busy = world.tare(["run", "--rm", "-p", `${port}:80`, "busybox", "true"]);
    expect([busy.code, busy.err]).toEqual([125, expect.stringContaining("in use by container `own`")]);
    world.ok("rm", "-f", "own", "wide");
    expect(rules()).not.toContain(` ${port} `);
    expect(world.tare(["run", "--rm", "-p", `${port}:80`, "busybox", "true"]).code).toBe(0);
  });

  it("publishes nothing for a start that failed", async () => {
    const wrong = ["-p", `${port + 40}:80`, "--user", "nobody-there", "busybox", "true"];
    expect(world.tare(["run", "--rm", ...wrong]).err).toContain("nobody-there");
    expect(world.tare(["run", "-d", ...wrong]).err).toContain("nobody-there");
    await eventually(rules).not.toContain(` ${port + 40} `);
  });

  it("joins containers by name in a network that somebody made, and keeps others out", async () => {
    world.ok("network", "create", "--subnet", "10.231.80.0/24", "--ipv6", "team");
    serve("db", "--network", "team", "--network-alias", "store", "--ip", "10.231.80.9");
    const id = inspect("db", "{{.Id}}");
    world.ok(
      "run",
      "-d",
      "--name",
      "app",
      "--network",
      "team",
      "--add-host",
      "me:host-gateway",
      "busybox",
      "sleep",
      "600",
    );
    await eventually(() => fetched([], "http://10.231.80.9")).toBe("served");
    for (const name of ["db", "store", id.slice(0, 12), "10.231.80.9"])
      expect(sh("app", `busybox wget -qO- http://${name}`)).toBe("served");
    expect(
      sh(
        "app",
        "busybox wget -qO- http://$(busybox nslookup -type=aaaa db | sed -n 's/^Address: *\\(fd.*\\)/[\\1]/p')",
      ),
    ).toBe("served");
    expect(sh("app", "grep -c 10.231.80.1 /etc/hosts; grep host.docker.internal /etc/hosts")).toBe(
      "2\n10.231.80.1\thost.docker.internal",
    );
    expect(
      world.tare([
        "run",
        "--rm",
        "busybox",
        "sh",
        "-c",
        "busybox timeout 2 busybox wget -qO- http://10.231.80.9; exit $?",
      ]).code,
    ).not.toBe(0);
    world.ok("run", "-d", "--name", "beside", "--network", "container:db", "busybox", "sleep", "600");
    expect(sh("beside", "busybox wget -qO- http://127.0.0.1; busybox hostname -i")).toBe("served\n10.231.80.9");
    world.ok("rename", "db", "base");
    await eventually(() => wget("app", "base").out).toBe("served\n");
    const refused = world.tare(["network", "rm", "team"]);
    expect([refused.code, refused.err]).toEqual([1, expect.stringContaining("it has active endpoints")]);
    world.ok("rm", "-f", "beside");
  });

  it("keeps containers apart and ports where the network's options say", async () => {
    const bridge = "com.docker.network.bridge";
    const options = [`${bridge}.enable_icc=false`, `${bridge}.host_binding_ipv4=127.0.0.9`].flatMap((each) => [
      "-o",
      each,
    ]);
    world.ok("network", "create", ...options, "apart");
    serve("one", "--network", "apart", "-p", `${port + 41}:80`);
    const address = inspect("one", "{{.NetworkSettings.Networks.apart.IPAddress}}");
    expect(world.ok("port", "one", "80")).toBe(`127.0.0.9:${port + 41}`);
    await eventually(() => fetched([], `http://127.0.0.9:${port + 41}`)).toBe("served");
    const look = `busybox wget -T 1 -qO- http://${address}`;
    // By way of this host neither.
    const around = `ip route add ${address}/32 via $(ip route | sed -n 's/^default via \\([^ ]*\\).*/\\1/p')`;
    for (const script of [look, `${around} && ${look}`]) {
      const words = ["run", "--rm", "--network", "apart", "--cap-add", "NET_ADMIN", "busybox", "sh", "-c", script];
      expect(world.tare(words)).toMatchObject({ out: "" });
    }
    world.ok("rm", "-f", "one");
    world.ok("network", "rm", "apart");
  });

  it("connects and disconnects containers that run, and gives the same place after a restart", async () => {
    world.ok("network", "create", "--internal", "closed");
    serve("inner", "--network", "closed");
    expect(wget("inner", other.address).err).toMatch(/unreachable/i);
    expect(wget("app", "inner").code).not.toBe(0);
    world.ok("network", "connect", "--alias", "visitor", "closed", "app");
    await eventually(() => wget("app", "inner").out).toBe("served\n");
    expect(sh("inner", "busybox nslookup -type=a visitor | grep -c Address")).toBe("2");
    world.ok("restart", "-t", "0", "app", "base");
    expect(inspect("base", "{{.NetworkSettings.Networks.team.IPAddress}}")).toBe("10.231.80.9");
    expect(
      world.ok("inspect", "-f", "{{range $name, $net := .NetworkSettings.Networks}}{{$name}} {{end}}", "app"),
    ).toBe("closed team ");
    // Who is in a closed network only gets a way out by an open one, as long as it is in one.
    const routes = (): readonly string[] => sh("inner", "ip route").match(/(?<=^default.* dev )\S+/gm) ?? [];
    const seen = [routes()];
    for (const words of ["connect team", "connect bridge", "disconnect team", "disconnect bridge"]) {
      const [verb = "", network = ""] = words.split(" ");
      world.ok("network", verb, network, "inner");
      seen.push(routes());
    }
    expect(seen).toEqual([[], ["eth1"], ["eth1"], ["eth2"], []]);
    // One that began where there are no names learns those of a network that it joins, and forgets them.
    world.ok("run", "-d", "--name", "late", "busybox", "sleep", "100");
    const asks = (): number | null => world.tare(["exec", "late", "busybox", "nslookup", "-type=a", "app"]).code;
    const codes = [asks()];
    for (const verb of ["connect", "disconnect"]) {
      world.ok("network", verb, "team", "late");
      codes.push(asks());
    }
    expect(codes).toEqual([1, 0, 1]);
    world.ok("rm", "-f", "late");
    world.ok("run", "-d", "--name", "alone", "--network", "none", "busybox", "sleep", "100");
    const alone = world.tare(["network", "connect", "team", "alone"]);
    expect([alone.code, alone.err]).toEqual([1, expect.stringContaining("in private (none) mode")]);
    world.ok("rm", "-f", "alone");
    world.ok("network", "disconnect", "closed", "app");
    expect(wget("app", "inner").code).not.toBe(0);
    world.ok("rm", "-f", "base", "app", "inner");
    expect(world.ok("network", "prune", "-f")).toContain("closed");
  });

  it("gives twenty containers that start at once addresses of their own", async () => {
    const start = (index: number): Promise<unknown> =>
      world.tareAsync(["run", "-d", "--name", `many${index}`, "-p", "80", "busybox", "sleep", "600"]);
    await Promise.all(Array.from({ length: 20 }, (_, index) => start(index)));
    const names = Array.from({ length: 20 }, (_, index) => `many${index}`);
    const places = world
      .ok("inspect", "-f", "{{.NetworkSettings.IPAddress}} {{.NetworkSettings.Ports}}", ...names)
      .split("\n");
    expect(new Set(places.map((line) => line.split(" ")[0])).size).toBe(20);
    expect(new Set(places).size).toBe(20);
    world.ok("rm", "-f", ...names);
  });

  it("leaves nothing after kills of everybody who could clear up", async () => {
    const watched = world.start(["run", "--name", "front", "-p", `${port}:80`, "busybox", "sleep", "600"]);
    serve("back", "-p", `${port + 1}:80`);
    await eventually(() => inspect("front", "{{.State.Status}}")).toBe("running");
    watched.kill("SIGKILL");
    const conmon = fs
      .readFileSync(`${world.root}/v1/containers/${inspect("back", "{{.Id}}")}/conmon.pid`, "utf8")
      .trim();
    process.kill(Number(inspect("back", "{{.State.Pid}}")), "SIGKILL");
    process.kill(Number(conmon), "SIGKILL");
    world.ok("run", "--rm", "--name", "again", "-p", `${port}:80`, "-p", `${port + 1}:80`, "busybox", "true");
    expect(world.ok("network", "inspect", "-f", "{{json .Containers}}", "bridge")).toBe("{}");
    world.ok("rm", "-f", "front", "back");
    world.ok("network", "create", "named");
    world.ok("run", "--rm", "--network", "named", "busybox", "true");
    const bridge = world.ok(
      "network",
      "inspect",
      "-f",
      '{{index .Options "com.docker.network.bridge.name"}}',
      "bridge",
    );
    expect(fs.existsSync(`/sys/class/net/${bridge}`)).toBe(true);
    world.ok("system", "prune", "-f");
    expect(fs.existsSync(`/sys/class/net/${bridge}`)).toBe(false);
    expect(rules()).not.toContain(bridge);
    const folder = `${world.runRoot()}/names`;
    await eventually(() => allPids().filter((pid) => commandLine(pid).includes(folder))).toEqual([]);
    expect(looseCables().filter((name) => !before.includes(name))).toEqual([]);
  });

  it.each([
    [["network", "create", "--driver", "overlay", "x"], "there is no driver `overlay`"],
    [["network", "create", "bridge"], "operation is not permitted on predefined bridge network"],
    [["network", "create", "--subnet", "10.0.0.0/33", "x"], "is no subnet"],
    [["network", "create", "--subnet", "127.0.0.0/8", "--gateway", "10.0.0.1", "x"], "no matching subnet"],
    [["network", "rm", "host"], "is a pre-defined network and cannot be removed"],
    [["network", "inspect", "nowhere"], "no such network"],
    [["run", "--network", "nowhere", "busybox"], "no such network"],
    [["run", "--ip", "10.0.0.1", "busybox"], "supported on user defined networks only"],
    [["run", "--network", "container:nobody", "busybox"], "no such container"],
    [["run", "-p", "[::1]:80:80", "busybox"], "publish on 127.0.0.1"],
    [["run", "-p", "203.0.113.9:80:80", "busybox"], "this machine has no address 203.0.113.9"],
  ])("refuses %j", (words, message) => {
    const { code, err } = world.tare(words);
    expect([code, err]).toEqual([words[0] === "run" ? 125 : 1, expect.stringContaining(message)]);
  });
});
