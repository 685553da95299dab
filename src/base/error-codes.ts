// SPDX-License-Identifier: Apache-2.0
/**
 * Every error code of the product with a one-line meaning, grouped by area. `docs/errors.md` is generated from this
 * table. A code is never reused for another meaning.
 */
export const ERROR_CODES = {
  // base
  E_USAGE: "the command line is wrong: unknown flag, missing argument, bad value",
  E_IO: "a file could not be read or written",
  E_NOSPACE: "the disk is full",
  E_PERMISSION: "this needs a permission that the user does not have",
  E_UNSUPPORTED: "this host or this version cannot do what was asked",
  E_ABORTED: "the operation was interrupted",
  E_PROGRAM_MISSING: "a program that Tare needs is not installed",
  E_PROGRAM_FAILED: "a program that Tare started failed",
  E_SYSCALL: "a Linux system call failed",
  // oci
  E_REF: "an image reference is malformed",
  E_DIGEST: "a digest is malformed",
  E_DIGEST_MISMATCH: "content does not have the digest it was announced with",
  E_PLATFORM: "a platform is malformed or not available",
  E_MANIFEST: "a manifest, index or image config is malformed",
  // archive
  E_TAR_HEADER: "a tar header is malformed",
  E_TAR_PAX: "a PAX record is malformed or too large",
  E_TAR_TRUNC: "a tar archive ends too early",
  E_TAR_MAGIC: "the data is not a tar archive",
  E_TAR_ESCAPE: "an archive entry points outside the extraction root",
  E_TAR_LINK: "a hard link's target is not in the tree",
  E_TAR_ROOT: "an archive entry replaces the root itself",
  E_TAR_NOTDIR: "an archive entry lies below something that is not a directory",
  E_TAR_FORGED: "an archive entry forges overlay metadata",
  E_TAR_LIMIT: "an archive exceeds a safety limit",
  E_WHITEOUT: "a whiteout entry is malformed",
  E_COMPRESSION: "compressed data is damaged or of an unknown kind",
  E_BOMB: "compressed data expands suspiciously",
  E_ZIP: "a zip archive is malformed or cut short",
  E_ZIP_AMBIGUOUS:
    "a zip archive can be read in two ways: duplicate or overlapping entries, headers that disagree, hidden bytes",
  E_ZIP_NAME: "an entry of a zip archive has a dangerous or malformed name",
  E_ZIP_UNSUPPORTED: "a zip archive uses encryption, links, several disks or an unknown compression",
  E_ZIP_CONTENT: "an entry of a zip archive does not have the announced size or checksum",
  E_ZIP_LIMIT: "a zip archive exceeds a safety limit",
  // store
  E_STORE_DAMAGED: "the store holds damaged content",
  E_STORE_VERSION: "the store was written by a newer version",
  E_STORE_LOCKED: "another command holds the lock for too long",
  E_AMBIGUOUS: "a short id fits more than one thing",
  E_BLOB_MISSING: "a blob is not in the store",
  E_LAYER_MISSING: "a layer is not in the store",
  E_IMAGE_NOTFOUND: "no such image",
  E_IMAGE_INUSE: "the image is used by a container or has several names",
  // registry
  E_REGISTRY: "a registry can't be reached, or answers in a way that is not an answer",
  E_REGISTRY_AUTH: "a registry wants a login, or refuses the one it was given",
  E_REGISTRY_DENIED: "a registry does not allow this account to do what was asked",
  E_REGISTRY_NOTFOUND: "a registry has no such image, tag or blob",
  E_REGISTRY_CONFIG: "a configuration of registries is malformed, or blocks the registry",
  // trust
  E_PROVENANCE: "how an image was built is not known here",
  E_SIGNATURE: "a signature or a signed statement is malformed or does not verify",
  E_UNSIGNED: "an image has no signature or attestation of the kind that is asked for",
  E_POLICY: "a signature policy (policy.json) is malformed or can't be read",
  E_POLICY_REFUSED: "the signature policy does not let an image in",
  E_KEY: "a key can't be read, or its passphrase is wrong",
  // dockerfile
  E_DF_UNKNOWN: "a Dockerfile has an unknown instruction",
  E_DF_EMPTY: "a Dockerfile has no instructions",
  E_DF_NOFROM: "a Dockerfile has no FROM",
  E_DF_ORDER: "an instruction stands before the first FROM",
  E_DF_ARGS: "an instruction has too few, too many or malformed arguments",
  E_DF_FLAG: "an instruction has an unknown, repeated or malformed flag",
  E_DF_JSON: "a JSON array in a Dockerfile is malformed",
  E_DF_HEREDOC: "a heredoc is not closed, or stands where none may stand",
  E_DF_MOUNT: "a mount or device of a RUN instruction is malformed",
  E_DF_STAGE: "a build stage's name is malformed or unknown",
  E_DF_NAME: "a variable or label has no name",
  E_DF_PORT: "a port of an EXPOSE instruction is malformed",
  E_DF_DURATION: "a duration or count of a HEALTHCHECK is malformed",
  E_DF_ONBUILD: "an ONBUILD trigger is not allowed or malformed",
  E_DF_DIRECTIVE: "a parser directive is repeated or has an impossible value",
  E_DF_TOOBIG: "a Dockerfile or one of its lines is too long",
  E_DF_ENCODING: "a Dockerfile is not UTF-8 text",
  E_DF_EXPAND: "a variable substitution is malformed or a required variable is missing",
  E_PATTERN: "a file name pattern is malformed",
  E_GIT_REF: "a Git reference is malformed",
  // solver
  E_CHMOD: "a file mode is malformed",
  E_COPY_NOTFOUND: "a COPY or ADD source does not exist",
  E_COPY: "files could not be copied as asked",
  E_RUN_FAILED: "a RUN step ended with a non-zero exit code",
  E_SECRET: "a secret that a step needs was not given",
  E_SECRET_LEAK: "a step wrote a secret into its layer",
  E_SSH: "an ssh agent that a step needs was not given",
  E_HTTP: "a URL could not be fetched",
  E_GIT: "a git repository could not be fetched",
  E_CHECKSUM: "fetched content does not have the expected checksum",
  E_ENTITLEMENT: "a step asks for a privilege that was not allowed",
  E_MOUNT: "a mount is malformed or could not be made",
  // python: requirements
  E_REQUIREMENTS: "a requirement, marker, version or requirements file is malformed",
  E_PYPROJECT: "a pyproject.toml is malformed",
  // python: locks and targets
  E_LOCK: "a lock file is malformed, or not made for the target",
  E_LOCK_STALE: "a lock does not satisfy the project's requirements any more",
  E_LOCK_VERSION: "a lock file is of a version that is not known",
  E_LOCK_HASH: "a file of a lock has no sha256",
  E_NO_WHEEL: "a locked package has no file for the target",
  E_WHEEL_NAME: "a file name is not that of a wheel",
  E_PYTHON_NOTFOUND: "the image has no Python that can be found",
  // python: resolving
  E_RESOLVE: "no set of packages satisfies the requirements",
  E_RESOLVE_NOTFOUND: "a required package is not on the index",
  E_UV: "the resolver uv can't be had or started",
  // python: files
  E_PROJECT_NOTFOUND: "a package index has no project of that name",
  E_WHEEL_MISSING: "a wheel or sdist is not in the store, and no index has it",
  E_WHEEL_INUSE: "a wheel can't be removed: layers are made of it",
  E_INDEX_AUTH: "a package index refused the user's credentials, or wants some",
  // python: installing
  E_WHEEL: "a wheel is malformed or not the one that its name says",
  E_WHEEL_RECORD: "a wheel's files are not those that its RECORD lists",
  E_LAYER_CLAIM: "a layer is not what a lock, a bundle or a registry's memo said",
  E_UNINSTALL: "a distribution of the base can't be replaced",
  E_BYTECODE: "Python modules could not be compiled",
  E_ACCELERATOR: "the packages are not those of the chosen accelerator",
  E_BUILD_WHEEL: "a package without a wheel could not be built",
  // project
  E_CONFIG: "[tool.tare] or tare.toml has an unknown key, target, or a value of another kind",
  // build
  E_CONTEXT: "the build context is missing or unusable",
  E_DOCKERFILE_MISSING: "the Dockerfile is missing",
  E_STAGE_NOTFOUND: "no such build stage",
  E_OUTPUT: "an output of the build is not possible",
  // containers
  E_CONTAINER_NOTFOUND: "no such container",
  E_CONTAINER_STATE: "the container is not in a state that allows this (running, stopped, being removed)",
  E_NAME: "a container's name is malformed",
  E_NAME_TAKEN: "the name belongs to another container",
  E_SIGNAL: "no such signal",
  E_ENV: "an environment variable is malformed",
  E_WORKDIR: "the working directory is not an absolute path",
  E_MOUNT_RESERVED: "a mount would cover /proc, /sys or the root",
  E_MOUNT_SOURCE: "the source of a bind mount does not exist",
  E_MOUNT_DUPLICATE: "two mounts have the same destination",
  E_VOLUME_NAME: "a volume's name is malformed",
  E_FILTER: "a filter is unknown or its value is malformed",
  // images
  E_ARCHIVE: "an image archive is malformed or of an unknown kind",
  E_LAYOUT: "an OCI image layout is malformed",
  E_BUNDLE: "a bundle is malformed, forged or not complete, or no bundle at all",
  E_CHANGE: "an instruction of `--change` is unknown, malformed or not allowed",
  E_DOCKER: "the Docker Engine can't be reached or refused a request",
  // bases
  E_BASE_UNKNOWN: "no such base image recipe",
  E_BASE_SOURCE: "the signed packages of a base image can't be had: mirror, keyring or list is missing",
  E_BASE_FAILED: "assembling a base image from packages failed",
  // runtime
  E_NO_RUNTIME: "no OCI runtime (runc, crun) works on this host",
  E_RUNTIME: "the OCI runtime could not do what was asked",
  E_EXEC_NOENT: "the container's command does not exist",
  E_EXEC_DENIED: "the container's command is not executable",
  E_EXEC_FORMAT: "the container's command is not a program for this machine",
  E_OVERLAY: "the root file system could not be put together from its layers",
  E_CWD: "a working directory is not usable",
  E_NO_COMMAND: "neither the image nor the command line says what to run",
  E_USER_UNKNOWN: "a user or group is not in the image",
  E_UID: "a user or group number is out of range",
  E_USER_FILE: "the image's passwd or group file is not usable",
  E_ROOTFS: "an image's root file system has a dangerous or broken layout",
} as const;

/** A stable error code. */
export type ErrorCode = keyof typeof ERROR_CODES;

/** True for the text of a code: errors come back from threads as plain data. */
export function isErrorCode(text: string): text is ErrorCode {
  return Object.hasOwn(ERROR_CODES, text);
}
