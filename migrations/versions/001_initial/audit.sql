-- The audit log (ADR 0005, 0021). Askers add leaves without waiting for one another; the sequencer alone orders them.
-- Nobody changes or removes one. Whatever is written can be read, exported and verified for ever.

-- The canonical text of a value, as app/evidence/merkle.py makes it: keys in ASCII and sorted, no spaces, whole numbers
-- up to 2^53 - 1. What has no canonical text, or is deeper than `depth`, gives null, or a text that is not the one it
-- came from.
create function clearance.canonical(value jsonb, depth int) returns text
language plpgsql immutable parallel safe set search_path = '' as $$
begin
  if depth <= 0 then
    return null;
  end if;
  case jsonb_typeof(value)
    when 'object' then
      return '{' || coalesce((
        select string_agg(to_json(e.key)::text || ':' || case jsonb_typeof(e.value)
            when 'object' then clearance.canonical(e.value, depth - 1)
            when 'array' then clearance.canonical(e.value, depth - 1)
            when 'number' then case when clearance.is_whole(e.value) then e.value::text end
            else e.value::text end, ',' order by e.key collate "C")
        from jsonb_each(value) as e where e.key !~ '[^\x01-\x7f]'), '') || '}';
    when 'array' then
      return '[' || coalesce((
        select string_agg(case jsonb_typeof(e.value)
            when 'object' then clearance.canonical(e.value, depth - 1)
            when 'array' then clearance.canonical(e.value, depth - 1)
            when 'number' then case when clearance.is_whole(e.value) then e.value::text end
            else e.value::text end, ',' order by e.place)
        from jsonb_array_elements(value) with ordinality as e (value, place)), '') || ']';
    else
      return null;
  end case;
end $$;

create function clearance.is_whole(number jsonb) returns boolean
language sql immutable parallel safe set search_path = '' as $$
  select number::text ~ '^-?[0-9]{1,16}$' and abs(number::numeric) <= 9007199254740991
$$;

-- Whether a record may stand in the log: of bounded size and depth, in canonical form, with the database role that
-- wrote it inside, under the hash. An answer lists the scopes that it was made from, some 40 bytes each.
create function clearance.is_record(body text, kind text, writer text) returns boolean
language plpgsql immutable parallel safe set search_path = '' as $$
declare
  record jsonb;
begin
  if octet_length(body) > (case when kind = 'answer.opened' then 4194304
                                when kind in ('document.indexed', 'document.failed') then 16384 else 262144 end) then
    return false;
  end if;
  record := body::jsonb;
  return coalesce(
    record -> 'writer' = to_jsonb(writer) and record -> 'v' = '2' and clearance.canonical(record, 16) = body, false);
end $$;
grant execute on function clearance.canonical(jsonb, int), clearance.is_whole(jsonb),
  clearance.is_record(text, text, text) to clearance_app, clearance_ingest, clearance_sequencer, clearance_backup;

create table audit_leaf (
  id uuid not null,
  at timestamptz not null default clock_timestamp(),
  xid xid8 not null default pg_current_xact_id(),
  kind text not null,
  trail uuid,
  actor uuid,
  body text not null,
  leaf_hash bytea not null,
  -- The database role that wrote it; null only where the owner says that this is not known.
  writer text default session_user,
  constraint audit_leaf_pkey primary key (id),
  -- RFC 6962 section 2.1: a leaf is hashed behind one zero byte.
  constraint audit_leaf_leaf_hash_check check (leaf_hash = sha256('\x00'::bytea || convert_to(body, 'UTF8'))),
  -- The plain columns are an index over the body, never a second truth.
  constraint audit_leaf_body_check check (
    body::jsonb
      @> jsonb_build_object('id', id, 'kind', kind, 'trail', trail, 'actor', jsonb_build_object('user', actor))
  ),
  constraint audit_leaf_record_check check (writer is null or clearance.is_record(body, kind, writer))
);
create index audit_leaf_xid_idx on audit_leaf (xid);
create index audit_leaf_actor_idx on audit_leaf (actor, at);
create index audit_leaf_kind_idx on audit_leaf (kind, at);
create index audit_leaf_closed_idx on audit_leaf (trail) where kind = 'answer.closed';

create table audit_entry (
  seq bigint not null,
  leaf_id uuid not null,
  leaf_hash bytea not null,
  constraint audit_entry_pkey primary key (seq),
  constraint audit_entry_leaf_id_key unique (leaf_id),
  constraint audit_entry_leaf_id_fkey foreign key (leaf_id) references audit_leaf (id),
  constraint audit_entry_seq_check check (seq >= 0),
  constraint audit_entry_leaf_hash_check check (octet_length(leaf_hash) = 32)
);

create table audit_head (
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
create table person_key (
  user_id uuid not null,
  wrapped bytea not null,
  created_at timestamptz not null default clock_timestamp(),
  constraint person_key_pkey primary key (user_id)
);

-- Which kinds of records a database role writes, and in whose name: the caller's whose identity the transaction
-- carries, or nobody's. A part of ours that acts by itself has one name. Filled from app/db/audit_writers.py whenever
-- the database is brought up to date.
create table clearance.audit_writer (
  role text not null,
  kind text not null,
  acts_for text not null,
  name text,
  constraint audit_writer_pkey primary key (role, kind, acts_for),
  constraint audit_writer_acts_for_check check (acts_for in ('caller', 'nobody'))
);
grant select on clearance.audit_writer to clearance_app, clearance_ingest, clearance_sequencer;

-- Defence in depth: not even the owner changes a record by mistake; who drops the trigger first still has the hashes
-- against them. ALWAYS: a session that plays replica does not slip past.
create function clearance.refuse_audit_change() returns trigger
language plpgsql set search_path = '' as $$
begin
  raise exception 'the audit log is append-only: % on % refused', tg_op, tg_table_name
    using errcode = 'insufficient_privilege';
end $$;
do $$
declare t text;
begin
  foreach t in array array['audit_leaf', 'audit_entry', 'audit_head'] loop
    execute format('create trigger append_only before update or delete or truncate on %I '
                   'for each statement execute function clearance.refuse_audit_change()', t);
    execute format('alter table %I enable always trigger append_only', t);
    execute format('create policy auditors_read on %I for select to clearance_app '
                   'using ((select clearance.caller_may(''audit'')))', t);
    execute format('create policy sequencer_read on %I for select to clearance_sequencer using (true)', t);
  end loop;
end $$;
grant select on audit_leaf, audit_entry, audit_head to clearance_app;
grant select on audit_entry, audit_head to clearance_sequencer;
-- Not `body`: to put leaves in order takes their hashes, not their content.
grant select (id, at, xid, kind, trail, leaf_hash) on audit_leaf to clearance_sequencer;

-- Not `at` nor `xid`: with an xid of its own choice a writer could hide a leaf from the sequencer.
grant insert (id, kind, trail, actor, body, leaf_hash) on audit_leaf to clearance_audit;
create policy callers_add on audit_leaf for insert to clearance_app with check (
  exists (
    select from clearance.audit_writer w
    where w.role = session_user and w.kind = audit_leaf.kind
      and case w.acts_for
        when 'caller' then audit_leaf.actor = (select clearance.signed_caller())
        else audit_leaf.actor is null and (select clearance.signed_caller()) is null
      end));
create policy parts_add on audit_leaf for insert to clearance_ingest, clearance_sequencer with check (
  exists (
    select from clearance.audit_writer w
    where w.role = session_user and w.kind = audit_leaf.kind and w.acts_for = 'nobody'
      and body::jsonb -> 'actor' = jsonb_build_object('user', null, 'name', w.name, 'key', null, 'via', null,
        'address', null)));

-- A person's key is made by that person, or with their account; it never changes, and only the owner erases it.
create policy services_read on person_key for select to clearance_app using (true);
create policy callers_add on person_key for insert to clearance_app
  with check (user_id = (select clearance.signed_caller()) or (select clearance.caller_may('administer'))
      or exists (select from app_user u where u.id = user_id and u.source = (select clearance.provisioned())));
grant select, insert (user_id, wrapped) on person_key to clearance_app;

-- Whether the caller is the one sequencer until the transaction ends. Never waits.
create function clearance.take_audit_turn() returns boolean
language plpgsql volatile security definer set search_path = '' as $$
begin
  perform 1 from clearance.turn where name = 'audit' for update skip locked;
  return found;
end $$;

-- Gives these leaves the next numbers, in this order, and publishes the head over all (RFC 6962 section 2.1). Nobody
-- writes a number or a head by itself: a gap or a wrong root would spoil the log for ever.
create function clearance.place_leaves(leaves uuid[]) returns table (size bigint, root bytea)
language plpgsql volatile security definer set search_path = '' as $$
#variable_conflict use_variable
declare
  first bigint := 0;
  nodes bytea[] := '{}';
  node bytea;
  filled bigint;
  placed bigint;
begin
  perform 1 from clearance.turn t where t.name = 'audit' for update;
  select h.size, h.frontier into first, nodes from public.audit_head h order by h.size desc limit 1;
  first := coalesce(first, 0);
  nodes := coalesce(nodes, '{}');
  insert into public.audit_entry (seq, leaf_id, leaf_hash)
    select first + v.n - 1, l.id, l.leaf_hash
    from unnest(leaves) with ordinality as v (id, n) join public.audit_leaf l on l.id = v.id;
  get diagnostics placed = row_count;
  if placed = 0 or placed <> cardinality(leaves) then
    raise exception 'some of these are no leaves of the log' using errcode = 'integrity_constraint_violation';
  end if;
  size := first;
  for node in select e.leaf_hash from public.audit_entry e where e.seq >= first order by e.seq loop
    filled := size;
    while filled & 1 = 1 loop
      node := sha256('\x01'::bytea || nodes[cardinality(nodes)] || node);
      nodes := trim_array(nodes, 1);
      filled := filled >> 1;
    end loop;
    nodes := array_append(nodes, node);
    size := size + 1;
  end loop;
  root := nodes[cardinality(nodes)];
  for i in reverse cardinality(nodes) - 1 .. 1 loop
    root := sha256('\x01'::bytea || nodes[i] || root);
  end loop;
  insert into public.audit_head (size, root, frontier) values (size, root, nodes);
  return next;
end $$;
grant execute on function clearance.take_audit_turn(), clearance.place_leaves(uuid[]) to clearance_sequencer;
