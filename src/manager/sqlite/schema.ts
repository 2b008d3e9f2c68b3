/**
 * The schema as a list of migrations: entry 0 makes version 1, and so on. An entry that was released is never changed.
 */
export const migrations: readonly string[] = [
  `
  CREATE TABLE settings (key TEXT PRIMARY KEY, value BLOB NOT NULL) WITHOUT ROWID, STRICT;

  CREATE TABLE vaults (
    id INTEGER PRIMARY KEY, name TEXT NOT NULL UNIQUE, vault_id BLOB NOT NULL UNIQUE,
    copies INTEGER NOT NULL, min_copies INTEGER NOT NULL,
    chunks INTEGER NOT NULL DEFAULT 0, packs INTEGER NOT NULL DEFAULT 0, stored_bytes INTEGER NOT NULL DEFAULT 0
  ) STRICT;

  CREATE TABLE nodes (
    id INTEGER PRIMARY KEY AUTOINCREMENT, node_id TEXT NOT NULL UNIQUE, incarnation TEXT NOT NULL,
    name TEXT NOT NULL, address TEXT NOT NULL, failure_domain TEXT NOT NULL, boot_id TEXT NOT NULL,
    registration_number INTEGER NOT NULL, capacity_bytes INTEGER NOT NULL, used_bytes INTEGER NOT NULL,
    public_key BLOB NOT NULL, put_sequence INTEGER NOT NULL, admin TEXT NOT NULL, program_version TEXT NOT NULL
  ) STRICT;
  CREATE UNIQUE INDEX nodes_name ON nodes (name) WHERE admin <> 'removed';

  CREATE TABLE node_boots (
    boot_id TEXT PRIMARY KEY, node INTEGER NOT NULL REFERENCES nodes, registration_number INTEGER NOT NULL
  ) WITHOUT ROWID, STRICT;

  CREATE TABLE sessions (
    id INTEGER PRIMARY KEY AUTOINCREMENT, session_id TEXT NOT NULL UNIQUE, token TEXT NOT NULL,
    vault INTEGER NOT NULL REFERENCES vaults, client_id TEXT NOT NULL, request_id TEXT NOT NULL,
    host TEXT NOT NULL, user TEXT NOT NULL, paths BLOB NOT NULL, file_name TEXT NOT NULL,
    no_parent INTEGER NOT NULL, parent TEXT NOT NULL, state TEXT NOT NULL DEFAULT 'open',
    begun_at_ms INTEGER NOT NULL, snapshot_id TEXT NOT NULL DEFAULT '', UNIQUE (client_id, request_id)
  ) STRICT;
  CREATE INDEX sessions_open ON sessions (id) WHERE state = 'open';

  CREATE TABLE packs (
    id INTEGER PRIMARY KEY AUTOINCREMENT, pack_id BLOB NOT NULL UNIQUE, vault INTEGER NOT NULL REFERENCES vaults,
    session INTEGER NOT NULL REFERENCES sessions, request_id TEXT NOT NULL, state TEXT NOT NULL DEFAULT 'open',
    generation INTEGER NOT NULL DEFAULT 0, length_bytes INTEGER NOT NULL, UNIQUE (session, request_id)
  ) STRICT;
  CREATE INDEX packs_open ON packs (session) WHERE state = 'open';

  CREATE TABLE pack_generations (
    pack INTEGER NOT NULL REFERENCES packs, generation INTEGER NOT NULL, failed_node_id TEXT NOT NULL,
    claims BLOB NOT NULL, signature BLOB NOT NULL, PRIMARY KEY (pack, generation)
  ) WITHOUT ROWID, STRICT;

  CREATE TABLE copies (
    pack INTEGER NOT NULL REFERENCES packs, node INTEGER NOT NULL REFERENCES nodes,
    put_sequence INTEGER NOT NULL, proven_at_ms INTEGER NOT NULL, PRIMARY KEY (pack, node)
  ) WITHOUT ROWID, STRICT;
  CREATE INDEX copies_node ON copies (node);

  CREATE TABLE copies_version (version INTEGER NOT NULL) STRICT;
  INSERT INTO copies_version VALUES (0);

  CREATE TABLE chunks (
    vault INTEGER NOT NULL, chunk_id BLOB NOT NULL, pack INTEGER NOT NULL REFERENCES packs,
    offset INTEGER NOT NULL, length INTEGER NOT NULL, plain_length INTEGER NOT NULL, kind INTEGER NOT NULL,
    PRIMARY KEY (vault, chunk_id)
  ) WITHOUT ROWID, STRICT;

  CREATE TABLE trees (
    id INTEGER PRIMARY KEY, vault INTEGER NOT NULL, chunk_id BLOB NOT NULL, refs BLOB NOT NULL,
    UNIQUE (vault, chunk_id)
  ) STRICT;

  CREATE TABLE snapshots (
    commit_sequence INTEGER PRIMARY KEY AUTOINCREMENT, snapshot_id TEXT NOT NULL UNIQUE,
    vault INTEGER NOT NULL REFERENCES vaults, tree BLOB NOT NULL, manifest BLOB NOT NULL, packs BLOB NOT NULL,
    host TEXT NOT NULL, paths_key BLOB NOT NULL, committed_at_ms INTEGER NOT NULL,
    file_name TEXT NOT NULL, file_version INTEGER NOT NULL
  ) STRICT;
  CREATE INDEX snapshots_backups ON snapshots (vault, commit_sequence) WHERE file_name = '';
  CREATE INDEX snapshots_parent ON snapshots (vault, host, paths_key, commit_sequence) WHERE file_name = '';

  CREATE TABLE files (
    vault INTEGER NOT NULL REFERENCES vaults, name TEXT NOT NULL, version INTEGER NOT NULL,
    created_at_ms INTEGER NOT NULL, snapshot INTEGER REFERENCES snapshots, PRIMARY KEY (vault, name, version)
  ) WITHOUT ROWID, STRICT;

  CREATE TABLE orders (
    id INTEGER PRIMARY KEY AUTOINCREMENT, order_id TEXT NOT NULL UNIQUE, node INTEGER NOT NULL REFERENCES nodes,
    pack_id TEXT NOT NULL, incarnation TEXT NOT NULL, put_sequence_max INTEGER NOT NULL,
    generation_max INTEGER NOT NULL
  ) STRICT;
  CREATE INDEX orders_node ON orders (node, id);

  CREATE TABLE operations (
    number INTEGER PRIMARY KEY AUTOINCREMENT, kind TEXT NOT NULL, time_ms INTEGER NOT NULL, actor TEXT NOT NULL,
    subject TEXT NOT NULL, result TEXT NOT NULL, detail TEXT NOT NULL, snapshot_id TEXT NOT NULL,
    duration_ms INTEGER NOT NULL
  ) STRICT;
  CREATE INDEX operations_kind ON operations (kind, number);

  CREATE TABLE commit_log (
    sequence INTEGER PRIMARY KEY AUTOINCREMENT, previous_hash BLOB NOT NULL, hash BLOB NOT NULL,
    kind TEXT NOT NULL, payload BLOB NOT NULL
  ) STRICT;
  `,
  `
  ALTER TABLE orders ADD COLUMN log_sequence INTEGER NOT NULL DEFAULT 0;

  CREATE TABLE recovered_log (
    hash BLOB PRIMARY KEY, sequence INTEGER NOT NULL, previous_hash BLOB NOT NULL, kind TEXT NOT NULL,
    payload BLOB NOT NULL
  ) WITHOUT ROWID, STRICT;
  CREATE INDEX recovered_log_order ON recovered_log (sequence, hash);

  CREATE TABLE recovered_snapshots (
    snapshot_id TEXT NOT NULL, vault INTEGER NOT NULL REFERENCES vaults, manifest BLOB NOT NULL,
    PRIMARY KEY (snapshot_id, vault)
  ) WITHOUT ROWID, STRICT;
  `,
  // Garbage: the trash, pins, condemned packs, which chunks lie in a pack, and chunks that were moved between packs.
  `
  ALTER TABLE sessions ADD COLUMN kind TEXT NOT NULL DEFAULT 'backup';
  ALTER TABLE packs ADD COLUMN condemned_session INTEGER NOT NULL DEFAULT 0;
  CREATE INDEX packs_condemned ON packs (condemned_session, id) WHERE state = 'condemned';
  ALTER TABLE snapshots ADD COLUMN expires_at_ms INTEGER NOT NULL DEFAULT 0;
  ALTER TABLE snapshots ADD COLUMN pin TEXT;
  CREATE INDEX snapshots_trash ON snapshots (expires_at_ms) WHERE expires_at_ms <> 0;
  CREATE TABLE removed_snapshots (
    snapshot_id TEXT PRIMARY KEY, vault INTEGER NOT NULL REFERENCES vaults, removed_at_ms INTEGER NOT NULL
  ) WITHOUT ROWID, STRICT;

  CREATE TABLE pack_chunks (pack INTEGER PRIMARY KEY REFERENCES packs, ids BLOB NOT NULL) STRICT;
  INSERT INTO pack_chunks SELECT pack, unhex(group_concat(hex(chunk_id), '')) FROM chunks GROUP BY pack;

  CREATE TABLE pack_moves (
    number INTEGER PRIMARY KEY AUTOINCREMENT, from_pack INTEGER NOT NULL REFERENCES packs,
    to_pack INTEGER NOT NULL REFERENCES packs, UNIQUE (from_pack, to_pack)
  ) STRICT;
  CREATE INDEX pack_moves_to ON pack_moves (to_pack);
  CREATE TABLE pack_sets_version (version INTEGER NOT NULL) STRICT;
  INSERT INTO pack_sets_version VALUES (0);
  `,
  // How far unfinished backups came.
  `
  CREATE TABLE checkpoints (
    number INTEGER PRIMARY KEY AUTOINCREMENT, vault INTEGER NOT NULL REFERENCES vaults, host TEXT NOT NULL,
    paths_key BLOB NOT NULL, tree BLOB NOT NULL, manifest BLOB NOT NULL, created_at_ms INTEGER NOT NULL,
    packs BLOB NOT NULL, UNIQUE (vault, host, paths_key)
  ) STRICT;
  `,
  // Repair: what nodes are known to hold, the bytes of packs, damaged copies, and packs that only nodes know.
  `
  CREATE TABLE node_inventories (
    node INTEGER PRIMARY KEY REFERENCES nodes, copies_digest BLOB NOT NULL, registration_number INTEGER NOT NULL,
    report_number INTEGER NOT NULL, as_of_put_sequence INTEGER NOT NULL
  ) STRICT;
  INSERT INTO node_inventories SELECT id, copies_digest(id), 0, 0, 0 FROM nodes;

  ALTER TABLE copies_version ADD COLUMN additions INTEGER NOT NULL DEFAULT 0;
  ALTER TABLE packs ADD COLUMN digest BLOB;
  CREATE INDEX orders_pack ON orders (pack_id);

  CREATE TABLE damaged_copies (
    node INTEGER NOT NULL REFERENCES nodes, pack_id BLOB NOT NULL, put_sequence INTEGER NOT NULL,
    problem TEXT NOT NULL, found_at_ms INTEGER NOT NULL, PRIMARY KEY (node, pack_id, put_sequence)
  ) WITHOUT ROWID, STRICT;

  CREATE TABLE unknown_packs (
    node INTEGER NOT NULL REFERENCES nodes, pack_id BLOB NOT NULL, put_sequence INTEGER NOT NULL,
    length_bytes INTEGER NOT NULL, report INTEGER NOT NULL, PRIMARY KEY (node, pack_id)
  ) WITHOUT ROWID, STRICT;
  `,
  // What people decided, by the ids of their requests; which start of a node's processes registered last.
  `
  CREATE TABLE admin_requests (
    request_id TEXT PRIMARY KEY, time_ms INTEGER NOT NULL, digest BLOB NOT NULL, answer TEXT NOT NULL
  ) WITHOUT ROWID, STRICT;
  CREATE INDEX admin_requests_time ON admin_requests (time_ms);

  ALTER TABLE nodes ADD COLUMN boot_number INTEGER NOT NULL DEFAULT 0;
  `,
  // Tags that people gave snapshots after they were made, as JSON.
  `
  ALTER TABLE snapshots ADD COLUMN tags TEXT;
  `,
  // Backups that run by themselves: schedules, their runs, the versions of what they back up, and the agents.
  `
  CREATE TABLE schedules (
    schedule_id TEXT PRIMARY KEY, agent TEXT NOT NULL, path BLOB NOT NULL, spec TEXT NOT NULL, paused INTEGER NOT NULL,
    anchor_ms INTEGER NOT NULL, created_at_ms INTEGER NOT NULL, changed_at_ms INTEGER NOT NULL,
    next_run_at_ms INTEGER NOT NULL, retrying INTEGER NOT NULL, active_run INTEGER NOT NULL, last_run INTEGER NOT NULL,
    last_success_at_ms INTEGER NOT NULL, failures INTEGER NOT NULL, UNIQUE (agent, path)
  ) WITHOUT ROWID, STRICT;
  CREATE INDEX schedules_due ON schedules (next_run_at_ms) WHERE active_run = 0 AND next_run_at_ms > 0;

  CREATE TABLE schedule_runs (
    number INTEGER PRIMARY KEY AUTOINCREMENT, schedule_id TEXT NOT NULL, agent TEXT NOT NULL, path BLOB NOT NULL,
    state TEXT NOT NULL, trigger TEXT NOT NULL, due_at_ms INTEGER NOT NULL, started_at_ms INTEGER NOT NULL,
    ended_at_ms INTEGER NOT NULL, duration_ms INTEGER NOT NULL, serial INTEGER NOT NULL, snapshot_id TEXT NOT NULL,
    sizes TEXT NOT NULL, files_unreadable INTEGER NOT NULL, message TEXT NOT NULL, attempt INTEGER NOT NULL,
    registration INTEGER NOT NULL, cancelled INTEGER NOT NULL
  ) STRICT;
  CREATE INDEX schedule_runs_series ON schedule_runs (agent, path, number);
  CREATE INDEX schedule_runs_schedule ON schedule_runs (schedule_id, number);
  CREATE INDEX schedule_runs_agent ON schedule_runs (agent, number);
  CREATE INDEX schedule_runs_active ON schedule_runs (agent, due_at_ms, number) WHERE state IN ('queued', 'running');
  CREATE INDEX schedule_runs_queued ON schedule_runs (due_at_ms, number) WHERE state = 'queued';

  CREATE TABLE backup_versions (
    agent TEXT NOT NULL, path BLOB NOT NULL, serial INTEGER NOT NULL, snapshot_id TEXT NOT NULL,
    made_at_ms INTEGER NOT NULL, checked_at_ms INTEGER NOT NULL, run_number INTEGER NOT NULL, bytes INTEGER NOT NULL,
    PRIMARY KEY (agent, path, serial)
  ) WITHOUT ROWID, STRICT;

  CREATE TABLE agents (
    name TEXT PRIMARY KEY, instance_id TEXT NOT NULL, registration_number INTEGER NOT NULL, allow BLOB NOT NULL,
    hooks TEXT NOT NULL, runs_max INTEGER NOT NULL, host_name TEXT NOT NULL, program_version TEXT NOT NULL
  ) WITHOUT ROWID, STRICT;
  CREATE TABLE agent_instances (
    instance_id TEXT PRIMARY KEY, name TEXT NOT NULL, registration_number INTEGER NOT NULL
  ) WITHOUT ROWID, STRICT;
  `,
  // What happens again and again and makes nothing, to be forgotten in the end.
  `
  CREATE INDEX operations_made_nothing ON operations (kind, number) WHERE snapshot_id = '';
  `,
]
