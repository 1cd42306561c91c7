-- Tables as of the first revision; app/db/tables declares the newest state, and a test compares the two.

CREATE TABLE app_user (
  id UUID DEFAULT gen_random_uuid() NOT NULL,
  name TEXT NOT NULL,
  display_name TEXT NOT NULL,
  clearance SMALLINT DEFAULT 1 NOT NULL,
  capabilities TEXT[] DEFAULT '{}' NOT NULL,
  active BOOLEAN DEFAULT true NOT NULL,
  created_at TIMESTAMP WITH TIME ZONE DEFAULT now() NOT NULL,
  CONSTRAINT app_user_pkey PRIMARY KEY (id),
  CONSTRAINT app_user_name_key UNIQUE (name)
);

CREATE TABLE collection (
  id UUID DEFAULT gen_random_uuid() NOT NULL,
  name TEXT NOT NULL,
  description TEXT DEFAULT '' NOT NULL,
  own_rule JSONB NOT NULL,
  created_at TIMESTAMP WITH TIME ZONE DEFAULT now() NOT NULL,
  CONSTRAINT collection_pkey PRIMARY KEY (id),
  CONSTRAINT collection_name_key UNIQUE (name)
);

CREATE TABLE index_profile (
  single BOOLEAN DEFAULT true NOT NULL,
  embedder TEXT NOT NULL,
  CONSTRAINT index_profile_pkey PRIMARY KEY (single),
  CONSTRAINT index_profile_one_row_check CHECK (single)
);

CREATE TABLE policy_epoch (
  single BOOLEAN DEFAULT true NOT NULL,
  number BIGINT DEFAULT 0 NOT NULL,
  CONSTRAINT policy_epoch_pkey PRIMARY KEY (single),
  CONSTRAINT policy_epoch_one_row_check CHECK (single)
);

CREATE TABLE role (
  id UUID DEFAULT gen_random_uuid() NOT NULL,
  name TEXT NOT NULL,
  created_at TIMESTAMP WITH TIME ZONE DEFAULT now() NOT NULL,
  CONSTRAINT role_pkey PRIMARY KEY (id),
  CONSTRAINT role_name_key UNIQUE (name)
);

CREATE TABLE rule (
  id INTEGER GENERATED ALWAYS AS IDENTITY,
  digest BYTEA NOT NULL,
  label SMALLINT NOT NULL,
  CONSTRAINT rule_pkey PRIMARY KEY (id),
  CONSTRAINT rule_digest_key UNIQUE (digest)
);

CREATE TABLE api_key (
  id UUID DEFAULT gen_random_uuid() NOT NULL,
  prefix TEXT NOT NULL,
  hash BYTEA NOT NULL,
  user_id UUID NOT NULL,
  label TEXT DEFAULT '' NOT NULL,
  capabilities TEXT[] NOT NULL,
  created_at TIMESTAMP WITH TIME ZONE DEFAULT now() NOT NULL,
  expires_at TIMESTAMP WITH TIME ZONE,
  revoked_at TIMESTAMP WITH TIME ZONE,
  CONSTRAINT api_key_pkey PRIMARY KEY (id),
  CONSTRAINT api_key_prefix_key UNIQUE (prefix),
  CONSTRAINT api_key_hash_key UNIQUE (hash),
  CONSTRAINT api_key_user_id_fkey FOREIGN KEY(user_id) REFERENCES app_user (id) ON DELETE CASCADE
);
CREATE INDEX api_key_user_id_idx ON api_key (user_id);

CREATE TABLE curator (
  user_id UUID NOT NULL,
  collection_id UUID NOT NULL,
  CONSTRAINT curator_pkey PRIMARY KEY (user_id, collection_id),
  CONSTRAINT curator_user_id_fkey FOREIGN KEY(user_id) REFERENCES app_user (id) ON DELETE CASCADE,
  CONSTRAINT curator_collection_id_fkey FOREIGN KEY(collection_id) REFERENCES collection (id) ON DELETE CASCADE
);

CREATE TABLE membership (
  user_id UUID NOT NULL,
  role_id UUID NOT NULL,
  CONSTRAINT membership_pkey PRIMARY KEY (user_id, role_id),
  CONSTRAINT membership_user_id_fkey FOREIGN KEY(user_id) REFERENCES app_user (id) ON DELETE CASCADE,
  CONSTRAINT membership_role_id_fkey FOREIGN KEY(role_id) REFERENCES role (id) ON DELETE CASCADE
);

CREATE TABLE role_inside (
  role_id UUID NOT NULL,
  inside_id UUID NOT NULL,
  CONSTRAINT role_inside_pkey PRIMARY KEY (role_id, inside_id),
  CONSTRAINT role_inside_role_id_fkey FOREIGN KEY(role_id) REFERENCES role (id) ON DELETE CASCADE,
  CONSTRAINT role_inside_inside_id_fkey FOREIGN KEY(inside_id) REFERENCES role (id) ON DELETE CASCADE
);

CREATE TABLE rule_grant (
  rule_id INTEGER NOT NULL,
  ordinal SMALLINT NOT NULL,
  effect TEXT NOT NULL,
  principal_kind TEXT NOT NULL,
  principal_id UUID NOT NULL,
  starts_at TIMESTAMP WITH TIME ZONE,
  ends_at TIMESTAMP WITH TIME ZONE,
  CONSTRAINT rule_grant_pkey PRIMARY KEY (rule_id, ordinal),
  CONSTRAINT rule_grant_effect_check CHECK (effect in ('allow', 'deny')),
  CONSTRAINT rule_grant_principal_kind_check CHECK (principal_kind in ('everyone', 'role', 'user')),
  CONSTRAINT rule_grant_rule_id_fkey FOREIGN KEY(rule_id) REFERENCES rule (id) ON DELETE CASCADE
);
CREATE INDEX rule_grant_principal_idx ON rule_grant (principal_kind, principal_id);

CREATE TABLE scope (
  id INTEGER GENERATED ALWAYS AS IDENTITY,
  public_id UUID DEFAULT gen_random_uuid() NOT NULL,
  collection_id UUID NOT NULL,
  own_digest BYTEA NOT NULL,
  own_rule JSONB NOT NULL,
  rule_id INTEGER NOT NULL,
  CONSTRAINT scope_pkey PRIMARY KEY (id),
  CONSTRAINT scope_collection_id_own_digest_key UNIQUE (collection_id, own_digest),
  CONSTRAINT scope_id_collection_id_key UNIQUE (id, collection_id),
  CONSTRAINT scope_public_id_key UNIQUE (public_id),
  CONSTRAINT scope_collection_id_fkey FOREIGN KEY(collection_id) REFERENCES collection (id) ON DELETE CASCADE,
  CONSTRAINT scope_rule_id_fkey FOREIGN KEY(rule_id) REFERENCES rule (id)
);
CREATE INDEX scope_rule_id_idx ON scope (rule_id);

CREATE TABLE document (
  id BIGINT GENERATED ALWAYS AS IDENTITY,
  public_id UUID DEFAULT gen_random_uuid() NOT NULL,
  collection_id UUID NOT NULL,
  scope_id INTEGER NOT NULL,
  path TEXT NOT NULL,
  media_type TEXT NOT NULL,
  size BIGINT NOT NULL,
  sha256 BYTEA NOT NULL,
  version INTEGER NOT NULL,
  version_id UUID DEFAULT gen_random_uuid() NOT NULL,
  ruled_at TIMESTAMP WITH TIME ZONE DEFAULT now() NOT NULL,
  created_at TIMESTAMP WITH TIME ZONE DEFAULT now() NOT NULL,
  updated_at TIMESTAMP WITH TIME ZONE DEFAULT now() NOT NULL,
  CONSTRAINT document_pkey PRIMARY KEY (id),
  CONSTRAINT document_collection_id_path_key UNIQUE (collection_id, path),
  CONSTRAINT document_id_scope_id_key UNIQUE (id, scope_id),
  CONSTRAINT document_scope_id_fkey FOREIGN KEY(scope_id, collection_id) REFERENCES scope (id, collection_id),
  CONSTRAINT document_public_id_key UNIQUE (public_id),
  CONSTRAINT document_collection_id_fkey FOREIGN KEY(collection_id) REFERENCES collection (id) ON DELETE CASCADE
);
CREATE INDEX document_scope_id_idx ON document (scope_id);

CREATE TABLE ingest_job (
  id UUID DEFAULT gen_random_uuid() NOT NULL,
  collection_id UUID NOT NULL,
  scope_id INTEGER NOT NULL,
  path TEXT NOT NULL,
  uploaded_by UUID NOT NULL,
  content BYTEA,
  size BIGINT NOT NULL,
  sha256 BYTEA NOT NULL,
  state TEXT DEFAULT 'queued' NOT NULL,
  reason TEXT,
  document_id UUID,
  stages JSONB,
  created_at TIMESTAMP WITH TIME ZONE DEFAULT now() NOT NULL,
  finished_at TIMESTAMP WITH TIME ZONE,
  CONSTRAINT ingest_job_pkey PRIMARY KEY (id),
  CONSTRAINT ingest_job_state_check CHECK (state in ('queued', 'running', 'indexed', 'unchanged', 'failed')),
  CONSTRAINT ingest_job_scope_id_fkey FOREIGN KEY(scope_id, collection_id) REFERENCES scope (id, collection_id) ON DELETE CASCADE,
  CONSTRAINT ingest_job_collection_id_fkey FOREIGN KEY(collection_id) REFERENCES collection (id) ON DELETE CASCADE,
  CONSTRAINT ingest_job_uploaded_by_fkey FOREIGN KEY(uploaded_by) REFERENCES app_user (id) ON DELETE CASCADE
);
CREATE INDEX ingest_job_uploaded_by_idx ON ingest_job (uploaded_by);

CREATE TABLE chunk (
  id BIGINT GENERATED ALWAYS AS IDENTITY,
  public_id UUID DEFAULT gen_random_uuid() NOT NULL,
  document_id BIGINT NOT NULL,
  scope_id INTEGER NOT NULL,
  ordinal INTEGER NOT NULL,
  heading_path TEXT[] NOT NULL,
  page INTEGER,
  text TEXT NOT NULL,
  tokens INTEGER NOT NULL,
  CONSTRAINT chunk_pkey PRIMARY KEY (id),
  CONSTRAINT chunk_document_id_ordinal_key UNIQUE (document_id, ordinal),
  CONSTRAINT chunk_id_scope_id_key UNIQUE (id, scope_id),
  CONSTRAINT chunk_document_id_fkey FOREIGN KEY(document_id, scope_id) REFERENCES document (id, scope_id) ON DELETE CASCADE ON UPDATE CASCADE,
  CONSTRAINT chunk_public_id_key UNIQUE (public_id)
);
CREATE INDEX chunk_scope_id_idx ON chunk (scope_id);

CREATE TABLE original (
  document_id BIGINT NOT NULL,
  scope_id INTEGER NOT NULL,
  title TEXT NOT NULL,
  content BYTEA NOT NULL,
  CONSTRAINT original_pkey PRIMARY KEY (document_id),
  CONSTRAINT original_document_id_fkey FOREIGN KEY(document_id, scope_id) REFERENCES document (id, scope_id) ON DELETE CASCADE ON UPDATE CASCADE
);
CREATE INDEX original_scope_id_idx ON original (scope_id);

CREATE TABLE posting (
  chunk_id BIGINT NOT NULL,
  term BIGINT NOT NULL,
  scope_id INTEGER NOT NULL,
  tf INTEGER NOT NULL,
  CONSTRAINT posting_pkey PRIMARY KEY (chunk_id, term),
  CONSTRAINT posting_chunk_id_fkey FOREIGN KEY(chunk_id, scope_id) REFERENCES chunk (id, scope_id) ON DELETE CASCADE ON UPDATE CASCADE
);
CREATE INDEX posting_term_scope_id_idx ON posting (term, scope_id) INCLUDE (chunk_id, tf);

CREATE TABLE vector_row (
  chunk_id BIGINT NOT NULL,
  scope_id INTEGER NOT NULL,
  terms INTEGER NOT NULL,
  embedding HALFVEC NOT NULL,
  CONSTRAINT vector_row_pkey PRIMARY KEY (chunk_id),
  CONSTRAINT vector_row_chunk_id_fkey FOREIGN KEY(chunk_id, scope_id) REFERENCES chunk (id, scope_id) ON DELETE CASCADE ON UPDATE CASCADE
);
CREATE INDEX vector_row_scope_id_idx ON vector_row (scope_id);

