// SPDX-License-Identifier: Apache-2.0
/* `run --notebook`: Jupyter of the image, or JupyterLab beside it, resolved so that it fits what the image has. */
import { findInterpreter, installedDistributions } from "../python/index.ts";
import type { UvPlace } from "../python/index.ts";
import type { PlannedStart } from "./debugpy.ts";
import { injectedFolder } from "./inject.ts";
import { programLookUp } from "./program-files.ts";

/** Where JupyterLab appears in a container whose image has none. */
export const NOTEBOOK_TARGET = "/.tare/notebook";

/** Where a notebook server listens, and what lets a browser in. */
export interface NotebookPlace {
  readonly address: string;
  readonly port: number;
  readonly token: string;
  readonly signal?: AbortSignal;
}

/** A notebook server to be started. */
export interface NotebookStart {
  readonly args: readonly string[];
  /** `NAME=value`, over the image's. */
  readonly env: readonly string[];
  /** Of its start page: `/lab`, `/tree`. */
  readonly page: string;
  /** To be mounted read-only at `NOTEBOOK_TARGET`; absent: the image has Jupyter. */
  readonly folder?: string;
  /** Of the JupyterLab that was put beside the image. */
  readonly version?: string;
}

/** Programs of an image that serve notebooks, the best first, and their start pages. */
const SERVERS: readonly (readonly [program: string, page: string])[] = [
  ["jupyter-lab", "/lab"],
  ["jupyter-notebook", "/tree"],
];

/** Whoever the container's user is, he can write here: not every user has a home. */
const OWN_FILES = "/tmp/jupyter";

/**
 * The command that serves notebooks. Throws `E_PYTHON_NOTFOUND` for an image without Python, `E_RESOLVE` when no
 * JupyterLab fits what the image has, and what fetching throws.
 */
export async function notebookStart(place: UvPlace, start: PlannedStart, where: NotebookPlace): Promise<NotebookStart> {
  const look = programLookUp(start);
  const [program, page = ""] = SERVERS.find(([name]) => look(name) !== undefined) ?? [];
  const env = environment(where);
  if (program !== undefined) return { args: [program, ...options(where)], env, page };
  const target = findInterpreter(start.tree, start);
  const installed = installedDistributions(start.tree, target).filter(({ name }) => !INSTALLERS.has(name));
  const call = where.signal === undefined ? {} : { signal: where.signal };
  const { folder, versions } = await injectedFolder(place, {
    requirements: ["jupyterlab", "ipykernel"],
    constraints: installed.map(({ name, version }) => `${name}==${version}`),
    present: new Set(installed.map(({ name }) => name)),
    target,
    ...call,
  });
  const python = start.env.find((entry) => entry.startsWith("PYTHONPATH="))?.slice("PYTHONPATH=".length);
  return {
    args: [target.executable, "-m", "jupyterlab", ...options(where)],
    env: [...env, ...besideEnvironment(python)],
    page: "/lab",
    folder,
    version: versions.get("jupyterlab") ?? "",
  };
}

/** What installs others is nobody's dependency in earnest, and bases have odd versions of it. */
const INSTALLERS = new Set(["pip", "setuptools", "wheel"]);

function options({ address, port }: NotebookPlace): readonly string[] {
  return ["--no-browser", `--ip=${address}`, `--port=${port}`, "--allow-root"];
}

/** The token is no argument: those are seen by every user of the machine. */
function environment({ token }: NotebookPlace): readonly string[] {
  const folders = { JUPYTER_RUNTIME_DIR: "runtime", JUPYTER_DATA_DIR: "data", JUPYTER_CONFIG_DIR: "config" };
  const own = Object.entries({ ...folders, IPYTHONDIR: "ipython" });
  return [`JUPYTER_TOKEN=${token}`, ...own.map(([name, folder]) => `${name}=${OWN_FILES}/${folder}`)];
}

function besideEnvironment(pythonPath: string | undefined): readonly string[] {
  const share = `${NOTEBOOK_TARGET}/data/share/jupyter`;
  return [
    `PYTHONPATH=${NOTEBOOK_TARGET}/site${pythonPath ? `:${pythonPath}` : ""}`,
    `JUPYTER_PATH=${share}`,
    `JUPYTER_CONFIG_PATH=${NOTEBOOK_TARGET}/data/etc/jupyter`,
    `JUPYTERLAB_DIR=${share}/lab`,
  ];
}
