// SPDX-License-Identifier: Apache-2.0
/*
 * What starts a program, as far as files tell: what the user says, a Procfile, an application of a framework, a program
 * that the project installs, a file with a telling name, the only script. Where files tell more than one thing, the
 * first is taken and the others are named, so that nobody wonders.
 */
import { normalizeName } from "../python/index.ts";
import { FRAMEWORKS, applicationIn } from "./servers.ts";
import type { Decision, Project, ProjectReader } from "./types.ts";

/** What starts a project. An empty command means that the base's or the user's entry point stands alone. */
export interface FoundCommand extends Decision<readonly string[]> {
  /** Ports that it listens on, where that is known. */
  readonly ports: readonly string[];
  readonly env: Readonly<Record<string, string>>;
}

/** A command, or why there is none, and what the user should know of it. */
export interface CommandAnswer {
  readonly found: FoundCommand | undefined;
  /** `app.py makes a FastAPI application, but uvicorn is not among the dependencies`. */
  readonly notes: readonly string[];
}

/** Files that start a program, most telling name first. */
const NAMES = ["main", "app", "server", "api", "serve", "run", "inference", "train", "cli"];
const PORT = "8000";

type Candidate = FoundCommand & { readonly title: string };

/** What starts the project. `has` tells whether a distribution is installed in the image. */
export function findCommand(
  reader: ProjectReader,
  project: Pick<Project, "config" | "own" | "name" | "sourceRoots">,
  has: (name: string) => boolean,
): CommandAnswer {
  const { config } = project;
  if (config.command || config.entrypoint) {
    const value = config.command ?? [];
    return { found: { value, reason: "from [tool.tare]", ports: config.expose, env: {} }, notes: [] };
  }
  const notes: string[] = [];
  const files = filesOf(reader, project);
  const candidates = [
    ...procfile(reader),
    ...django(reader, has),
    ...files.flatMap((file) => application(reader, { file, project, has, notes })),
    ...programs(project, notes),
    ...files.filter((file) => !file.includes("/")).map(namedFile),
    ...mainModules(reader, project),
    ...notebooks(reader, has, notes),
  ];
  const all = candidates.length > 0 ? candidates : onlyScript(reader, notes);
  const [first] = all;
  if (!first) return { found: undefined, notes };
  const others = [...new Set(all.slice(1).map(({ title }) => title))].filter((title) => title !== first.title);
  const also = others.length > 0 ? [`also there: ${others.slice(0, 4).join(", ")}`] : [];
  const { title: _title, ...found } = first;
  const ports = config.expose.length > 0 ? config.expose : found.ports;
  return { found: { ...found, ports }, notes: [...notes, ...also] };
}

/** Candidates by name, those in the project's folder first. */
function filesOf(reader: ProjectReader, project: Pick<Project, "name" | "sourceRoots">): readonly string[] {
  const packageName = normalizeName(project.name).replaceAll("-", "_");
  const folders = ["", "app/", `${packageName}/`, "src/", `src/${packageName}/`, `src/app/`];
  const places = folders.flatMap((folder) => NAMES.map((name) => `${folder}${name}.py`));
  const inits = [`${packageName}/__init__.py`, `src/${packageName}/__init__.py`, "app/__init__.py"];
  return [...new Set([...places, ...inits])].filter((file) => reader.read(file) !== undefined);
}

/** The `web:` line of a Procfile, or its only line. */
function procfile(reader: ProjectReader): readonly Candidate[] {
  const lines = [...(reader.read("Procfile") ?? "").matchAll(/^([A-Za-z0-9_-]+):\s*(\S.*)$/gm)];
  const line = lines.find(([, name]) => name === "web") ?? (lines.length === 1 ? lines[0] : undefined);
  if (!line) return [];
  const [, name = "", command = ""] = line;
  const wantsPort = /\$\{?PORT\b/.test(command);
  return [
    {
      title: "Procfile",
      value: ["/bin/sh", "-c", `exec ${command.trim()}`],
      reason: `\`${name}\` of the Procfile`,
      ports: wantsPort ? [PORT] : [],
      env: wantsPort ? { PORT } : {},
    },
  ];
}

/** Django's `manage.py` names the settings, and beside them stands what servers load. */
function django(reader: ProjectReader, has: (name: string) => boolean): readonly Candidate[] {
  const manage = reader.read("manage.py") ?? "";
  const settings = /DJANGO_SETTINGS_MODULE["'],\s*["']([\w.]+)\.settings/.exec(manage)?.[1];
  if (settings === undefined) return [];
  const common = { title: "manage.py", ports: [PORT], env: {} };
  const isThere = (name: string): boolean => reader.read(`${settings.replaceAll(".", "/")}/${name}.py`) !== undefined;
  if (has("gunicorn") && isThere("wsgi")) {
    const value = ["gunicorn", "--bind", `0.0.0.0:${PORT}`, `${settings}.wsgi:application`];
    return [{ ...common, value, reason: "manage.py is Django's" }];
  }
  if (has("uvicorn") && isThere("asgi")) {
    const value = ["uvicorn", `${settings}.asgi:application`, "--host", "0.0.0.0", "--port", PORT];
    return [{ ...common, value, reason: "manage.py is Django's" }];
  }
  const value = ["python", "manage.py", "runserver", `0.0.0.0:${PORT}`];
  return [{ ...common, value, reason: "manage.py is Django's; its development server, as gunicorn is not installed" }];
}

interface Look {
  readonly file: string;
  readonly project: Pick<Project, "sourceRoots">;
  readonly has: (name: string) => boolean;
  readonly notes: string[];
}

/** An application of a framework in a file, when something that serves it is installed. */
function application(reader: ProjectReader, { file, project, has, notes }: Look): readonly Candidate[] {
  const source = reader.read(file) ?? "";
  const module = moduleOf(file, project.sourceRoots);
  for (const framework of FRAMEWORKS) {
    const app = applicationIn(framework, source, { file, module });
    if (!app) continue;
    const server = framework.servers.find(({ needs }) => has(needs));
    const reason = `${file} makes a ${framework.name} application`;
    if (server) {
      return [{ title: file, value: server.command(app), reason, ports: [server.port], env: server.env ?? {} }];
    }
    const [usual] = framework.servers;
    notes.push(`${reason}, but ${usual?.needs ?? "its server"} is not among the dependencies`);
    return [];
  }
  return [];
}

function moduleOf(file: string, roots: readonly string[]): string {
  const root = roots.find((each) => each !== "" && file.startsWith(`${each}/`));
  const path = root === undefined ? file : file.slice(root.length + 1);
  return path
    .replace(/\.py$/, "")
    .replace(/\/__init__$/, "")
    .replaceAll("/", ".");
}

/** The program that the project installs: the one of its name, or the only one. */
function programs({ own, name }: Pick<Project, "own" | "name">, notes: string[]): readonly Candidate[] {
  const scripts = own?.scripts ?? [];
  const named = scripts.find((script) => normalizeName(script) === normalizeName(name));
  const chosen = named ?? (scripts.length === 1 ? scripts[0] : undefined);
  if (chosen === undefined) {
    if (scripts.length > 1) notes.push(`it installs several programs: ${scripts.slice(0, 6).join(", ")}`);
    return [];
  }
  const reason = "the project installs this program";
  return [{ title: chosen, value: [chosen], reason, ports: [], env: {} }];
}

function namedFile(file: string): Candidate {
  return { title: file, value: ["python", file], reason: `${file} is there`, ports: [], env: {} };
}

function mainModules(reader: ProjectReader, project: Pick<Project, "name" | "sourceRoots">): readonly Candidate[] {
  const packageName = normalizeName(project.name).replaceAll("-", "_");
  return [packageName, `src/${packageName}`].flatMap((root) => {
    const file = `${root}/__main__.py`;
    if (reader.read(file) === undefined) return [];
    return [{ title: file, value: ["python", "-m", packageName], reason: `${file} is there`, ports: [], env: {} }];
  });
}

function notebooks(reader: ProjectReader, has: (name: string) => boolean, notes: string[]): readonly Candidate[] {
  const [file] = reader.list("").filter((name) => name.endsWith(".ipynb"));
  if (file === undefined) return [];
  const server = ["jupyterlab", "notebook"].find(has);
  if (server === undefined) {
    notes.push(`${file} is a notebook, but jupyterlab is not among the dependencies`);
    return [];
  }
  const program = server === "jupyterlab" ? "lab" : "notebook";
  const value = ["jupyter", program, "--ip", "0.0.0.0", "--port", "8888", "--no-browser"];
  return [{ title: file, value, reason: `${file} is a notebook`, ports: ["8888"], env: {} }];
}

/** The one Python file that is written to be started. */
function onlyScript(reader: ProjectReader, notes: string[]): readonly Candidate[] {
  const scripts = reader
    .list("")
    .filter((name) => name.endsWith(".py") && name !== "setup.py" && name !== "conftest.py")
    .filter((name) => /^if __name__ == ["']__main__["']/m.test(reader.read(name) ?? ""));
  const [only] = scripts;
  if (only !== undefined && scripts.length === 1) {
    return [{ ...namedFile(only), reason: `${only} is the only file that is written to be started` }];
  }
  if (scripts.length > 1) notes.push(`several files can be started: ${scripts.slice(0, 6).join(", ")}`);
  return [];
}
