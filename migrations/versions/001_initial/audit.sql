-- The audit log (ADR 0005, 0021). Askers add leaves without waiting for one another; the sequencer alone orders them.
-- Nobody changes one, and none goes but by a rule of retention (retention.sql), which leaves its hash.

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
        from jsonb_each(value) as e where octet_length(e.key) = char_length(e.key)), '') || '}';
    when 'array' then
      return '[' || coalesce((
        select string_agg(case jsonb_typeof(e.value)
            -- As above, and not called: a call costs as much as three of these, and records have lists of objects.
            when 'object' then case when depth > 1 then (
              select '{' || coalesce(string_agg(to_json(f.key)::text || ':' || case jsonb_typeof(f.value)
                  when 'object' then clearance.canonical(f.value, depth - 2)
                  when 'array' then clearance.canonical(f.value, depth - 2)
                  when 'number' then case when clearance.is_whole(f.value) then f.value::text end
                  else f.value::text end, ',' order by f.key collate "C"), '') || '}'
              from jsonb_each(e.value) as f where octet_length(f.key) = char_length(f.key)) end
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
    record -> 'writer' = to_jsonb(writer) and record -> 'v' in ('2', '3') and clearance.canonical(record, 16) = body, false);
end $$;
grant execute on function clearance.canonical(jsonb, int), clearance.is_whole(jsonb),
  clearance.is_record(text, text, text) to clearance_app, clearance_ingest, clearance_sequencer, clearance_delivery,
  clearance_backup;

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
  constraint audit_leaf_kind_check check (octet_length(kind) <= 100),
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
create index audit_leaf_opened_idx on audit_leaf (at) where kind = 'answer.opened';
create index audit_leaf_closed_idx on audit_leaf (trail) where kind = 'answer.closed';

-- The place of a leaf, and by what it is found: from its columns and, where they have the form, from its record. They
-- stand here and not with the leaf, so that whoever asks waits for one index less, and lists run in order.
create table audit_entry (
  seq bigint not null,
  leaf_id uuid not null,
  leaf_hash bytea not null,
  at timestamptz not null,
  kind text not null,
  trail uuid,
  actor uuid,
  via uuid,
  outcome text,
  address text,
  constraint audit_entry_pkey primary key (seq),
  constraint audit_entry_leaf_id_key unique (leaf_id),
  -- Deferred where both go: a leaf goes while its entry still says which hash must stay.
  constraint audit_entry_leaf_id_fkey foreign key (leaf_id) references audit_leaf (id) deferrable,
  constraint audit_entry_seq_check check (seq >= 0),
  constraint audit_entry_leaf_hash_check check (octet_length(leaf_hash) = 32)
);
create index audit_entry_actor_kind_seq_idx on audit_entry (actor, kind, seq);
create index audit_entry_kind_seq_idx on audit_entry (kind, seq);
create index audit_entry_trail_kind_seq_idx on audit_entry (trail, kind, seq) where trail is not null;
create index audit_entry_via_seq_idx on audit_entry (via, seq) where via is not null;
create index audit_entry_outcome_seq_idx on audit_entry (outcome, seq) where outcome is not null;
create index audit_entry_address_seq_idx on audit_entry (address, seq) where address is not null;

-- What is left of a record that a rule of retention removed: its number and its leaf hash, so that every root, proof and
-- head holds as before. `record`: the number of the record that says so.
create table audit_pruned (
  seq bigint not null,
  leaf_hash bytea not null,
  record bigint not null,
  at timestamptz not null default now(),
  constraint audit_pruned_pkey primary key (seq),
  constraint audit_pruned_record_check check (record > seq),
  constraint audit_pruned_leaf_hash_check check (octet_length(leaf_hash) = 32)
);

-- Which records name a document by its id; how an answer ended, and what was said of it, count as about its documents.
create table audit_document (
  document uuid not null,
  seq bigint not null,
  constraint audit_document_pkey primary key (document, seq),
  constraint audit_document_seq_fkey foreign key (seq) references audit_entry (seq)
);

-- By record: what a person was shown.
create index audit_document_seq_idx on audit_document (seq);

-- By what else a record is found: qualifiers of a query with their values. How an answer ended, and what was said of it,
-- has those of its opening too.
create table audit_tag (
  name text not null,
  value text not null,
  seq bigint not null,
  constraint audit_tag_pkey primary key (name, value, seq),
  constraint audit_tag_seq_fkey foreign key (seq) references audit_entry (seq)
);
-- By record: what an answer's opening has.
create index audit_tag_seq_idx on audit_tag (seq);

-- Under which names users stand in records, as they were called then, with an empty kind; and, with the zero UUID, parts
-- of ours, which are no users, each with the kinds of its records.
create table audit_name (
  name text not null,
  actor uuid not null,
  kind text not null,
  constraint audit_name_pkey primary key (name, actor, kind)
);

-- Which documents somebody was shown on a day (UTC), in any way (app/audit/shown.py) and by downloading: by how many they
-- are, it is told what is usual. No record: it follows from those that have their place, and grows with them.
create table audit_day (
  day date not null,
  actor uuid not null,
  way text not null,
  documents uuid[] not null,
  number integer not null generated always as (cardinality(documents)) stored,
  constraint audit_day_pkey primary key (day, actor, way) include (number),
  constraint audit_day_way_check check (way in ('shown', 'downloaded'))
);

-- The roots of the perfect subtrees of 256 leaves and more: node `place` of a level is over the leaves from
-- place * 2^level on. A proof reads one for each level, and the leaves of one block.
create table audit_node (
  level smallint not null,
  place bigint not null,
  hash bytea not null,
  constraint audit_node_pkey primary key (level, place),
  constraint audit_node_level_check check (level >= 8),
  constraint audit_node_hash_check check (octet_length(hash) = 32)
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

-- Heads that the sequencer signed with a key that no other part has, as notes (docs/audit.md), and who else saw them.
create table audit_checkpoint (
  size bigint not null,
  note text not null,
  at timestamptz not null default clock_timestamp(),
  constraint audit_checkpoint_pkey primary key (size),
  constraint audit_checkpoint_size_fkey foreign key (size) references audit_head (size),
  constraint audit_checkpoint_note_check check (octet_length(note) <= 8192)
);
create table audit_cosignature (
  size bigint not null,
  signer text not null,
  line text not null,
  at timestamptz not null default clock_timestamp(),
  constraint audit_cosignature_pkey primary key (size, signer),
  constraint audit_cosignature_size_fkey foreign key (size) references audit_checkpoint (size),
  constraint audit_cosignature_line_check check (octet_length(line) <= 1024 and line ~ E'^\u2014 [^\n]+\n$')
);
-- When authorities saw them, by their clocks (RFC 3161): the token of each, in DER.
create table audit_timestamp (
  size bigint not null,
  authority text not null,
  token bytea not null,
  at timestamptz not null default clock_timestamp(),
  constraint audit_timestamp_pkey primary key (size, authority),
  constraint audit_timestamp_size_fkey foreign key (size) references audit_checkpoint (size),
  constraint audit_timestamp_authority_check check (octet_length(authority) <= 1024),
  constraint audit_timestamp_token_check check (octet_length(token) <= 32768)
);
create index audit_timestamp_authority_size_idx on audit_timestamp (authority, size);

-- The key under which the words of one person are sealed, itself wrapped. It outlives the user's row, so it names the
-- user by id without a foreign key; to delete the row is to erase the words.
create table person_key (
  user_id uuid not null,
  wrapped bytea not null,
  created_at timestamptz not null default clock_timestamp(),
  constraint person_key_pkey primary key (user_id)
);

-- The key of a document, wrapped too: what holds its text is sealed under this key and its reader's at once, so that to
-- delete either row is to erase it. It outlives the document.
create table document_key (
  document uuid not null,
  wrapped bytea not null,
  created_at timestamptz not null default clock_timestamp(),
  constraint document_key_pkey primary key (document)
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
grant select on clearance.audit_writer to clearance_app, clearance_ingest, clearance_sequencer, clearance_delivery;

-- Defence in depth: not even the owner changes a record by mistake; who drops the trigger first still has the hashes
-- against them. ALWAYS: a session that plays replica does not slip past.
create function clearance.refuse_audit_change() returns trigger
language plpgsql set search_path = '' as $$
begin
  raise exception 'the audit log is append-only: % on % refused', tg_op, tg_table_name
    using errcode = 'insufficient_privilege';
end $$;
-- Of these a row goes where what is left of its record already stands in `audit_pruned`, under the same hash.
create function clearance.refuse_unpruned() returns trigger
language plpgsql set search_path = '' as $$
declare
  number bigint := case when tg_table_name = 'audit_leaf'
    then (select e.seq from public.audit_entry e where e.leaf_id = (to_jsonb(old) ->> 'id')::uuid)
    else (to_jsonb(old) ->> 'seq')::bigint end;
begin
  if not exists (
    select from public.audit_pruned p join public.audit_entry e on e.seq = p.seq and e.leaf_hash = p.leaf_hash
    where p.seq = number
  ) then
    raise exception 'the audit log is append-only: % on % refused', tg_op, tg_table_name
      using errcode = 'insufficient_privilege';
  end if;
  return old;
end $$;
do $$
declare t text;
begin
  foreach t in array array['audit_leaf', 'audit_entry', 'audit_document', 'audit_tag'] loop
    execute format('create trigger append_only before update or truncate on %I '
                   'for each statement execute function clearance.refuse_audit_change()', t);
    execute format('create trigger pruned_alone before delete on %I '
                   'for each row execute function clearance.refuse_unpruned()', t);
    execute format('alter table %I enable always trigger pruned_alone', t);
  end loop;
  foreach t in array array['audit_head', 'audit_name', 'audit_node', 'audit_pruned', 'audit_checkpoint',
                           'audit_cosignature', 'audit_timestamp'] loop
    execute format('create trigger append_only before update or delete or truncate on %I '
                   'for each statement execute function clearance.refuse_audit_change()', t);
  end loop;
  foreach t in array array['audit_leaf', 'audit_entry', 'audit_head', 'audit_document', 'audit_tag', 'audit_name',
                           'audit_node', 'audit_pruned', 'audit_checkpoint', 'audit_cosignature', 'audit_timestamp'] loop
    execute format('alter table %I enable always trigger append_only', t);
    execute format('create policy auditors_read on %I for select to clearance_app '
                   'using ((select clearance.caller_may(''audit'')))', t);
    execute format('grant select on %I to clearance_app', t);
  end loop;
  foreach t in array array['audit_leaf', 'audit_entry', 'audit_head', 'audit_node', 'audit_checkpoint',
                           'audit_cosignature', 'audit_timestamp'] loop
    execute format('create policy sequencer_read on %I for select to clearance_sequencer using (true)', t);
  end loop;
end $$;
create policy auditors_read on audit_day for select to clearance_app using ((select clearance.caller_may('audit')));
grant select on audit_day to clearance_app;
grant select on audit_entry, audit_head, audit_node, audit_checkpoint, audit_cosignature, audit_timestamp
  to clearance_sequencer;
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
create policy parts_add on audit_leaf for insert to clearance_ingest, clearance_sequencer, clearance_delivery with check (
  exists (
    select from clearance.audit_writer w
    where w.role = session_user and w.kind = audit_leaf.kind and w.acts_for = 'nobody'
      and body::jsonb -> 'actor' = jsonb_build_object('user', null, 'name', w.name, 'key', null, 'via', null,
        'address', null)));

-- A person's key is made by that person, or with their account, which the service of their source may make; it never
-- changes, and only the owner erases it.
create policy services_read on person_key for select to clearance_app using (true);
create policy callers_add on person_key for insert to clearance_app
  with check (user_id = (select clearance.signed_caller()) or (select clearance.caller_may('administer'))
      or exists (select from app_user u where u.id = user_id and u.source = (select clearance.provisioned())));
grant select, insert (user_id, wrapped) on person_key to clearance_app;
-- That of a document is made when the first of its text is kept. No service lists them, which would tell of documents:
-- it gives those of the ids that it names, and none that is not wanted is made for it.
create function clearance.document_keys(wanted uuid[]) returns table (document uuid, wrapped bytea)
language sql stable security definer set search_path = '' as $$
  select k.document, k.wrapped from public.document_key k where k.document = any (wanted)
$$;
create function clearance.add_document_keys(documents uuid[], keys bytea[]) returns void
language sql volatile security definer set search_path = '' as $$
  insert into public.document_key (document, wrapped)
  select n.document, n.wrapped from unnest(documents, keys) as n (document, wrapped)
  where (select clearance.signed_caller()) is not null
  order by n.document
  on conflict do nothing
$$;
grant execute on function clearance.document_keys(uuid[]), clearance.add_document_keys(uuid[], bytea[]) to clearance_app;

-- Whether the caller is the one sequencer until the transaction ends. Never waits.
create function clearance.take_audit_turn() returns boolean
language plpgsql volatile security definer set search_path = '' as $$
begin
  perform 1 from clearance.turn where name = 'audit' for update skip locked;
  return found;
end $$;

-- The id that a text is; null for any other text. A call, and no expression: of one the planner works out `text::uuid` of a
-- text that it knows before it is asked whether it is an id, and one odd record would keep all from their places.
create function clearance.as_id(said text) returns uuid
language plpgsql immutable strict parallel safe set search_path = '' as $$
begin
  if pg_input_is_valid(said, 'uuid') then
    return said::uuid;
  end if;
  return null;
end $$;

-- The documents that a record names by id. A text that is no id is none, whoever wrote it.
create function clearance.documents_of(record jsonb) returns setof uuid
language sql immutable parallel safe set search_path = '' as $$
  select distinct clearance.as_id(n.name)
  from (
    select record ->> 'document'
    union all select substr(record ->> 'target', 10) where starts_with(record ->> 'target', 'document:')
    union all select p.value ->> 'document' from jsonb_array_elements(
      case jsonb_typeof(record -> 'passages') when 'array' then record -> 'passages' else '[]' end) as p
    union all select d.value from jsonb_array_elements_text(
      case jsonb_typeof(record -> 'documents') when 'array' then record -> 'documents' else '[]' end) as d
  ) as n (name)
  where clearance.as_id(n.name) is not null
$$;

-- By what else a record is found: of an answer the highest label of what went into it, the model, and whether that is in
-- the house; of its end what the guardrail redacted, and how it is grounded; whether a look at the log opened personal
-- words; and the collections that a record names by id. Beside these, which queries ask for, those by which it is told
-- who made a grant: whose rule was changed, which document was indexed, and which job a file came in with. Whoever wrote
-- it, a record has few of them, and short ones.
create function clearance.tags_of(kind text, record jsonb) returns table (name text, value text)
language sql immutable parallel safe set search_path = '' as $$
  select distinct t.name, t.value
  from (
    select 'label', record ->> 'label' where kind = 'answer.opened'
    union all select 'model', record #>> '{model,name}' where kind = 'answer.opened'
    union all select 'model', substring(record #>> '{model,reason}' from '^(internal|external) endpoint, ')
      where kind = 'answer.opened'
    union all select 'finding', f.key from jsonb_each(
      case jsonb_typeof(record -> 'redactions') when 'object' then record -> 'redactions' else '{}' end) as f
      where kind = 'answer.closed' and f.value <> '0'
    union all select 'finding', record #>> '{grounding,outcome}' where kind = 'answer.closed'
    union all select 'opened', case record -> 'opened' when 'true' then 'yes' when 'false' then 'no' end
      where starts_with(kind, 'audit.')
    union all select 'ruled', substring(record ->> 'target' from '^(?:collection|document):([0-9a-f-]{36})')
      where kind = 'policy.changed'
    union all select 'indexed', record ->> 'document' where kind = 'document.indexed'
    union all select 'job', record ->> 'job' where kind = 'document.uploaded'
    union all select 'collection', clearance.as_id(c.id)::text
    from (
      select record ->> 'collection'
      -- A folder is named by its collection and its path.
      union all select substr(record ->> 'target', 12, 36) where starts_with(record ->> 'target', 'collection:')
      union all select e.value from jsonb_array_elements_text(
        case jsonb_typeof(record -> 'collections') when 'array' then record -> 'collections' else '[]' end) as e
    ) as c (id)
    where clearance.as_id(c.id) is not null
  ) as t (name, value)
  where octet_length(t.value) between 1 and 100
  limit 1000
$$;

-- The trails whose answers a record is about, beside its own documents: the one that ended or was spoken of, and those
-- that were given out again. A text that is no id is none, whoever wrote it.
create function clearance.trails_of(kind text, trail uuid, body text) returns setof uuid
language sql immutable parallel safe set search_path = '' as $$
  select trail where kind in ('answer.closed', 'answer.feedback')
  union all (
    select distinct clearance.as_id(s.id)
    from (select body::jsonb -> 'shown' as shown where kind = 'conversation.read') as r
      cross join lateral jsonb_array_elements_text(
        case jsonb_typeof(r.shown) when 'array' then r.shown else '[]' end) as s (id)
    where clearance.as_id(s.id) is not null
    limit 1000
  )
$$;

-- Counts what people were shown by the entries from `first` on for the days on which it was. Of a person and day at most
-- 10,000 documents are kept, so that nobody makes the sequencer slow by being shown many.
create function clearance.note_days(first bigint, entries bigint) returns void
language sql volatile set search_path = '' as $$
  insert into public.audit_day as kept (day, actor, way, documents)
  select n.day, n.actor, n.way, (array_agg(n.document order by n.document))[:10000]
  from (
    select distinct (e.at at time zone 'UTC')::date as day, e.actor, w.way, d.document
    from generate_series(first, first + entries - 1) as s (seq)
      join public.audit_entry e on e.seq = s.seq
      cross join lateral (select noted.document from public.audit_document noted where noted.seq = e.seq) as d
      cross join lateral (
        select 'shown' as way union all select 'downloaded' where e.kind = 'document.downloaded'
      ) as w
    where e.actor is not null and e.kind in (
      'answer.opened', 'search.done', 'document.opened', 'document.downloaded', 'conversation.read')
  ) as n
  group by 1, 2, 3
  order by 1, 2, 3
  on conflict (day, actor, way) do update set documents = (
    select (array_agg(u.document order by u.document))[:10000]
    from (select unnest(kept.documents) union select unnest(excluded.documents)) as u (document)
  )
  where kept.number < 10000 and not excluded.documents <@ kept.documents
$$;

-- Notes the leaves of these ids as entries from `first` on, with what they are found by; gives how many there are.
create function clearance.note_entries(leaves uuid[], first bigint) returns bigint
language plpgsql volatile set search_path = '' as $$
declare
  placed bigint;
begin
  with leaf as materialized (
    select first + v.n - 1 as seq, l.id, l.leaf_hash, l.at, l.kind, l.trail, l.actor, l.body::jsonb as record
    from unnest(leaves) with ordinality as v (id, n) join public.audit_leaf l on l.id = v.id
  ), read as materialized (
    select l.seq, l.id, l.leaf_hash, l.at, l.kind, l.trail, l.actor, l.record #>> '{actor,name}' as name,
      clearance.as_id(l.record #>> '{actor,via,service}') as via,
      l.record #>> '{actor,via,name}' as via_name,
      -- What is no word of ours is found by nothing: an index takes no text of any length.
      case when octet_length(l.record ->> 'outcome') <= 100 then l.record ->> 'outcome' end as outcome,
      case when octet_length(l.record #>> '{actor,address}') <= 100 then l.record #>> '{actor,address}' end as address
    from leaf l
  ), names as (
    insert into public.audit_name (name, actor, kind)
    select distinct n.name, n.actor, n.kind from (
      select r.name, coalesce(r.actor, '00000000-0000-0000-0000-000000000000'),
        case when r.actor is null then r.kind else '' end from read r
      union all select r.via_name, r.via, '' from read r where r.via is not null
    ) as n (name, actor, kind)
    where octet_length(n.name) <= 1000
    on conflict do nothing
  )
  insert into public.audit_entry (seq, leaf_id, leaf_hash, at, kind, trail, actor, via, outcome, address)
  select r.seq, r.id, r.leaf_hash, r.at, r.kind, r.trail, r.actor, r.via, r.outcome, r.address from read r;
  get diagnostics placed = row_count;

  -- The ids lead: no plan goes through all of the log.
  insert into public.audit_document (document, seq)
  select d.id, first + v.n - 1
  from unnest(leaves) with ordinality as v (id, n)
    join public.audit_leaf l on l.id = v.id
    cross join lateral clearance.documents_of(l.body::jsonb) as d (id)
  on conflict do nothing;

  -- What was noted of an answer's opening counts for what is about the answer. Of a trail one opening counts, whoever
  -- wrote more, and no record counts for more documents than people can be shown.
  insert into public.audit_document (document, seq)
  select d.document, first + v.n - 1
  from unnest(leaves) with ordinality as v (id, n)
    join public.audit_leaf l on l.id = v.id
    cross join lateral (
      select noted.document
      from clearance.trails_of(l.kind, l.trail, l.body) as t (id)
        cross join lateral (
          select e.seq from public.audit_entry e where e.trail = t.id and e.kind = 'answer.opened' order by e.seq limit 1
        ) as opened
        join public.audit_document noted on noted.seq = opened.seq
      limit 10000
    ) as d
  where l.kind in ('answer.closed', 'answer.feedback', 'conversation.read')
  on conflict do nothing;

  insert into public.audit_tag (name, value, seq)
  select t.name, t.value, first + v.n - 1
  from unnest(leaves) with ordinality as v (id, n)
    join public.audit_leaf l on l.id = v.id
    cross join lateral clearance.tags_of(l.kind, l.body::jsonb) as t
  on conflict do nothing;

  insert into public.audit_tag (name, value, seq)
  select t.name, t.value, first + v.n - 1
  from unnest(leaves) with ordinality as v (id, n)
    join public.audit_leaf l on l.id = v.id
    cross join lateral (
      select noted.name, noted.value
      from (
          select e.seq from public.audit_entry e
          where e.trail = l.trail and e.kind = 'answer.opened' order by e.seq limit 1
        ) as opened
        join public.audit_tag noted on noted.seq = opened.seq
      limit 1000
    ) as t
  where l.kind in ('answer.closed', 'answer.feedback')
  on conflict do nothing;

  perform clearance.note_days(first, placed);
  return placed;
end $$;

-- Of these documents those that are there, each with its version: an auditor, who reads no document, is told which of the
-- versions that the log names still stand.
create function clearance.standing_versions(documents uuid[]) returns table (document uuid, version uuid)
language sql stable security definer set search_path = '' as $$
  select d.public_id, d.version_id from public.document d
  where d.public_id = any (documents) and (select clearance.caller_may('audit'))
$$;
grant execute on function clearance.standing_versions(uuid[]) to clearance_app;

-- Gives these leaves the next numbers, in this order, and publishes the head over all (RFC 6962 section 2.1). Nobody
-- writes a number or a head by itself: a gap or a wrong root would spoil the log for ever.
create function clearance.place_leaves(leaves uuid[]) returns table (size bigint, root bytea)
language plpgsql volatile security definer set search_path = '' as $$
#variable_conflict use_variable
declare
  first bigint := 0;
  nodes bytea[] := '{}';
  node bytea;
  level int;
begin
  perform 1 from clearance.turn t where t.name = 'audit' for update;
  select h.size, h.frontier into first, nodes from public.audit_head h order by h.size desc limit 1;
  first := coalesce(first, 0);
  nodes := coalesce(nodes, '{}');
  if cardinality(leaves) = 0 or clearance.note_entries(leaves, first) <> cardinality(leaves) then
    raise exception 'some of these are no leaves of the log' using errcode = 'integrity_constraint_violation';
  end if;
  size := first;
  for node in select e.leaf_hash from public.audit_entry e
              where e.seq >= first and e.seq < first + cardinality(leaves) order by e.seq loop
    level := 0;
    while (size >> level) & 1 = 1 loop
      node := sha256('\x01'::bytea || nodes[cardinality(nodes)] || node);
      nodes := trim_array(nodes, 1);
      level := level + 1;
      if level >= 8 then
        insert into public.audit_node values (level, size >> level, node);
      end if;
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

-- Keeps a signed head. Its signature is for readers to check, who trust no database; but no note can stand here for
-- another head than the one that was published.
create function clearance.publish_checkpoint(of_size bigint, signed text) returns void
language plpgsql volatile security definer set search_path = '' as $$
begin
  insert into public.audit_checkpoint (size, note)
  select h.size, signed from public.audit_head h
  where h.size = of_size and split_part(signed, E'\n', 2) = h.size::text
    and split_part(signed, E'\n', 3) = encode(h.root, 'base64');
  if not found then
    raise exception 'this note is of no head of the log' using errcode = 'integrity_constraint_violation';
  end if;
end $$;

-- Keeps the signature of a witness under a checkpoint; of each the first. Few are kept, whoever signs.
create function clearance.keep_cosignature(of_size bigint, of_signer text, signed text) returns void
language sql volatile security definer set search_path = '' as $$
  insert into public.audit_cosignature (size, signer, line)
  select of_size, of_signer, signed
  where (select count(*) from public.audit_cosignature c where c.size = of_size) < 32
  on conflict do nothing
$$;

-- Keeps the time stamp of a checkpoint; of each authority the first. It holds the hash of what the log signed, which is
-- the note up to its empty line; whether an authority made it is for readers to check.
create function clearance.keep_timestamp(of_size bigint, of_authority text, stamped bytea) returns void
language plpgsql volatile security definer set search_path = '' as $$
begin
  if not exists (
    select from public.audit_checkpoint c
    where c.size = of_size
      and position(sha256(convert_to(split_part(c.note, E'\n\n', 1) || E'\n', 'UTF8')) in stamped) > 0
  ) then
    raise exception 'this time stamp is of no signed head of the log' using errcode = 'integrity_constraint_violation';
  end if;
  insert into public.audit_timestamp (size, authority, token)
  select of_size, of_authority, stamped
  where (select count(*) from public.audit_timestamp t where t.size = of_size) < 8
  on conflict do nothing;
end $$;
grant execute on function clearance.take_audit_turn(), clearance.place_leaves(uuid[]),
  clearance.publish_checkpoint(bigint, text), clearance.keep_cosignature(bigint, text, text),
  clearance.keep_timestamp(bigint, text, bytea) to clearance_sequencer;
