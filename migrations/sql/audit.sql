-- The audit log. Run by clearance_owner, after identity.sql (it uses clearance.caller_may), in a database encoded in UTF8.
-- The database roles exist already: clearance_owner, clearance_app, clearance_ingest, clearance_sequencer, and the group
-- clearance_audit (NOLOGIN), of which app, ingest and sequencer are members that inherit its privileges.
--
-- Askers add leaves without waiting for one another; the sequencer alone orders them. Nobody changes or removes one.

create table if not exists public.audit_leaf (
  id uuid not null,
  at timestamptz not null default clock_timestamp(),
  xid xid8 not null default pg_current_xact_id(),
  kind text not null,
  trail uuid,
  actor uuid,
  body text not null,
  leaf_hash bytea not null,
  constraint audit_leaf_pkey primary key (id),
  -- RFC 6962 section 2.1: a leaf is hashed behind one zero byte.
  constraint audit_leaf_leaf_hash_check check (leaf_hash = sha256('\x00'::bytea || convert_to(body, 'UTF8'))),
  -- The plain columns are an index over the body, never a second truth.
  constraint audit_leaf_body_check check (
    body::jsonb @> jsonb_build_object('id', id, 'kind', kind, 'trail', trail, 'actor', jsonb_build_object('user', actor))
  )
);
create index if not exists audit_leaf_xid_idx on public.audit_leaf (xid);
create index if not exists audit_leaf_actor_idx on public.audit_leaf (actor, at);
create index if not exists audit_leaf_kind_idx on public.audit_leaf (kind, at);
create index if not exists audit_leaf_closed_idx on public.audit_leaf (trail) where kind = 'answer.closed';

create table if not exists public.audit_entry (
  seq bigint not null,
  leaf_id uuid not null,
  leaf_hash bytea not null,
  constraint audit_entry_pkey primary key (seq),
  constraint audit_entry_leaf_id_key unique (leaf_id),
  constraint audit_entry_leaf_id_fkey foreign key (leaf_id) references public.audit_leaf (id),
  constraint audit_entry_seq_check check (seq >= 0),
  constraint audit_entry_leaf_hash_check check (octet_length(leaf_hash) = 32)
);

create table if not exists public.audit_head (
  size bigint not null,
  root bytea not null,
  frontier bytea[] not null,
  at timestamptz not null default clock_timestamp(),
  constraint audit_head_pkey primary key (size),
  constraint audit_head_size_check check (size > 0),
  constraint audit_head_root_check check (octet_length(root) = 32),
  -- One perfect subtree for each set bit of the size.
  constraint audit_head_frontier_check check (cardinality(frontier) = bit_count(size::bit(64)))
);

-- The key under which the words of one person are sealed, itself wrapped. It outlives the user's row, so it names the
-- user by id without a foreign key; to delete the row is to erase the words.
create table if not exists public.person_key (
  user_id uuid not null,
  wrapped bytea not null,
  created_at timestamptz not null default clock_timestamp(),
  constraint person_key_pkey primary key (user_id)
);

-- Defence in depth: not even the owner changes a record by mistake; who drops the trigger first leaves the hashes to
-- speak. ALWAYS: a session that plays replica does not slip past.
create or replace function clearance.refuse_audit_change() returns trigger
language plpgsql set search_path = '' as $$
begin
  raise exception 'the audit log is append-only: % on % refused', tg_op, tg_table_name
    using errcode = 'insufficient_privilege';
end $$;
revoke execute on function clearance.refuse_audit_change() from public;

do $$
declare t text;
begin
  foreach t in array array['audit_leaf', 'audit_entry', 'audit_head'] loop
    execute format('drop trigger if exists append_only on public.%I', t);
    execute format('create trigger append_only before update or delete or truncate on public.%I '
                   'for each statement execute function clearance.refuse_audit_change()', t);
    execute format('alter table public.%I enable always trigger append_only', t);

    execute format('revoke all on public.%I from public, clearance_app, clearance_ingest, clearance_audit, clearance_sequencer', t);
    execute format('alter table public.%I enable row level security', t);
    execute format('alter table public.%I force row level security', t);
    execute format('drop policy if exists owner_all on public.%I', t);
    execute format('create policy owner_all on public.%I to clearance_owner using (true) with check (true)', t);
    execute format('drop policy if exists auditors_read on public.%I', t);
    execute format('create policy auditors_read on public.%I for select to clearance_app '
                   'using ((select clearance.caller_may(''audit'')))', t);
    execute format('grant select on public.%I to clearance_app', t);
    execute format('drop policy if exists sequencer_read on public.%I', t);
    execute format('create policy sequencer_read on public.%I for select to clearance_sequencer using (true)', t);
  end loop;
  foreach t in array array['audit_entry', 'audit_head'] loop
    execute format('drop policy if exists sequencer_add on public.%I', t);
    execute format('create policy sequencer_add on public.%I for insert to clearance_sequencer with check (true)', t);
    execute format('grant select, insert on public.%I to clearance_sequencer', t);
  end loop;
end $$;

-- Not `at` nor `xid`: with an xid of its own choice a writer could hide a leaf from the sequencer.
drop policy if exists writers_add on public.audit_leaf;
create policy writers_add on public.audit_leaf for insert to clearance_audit with check (true);
grant insert (id, kind, trail, actor, body, leaf_hash) on public.audit_leaf to clearance_audit;
-- Not `body`: to put leaves in order takes their hashes, not their content.
grant select (id, at, xid, kind, trail, leaf_hash) on public.audit_leaf to clearance_sequencer;

-- Wrapped keys: made once, never changed; only the owner erases one.
revoke all on public.person_key from public, clearance_app, clearance_ingest, clearance_audit, clearance_sequencer;
grant select, insert (user_id, wrapped) on public.person_key to clearance_app;
