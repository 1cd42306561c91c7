-- Documents and what is derived from them. Derived rows carry the scope of their document by foreign keys that cascade:
-- to move a document is to change one column of one row, and no derived row can stand under another rule.

-- Paths compare by their bytes, so that what lies in a folder stands together, and lists have one order everywhere.
create table document (
  id bigint generated always as identity,
  public_id uuid default gen_random_uuid() not null,
  collection_id uuid not null,
  scope_id integer not null,
  path text collate "C" not null,
  media_type text not null,
  size bigint not null,
  sha256 bytea not null,
  version integer not null,
  version_id uuid default gen_random_uuid() not null,
  ruled_at timestamptz default now() not null,
  created_at timestamptz default now() not null,
  updated_at timestamptz default now() not null,
  constraint document_pkey primary key (id),
  constraint document_collection_id_path_key unique (collection_id, path) include (scope_id, id),
  constraint document_id_scope_id_key unique (id, scope_id),
  constraint document_path_check check (clearance.is_normal_path(path)),
  constraint document_scope_id_fkey foreign key (scope_id, collection_id) references scope (id, collection_id),
  constraint document_public_id_key unique (public_id),
  constraint document_collection_id_fkey foreign key (collection_id) references collection (id) on delete cascade
);
-- A page of a list is taken from each scope that its reader sees, or each collection that they curate, by path or by
-- change: from these indexes alone, so that what is hidden, and what stands on other pages, is not looked at.
create index document_scope_id_idx on document (scope_id, path) include (collection_id, id);
create index document_scope_id_updated_at_idx on document (scope_id, updated_at, public_id)
  include (collection_id, path, id);
create index document_collection_id_updated_at_idx on document (collection_id, updated_at, public_id)
  include (scope_id, path, id);

create table chunk (
  id bigint generated always as identity,
  public_id uuid default gen_random_uuid() not null,
  document_id bigint not null,
  scope_id integer not null,
  ordinal integer not null,
  heading_path text[] not null,
  page integer,
  text text not null,
  tokens integer not null,
  blocks bytea default ''::bytea not null,
  constraint chunk_pkey primary key (id),
  constraint chunk_document_id_ordinal_key unique (document_id, ordinal),
  constraint chunk_id_scope_id_key unique (id, scope_id),
  constraint chunk_document_id_fkey foreign key (document_id, scope_id) references document (id, scope_id)
    on delete cascade on update cascade,
  constraint chunk_public_id_key unique (public_id)
);
create index chunk_scope_id_idx on chunk (scope_id);

create table original (
  document_id bigint not null,
  scope_id integer not null,
  title text not null,
  content bytea not null,
  constraint original_pkey primary key (document_id),
  constraint original_document_id_fkey foreign key (document_id, scope_id) references document (id, scope_id)
    on delete cascade on update cascade
);
create index original_scope_id_idx on original (scope_id);

-- A code is a function of its vector alone (app/indexing/quantizer.py). `changed` is the transaction that last put the
-- row where it stands; readers compare it with snapshots, since the order of numbers is not the order of commits.
create table vector_row (
  chunk_id bigint not null,
  scope_id integer not null,
  terms integer not null,
  embedding halfvec not null,
  code bytea,
  changed xid8 default pg_current_xact_id() not null,
  constraint vector_row_pkey primary key (chunk_id),
  constraint vector_row_chunk_id_fkey foreign key (chunk_id, scope_id) references chunk (id, scope_id)
    on delete cascade on update cascade
);
create index vector_row_scope_id_idx on vector_row (scope_id);
create index vector_row_changed_idx on vector_row (changed);

-- Inverted lists, packed (ADR 0013): one row for a term in a document. `entries` holds one 64-bit number, big-endian,
-- for each passage of the document that has the term, up to 250 a row (app/indexing/postings.py). So a question reads
-- an index alone, a row for each document. No primary key: nothing asks for a row by one, and its index would be as
-- large as the lists.
create table posting (
  term bigint not null,
  document_id bigint not null,
  scope_id integer not null,
  entries bytea not null,
  constraint posting_entries_check check (length(entries) >= 8 and length(entries) <= 2000 and length(entries) % 8 = 0),
  constraint posting_document_id_fkey foreign key (document_id, scope_id) references document (id, scope_id)
    on delete cascade on update cascade
);
-- A row that vacuum has not seen yet costs a look at the table: the default lets a fifth of all rows wait.
alter table posting set (autovacuum_vacuum_insert_scale_factor = 0.02, autovacuum_vacuum_scale_factor = 0.05);
create index posting_term_scope_id_idx on posting (term, scope_id) include (entries);
create index posting_document_id_idx on posting (document_id);

-- How many passages stand in a scope and how many terms they have, as sums of what came and went. Readers add these up
-- over the scopes they see instead of counting passages; writers only add rows, so that nobody waits for anybody.
create table scope_volume (
  id bigint generated always as identity,
  scope_id int not null,
  chunks int not null,
  terms bigint not null,
  constraint scope_volume_pkey primary key (id),
  constraint scope_volume_scope_id_fkey foreign key (scope_id) references scope (id) on delete cascade
);
create index scope_volume_scope_id_idx on scope_volume (scope_id) include (chunks, terms);

-- The embedder whose vectors the index holds; the worker refuses any other.
create table index_profile (
  single boolean default true not null,
  embedder text not null,
  constraint index_profile_pkey primary key (single),
  constraint index_profile_one_row_check check (single)
);

create function clearance.note_change() returns trigger
language plpgsql set search_path = '' as $$
begin
  new.changed := pg_current_xact_id();
  return new;
end $$;
create trigger note_change before update on vector_row for each row
  when (old.scope_id <> new.scope_id or old.code is distinct from new.code)
  execute function clearance.note_change();
alter table vector_row enable always trigger note_change;

create function clearance.add_volume() returns trigger
language plpgsql security definer set search_path = '' as $$
begin
  insert into public.scope_volume (scope_id, chunks, terms)
  select n.scope_id, count(*), sum(n.terms) from fresh n group by n.scope_id;
  return null;
end $$;
create function clearance.take_volume() returns trigger
language plpgsql security definer set search_path = '' as $$
begin
  -- A scope that goes with its passages takes its sums with it.
  insert into public.scope_volume (scope_id, chunks, terms)
  select o.scope_id, -count(*), -sum(o.terms) from stale o
  where exists (select 1 from public.scope s where s.id = o.scope_id)
  group by o.scope_id;
  return null;
end $$;
create function clearance.move_volume() returns trigger
language plpgsql security definer set search_path = '' as $$
begin
  insert into public.scope_volume (scope_id, chunks, terms)
  select m.scope_id, sum(m.chunks), sum(m.terms)
  from (
    select n.scope_id, 1 as chunks, n.terms from fresh n
    union all
    select o.scope_id, -1, -o.terms from stale o
  ) as m
  group by m.scope_id
  having sum(m.chunks) <> 0 or sum(m.terms) <> 0;
  return null;
end $$;
create trigger add_volume after insert on vector_row referencing new table as fresh
  for each statement execute function clearance.add_volume();
create trigger take_volume after delete on vector_row referencing old table as stale
  for each statement execute function clearance.take_volume();
create trigger move_volume after update on vector_row referencing old table as stale new table as fresh
  for each statement execute function clearance.move_volume();
alter table vector_row enable always trigger add_volume;
alter table vector_row enable always trigger take_volume;
alter table vector_row enable always trigger move_volume;

-- Turns that one process at a time takes. Rows, because nobody can lock a row without a right to change it; an advisory
-- lock could be held by any database role.
create table clearance.turn (
  name text not null,
  constraint turn_pkey primary key (name)
);
insert into clearance.turn (name) values ('audit'), ('fold_volumes');

-- Puts many small sums of a scope into one; gives how many rows went. What is not committed yet is not seen, and stays.
create function clearance.fold_volumes() returns bigint
language plpgsql volatile security definer set search_path = '' as $$
declare
  gone bigint;
begin
  perform 1 from clearance.turn where name = 'fold_volumes' for update skip locked;
  if not found then return 0; end if;
  with many as (
    select scope_id from public.scope_volume group by scope_id having count(*) > 1
  ), taken as (
    delete from public.scope_volume v using many
      where v.scope_id = many.scope_id
      returning v.scope_id, v.chunks, v.terms
  ), put as (
    insert into public.scope_volume (scope_id, chunks, terms)
    select scope_id, sum(chunks), sum(terms) from taken group by scope_id
  )
  select count(*) into gone from taken;
  return gone;
end $$;
grant execute on function clearance.fold_volumes() to clearance_ingest;

-- What a passage leaves in the inverted lists goes with it, in the same statement: a version that is replaced takes all
-- rows of its document, a passage alone its own entries.
create function clearance.drop_entries() returns trigger
language plpgsql security definer set search_path = '' as $$
begin
  delete from public.posting p
  where p.document_id in (select g.document_id from gone g)
    and not exists (select from public.chunk c where c.document_id = p.document_id);
  if exists (select from public.posting p where p.document_id in (select g.document_id from gone g)) then
    with kept as (
      select p.ctid as place,
             string_agg(substr(p.entries, 8 * n + 1, 8), '' order by n)
               filter (where (substr(p.entries, 8 * n + 1, 8)::bigint >> 25) not in (select g.id from gone g))
               as entries
      from public.posting p, generate_series(0, length(p.entries) / 8 - 1) as n
      where p.document_id in (select g.document_id from gone g)
      group by p.ctid
    ), emptied as (
      delete from public.posting p using kept where p.ctid = kept.place and kept.entries is null
    )
    update public.posting p set entries = kept.entries
    from kept
    where p.ctid = kept.place and length(kept.entries) < length(p.entries);
  end if;
  return null;
end $$;
create trigger drop_entries after delete on chunk referencing old table as gone
  for each statement execute function clearance.drop_entries();

-- Text and what is derived from it: readers by scope, and nobody else. The inner SELECT makes the planner resolve the
-- scopes once and use them as an index condition. Who curates a collection sees which documents it has, not what is in
-- them.
create policy readers on document for select to clearance_app
  using (scope_id = any ((select clearance.visible_scopes())::int[])
      or collection_id = any ((select clearance.curated())::uuid[]));
create policy curators_move on document for update to clearance_app
  using (collection_id = any ((select clearance.curated())::uuid[]));
create policy curators_drop on document for delete to clearance_app
  using (collection_id = any ((select clearance.curated())::uuid[]));
grant select, delete, update (scope_id, ruled_at, updated_at) on document to clearance_app;
create policy readers on original for select to clearance_app
  using (scope_id = any ((select clearance.visible_scopes())::int[]));
create policy readers on chunk for select to clearance_app
  using (scope_id = any ((select clearance.visible_scopes())::int[]));
create policy readers on posting for select to clearance_app
  using (scope_id = any ((select clearance.visible_scopes())::int[]));
-- Hashed: `= any` goes through all visible scopes for each row, a thousand of them for some callers. This is no index
-- condition; every statement of ours has one of its own, its scope filter.
create policy readers on vector_row for select to clearance_app
  using (scope_id in (select unnest((select clearance.visible_scopes()))));
create policy readers on scope_volume for select to clearance_app
  using (scope_id in (select unnest((select clearance.visible_scopes()))));
grant select on original, chunk, vector_row, posting, scope_volume, index_profile to clearance_app;

-- The scope index is made from codes and numbers of scopes: the one role that reads all of them reads no text and no
-- vector.
create policy search_reads on vector_row for select to clearance_search using (true);
grant select (chunk_id, scope_id, code, changed) on vector_row to clearance_search;
