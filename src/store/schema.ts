// SPDX-License-Identifier: Apache-2.0

/** The format of state.db; greater ones are refused. */
export const STATE_VERSION = 1;

/** Tables of state.db. */
export const STATE_SCHEMA = `
CREATE TABLE images (
  target TEXT PRIMARY KEY,
  media_type TEXT NOT NULL,
  id TEXT NOT NULL,
  added_at INTEGER NOT NULL
) WITHOUT ROWID;
CREATE INDEX images_id ON images (id);

CREATE TABLE names (
  name TEXT PRIMARY KEY,
  target TEXT NOT NULL REFERENCES images (target) ON DELETE CASCADE
) WITHOUT ROWID;
CREATE INDEX names_target ON names (target);

CREATE TABLE cache (
  key TEXT PRIMARY KEY,
  value TEXT NOT NULL,
  created_at INTEGER NOT NULL,
  used_at INTEGER NOT NULL
) WITHOUT ROWID;

CREATE TABLE cache_layers (
  key TEXT NOT NULL REFERENCES cache (key) ON DELETE CASCADE,
  layer TEXT NOT NULL,
  PRIMARY KEY (key, layer)
) WITHOUT ROWID;

CREATE TABLE documents (
  kind TEXT NOT NULL,
  id TEXT NOT NULL,
  name TEXT,
  value TEXT NOT NULL,
  created_at INTEGER NOT NULL,
  PRIMARY KEY (kind, id)
) WITHOUT ROWID;
CREATE UNIQUE INDEX documents_name ON documents (kind, name) WHERE name IS NOT NULL;

CREATE TABLE claims (
  id TEXT PRIMARY KEY,
  owner TEXT NOT NULL
) WITHOUT ROWID;
`;

/** The format of fingerprints.db. */
export const FINGERPRINTS_VERSION = 1;

/** Tables of fingerprints.db: packed parts per root, later ones override earlier ones. */
export const FINGERPRINTS_SCHEMA = `
CREATE TABLE parts (
  root TEXT NOT NULL,
  part INTEGER NOT NULL,
  entries INTEGER NOT NULL,
  saved_at INTEGER NOT NULL,
  data BLOB NOT NULL,
  PRIMARY KEY (root, part)
);
`;
